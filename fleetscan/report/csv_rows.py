"""CSV for spreadsheets and ticket systems: RFC 4180, all quoted, one record a physical line, no cell a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from functools import lru_cache

from fleetscan.model.run import RunReport
from fleetscan.model.text import clean
from fleetscan.report.rows import COLUMNS, rows

CELL_LIMIT = 32_767
"""UTF-16 units that Excel keeps of a cell; it drops the rest without a word, we end with an ellipsis."""

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What makes a spreadsheet calculate, as do a tab or a carriage return; the wide forms under a Japanese Windows."""


def render(report: RunReport) -> Iterator[str]:
    """All findings, a record each, in the columns of COLUMNS; the header alone if there are none. Lines end in CRLF."""
    yield _record(COLUMNS)
    cell = lru_cache(maxsize=4_096)(_cell)
    for row in rows(report):
        yield _record(cell(row[column]) for column in COLUMNS)


def _record(cells: Iterable[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def _cell(value: str | bool) -> str:
    """One line, harmless in a spreadsheet.

    Each text that could begin a formula gets an apostrophe, `-5` as well as `=cmd`: none of the columns is numeric, so
    nothing is lost to arithmetic, and a rule without exceptions can be checked and undone. JSON has the exact text.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    invisible = value.startswith(("\t", "\r"))
    lines = value.splitlines()
    if lines != [value]:
        value = " ⏎ ".join(line.strip() for line in lines if line.strip())
    value = clean(value, CELL_LIMIT).replace("\t", " ")
    if invisible or value.lstrip().startswith(_FORMULA):
        value = f"'{value}"
    return _shorten(value)


def _shorten(value: str) -> str:
    if len(value) * 2 <= CELL_LIMIT:
        return value
    units = value.encode("utf-16-le")
    if len(units) <= CELL_LIMIT * 2:
        return value
    return units[: (CELL_LIMIT - 1) * 2].decode("utf-16-le", errors="ignore") + "…"
