"""Scripts as trees: what tree-sitter makes of a script, cut down to what the gates look at."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property

import tree_sitter_bash
import tree_sitter_powershell
from tree_sitter import Language as Grammar
from tree_sitter import Node as RawNode
from tree_sitter import Parser

from fleetscan.errors import Problem
from fleetscan.model.playbook import Language

_CHAINS = frozenset(
    f"{kind}_expression"
    for name in ("logical", "bitwise", "comparison", "additive", "multiplicative", "format", "range")
    for kind in (name, f"{name}_argument")
) | {
    "array_literal_expression",
    "unary_expression",
    "argument_expression",
    "pipeline",
    "pipeline_chain",
    "string_literal",
    "integer_literal",
    "statement_list",
}
"""PowerShell wraps each value in all of these. With a single child they say nothing."""


@dataclass(slots=True, eq=False)
class Node:
    """A piece of a script. `kind` is the grammar's word for it, or the token itself; `end` is exclusive."""

    kind: str
    start: int
    end: int
    children: list[Node] = field(default_factory=list)
    before: Node | None = None
    """The piece before it in the same parent, comments apart."""
    parent: Node | None = None

    def walk(self) -> Iterator[Node]:
        """The node and all that is in it, in the order of the text."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            if node.children:
                waiting.extend(reversed(node.children))

    def child(self, kind: str) -> Node | None:
        """The first child of a kind."""
        return next((child for child in self.children if child.kind == kind), None)

    def inside(self, kind: str) -> bool:
        """Whether any of its parents is of a kind."""
        node = self.parent
        while node is not None and node.kind != kind:
            node = node.parent
        return node is not None


class Script:
    """One script: its text, its tree, and where things stand in it."""

    def __init__(self, text: str, language: Language, source: str) -> None:
        self.text = text
        self.source = source
        self.comments: list[Node] = []
        self._raw = _parser(language).parse(text.encode("ascii"))

    @cached_property
    def root(self) -> Node:
        """The tree without blanks, comments and wrappers. Only for a script that `broken` finds whole."""
        return self._convert(self._raw.root_node)

    @cached_property
    def nodes(self) -> list[Node]:
        """All nodes of the tree, in the order of the text."""
        return list(self.root.walk())

    def broken(self) -> Node | None:
        """The first piece that the grammar cannot read."""
        if not self._raw.root_node.has_error:
            return None
        return next(_errors(self._raw.root_node), Node("ERROR", 0, 0))

    def text_of(self, node: Node) -> str:
        """The characters of a node."""
        return self.text[node.start : node.end]

    def variable(self, node: Node) -> str:
        """The name of a variable of PowerShell, in small letters."""
        return self.text_of(node).lstrip("$").strip("{}").casefold()

    def command(self, node: Node) -> str:
        """The name of a command of PowerShell, in small letters and without its module; "" if it is not written out."""
        name = node.child("command_name")
        return self.text_of(name).casefold().rpartition("\\")[2] if name is not None else ""

    def line_of(self, offset: int) -> int:
        """The line of a character, counted from 0."""
        return bisect.bisect_right(self._lines, offset) - 1

    def line_text(self, offset: int) -> str:
        """The line that a character stands in."""
        start = self._lines[self.line_of(offset)]
        return self.text[start:].partition("\n")[0]

    def starts_line(self, node: Node) -> bool:
        """Whether there are only blanks before it on its line."""
        start = self._lines[self.line_of(node.start)]
        return not self.text[start : node.start].strip()

    def problem(self, where: Node | int, message: str, cure: str = "") -> Problem:
        """A mistake at a node or at an offset."""
        offset = where if isinstance(where, int) else where.start
        line = self.line_of(offset)
        return Problem(self.source, message, cure, line + 1, offset - self._lines[line] + 1)

    @cached_property
    def _lines(self) -> list[int]:
        return [0] + [offset + 1 for offset, char in enumerate(self.text) if char == "\n"]

    def _convert(self, raw: RawNode) -> Node:
        cursor = raw.walk()
        root = Node(raw.type, raw.start_byte, raw.end_byte)
        if not cursor.goto_first_child():
            return root
        parents = [root]
        while True:
            current = cursor.node
            assert current is not None  # noqa: S101 - a cursor that moved stands on a node
            node = self._add(current, parents[-1])
            if node is not None and cursor.goto_first_child():
                parents.append(node)
                continue
            while not cursor.goto_next_sibling():
                full = parents.pop()
                if not parents:
                    return root
                if full is not parents[-1]:
                    _unwrap(full, parents[-1])
                cursor.goto_parent()

    def _add(self, raw: RawNode, parent: Node) -> Node | None:
        """The node for a piece; the parent itself for a wrapper around one piece, None for what has nothing in it."""
        kind = raw.type
        if kind in _CHAINS and raw.child_count == 1:
            return parent
        node = Node(kind, raw.start_byte, raw.end_byte, parent=parent)
        if kind == "comment":
            self.comments.append(node)
            return None
        if kind == "command_argument_sep" and not self.text_of(node).strip():
            return None
        if parent.children:
            node.before = parent.children[-1]
        parent.children.append(node)
        return node


def _unwrap(node: Node, parent: Node) -> None:
    """Take away a wrapper in which a comment left a single piece."""
    if node.kind in _CHAINS and len(node.children) == 1:
        (only,) = node.children
        only.parent, only.before = parent, node.before
        parent.children[-1] = only


@cache
def _parser(language: Language) -> Parser:
    grammar = tree_sitter_bash if language is Language.SH else tree_sitter_powershell
    return Parser(Grammar(grammar.language()))


def _errors(raw: RawNode) -> Iterator[Node]:
    if raw.is_error or raw.is_missing:
        yield Node("ERROR", raw.start_byte, raw.end_byte)
    elif raw.has_error:
        for child in raw.children:
            yield from _errors(child)


def short(text: str) -> str:
    """The beginning of a piece of code, for messages."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 40 else f"{line[:39]}…"
