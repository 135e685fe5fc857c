"""What an expression can come to, as far as the declared shapes tell: the types that the field check works with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from fleetscan.playbook.shape import Kind, List, Map, Object, Scalar, Shape


@dataclass(frozen=True, slots=True)
class Plain:
    """A CEL type that JSON does not have: timestamp, duration, null, bytes."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Optional:
    """What `.?` gives."""

    inner: Type

    def __str__(self) -> str:
        return "optional"


Type: TypeAlias = "Shape | Plain | Optional | None"
"""None: nothing is known, so anything goes."""

BOOL = Scalar(Kind.BOOL)
INT = Scalar(Kind.INT)
NUMBER = Scalar(Kind.NUMBER)
STRING = Scalar(Kind.STRING)
TIMESTAMP = Plain("timestamp")
DURATION = Plain("duration")
NULL = Plain("null")
EMPTY = List(Object())
"""The type of `[]`: it joins with any list."""

_TEXTS = {Kind.STRING, Kind.TIME, Kind.GUID, Kind.VERSION}
_NUMBERS = {Kind.INT, Kind.NUMBER}


def category(kind: Type) -> str:
    """What CEL can compare with each other. "" when nothing is known."""
    if kind is None:
        return ""
    if isinstance(kind, Scalar):
        return "a text" if kind.kind in _TEXTS else "a number" if kind.kind in _NUMBERS else "true or false"
    if isinstance(kind, Object | Map):
        return "an object"
    names = {"list": "a list", "optional": "an optional value", "null": "null"}
    return names.get(str(kind), f"a {kind}")


def is_time(kind: Type) -> bool:
    """Whether it is a time as text, which CEL does not take for one."""
    return isinstance(kind, Scalar) and kind.kind is Kind.TIME


def is_version(kind: Type) -> bool:
    """Whether it is a version as text, whose numbers CEL does not see."""
    return isinstance(kind, Scalar) and kind.kind is Kind.VERSION


def is_number(kind: Type) -> bool:
    """Whether it is a whole or a broken number."""
    return isinstance(kind, Scalar) and kind.kind in _NUMBERS


def join(left: Type, right: Type) -> Type:
    """What a value is that may be either of them."""
    if left is None or right is None:
        return None
    if isinstance(left, Optional) and isinstance(right, Optional):
        inner = (
            left.inner if right.inner is None else right.inner if left.inner is None else join(left.inner, right.inner)
        )
        return Optional(inner)
    if left is EMPTY or right is EMPTY:
        return right if left is EMPTY else left
    left, right = certain(left), certain(right)
    return left if left == right else None


def certain(kind: Type) -> Type:
    """The same, not null."""
    if isinstance(kind, Scalar | Object | Map | List) and kind is not EMPTY and kind.nullable:
        return replace(kind, nullable=False)
    return kind


def item(kind: Type) -> Type:
    """What a loop over it gives."""
    if isinstance(kind, List):
        return None if kind is EMPTY else kind.item
    return STRING if isinstance(kind, Object | Map) else None
