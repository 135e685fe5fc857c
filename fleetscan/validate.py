"""Checks what users wrote against pydantic models, and says what is wrong in their words, with place and cure."""

from __future__ import annotations

import copy
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, Protocol, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from fleetscan.errors import Problem
from fleetscan.model.text import one_line
from fleetscan.suggest import did_you_mean
from fleetscan.yamlfile import Step

T = TypeVar("T")


class Strict(BaseModel):
    """What is read from files: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Places(Protocol):
    """Knows where each value stood. `yamlfile.Document` is one."""

    def problem(self, loc: Sequence[Step], message: str, cure: str, key: bool, /) -> Problem: ...

    def existing(self, loc: Sequence[Step], /) -> tuple[Step, ...]: ...


def mistake(message: str, cure: str = "") -> PydanticCustomError:
    """What a validator raises: a message in the user's words, and what to do about it."""
    return PydanticCustomError("mistake", "{message}", {"message": message, "cure": cure})


def check(kind: type[T], data: object, places: Places, loc: Sequence[Step] = ()) -> tuple[T | None, list[Problem]]:
    """The `data` that stands at `loc` as a `kind` (a model, or any type that pydantic knows), or its mistakes."""
    try:
        return TypeAdapter(kind).validate_python(data), []
    except ValidationError as error:
        return None, _problems(kind, error, places, tuple(loc))


def usable(kind: type[T], data: object, places: Places, instead: Mapping[str, object]) -> T | None:
    """A mapping with mistakes as a `kind`, to look for further ones: unknown keys are left out, and wrong or missing
    values are those of `instead`. None where it has none for a key: then nothing more can be said.
    """
    if not isinstance(data, dict):
        return None
    try:
        return TypeAdapter(kind).validate_python(data)
    except ValidationError as error:
        wrong = {str(details["loc"][0]) for details in error.errors(include_url=False) if details["loc"]}
    known = set(_keys(kind, ()))
    if not wrong or wrong & known - instead.keys():
        return None
    rest = {key: value for key, value in data.items() if key not in wrong}
    return check(kind, rest | {key: instead[key] for key in wrong & known}, places)[0]


def rest(kind: type[T], data: object) -> T | None:
    """What is left of a mapping with mistakes: without unknown keys, and without values that are wrong.

    None where that is not enough for a `kind`. What is missing then may be what was wrong.
    """
    kept = copy.deepcopy(data)
    try:
        return TypeAdapter(kind).validate_python(kept)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            _take_out(kept, details["loc"])
    try:
        return TypeAdapter(kind).validate_python(kept)
    except ValidationError:
        return None


def _take_out(data: object, loc: Sequence[Step]) -> None:
    """Remove what is deepest on the way: of a list with a wrong item, the whole."""
    owner: dict[Step, object] | None = None
    last: Step = ""
    for step in loc:
        if not isinstance(data, dict) or step not in data:
            break
        owner, last, data = data, step, data[step]
    if owner is not None:
        del owner[last]


class _Mistake(NamedTuple):
    message: str
    cure: str
    is_type: bool = False
    """A wrong type: the members of a union say so one by one, the user wants to read it once."""


def _problems(kind: object, error: ValidationError, places: Places, base: tuple[Step, ...]) -> list[Problem]:
    found: dict[tuple[Step, ...], list[_Mistake]] = {}
    order: list[tuple[tuple[Step, ...], bool]] = []
    for details in error.errors(include_url=False):
        missing = details["type"] == "missing"
        loc = places.existing(base + (details["loc"][:-1] if missing else details["loc"]))
        is_key = details["type"] == "extra_forbidden"
        if loc not in found:
            order.append((loc, is_key))
        found.setdefault(loc, []).append(_mistake(kind, details))
    return [
        places.problem(loc, one_line(_prefixed(loc[:-1] if is_key else loc, message)), one_line(cure), is_key)
        for loc, is_key in order
        if not _is_other_member(loc, found)
        for message, cure in _united(found[loc])
    ]


def _is_other_member(loc: tuple[Step, ...], found: Mapping[tuple[Step, ...], list[_Mistake]]) -> bool:
    """Whether a wrong type is what the other members of a union say about a value that one member looked into."""
    deeper = any(len(other) > len(loc) and other[: len(loc)] == loc for other in found)
    return deeper and all(mistake.is_type for mistake in found[loc])


