"""The cells of a CSV with the place of each: what Python's own reader does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fleetscan.errors import Problem

_NEWLINE = re.compile(r"\r\n?|\n")
_QUOTED = re.compile(r'[ ]*"(?P<text>(?:[^"]|"")*)"[ ]*')


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell holds, without blanks around it, and where it begins; both from 1."""

    text: str
    line: int
    column: int


def rows(source: str, text: str, delimiter: str, problems: list[Problem]) -> Iterator[list[Cell]]:
    """The rows that are not blank. Quotes that do not fit end the reading, and are added to `problems`."""
    return _Reader(source, text, delimiter).rows(problems)


class _Reader:
    def __init__(self, source: str, text: str, delimiter: str) -> None:
        self._source = source
        self._text = text
        self._bare = re.compile(rf"[^{delimiter}\r\n]*")
        self._delimiter = delimiter
        self._at = 0
        self._line = 1
        self._line_start = 0

    def rows(self, problems: list[Problem]) -> Iterator[list[Cell]]:
        """All rows, up to the first that cannot be read."""
        while self._at < len(self._text):
            cells: list[Cell] = []
            while True:
                cell = self._cell()
                if isinstance(cell, Problem):
                    problems.append(cell)
                    return
                cells.append(cell)
                if not self._text.startswith(self._delimiter, self._at):
                    break
                self._at += 1
            self._end_line()
            if len(cells) > 1 or cells[0].text:
                yield cells

    def _cell(self) -> Cell | Problem:
        """The next cell; the reader stands behind it, at a delimiter, at the end of the line or of the text."""
        line, column = self._line, self._at - self._line_start + 1
        quoted = _QUOTED.match(self._text, self._at)
        if quoted is None:
            bare = self._bare.match(self._text, self._at)
            text = bare.group().strip() if bare else ""
            if text.startswith('"'):
                return Problem(self._source, "the quote is not closed", "close it, or double it", line, column)
            self._at = bare.end() if bare else self._at
            return Cell(text, line, column)
        for newline in _NEWLINE.finditer(self._text, self._at, quoted.end()):
            self._line, self._line_start = self._line + 1, newline.end()
        self._at = quoted.end()
        if self._text[self._at : self._at + 1] not in (self._delimiter, "\r", "\n", ""):
            here = self._at - self._line_start + 1
            message, cure = "something stands behind the closing quote", "double a quote that belongs to the text"
            return Problem(self._source, message, cure, self._line, here)
        return Cell(quoted["text"].replace('""', '"').strip(), line, column)

    def _end_line(self) -> None:
        newline = _NEWLINE.match(self._text, self._at)
        if newline:
            self._at = self._line_start = newline.end()
            self._line += 1
