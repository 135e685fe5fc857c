"""The syntax tree of a compiled CEL expression.

CEL hands it out as a serialized google.protobuf.Any with a cel.expr.CheckedExpr in it. What is needed of that is read
here, by the wire format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding/): their library takes
6 MB. The field numbers are those of cel-spec, proto/cel/expr/syntax.proto and checked.proto.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

_TYPE_URL = b"type.googleapis.com/cel.expr.CheckedExpr"


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal. `kind` is the name of its field in cel.expr.Constant; `text` is that of a string."""

    id: int
    kind: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Ident:
    """A variable."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `has(operand.field)`."""

    id: int
    operand: Node
    field: str
    test_only: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function, an operator (`_+_`) or a method, which has a target."""

    id: int
    function: str
    target: Node | None
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """`[a, b]`."""

    id: int
    elements: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """`{a: b}`: keys and values in turn."""

    id: int
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """What the macros over lists, and `cel.bind`, are made of."""

    id: int
    iter_var: str
    iter_range: Node
    accu_var: str
    accu_init: Node
    loop_condition: Node
    loop_step: Node
    result: Node


Node: TypeAlias = Constant | Ident | Select | Call | Items | Entries | Loop


class Tree:
    """The root expression, and the offset in the text at which each of its parts stands."""

    def __init__(self, root: Node, source_info: bytes, text: str) -> None:
        self.root = root
        self._source_info = source_info
        self._text = text

    def offset(self, node: Node) -> int:
        """The character at which CEL places a node; 0 where it says nothing."""
        return self._offsets.get(node.id, 0)

    def offset_of(self, word: str, node: Node) -> int:
        """The character at which a word begins that CEL read at a node, or after it."""
        start = self.offset(node)
        found = re.compile(rf"\b{re.escape(word)}\b").search(self._text, start)
        return found.start() if found is not None else start

    @cached_property
    def _offsets(self) -> dict[int, int]:
        positions = map(_Message, _Message(self._source_info, 4).every())
        return {position.number(1): position.number(2) for position in positions}


def decode(serialized: bytes, text: str) -> Tree:
    """Read what `Expression.serialize()` of cel-expr-python gives for a text; raises ValueError for anything else."""
    container = _Message(serialized)
    if container.part(1) != _TYPE_URL:
        raise ValueError(f"an expression of the unknown type {container.text(1)}")
    checked = _Message(container.part(2))
    try:
        return Tree(_node(checked.part(4)), checked.part(5), text)
    except RecursionError as error:
        raise ValueError("the expression is nested too deeply") from error


class _Message:
    """The fields of one message, by number. What is absent has its default: 0, or nothing."""

    __slots__ = ("_every", "_found")

    def __init__(self, data: bytes, repeated: int = 0) -> None:
        """`repeated` is the number of the field that may come more than once."""
        self._found: dict[int, int | bytes] = {}
        self._every: list[bytes] = []
        for number, value in _fields(data):
            if number == repeated and isinstance(value, bytes):
                self._every.append(value)
            else:
                self._found[number] = value

    def __contains__(self, number: int) -> bool:
        return number in self._found

    def number(self, number: int) -> int:
        """A whole number."""
        value = self._found.get(number, 0)
        return value if isinstance(value, int) else 0

    def part(self, number: int) -> bytes:
        """A message, a text or bytes."""
        value = self._found.get(number, b"")
        return value if isinstance(value, bytes) else b""

    def text(self, number: int) -> str:
        """A text."""
        return self.part(number).decode(errors="replace")

    def node(self, number: int) -> Node:
        """An expression."""
        return _node(self.part(number))

    def every(self) -> list[bytes]:
        """All messages of the repeated field."""
        return self._every

    def nodes(self) -> tuple[Node, ...]:
        """All expressions of the repeated field."""
        return tuple(map(_node, self._every))


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field: an int for a varint, bytes for all else."""
    at = 0
    try:
        while at < len(data):
            tag, size = data[at], data[at + 1]
            at += 2
            if tag >= 0x80 or size >= 0x80 or tag & 7 not in (0, 2):  # most tags and numbers take one byte
                tag, at = _varint(data, at - 2)
                size, at = _varint(data, at) if tag & 7 in (0, 2) else (_SIZES[tag & 7], at)
            if tag & 7:
                yield tag >> 3, data[at : at + size]
                at += size
            else:
                yield tag >> 3, size
    except LookupError as error:
        raise ValueError("the syntax tree of the expression cannot be read") from error


_SIZES = {1: 8, 5: 4}
"""Bytes of a value of fixed size, by its wire type."""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins there, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


_CONSTANTS = {
    1: "null_value",
    2: "bool_value",
    3: "int64_value",
    4: "uint64_value",
    5: "double_value",
    6: "string_value",
    7: "bytes_value",
}


def _constant(node_id: int, data: bytes) -> Node:
    found = _Message(data)
    kind = next((name for number, name in _CONSTANTS.items() if number in found), "")
    return Constant(node_id, kind, found.text(6))


def _ident(node_id: int, data: bytes) -> Node:
    return Ident(node_id, _Message(data).text(1))


def _select(node_id: int, data: bytes) -> Node:
    found = _Message(data)
    return Select(node_id, found.node(1), found.text(2), bool(found.number(3)))


def _call(node_id: int, data: bytes) -> Node:
    found = _Message(data, 3)
    target = found.node(1) if 1 in found else None
    return Call(node_id, found.text(2), target, found.nodes())


def _items(node_id: int, data: bytes) -> Node:
    return Items(node_id, _Message(data, 1).nodes())


def _entries(node_id: int, data: bytes) -> Node:
    entries = [_Message(entry) for entry in _Message(data, 2).every()]
    return Entries(node_id, tuple(entry.node(number) for entry in entries for number in (3, 4)))


def _loop(node_id: int, data: bytes) -> Node:
    found = _Message(data)
    over, start, condition, step, result = map(found.node, (2, 4, 5, 6, 7))
    return Loop(node_id, found.text(1), over, found.text(3), start, condition, step, result)


_KINDS = {3: _constant, 4: _ident, 5: _select, 6: _call, 7: _items, 8: _entries, 9: _loop}
"""The kinds of expression, by their field in cel.expr.Expr."""


def _node(data: bytes) -> Node:
    node_id, number, part = 0, 0, b""
    for field, value in _fields(data):
        if isinstance(value, int):
            node_id = value if field == 2 else node_id
        elif field in _KINDS:
            number, part = field, value
    return _KINDS[number](node_id, part) if number else Constant(node_id)
