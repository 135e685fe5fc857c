"""From a name or a file to ticket columns."""

from __future__ import annotations

from pathlib import Path

from fleetscan import yamlfile
from fleetscan.errors import InputError, Problem
from fleetscan.report.tickets.columns import Column, TicketColumns
from fleetscan.report.tickets.schema import ColumnFile, Translated
from fleetscan.suggest import did_you_mean
from fleetscan.validate import check

_FOLDER = Path(__file__).with_name("shipped")
SHIPPED = ("servicenow", "jira", "glpi")
"""The files that come with fleetscan."""


def load(wanted: str) -> TicketColumns:
    """The columns of a name in SHIPPED, or of a file. Raises InputError with every mistake, by line."""
    if wanted not in SHIPPED and not Path(wanted).exists():
        cure = did_you_mean(wanted, SHIPPED) or f"name a file, or one of {', '.join(SHIPPED)}"
        raise InputError.of(f"--ticket-columns {wanted}", "there is no such file", cure)
    problems: list[Problem] = []
    document = yamlfile.read(_FOLDER / f"{wanted}.yaml" if wanted in SHIPPED else wanted, mistakes=problems)
    file, found = check(ColumnFile, document.data, document)
    if file is None or problems or found:
        raise InputError([*problems, *found])
    return TicketColumns(
        columns=tuple(_column(name, said) for name, said in file.columns.items()),
        states=frozenset(file.states),
        due_days=file.due_days,
    )


def _column(name: str, said: str | Translated) -> Column:
    if isinstance(said, str):
        return Column(name=name, text=said)
    return Column(name=name, text=said.text, values=said.values)
