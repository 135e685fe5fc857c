"""Reads what users write in YAML, and remembers where each value stood.

Values are those of JSON. Only what JSON calls a number, `true`, `false` and `null` is converted (also `~`,
nothing at all, hexadecimal and octal integers). Every other plain scalar stays the text that was written:
`NO`, `on`, `0123`, `2026-01-31`.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO, TypeAlias

from fleetscan.errors import InputError, Problem
from fleetscan.model.playbook import JSON
from fleetscan.yamlfile import tree
from fleetscan.yamlfile.compose import compose
from fleetscan.yamlfile.dumping import dump
from fleetscan.yamlfile.tree import Node
from fleetscan.yamlfile.values import Reader

__all__ = ["MAX_BYTES", "STDIN", "Document", "Step", "decode", "dump", "read", "read_stream", "read_text"]

_BLOCK = 64 * 1024
MAX_BYTES = 5 * 1024 * 1024

STDIN = "<stdin>"
"""What standard input is called in messages."""

Step: TypeAlias = "str | int"


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
        found = self._root
        for _, name, node in self._walk(loc):
            found = name if key else node
        return (found.line, found.column) if found else (1, 1)

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
    root, text = compose(source, text, found)
    reader = Reader(source)
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


def _child(node: Node, step: Step) -> tuple[Node, Node] | None:
    """The key and the value that a step leads to; an item of a list is its own key."""
    if isinstance(node, tree.Mapping):
        return next(
            ((name, item) for name, item in node.pairs if isinstance(name, tree.Scalar) and name.text == step), None
        )
    if isinstance(node, tree.Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step], node.items[step]
    return None
