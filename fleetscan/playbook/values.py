"""Values that people write into data files: which shape they have, and whether others have the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fleetscan.errors import Problem
from fleetscan.model.playbook import JSON
from fleetscan.playbook.shape import Kind, List, Object, Scalar, Shape, is_key, is_version
from fleetscan.suggest import did_you_mean
from fleetscan.validate import Places
from fleetscan.yamlfile import Step

_INT64 = 2**63
_WORDS = {
    Kind.STRING: "a text",
    Kind.VERSION: "a version of four numbers, as 5.24.902.11",
    Kind.INT: "a whole number",
    Kind.NUMBER: "a number",
    Kind.BOOL: "true or false",
}

_Loc = tuple[Step, ...]


@dataclass(slots=True)
class Look:
    """One look at the values of one file; what is wrong with them is in `problems` afterwards."""

    places: Places
    problems: list[Problem] = field(default_factory=list)

    def add(self, loc: _Loc, message: str, cure: str = "", *, key: bool = False) -> None:
        """Note a mistake at a value, or at its key."""
        self.problems.append(self.places.problem(loc, message, cure, key))

    def shape(self, value: JSON, loc: _Loc) -> Shape:
        """The shape that a value has; a text of four numbers with dots is a version."""
        if isinstance(value, dict):
            for key in value:
                if not is_key(key):
                    self.add((*loc, key), f'"{key[:60]}" is no name for a key', "use letters, digits and _", key=True)
            return Object({key: self.shape(item, (*loc, key)) for key, item in value.items()})
        if isinstance(value, list):
            return self._list(value, loc)
        kind = _kind(value)
        if kind is None:
            self.add(loc, "is no value that a check could compare with", "leave the key out, or write a smaller number")
        return Scalar(kind or Kind.STRING)

    def _list(self, value: list[JSON], loc: _Loc) -> List:
        """All items have one shape; a key that some of them lack may be missing."""
        if not value:
            self.add(loc, "an empty list does not say what it lists", "leave it out, or give it an item")
            return List(Object())
        shapes = [self.shape(item, (*loc, index)) for index, item in enumerate(value)]
        common = shapes[0]
        for index, shape in enumerate(shapes[1:], 1):
            joined = _join(common, shape)
            if joined is None:
                self.add((*loc, index), f"is {_said(shape)}, the items before it are not", "make them alike")
            common = joined or common
        return List(common)

    def compare(self, value: JSON, shape: Shape, loc: _Loc) -> None:
        """Note where a value does not have a shape."""
        if isinstance(shape, Object) and isinstance(value, dict):
            self._compare_keys(value, shape, loc)
        elif isinstance(shape, List) and isinstance(value, list):
            for index, item in enumerate(value):
                self.compare(item, shape.item, (*loc, index))
        elif not isinstance(shape, Scalar) or not _fits(value, shape.kind):
            quote = isinstance(shape, Scalar) and shape.kind is Kind.STRING and isinstance(value, int | float)
            self.add(loc, f"must be {_said(shape)}, as in the playbook", "quote it" if quote else "")

    def _compare_keys(self, value: Mapping[str, JSON], shape: Object, loc: _Loc) -> None:
        for key, inner in shape.fields.items():
            if key in value:
                self.compare(value[key], inner, (*loc, key))
            elif not inner.nullable:
                self.add(loc, f'"{key}" is missing', "add it: the file replaces that of the playbook as a whole")
        for key in value:
            if key not in shape.fields:
                cure = did_you_mean(key, shape.fields, "known are") or "remove it"
                self.add((*loc, key), f'the playbook knows no "{key[:60]}" here', cure, key=True)


def typed(value: JSON, shape: Shape) -> JSON:
    """The value as expressions get it: what is a number and may be broken is so, also where it is written as 10."""
    if isinstance(value, dict) and isinstance(shape, Object):
        return {key: typed(item, shape.fields[key]) if key in shape.fields else item for key, item in value.items()}
    if isinstance(value, list) and isinstance(shape, List):
        return [typed(item, shape.item) for item in value]
    is_number = isinstance(shape, Scalar) and shape.kind is Kind.NUMBER
    return float(value) if is_number and isinstance(value, int) else value


def _kind(value: JSON) -> Kind | None:
    if isinstance(value, bool):
        return Kind.BOOL
    if isinstance(value, int):
        return Kind.INT if -_INT64 <= value < _INT64 else None
    if isinstance(value, float):
        return Kind.NUMBER
    if isinstance(value, str):
        return Kind.VERSION if is_version(value) else Kind.STRING
    return None


def _fits(value: JSON, kind: Kind) -> bool:
    found = _kind(value)
    return found is kind or (found, kind) in ((Kind.INT, Kind.NUMBER), (Kind.VERSION, Kind.STRING))


def _join(left: Shape, right: Shape) -> Shape | None:
    """What a value is that may be either of them; None if there is no such shape."""
    if isinstance(left, Object) and isinstance(right, Object):
        fields: dict[str, Shape] = {}
        for key in {**left.fields, **right.fields}:
            one, other = left.fields.get(key), right.fields.get(key)
            both = _join(one, other) if one is not None and other is not None else one or other
            if both is None:
                return None
            fields[key] = replace(both, nullable=both.nullable or one is None or other is None)
        return Object(fields)
    if isinstance(left, List) and isinstance(right, List):
        item = _join(left.item, right.item)
        return None if item is None else List(item)
    if not isinstance(left, Scalar) or not isinstance(right, Scalar):
        return None
    return _joined_scalar(left, right)


def _joined_scalar(left: Scalar, right: Scalar) -> Scalar | None:
    nullable = left.nullable or right.nullable
    kinds = {left.kind, right.kind}
    for wide, narrow in ((Kind.NUMBER, Kind.INT), (Kind.STRING, Kind.VERSION)):
        if kinds == {wide, narrow}:
            return Scalar(wide, nullable)
    return Scalar(left.kind, nullable) if len(kinds) == 1 else None


def _said(shape: Shape) -> str:
    if isinstance(shape, Scalar):
        return _WORDS[shape.kind]
    return "a list" if isinstance(shape, List) else "a mapping"