def _united(mistakes: Sequence[_Mistake]) -> Iterator[tuple[str, str]]:
    types = list(dict.fromkeys(mistake for mistake in mistakes if mistake.is_type))
    if types:
        names = " or ".join(mistake.message for mistake in types)
        yield f"must be {names}", types[0].cure
    yield from dict.fromkeys((mistake.message, mistake.cure) for mistake in mistakes if not mistake.is_type)


def _prefixed(loc: Sequence[Step], message: str) -> str:
    where = describe_loc(loc)
    return f"{where}: {message}" if where else message


_TYPES = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "model": "a mapping",
    "dict": "a mapping",
    "list": "a list",
    "tuple": "a list",
    "none": "null",
}


_WRITTEN = {
    "a list": "write [first, second]",
    "a mapping": "write key: value",
}
"""How the types are written that are more than one word."""


_LIMITS = {
    "greater_than_equal": ("must be at least {ge}", "write {ge} or more"),
    "less_than_equal": ("must be at most {le}", "write {le} or less"),
    "string_too_short": ("is empty", "write something, or remove it"),
    "too_short": ("is empty", "write something, or remove it"),
    "string_too_long": ("is longer than {max_length} characters", "shorten it"),
    "string_pattern_mismatch": ("does not have the form {pattern}", "correct it"),
}
"""What pydantic says of the bounds of a value, in the words of the user; no minimum length is more than one."""


def _mistake(kind: object, details: ErrorDetails) -> _Mistake:
    error, value, context = details["type"], details["input"], details.get("ctx", {})
    family, _, rest = error.partition("_")
    if error == "mistake":
        return _Mistake(str(context["message"]), str(context["cure"]))
    if error == "missing":
        return _Mistake(f'"{details["loc"][-1]}" is missing', "add it")
    if error == "extra_forbidden":
        key = str(details["loc"][-1])
        return _Mistake(
            f'unknown key "{one_line(key, 80)}"', did_you_mean(key, _keys(kind, details["loc"][:-1]), "known keys:")
        )
    if error in ("enum", "literal_error"):
        return _choice(value, str(context.get("expected", "")))
    if family in _TYPES and rest in ("type", "parsing", "from_float", "attributes_type"):
        quote = family == "string" and isinstance(value, int | float)
        if family == "string" and value is None:
            return _Mistake(_TYPES[family], "write one", is_type=True)
        cure = "quote it" if quote else _WRITTEN.get(_TYPES[family], "")
        return _Mistake(_TYPES[family], cure, is_type=True)
    if error in _LIMITS:
        message, cure = _LIMITS[error]
        return _Mistake(message.format_map(context), cure.format_map(context))
    message = details["msg"].removeprefix("Value error, ")
    return _Mistake(message[:1].lower() + message[1:], "")


def _choice(value: object, expected: str) -> _Mistake:
    choices = [choice.strip("'") for choice in expected.replace(" or ", ", ").split(", ")]
    if not isinstance(value, str):
        return _Mistake(f"must be one of {', '.join(choices)}", "")
    return _Mistake(f'"{one_line(value, 80)}" is not one of {", ".join(choices)}', did_you_mean(value, choices))


def _keys(kind: object, loc: Sequence[Step]) -> list[str]:
    """The keys that the mapping at `loc` may have."""
    members = list(_members(kind))
    for step in loc:
        inner = [deeper for member in members for deeper in _inside(member, step)]
        members = inner or members  # a step that leads nowhere names a member of a union
    return [key for member in members if _is_model(member) for key in _fields(member)]


def _members(kind: Any) -> Iterator[Any]:
    """The types that a value may have: the members of a union, without what is annotated to them."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _members(get_args(kind)[0])
    elif origin in (Union, types.UnionType):
        for member in get_args(kind):
            yield from _members(member)
    else:
        yield kind


def _inside(kind: Any, step: Step) -> Iterator[Any]:
    origin = get_origin(kind)
    if _is_model(kind) and step in _fields(kind):
        yield from _members(_fields(kind)[str(step)])
    elif origin is not None and issubclass(origin, Mapping):
        yield from _members(get_args(kind)[1])
    elif origin is not None and issubclass(origin, Sequence):
        yield from _members(get_args(kind)[0])


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def describe_loc(loc: Sequence[Step]) -> str:
    """`groups.paris.hosts[3]`, as messages name a place."""
    return "".join(_described(loc)).removeprefix(".")


def _described(loc: Sequence[Step]) -> Iterator[str]:
    for step in loc:
        yield f"[{step}]" if isinstance(step, int) else f".{step}"
