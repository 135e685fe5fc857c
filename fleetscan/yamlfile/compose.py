"""From the text of a YAML document to its tree, with every mistake of syntax at its place."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Protocol, cast

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.reader import ReaderError

from fleetscan.errors import InputError, Problem
from fleetscan.model.text import one_line
from fleetscan.yamlfile.scanner import PythonParser
from fleetscan.yamlfile.tree import Mapping, Node, Scalar, Sequence

MAX_DEPTH = 50

_TAB_WIDTHS = (8, 4, 2)
"""How wide a tab may have looked to its author, to be tried in this order: too wide is noticed more often."""
_MOST_TABS = 20

_NOT_FOR_LIBYAML = re.compile(r"[\t\ufeff]|[&*][0-9A-Za-z_-]+[?:%@`]|[|>][-+0-9]{0,2}#")
"""Tabs, byte order marks, ends of names and comments that libyaml accepts, but not as YAML 1.2 or PyYAML would."""
_LINE_ENDS = {"\x85": "\\N", "\u2028": "\\L", "\u2029": "\\P"}
"""Ends of a line in YAML 1.1 and texts in YAML 1.2, invisible in editors; and what stands for them in double quotes."""


class _Parser(Protocol):
    def get_event(self) -> Event: ...

    def dispose(self) -> None: ...


def compose(source: str, text: str, found: list[Problem]) -> tuple[Node | None, str]:
    """The tree of the document, None when it is empty, and the text that it was made of.

    Tabs that indent are put into `found`, and read as as many spaces as make sense.
    """
    text = text.removeprefix("\ufeff")
    if end := re.search(f"[{''.join(_LINE_ENDS)}]", text):
        cure = f"remove it, or write {_LINE_ENDS[end.group()]} between double quotes"
        raise _bad_character(source, text, end.start(), cure)
    try:
        return _compose(source, text), text
    except _TabError as error:
        first = error
    for width in _TAB_WIDTHS:
        tabs: list[Problem] = []
        try:
            composed = _compose_with_tabs(source, text, tabs, " " * width)
        except InputError:
            continue
        found += tabs
        return composed
    raise first


def too_deep(source: str, line: int, column: int) -> InputError:
    """What is said of a value below `MAX_DEPTH` others."""
    return InputError.of(source, "the document is nested too deeply", f"use at most {MAX_DEPTH} levels", line, column)


def _compose_with_tabs(source: str, text: str, tabs: list[Problem], spaces: str) -> tuple[Node | None, str]:
    lines = text.splitlines(keepends=True)
    while True:
        try:
            text = "".join(lines)
            return _compose(source, text), text
        except _TabError as error:
            (problem,) = error.problems
            line = lines[problem.line - 1]
            if "\t" not in line or len(tabs) >= _MOST_TABS:
                raise
            tabs.append(problem)
            lines[problem.line - 1] = line.replace("\t", spaces)


class _TabError(InputError):
    """A tab where only spaces may stand; raised for one place at a time."""


def _compose(source: str, text: str) -> Node | None:
    if yaml.__with_libyaml__ and not _NOT_FOR_LIBYAML.search(text):
        # What it refuses is read once more: for a better message, or to be accepted.
        with contextlib.suppress(yaml.YAMLError, ValueError):
            return _tree(source, cast("_Parser", yaml.CBaseLoader(text)))
    return _compose_in_python(source, text)


def _compose_in_python(source: str, text: str) -> Node | None:
    try:
        parser = PythonParser(text)
    except ReaderError as error:
        raise _bad_character(source, text, error.position, "remove it") from error
    try:
        return _tree(source, parser)
    except yaml.MarkedYAMLError as error:
        opened = error.context_mark.line + 1 if error.context_mark else 0
        raise _syntax_error(source, error.context, error.problem, error.problem_mark, opened) from error
    except ValueError as error:  # a version of YAML with more digits than int() takes
        raise _syntax_error(source, None, str(error), parser.get_mark()) from error


def _tree(source: str, parser: _Parser) -> Node | None:
    try:
        return _Composer(source, parser).document()
    finally:
        parser.dispose()


def _bad_character(source: str, text: str, position: int, cure: str) -> InputError:
    before = text[:position]
    line, column = before.count("\n") + 1, position - before.rfind("\n")
    return InputError.of(
        source, f"the character U+{ord(text[position]):04X} is not allowed in YAML", cure, line, column
    )


def _syntax_error(
    source: str, context: str | None, problem: str | None, mark: yaml.Mark | None, opened: int = 0
) -> InputError:
    """`opened` is the line in which begins what the parser was reading."""
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    message = ", ".join(part for part in (context, problem) if part)
    cure = ""
    if "'\\t'" in message:
        message, cure = "is not valid YAML: a tab stands where only spaces may", "replace it by spaces"
        return _TabError([Problem(source, message, cure, line, column)])
    if "mapping values are not allowed" in message:
        cure = "quote a text that holds a colon and a space; check the indentation"
    elif "expected '<document start>'" in message:
        cure = "the document ends before this: remove it, or check the line above"
    elif opened and ("flow sequence" in message or "flow mapping" in message):
        cure = f"close the bracket that opens in line {opened}, or put a comma between its parts"
    elif opened and "quoted scalar" in message and "end of stream" in message:
        cure = f"close the quote that opens in line {opened}"
    elif "expected <block end>" in message and "block mapping start" in message:
        cure = "indent it as far as the lines it belongs to"
    return InputError.of(source, f"is not valid YAML: {one_line(message)}", cure, line, column)


class _Composer:
    """Makes the tree of one document from the events of a parser."""

    def __init__(self, source: str, parser: _Parser) -> None:
        self._source = source
        self._next = parser.get_event
        self._anchors: dict[str, Node] = {}
        self._depth = 0

    def document(self) -> Node | None:
        """The tree of the only document, or None; raises InputError and what the parser raises."""
        self._next()  # the beginning of the stream
        if isinstance(self._next(), StreamEndEvent):
            return None
        root: Node | None = self._node(self._next())
        if isinstance(root, Scalar) and root.plain and not root.text:
            root = None  # a line `---` and nothing else
        self._next()  # the end of the document
        if not isinstance(event := self._next(), StreamEndEvent):
            raise self._error(event, "a second document begins here", "keep one document a file: remove the line `---`")
        return root

    def _node(self, event: Event) -> Node:
        line, column = _place(event)
        if isinstance(event, AliasEvent):
            if event.anchor not in self._anchors:
                raise self._error(event, f"found undefined alias {event.anchor!r}")
            return self._anchors[event.anchor]
        if self._depth == MAX_DEPTH:
            raise too_deep(self._source, line, column)
        self._depth += 1
        node: Node
        if isinstance(event, ScalarEvent):
            node = self._named(
                event, Scalar(line, column, _tag(event), event.value, event.implicit[0] or event.tag == "!")
            )
        elif isinstance(event, SequenceStartEvent):
            items: list[Node] = []
            node = self._named(event, Sequence(line, column, _tag(event), items))
            items += self._nodes()
        else:
            event = cast("MappingStartEvent", event)
            pairs: list[tuple[Node, Node]] = []
            node = self._named(event, Mapping(line, column, _tag(event), pairs))
            pairs += self._pairs()
        self._depth -= 1
        return node

    def _nodes(self) -> Iterator[Node]:
        """What stands until the list or the mapping ends."""
        while not isinstance(event := self._next(), CollectionEndEvent):
            yield self._node(event)

    def _pairs(self) -> Iterator[tuple[Node, Node]]:
        while not isinstance(event := self._next(), CollectionEndEvent):
            name, end = self._node(event), event.end_mark
            value = self._node(after := self._next())
            if end and _is_nothing(after):
                # Nothing stands where its key ends: the two parsers have other places for it, and not the same.
                value = value._replace(line=end.line + 1, column=end.column + 1)
            yield name, value

    def _named(self, event: NodeEvent, node: Node) -> Node:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _error(self, event: Event, message: str, cure: str = "") -> InputError:
        return InputError.of(self._source, f"is not valid YAML: {message}", cure, *_place(event))


def _is_nothing(event: Event) -> bool:
    return isinstance(event, ScalarEvent) and not event.value and event.implicit[0] and event.anchor is None


def _tag(event: ScalarEvent | CollectionStartEvent) -> str | None:
    return None if event.tag == "!" else event.tag


def _place(event: Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)
