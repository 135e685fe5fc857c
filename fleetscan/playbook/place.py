"""Where the characters of a YAML text stand in its file: in quotes, in blocks (`|`, `>`) and over several lines."""

from __future__ import annotations

from bisect import bisect_right

from fleetscan.errors import Problem
from fleetscan.yamlfile import Document, Step

_SINGLE, _DOUBLE = "'", '"'


class Source:
    """One YAML file: its document and its characters."""

    def __init__(self, document: Document, text: str) -> None:
        self.document = document
        self._text = text
        self._lines = [0]
        for line in text.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def position(self, loc: tuple[Step, ...], value: str, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of the character `offset` of the text `value` that stands at `loc`."""
        line, column = self.document.position(loc)
        at = self._lines[line - 1] + column - 1
        at = _find(self._text, at, value, offset)
        row = bisect_right(self._lines, at)
        return row, at - self._lines[row - 1] + 1

    def problem(self, loc: tuple[Step, ...], value: str, offset: int, message: str, cure: str = "") -> Problem:
        """A mistake at that character."""
        line, column = self.position(loc, value, offset)
        return Problem(self.document.source, message, cure, line, column)


def _find(text: str, start: int, value: str, offset: int) -> int:
    """The index in `text` of `value[offset]`, whose YAML form begins at `start`.

    YAML changes only blanks, line breaks and escapes of a text: all other characters come in the same order.
    """
    style = text[start : start + 1]
    at = start
    if style in ("|", ">"):
        at = text.find("\n", start) + 1 or start
    elif style in (_SINGLE, _DOUBLE):
        at += 1
    for char in value[:offset]:
        if char.isspace():
            at += _blank_width(text, at, style)
            continue
        at = _skip_blanks(text, at)
        at += _width(text, at, style)
    if offset >= len(value):
        return at  # behind the text, not at what follows it
    return _skip_blanks(text, at) if not value[offset : offset + 1].isspace() else at


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) - 1 and text[at].isspace():
        at += 1
    return at


def _blank_width(text: str, at: int, style: str) -> int:
    """A blank of the value may be written as an escape; other blanks are skipped before the next character."""
    return _width(text, at, style) if style == _DOUBLE and text[at] in " \\" else 0


def _width(text: str, at: int, style: str) -> int:
    """How many characters of the file make one character of the value."""
    if style == _SINGLE and text.startswith("''", at):
        return 2
    if style == _DOUBLE and text.startswith("\\", at):
        return {"x": 4, "u": 6, "U": 10}.get(text[at + 1 : at + 2], 2)
    return 1
