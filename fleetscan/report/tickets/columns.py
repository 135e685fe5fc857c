"""The columns of a ticket file: what stands in each, and which tickets are written at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter

from fleetscan.model.playbook import Severity
from fleetscan.report.csv_rows import harmless, on_one_line
from fleetscan.report.tickets.fields import FIELDS
from fleetscan.report.tickets.ticket import State

DUE_DAYS: Mapping[Severity, int] = {Severity.CRITICAL: 2, Severity.HIGH: 7, Severity.MEDIUM: 30, Severity.LOW: 90}
"""Days from the first sight of a failure to its due date. What is not named has none."""

_REWRITTEN = re.compile(r"0[0-9]+(?:[.,][0-9]*)?|[0-9]{16,}|[0-9.,]+[eE][0-9]+")
"""Names that spreadsheets take for numbers and show as other ones: 007, 12345678901234567, 1e5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: a text with `{names}` of FIELDS in it. `values` puts other words in the place of what comes out."""

    name: str
    text: str
    values: Mapping[str, str] = field(default_factory=dict)

    def cell(self, texts: Mapping[str, str]) -> str:
        """The cell of a ticket. Line breaks of the text itself stay, those of what is filled in do not."""
        parts = []
        for literal, name, _, _ in Formatter().parse(self.text):
            parts.append(literal)
            if name is not None:
                parts.append(on_one_line(texts[name]))
        filled = "".join(parts)
        cell = harmless(self.values.get(filled, filled))
        return f"'{cell}" if _REWRITTEN.fullmatch(cell) else cell


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketColumns:
    """How tickets are laid out for one system."""

    columns: tuple[Column, ...]
    states: frozenset[State] = frozenset(State)
    due_days: Mapping[Severity, int] = field(default_factory=lambda: DUE_DAYS)

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    def record(self, texts: Mapping[str, str]) -> list[str]:
        """The cells of a ticket, one for each column."""
        return [column.cell(texts) for column in self.columns]


PLAIN = TicketColumns(columns=tuple(Column(name=name, text=f"{{{name}}}") for name in FIELDS))
