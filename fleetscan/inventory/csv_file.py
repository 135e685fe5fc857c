"""The CSV source: one row a host, as spreadsheets and asset databases export it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fleetscan.errors import InputError, Problem
from fleetscan.inventory.draft import Draft, OnePlace, Place, hosts_of
from fleetscan.inventory.expand import RangeError
from fleetscan.inventory.schema import GroupNames, HostEntry, SSHEntry, WinRMEntry
from fleetscan.model.text import one_line
from fleetscan.suggest import did_you_mean
from fleetscan.validate import check, rest

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
    header = text.lstrip("\ufeff").partition("\n")[0]
    return "name" in [cell.strip(' "\r').lower() for cell in re.split("[,;]", header)]


def parse(source: str, text: str, base: Path) -> Draft:
    """What a CSV inventory says; paths in it are relative to `base`. Raises InputError when its header is wrong."""
    text = text.removeprefix("\ufeff")
    header = text.partition("\n")[0]
    rows = _rows(source, text, ";" if header.count(";") > header.count(",") else ",")
    first = next(rows, None)
    if first is None:
        raise InputError.of(source, "the file is empty", "begin with a header such as name,address,roles,groups", 1, 1)
    columns = [cell.strip().lower() for cell in first[1]]
    _check_header(source, columns)
    draft = Draft(source)
    for line, cells in rows:
        if len(cells) != len(columns):
            message = f"the row has {len(cells)} cells, the header has {len(columns)}"
            draft.problems.append(Problem(source, message, "quote cells that hold the delimiter", line, 1))
        elif any(cells):
            _add_row(draft, Place(source, line, 1), dict(zip(columns, cells, strict=True)), base)
    return draft


def _rows(source: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of every row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, [cell.strip() for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError.of(source, f"is not valid CSV: {error}", "check the quotes", line, 1) from error


def _check_header(source: str, columns: Sequence[str]) -> None:
    problems = []
    for index, name in enumerate(columns):
        if name not in COLUMNS:
            message = f'unknown column "{one_line(name, 80)}"'
            problems.append(Problem(source, message, did_you_mean(name, COLUMNS) or "remove it", 1, 1))
        elif name in columns[:index]:
            problems.append(Problem(source, f'the column "{name}" is here twice', "keep one", 1, 1))
    if "name" not in columns:
        problems.append(Problem(source, 'there is no column "name"', "name the columns in the first row", 1, 1))
    if problems:
        raise InputError(problems)


def _add_row(draft: Draft, place: Place, cells: dict[str, str], base: Path) -> None:
    groups = _list(cells.pop("groups", ""))
    named, problems = check(GroupNames, {"groups": groups}, OnePlace(place))
    written = _nested(cells)
    entry, more = check(HostEntry, written, OnePlace(place))
    draft.problems += problems + more
    broken = entry is None or named is None
    entry = entry or rest(HostEntry, written)
    if entry is None:
        return
    try:
        hosts = hosts_of(entry, lambda _: place, base, broken=broken)
    except RangeError as error:
        draft.problems.append(place.problem(error.message, error.cure))
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
