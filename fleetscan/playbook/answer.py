"""Answers of hosts against their declared shapes: what does not fit is refused, what fits is clean and typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeAlias

from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, SchemaValidator, ValidationError, core_schema

from fleetscan.errors import ProbeError
from fleetscan.model.playbook import JSON, Language, Probe
from fleetscan.model.reasons import Reason
from fleetscan.model.text import clean, one_line
from fleetscan.playbook.shape import Kind, List, Map, Object, Scalar, Shape, is_version, parse
from fleetscan.suggest import did_you_mean
from fleetscan.validate import describe_loc
from fleetscan.yamlfile import Document, Step

_INT64 = 2**63
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_GUID = re.compile(r"\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?")
_NUMBERS = {
    Kind.INT: re.compile(r"[+-]?[0-9]{1,19}"),
    Kind.TOTAL: re.compile(r"[0-9]{1,19}"),
    Kind.NUMBER: re.compile(r"[+-]?[0-9]{1,300}(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,3})?"),
}
_EXPECTED = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "an object",
    "list": "a list",
    "greater": "a whole number of 64 bits",
    "less": "a whole number of 64 bits",
    "finite": "a finite number",
}


def validator(shape: Shape, language: Language) -> Callable[[JSON], dict[str, JSON]]:
    """Make `Probe.validate`: it takes what a host sent and returns it typed, or raises ProbeError(PROBE_BAD_SHAPE).

    Texts are made safe to show (names and keys on one line), GUIDs lose braces and capitals, whole numbers become
    floats where `number` is declared. `sh` answers are flat mappings of dotted names to texts.
    """
    schema = SchemaValidator(_schema(shape))

    def validate(data: JSON) -> dict[str, JSON]:
        if language is Language.SH:
            data = _typed(shape, _flat(data), "")
        try:
            answer: dict[str, JSON] = schema.validate_python(data)
        except ValidationError as error:
            raise _refusal(error) from None  # pydantic's text says less, and holds what the host sent
        return answer

    return validate


@dataclass(frozen=True, slots=True)
class Misfit:
    """Where an answer does not have its shape. `key`: it is the key that is wrong, not what stands behind it."""

    loc: tuple[Step, ...]
    message: str
    cure: str = ""
    key: bool = False


Fitting: TypeAlias = Callable[[JSON], tuple[dict[str, JSON] | None, list[Misfit]]]


def fitting(probe: Probe) -> Fitting:
    """Make what checks answers that people write down: typed values in every language, and each misfit by its place."""
    shape, _ = parse(dict(probe.shape), Document(probe.origin, None, None), ())
    schema = SchemaValidator(_schema(shape))

    def fit(data: JSON) -> tuple[dict[str, JSON] | None, list[Misfit]]:
        try:
            return schema.validate_python(data), []
        except ValidationError as error:
            return None, [_misfit(shape, details) for details in error.errors(include_url=False)]

    return fit


def _misfit(shape: Shape, details: ErrorDetails) -> Misfit:
    loc = details["loc"]
    where = describe_loc(loc) or "the answer"
    unknown = details["type"] == "extra_forbidden"
    cure = did_you_mean(str(loc[-1]), _keys(shape, loc[:-1]), "known are") if unknown else ""
    return Misfit(loc, f"{where}: {_reason(details['type'], details['msg'], details['input'])}", cure, unknown)


def _keys(shape: Shape, loc: Sequence[Step]) -> Iterable[str]:
    for step in loc:
        if isinstance(shape, Object):
            shape = shape.fields[str(step)]
        elif isinstance(shape, Map):
            shape = shape.value
        elif isinstance(shape, List):
            shape = shape.item
    return shape.fields if isinstance(shape, Object) else ()


def _schema(shape: Shape, name: str = "") -> CoreSchema:
    if isinstance(shape, Scalar):
        schema = _scalar(shape.kind, name)
    elif isinstance(shape, List):
        schema = core_schema.list_schema(_schema(shape.item), strict=True)
    elif isinstance(shape, Map):
        key = core_schema.no_info_after_validator_function(one_line, core_schema.str_schema(strict=True))
        schema = core_schema.dict_schema(key, _schema(shape.value), strict=True)
    else:
        fields = {
            key: core_schema.typed_dict_field(_schema(inner, key), required=not inner.nullable)
            for key, inner in shape.fields.items()
        }
        schema = core_schema.typed_dict_schema(fields, extra_behavior="forbid", strict=True)
    return core_schema.nullable_schema(schema) if shape.nullable else schema


def _scalar(kind: Kind, name: str) -> CoreSchema:
    if kind is Kind.BOOL:
        return core_schema.bool_schema(strict=True)
    if kind is Kind.INT:
        return core_schema.int_schema(strict=True, ge=-_INT64, lt=_INT64)
    if kind is Kind.TOTAL:
        return core_schema.int_schema(strict=True, ge=0, lt=_INT64)
    if kind is Kind.NUMBER:
        return core_schema.float_schema(strict=True, allow_inf_nan=False)
    intake: Callable[[str], str] = one_line if name == "name" else clean
    function = {Kind.TIME: _time, Kind.GUID: _guid, Kind.VERSION: _version}.get(kind, intake)
    return core_schema.no_info_after_validator_function(function, core_schema.str_schema(strict=True))


def _time(text: str) -> str:
    try:
        if not _TIME.fullmatch(text):
            raise ValueError(text)
        datetime.fromisoformat(text.upper())
    except ValueError:
        hint = "; in PowerShell: .ToUniversalTime().ToString('o')" if "Date(" in text else ""
        raise PydanticCustomError("expected", "expected a time with zone, as 2026-01-31T12:00:00Z" + hint) from None
    return text.upper()


def _guid(text: str) -> str:
    match = _GUID.fullmatch(text.lower())
    if match is None:
        raise PydanticCustomError("expected", "expected a GUID")
    return match[1]


def _version(text: str) -> str:
    if not is_version(text):
        raise PydanticCustomError("expected", "expected a version of four numbers, as 5.24.902.11")
    return text


def _refusal(error: ValidationError) -> ProbeError:
    errors = error.errors(include_url=False, include_context=False)
    first = errors[0]
    reason = _reason(first["type"], first["msg"], first["input"])
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return _bad(f"{describe_loc(first['loc']) or 'the answer'}: {reason}{more}")


def _reason(kind: str, message: str, value: Any) -> str:
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not in the declared answer"
    expected = _EXPECTED.get(kind.partition("_")[0])
    message = f"expected {expected}" if expected else message
    shown = value if isinstance(value, str | int | float | None) else type(value).__name__
    return f"{message}, got {one_line(repr(shown), 60)}"


def _bad(message: str) -> ProbeError:
    return ProbeError(Reason.PROBE_BAD_SHAPE, one_line(f"the answer does not have the declared shape: {message}", 400))


def _flat(data: JSON) -> dict[str, str]:
    if not isinstance(data, dict):
        raise _bad("expected lines of the form name=value")
    return {key: value if isinstance(value, str) else str(value) for key, value in data.items()}


def _typed(shape: Shape, entries: Mapping[str, str], path: str) -> JSON:
    """Dotted names and texts as the nested, typed value that the shape asks for. `entries` are relative to `path`."""
    if isinstance(shape, Scalar):
        return _convert(shape, entries, path)
    if isinstance(shape, Map) and isinstance(shape.value, Scalar):
        return {key: _convert(shape.value, {"": value}, f"{path}.{key}") for key, value in entries.items()}
    groups: dict[str, dict[str, str]] = {}
    for key, value in entries.items():
        first, _, rest = key.partition(".")
        if not first:
            _fail(path, f"expected {shape}, got a text")
        groups.setdefault(first, {})[rest] = value
    if isinstance(shape, Map):
        return {key: _typed(shape.value, inner, f"{path}.{key}") for key, inner in groups.items()}
    if isinstance(shape, List):
        return [_typed(shape.item, groups[key], f"{path}[{key}]") for key in _numbered(groups, path)]
    return _object(shape, groups, path)


def _object(shape: Object, groups: Mapping[str, Mapping[str, str]], path: str) -> JSON:
    for key in groups:
        if key not in shape.fields:
            _fail(f"{path}.{key}", "is not in the declared answer")
    result: dict[str, JSON] = {}
    for key, inner in shape.fields.items():
        if key in groups or not (inner.nullable or isinstance(inner, Scalar)):
            result[key] = _typed(inner, groups.get(key, {}), f"{path}.{key}")
    return result


def _numbered(groups: Mapping[str, object], path: str) -> list[str]:
    if not all(key.isascii() and key.isdigit() for key in groups):
        _fail(path, "the items of a list are named by numbers: name.0=…, name.1=…")
    return sorted(groups, key=int)


def _convert(shape: Scalar, entries: Mapping[str, str], path: str) -> JSON:
    if set(entries) != {""}:
        _fail(path, f"expected {shape}, got several values")
    text = entries[""]
    if not text and shape.nullable and shape.kind is not Kind.STRING:
        return None
    if shape.kind is Kind.BOOL:
        if text not in ("true", "false"):
            _fail(path, f"expected true or false, got {one_line(text, 60)!r}")
        return text == "true"
    pattern = _NUMBERS.get(shape.kind)
    if pattern is None:
        return text
    if not pattern.fullmatch(text):
        _fail(path, f"expected {shape}, got {one_line(text, 60)!r}")
    return float(text) if shape.kind is Kind.NUMBER else int(text)


def _fail(path: str, reason: str) -> NoReturn:
    raise _bad(f"{path.removeprefix('.') or 'the answer'}: {reason}")
