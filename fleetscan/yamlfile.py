"""Reads what users write in YAML, and remembers where each value stood.

Values are those of JSON. Only what JSON calls a number, `true`, `false` and `null` is converted (also `~`,
nothing at all, hexadecimal and octal integers). Every other plain scalar stays the text that was written:
`NO`, `on`, `0123`, `2026-01-31`.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import TextIO, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from fleetscan.errors import InputError, Problem
from fleetscan.model.playbook import JSON
from fleetscan.model.text import one_line

_BLOCK = 64 * 1024
MAX_BYTES = 5 * 1024 * 1024
MAX_DEPTH = 50
MAX_REPEATS = 10_000
"""Values that aliases may add to a document. A few nested aliases multiply into billions otherwise."""

STDIN = "<stdin>"
"""What standard input is called in messages."""

Step: TypeAlias = "str | int"

_TAB_WIDTHS = (8, 4, 2)
"""How wide a tab may have looked to its author, to be tried in this order: too wide is noticed more often."""
_MOST_TABS = 20
_NO_KEY = "\0"
"""Begins the stand-in for what cannot be a key: no text of YAML holds it."""

_TAG = "tag:yaml.org,2002:"
_CONVERTED = {_TAG + kind for kind in ("null", "bool", "int", "float", "timestamp", "value")}
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"-?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_MAX_DIGITS = 100


class Document:
    """One YAML document: `data` as plain values, and the place of each of them."""

    def __init__(self, source: str, data: JSON, root: Node | None, text: str = "") -> None:
        self.source = source
        self.text = text
        """What positions count in: the text of the file, with spaces for the tabs that are mistakes in it."""
        self.data = data
        self._root = root

    def position(self, loc: Sequence[Step], *, key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the value at `loc`, or of its key.

        `loc` holds keys and indexes, as pydantic reports them. A step that leads nowhere (a missing key, the
        name of a type in a union) is passed over, so that a missing value has the position of its parent.
        """
        mark = None if self._root is None else self._root.start_mark
        for _, name, node in self._walk(loc):
            mark = (name if key else node).start_mark
        return (mark.line + 1, mark.column + 1) if mark else (1, 1)

    def existing(self, loc: Sequence[Step]) -> tuple[Step, ...]:
        """The steps of `loc` that lead somewhere."""
        return tuple(step for step, _, _ in self._walk(loc))

    def problem(self, loc: Sequence[Step], message: str, cure: str = "", key: bool = False) -> Problem:
        """A mistake at `loc`, ready to be raised with the others."""
        line, column = self.position(loc, key=key)
        return Problem(self.source, message, cure, line, column)

    def origin(self, loc: Sequence[Step]) -> str:
        """`file:line:column` of the value at `loc`."""
        line, column = self.position(loc)
        return f"{self.source}:{line}:{column}"

    def _walk(self, loc: Sequence[Step]) -> Iterator[tuple[Step, Node, Node]]:
        node = self._root
        for step in loc:
            found = None if node is None else _child(node, step)
            if found is not None:
                name, node = found
                yield step, name, node


def read(path: str | Path, text: str | None = None, *, mistakes: list[Problem] | None = None) -> Document:
    """Read a YAML file, or `text` that came from elsewhere and is called `path` in messages.

    Raises InputError with the syntax error, or with all tabs, duplicate keys, unknown tags and endless numbers. With
    `mistakes`, those are put there instead, so that what else is wrong can be told with them: the first of two equal
    keys counts. An empty document has the data None.
    """
    source = str(path)
    text = read_text(path) if text is None else text
    if len(text) > MAX_BYTES:
        raise _too_big(source, MAX_BYTES)
    found: list[Problem] = []
    root, text = _compose_despite_tabs(source, text, found)
    reader = _Reader(source)
    data = None if root is None else reader.value(root)
    found += reader.problems
    if mistakes is not None:
        mistakes += found
    elif found:
        raise InputError(found)
    return Document(source, data, root, text)


