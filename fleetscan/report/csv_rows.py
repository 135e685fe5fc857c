"""CSV for spreadsheets and ticket systems: RFC 4180, all quoted, one record a physical line, no cell a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

from fleetscan.model.run import RunReport
from fleetscan.model.text import clean
from fleetscan.report.options import DEFAULTS, ReportOptions
from fleetscan.report.rows import COLUMNS, rows

CELL_LIMIT = 32_767
"""UTF-16 units that Excel keeps of a cell; it drops the rest without a word, we end with an ellipsis."""

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What makes a spreadsheet calculate, as do a tab or a carriage return; the wide forms under a Japanese Windows."""


def render(report: RunReport, options: ReportOptions = DEFAULTS) -> Iterator[str]:
    """All findings, a record each, in the columns of COLUMNS; the header alone if there are none. Lines end in CRLF."""
    cell = lru_cache(maxsize=4_096)(_cell)
    yield from table(COLUMNS, ([cell(row[column]) for column in COLUMNS] for row in rows(report)), options)


def table(header: Iterable[str], records: Iterable[Iterable[str]], options: ReportOptions) -> Iterator[str]:
    """A record a part, all quoted; the byte order mark comes first if asked for. Cells are written as they are."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=options.csv_delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    text.write("\ufeff" if options.csv_bom else "")
    for record in chain([header], records):
        writer.writerow(record)
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _cell(value: str | bool) -> str:
    """One line, harmless in a spreadsheet.

    Each text that could begin a formula gets an apostrophe, `-5` as well as `=cmd`: none of the columns is numeric, so
    nothing is lost to arithmetic, and a rule without exceptions can be checked and undone. JSON has the exact text.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return harmless(on_one_line(value), invisible=value.startswith(("\t", "\r")))


def on_one_line(value: str) -> str:
    """The text without controls; its line breaks show as ` ⏎ `."""
    lines = value.splitlines()
    if lines != [value]:
        value = " ⏎ ".join(line.strip() for line in lines if line.strip())
    return clean(value, CELL_LIMIT).replace("\t", " ")


def harmless(value: str, *, invisible: bool = False) -> str:
    """A cell that no spreadsheet takes for a formula and none cuts. `invisible`: it began with a tab or the like."""
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
