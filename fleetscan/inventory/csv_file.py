"""The CSV source: one row a host, as spreadsheets and asset databases export it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetscan.errors import InputError, Problem
from fleetscan.inventory import csv_cells
from fleetscan.inventory.csv_cells import Cell
from fleetscan.inventory.draft import Draft, Place, hosts_of
from fleetscan.inventory.expand import RangeError
from fleetscan.inventory.schema import GroupNames, HostEntry, SSHEntry, WinRMEntry
from fleetscan.model.text import one_line
from fleetscan.suggest import did_you_mean
from fleetscan.validate import check, rest
from fleetscan.yamlfile import Step

_DELIMITERS = ",;\t"
_SEP = re.compile(r'"?sep=(?P<delimiter>[,;\t])"?[ \t]*(?P<end>\r\n?|\n|\Z)', re.IGNORECASE)
"""What Excel writes and reads before the header of a CSV, to say what separates its cells."""
_LISTS = ("roles", "groups", "via")
_SEPARATOR = re.compile(r"[;,|]")
COLUMNS = (
    *(name for name in HostEntry.model_fields if name not in ("winrm", "ssh")),
    "groups",
    *(f"winrm.{name}" for name in WinRMEntry.model_fields),
    *(f"ssh.{name}" for name in SSHEntry.model_fields),
)


def looks_like_csv(text: str) -> bool:
    """Whether the first line could be the header of an inventory."""
    _, header, _ = _opened(text)
    return "name" in [cell.strip(' "\r').lower() for cell in re.split("[,;\t]", header)]


def parse(source: str, text: str, base: Path) -> Draft:
    """What a CSV inventory says; paths in it are relative to `base`. Raises InputError when its header is wrong."""
    text, header, delimiter = _opened(text)
    if not header:
        raise InputError.of(source, "the file is empty", "begin with a header such as name,address,roles,groups", 1, 1)
    draft = Draft(source)
    rows = csv_cells.rows(source, text, delimiter, draft.problems)
    first = next(rows, [])
    columns = [cell.text.lower() for cell in first]
    _check_header(draft, first, columns)
    if "name" not in columns:
        raise InputError(draft.problems)
    whole = not draft.problems
    for cells in rows:
        if len(cells) != len(columns):
            draft.problems.append(_uneven(source, cells, len(columns)))
        elif any(cell.text for cell in cells):
            _add_row(draft, _row(draft, columns, cells), base, whole=whole)
    return draft


def _opened(text: str) -> tuple[str, str, str]:
    """The text without what Excel puts before the header; the header; the delimiter.

    The lines before the header are emptied, not left out, so that positions stay those of the file.
    """
    text = text.removeprefix("\ufeff")
    match = _SEP.match(text)
    if match:
        text = text[match.end() - len(match["end"]) :] if match["end"] else ""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return text, header, match["delimiter"] if match else max(_DELIMITERS, key=header.count)


def _check_header(draft: Draft, cells: Sequence[Cell], columns: Sequence[str]) -> None:
    place = Place(draft.source, cells[0].line if cells else 1, 1)
    for index, (cell, name) in enumerate(zip(cells, columns, strict=True)):
        here = Place(draft.source, cell.line, cell.column)
        if name and name not in COLUMNS:
            cure = did_you_mean(name, COLUMNS) or "remove it; docs/inventory.md lists the columns"
            draft.problems.append(here.problem(f'unknown column "{one_line(name, 80)}"', cure))
        elif name and name in columns[:index]:
            draft.problems.append(here.problem(f'the column "{name}" is here twice', "keep one"))
    if "name" not in columns:
        draft.problems.append(place.problem('there is no column "name"', "name the columns in the first row"))


def _uneven(source: str, cells: Sequence[Cell], wanted: int) -> Problem:
    """A row that is longer or shorter than the header."""
    cure = "quote cells that hold the delimiter" if len(cells) > wanted else "write an empty cell where nothing is said"
    message = f"the row has {len(cells)} cell{'s' if len(cells) != 1 else ''}, the header has {wanted}"
    return Problem(source, message, cure, cells[0].line, cells[0].column)


@dataclass(frozen=True, slots=True)
class _Row:
    """The cells of a row by column, as places of what is in them; see `validate.Places`."""

    source: str
    cells: Mapping[str, Cell]

    def place(self, loc: Sequence[Step]) -> Place:
        """The cell of a setting; without one, the beginning of the row."""
        names = [step for step in loc if isinstance(step, str)]
        keys = (".".join(names[:2]), "".join(names[:1]), "name")
        cell = next(self.cells[key] for key in keys if key in self.cells)
        return Place(self.source, cell.line, cell.column)

    def problem(self, loc: Sequence[Step], message: str, cure: str, _key: bool) -> Problem:
        """A mistake in a cell."""
        return self.place(loc).problem(message, cure)

    def existing(self, loc: Sequence[Step]) -> tuple[Step, ...]:
        """All steps: they are names for the reader."""
        return tuple(loc)


def _row(draft: Draft, columns: Sequence[str], cells: Sequence[Cell]) -> _Row:
    """The cells by the columns that are known; empty ones without a column are what spreadsheets leave."""
    known: dict[str, Cell] = {}
    for column, cell in zip(columns, cells, strict=True):
        if column in COLUMNS:
            known.setdefault(column, cell)
        elif not column and cell.text:
            place = Place(draft.source, cell.line, cell.column)
            draft.problems.append(place.problem("the column of this cell has no name", "name it in the first row"))
    return _Row(draft.source, known)


def _add_row(draft: Draft, row: _Row, base: Path, *, whole: bool) -> None:
    """Add the hosts of a row; it is not whole where the header has mistakes."""
    cells = {column: cell.text for column, cell in row.cells.items()}
    groups = _list(cells.pop("groups", ""))
    named, problems = check(GroupNames, {"groups": groups}, row)
    written = _nested(cells)
    entry, more = check(HostEntry, written, row)
    draft.problems += problems + more
    broken = not whole or entry is None or named is None
    entry = entry or rest(HostEntry, written)
    if entry is None:
        return
    try:
        hosts = hosts_of(entry, row.place, base, broken=broken)
    except RangeError as error:
        draft.problems.append(row.problem(("address",), error.message, error.cure, False))
        return
    for host in hosts:
        draft.add_host(host, None)
        host.groups += named.groups if named else ()


def _list(cell: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in _SEPARATOR.split(cell) if part.strip()))


def _nested(cells: dict[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for column, cell in cells.items():
        if cell:
            section, _, name = column.rpartition(".")
            target = entry.setdefault(section, {}) if section else entry
            target[name] = _list(cell) if column in _LISTS else cell
    return entry