def read_text(path: str | Path, limit: int = MAX_BYTES) -> str:
    """The text of a UTF-8 file of at most `limit` bytes, with or without byte order mark; raises InputError."""
    try:
        with Path(path).open("rb") as file:
            content = b"".join(islice(iter(lambda: file.read(_BLOCK), b""), limit // _BLOCK + 1))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        message = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError.of(str(path), f"cannot be read: {message}", "check the path") from error
    if len(content) > limit:
        raise _too_big(str(path), limit)
    return decode(str(path), content)


def read_stream(stream: TextIO, limit: int = MAX_BYTES) -> str:
    """The text of standard input, at most `limit` characters; raises InputError."""
    try:
        text = stream.read(limit + 1)
    except UnicodeDecodeError as error:
        raise InputError.of(STDIN, "the text is not UTF-8", "send UTF-8") from error
    if len(text) > limit:
        raise _too_big(STDIN, limit)
    return text


def decode(source: str, content: bytes) -> str:
    """UTF-8 bytes as text without byte order mark; raises InputError with the place of the first bad byte."""
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise InputError.of(source, "the file is not UTF-8", "save it as UTF-8", line, column) from error


def _too_big(source: str, limit: int) -> InputError:
    return InputError.of(source, f"the file is larger than {limit // 1024**2} MiB", "split it into several files")


def _compose_despite_tabs(source: str, text: str, found: list[Problem]) -> tuple[Node | None, str]:
    """The tree of the document and the text that it was made of.

    Tabs that indent are put into `found`, and read as as many spaces as make sense.
    """
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


def _compose_with_tabs(source: str, text: str, tabs: list[Problem], spaces: str) -> tuple[Node | None, str]:
    lines = text.split("\n")
    while True:
        try:
            text = "\n".join(lines)
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
    """The tree of the document, or None when it is empty."""
    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False
    try:
        root: Node | None = yaml.compose(text)
    except MarkedYAMLError as error:
        raise _syntax_error(source, error.context, error.problem, error.problem_mark) from error
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        message = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise InputError.of(source, message, "remove it", line, column) from error
    except RecursionError as error:
        raise _too_deep(source, 1, 1) from error
    except (
        YAMLError,
        ValueError,
        OverflowError,
    ) as error:  # an escape such as "\UFFFFFFFF" overflows in chr()
        raise InputError.of(source, f"is not valid YAML: {one_line(str(error))}") from error
    return root


def _syntax_error(source: str, context: str | None, problem: str | None, mark: object) -> InputError:
    line, column = getattr(mark, "line", -1) + 1, getattr(mark, "column", -1) + 1
    message = ", ".join(part for part in (context, problem) if part)
    cure = ""
    if "'\\t'" in message:
        message, cure = "is not valid YAML: a tab stands where only spaces may", "replace it by spaces"
        return _TabError([Problem(source, message, cure, line, column)])
    if "mapping values are not allowed" in message:
        cure = "quote a text that holds a colon and a space; check the indentation"
    elif "another document" in message:
        message, cure = "a second document begins here", "keep one document a file: remove the line `---`"
    return InputError.of(source, f"is not valid YAML: {one_line(message)}", cure, line, column)


def _too_deep(source: str, line: int, column: int) -> InputError:
    return InputError.of(source, "the document is nested too deeply", f"use at most {MAX_DEPTH} levels", line, column)


class _Reader:
    """Turns the tree of a document into plain values and collects what is wrong with it."""

    def __init__(self, source: str) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._seen: set[int] = set()
        self._repeats = 0
        self._depth = 0

    def value(self, node: Node) -> JSON:
        """The value of a node; raises InputError where going on is pointless: alias bombs, endless depth."""
        self._count(node)
        self._depth += 1
        if self._depth > MAX_DEPTH:  # an alias to one of its own parents ends here, too
            raise _too_deep(self._source, node.start_mark.line + 1, node.start_mark.column + 1)
        value: JSON
        if isinstance(node, ScalarNode):
            value = self._scalar(node)
        elif isinstance(node, SequenceNode):
            self._check_tag(node, "seq")
            value = [self.value(item) for item in node.value]
        else:
            self._check_tag(node, "map")
            value = self._mapping(node)
        self._depth -= 1
        return value

    def _count(self, node: Node) -> None:
        if id(node) in self._seen:
            self._repeats += 1
            if self._repeats > MAX_REPEATS:
                self._add(
                    node,
                    f"aliases repeat more than {MAX_REPEATS} values",
                    "write them out, or use fewer aliases",
                )
                raise InputError(self.problems)
        self._seen.add(id(node))

    def _mapping(self, node: Node) -> JSON:
        result: dict[str, JSON] = {}
        lines: dict[str, int] = {}
        for name, item in node.value:
            key = self._key(name)
            if key in lines:
                self._add(name, f'the key "{one_line(key)}" is here twice', f"line {lines[key]} has it already")
                continue
            lines[key] = name.start_mark.line + 1
            value = self.value(item)
            if not key.startswith(_NO_KEY):
                result[key] = value
        return result

    def _key(self, node: Node) -> str:
        if isinstance(node, ScalarNode) and node.tag != _TAG + "merge":
            return str(node.value)
        if isinstance(node, ScalarNode):
            self._add(
                node,
                "merge keys (`<<`) are not read",
                "write the keys out, or repeat whole values by aliases",
            )
        else:
            self._add(node, "a list or a mapping cannot be a key", "use a text as key, or quote the value")
        return f"{_NO_KEY}{node.start_mark.index}"

    def _scalar(self, node: Node) -> JSON:
        text = str(node.value)
        if node.tag in _CONVERTED:
            return self._converted(node, text)
        self._check_tag(node, "str")
        return text

    def _converted(self, node: Node, text: str) -> JSON:
        if text in _WORDS:
            return _WORDS[text]
        if len(text) > _MAX_DIGITS:
            self._add(node, f"a number of {len(text)} characters", "quote it if it is a text")
            return None
        if _INT.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
            return number
        return text

    def _check_tag(self, node: Node, kind: str) -> None:
        if node.tag != _TAG + kind:
            self._add(node, f"the tag {one_line(str(node.tag))} is not known", "remove the tag")

    def _add(self, node: Node, message: str, cure: str) -> None:
        self.problems.append(Problem(self._source, message, cure, node.start_mark.line + 1, node.start_mark.column + 1))


def _child(node: Node, step: Step) -> tuple[Node, Node] | None:
    """The key and the value that a step leads to; an item of a list is its own key."""
    if isinstance(node, MappingNode):
        return next(((name, item) for name, item in node.value if name.value == step), None)
    if isinstance(node, SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
        return node.value[step], node.value[step]
    return None


def dump(data: JSON) -> str:
    """Plain values as YAML that `read` reads back."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # typed as None, read as a flag
    stream = StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()
