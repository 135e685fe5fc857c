"""The shape language: what an answer must look like, and the field paths that expressions may use.

string int number bool              a value; with `?` behind it, it may be null or missing
time guid version                   texts of a certain form
total                               a whole number that counts up: expressions read {value?, per_second?} of it
{a: int, b?: {c: string}}           an object with these keys and no others; `b` may be null or missing
{"*": int}                          an object with any keys
[int]                               a list
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from fleetscan.errors import Problem
from fleetscan.model.playbook import JSON
from fleetscan.suggest import did_you_mean
from fleetscan.validate import Places
from fleetscan.yamlfile import Step

ANY_KEY = "*"
SAMPLE = "sample"
"""The key of an answer with totals that says by which clock they were read."""
CLOCK = {"ticks": "int?", "frequency": "int?", "time": "time?"}
"""What stands there."""
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){3}")


class Kind(StrEnum):
    """The kinds of plain values."""

    STRING = "string"
    INT = "int"
    NUMBER = "number"
    BOOL = "bool"
    TIME = "time"
    """ISO 8601 text with a zone."""
    GUID = "guid"
    """Text in lower case, without braces."""
    VERSION = "version"
    """Text of four whole numbers with dots between them; leading zeros mean nothing."""
    TOTAL = "total"
    """A whole number that counts up; two readings make a rate of it."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A plain value."""

    kind: Kind
    nullable: bool = False

    def __str__(self) -> str:
        return self.kind.value


@dataclass(frozen=True, slots=True)
class Object:
    """A mapping with fixed keys."""

    fields: Mapping[str, Shape] = field(default_factory=dict)
    nullable: bool = False

    def __str__(self) -> str:
        return "object"


@dataclass(frozen=True, slots=True)
class Map:
    """A mapping with any keys."""

    value: Shape
    nullable: bool = False

    def __str__(self) -> str:
        return "map"


@dataclass(frozen=True, slots=True)
class List:
    """A list of equals."""

    item: Shape
    nullable: bool = False

    def __str__(self) -> str:
        return "list"


Shape: TypeAlias = "Scalar | Object | Map | List"


def is_key(text: str) -> bool:
    """Whether expressions can read a field of that name."""
    return _KEY.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """Whether it is a version of four numbers."""
    return _VERSION.fullmatch(text) is not None


def parse(declaration: JSON, places: Places, loc: Sequence[Step]) -> tuple[Shape, list[Problem]]:
    """The shape that is declared at `loc` of a file, with all mistakes in it."""
    reader = _Reader(places)
    return reader.shape(declaration, tuple(loc)), reader.problems


def merged(shapes: Iterable[Object]) -> Object:
    """The object with the fields of all of them; the first declaration of a field wins."""
    fields: dict[str, Shape] = {}
    for shape in shapes:
        for name, inner in shape.fields.items():
            fields.setdefault(name, inner)
    return Object(fields)


def expressed(shape: Object) -> Object:
    """The answer as expressions see it: of each total its value and its rate, with the seconds between the readings."""
    seen = _expressed(shape)
    assert isinstance(seen, Object)  # noqa: S101 # an object stays one
    sample = seen.fields.get(SAMPLE)
    if seen == shape or not isinstance(sample, Object):
        return seen
    seconds = Scalar(Kind.NUMBER, nullable=True)
    return Object({**seen.fields, SAMPLE: Object({**sample.fields, "seconds": seconds})})


def _expressed(shape: Shape) -> Shape:
    if isinstance(shape, Object):
        return replace(shape, fields={name: _expressed(inner) for name, inner in shape.fields.items()})
    if isinstance(shape, Map):
        return replace(shape, value=_expressed(shape.value))
    if isinstance(shape, List):
        return replace(shape, item=_expressed(shape.item))
    if shape.kind is not Kind.TOTAL:
        return shape
    return Object({"value": Scalar(Kind.INT, nullable=True), "per_second": Scalar(Kind.NUMBER, nullable=True)})


def shape_schema(reference: str) -> dict[str, JSON]:
    """The JSON Schema of a declaration; `reference` is where it will stand."""
    words: list[JSON] = [f"{kind.value}{mark}" for kind in Kind for mark in ("", "?")]
    inner: JSON = {"$ref": reference}
    return {
        "description": "a word, an object of shapes (`key?` may be null or missing, `*` is any key), or [shape]",
        "anyOf": [
            {"enum": words},
            {"type": "array", "items": inner, "minItems": 1, "maxItems": 1},
            {"type": "object", "additionalProperties": inner},
        ],
    }


class _Reader:
    def __init__(self, places: Places) -> None:
        self.problems: list[Problem] = []
        self._places = places

    def shape(self, declaration: JSON, loc: tuple[Step, ...]) -> Shape:
        if isinstance(declaration, str):
            return self._scalar(declaration, loc)
        if isinstance(declaration, list):
            return self._list(declaration, loc)
        if isinstance(declaration, dict):
            return self._object(declaration, loc)
        self._add(
            loc,
            f"{str(declaration).lower()} is no shape",
            f"write {', '.join(Kind)}, {{key: shape}} or [shape]",
        )
        return Scalar(Kind.STRING)

    def _scalar(self, word: str, loc: tuple[Step, ...]) -> Scalar:
        name = word.removesuffix("?")
        if name not in list(Kind):
            self._add(loc, f'"{word[:60]}" is no shape', did_you_mean(name, list(Kind), "known are"))
            return Scalar(Kind.STRING, nullable=True)
        return Scalar(Kind(name), nullable=name != word)

    def _list(self, declaration: list[JSON], loc: tuple[Step, ...]) -> List:
        if len(declaration) != 1:
            self._add(loc, "a list needs exactly one shape, that of its items", "write [string] or [{key: shape}]")
            return List(Object())
        item = self.shape(declaration[0], (*loc, 0))
        if str(declaration[0]).endswith("?"):
            self._add((*loc, 0), "the items of a list cannot be null", "leave the null ones out in the probe")
        return List(replace(item, nullable=False))

    def _object(self, declaration: dict[str, JSON], loc: tuple[Step, ...]) -> Object | Map:
        if ANY_KEY in declaration:
            if len(declaration) > 1:
                self._add((*loc, ANY_KEY), '"*" cannot stand beside other keys', "put it into an object of its own")
            return Map(self.shape(declaration[ANY_KEY], (*loc, ANY_KEY)))
        fields: dict[str, Shape] = {}
        for key, inner in declaration.items():
            name = key.removesuffix("?")
            shape = self.shape(inner, (*loc, key))
            if not is_key(name):
                self._add((*loc, key), f'"{key[:60]}" is no name for a key', "use letters, digits and _", key=True)
            elif name in fields:
                self._add((*loc, key), f'the key "{name}" is here twice', "remove one", key=True)
            fields[name] = replace(shape, nullable=True) if name != key else shape
        return Object(fields)

    def _add(self, loc: tuple[Step, ...], message: str, cure: str, *, key: bool = False) -> None:
        self.problems.append(self._places.problem(loc, message, cure, key))
