"""Change tickets as CSV: a row for each host and check that fails, with a key that stays and a state that moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fleetscan.model.run import RunReport
from fleetscan.report.csv_rows import table
from fleetscan.report.options import DEFAULTS, ReportOptions
from fleetscan.report.tickets.columns import PLAIN, TicketColumns
from fleetscan.report.tickets.fields import FIELDS, fields
from fleetscan.report.tickets.loader import SHIPPED, load
from fleetscan.report.tickets.schema import json_schema
from fleetscan.report.tickets.ticket import State, Ticket, tickets

__all__ = ["FIELDS", "PLAIN", "SHIPPED", "State", "Ticket", "TicketColumns", "json_schema", "load", "render", "tickets"]


def render(report: RunReport, options: ReportOptions = DEFAULTS) -> Iterator[str]:
    """The tickets of a run in the columns that were asked for, hosts in inventory order; the header alone for none."""
    columns = options.ticket_columns or PLAIN
    records = (columns.record(fields(ticket, report, columns, options.command)) for ticket in _wanted(report, columns))
    return table(columns.header, records, options)


def told(report: RunReport, options: ReportOptions = DEFAULTS) -> str:
    """`3 new, 8 open, 1 resolved tickets`, as far as they are written."""
    states = Counter(ticket.state for ticket in _wanted(report, options.ticket_columns or PLAIN))
    counts = ", ".join(f"{states[state]:,} {state.value.replace('_', ' ')}" for state in State if states[state])
    return f"tickets: {counts}" if counts else "no tickets"


def _wanted(report: RunReport, columns: TicketColumns) -> Iterator[Ticket]:
    return (ticket for ticket in tickets(report) if ticket.state in columns.states)
