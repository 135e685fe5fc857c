"""What a user may choose of how reports are written. Each format takes what concerns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetscan.errors import ExitStatus, InputError

if TYPE_CHECKING:
    from fleetscan.report.tickets.columns import TicketColumns

DELIMITERS = {",": ",", ";": ";", "|": "|", "tab": "\t", "\t": "\t"}
"""What separates the cells of a CSV, as users write it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """The choices for all reports of a run."""

    csv_delimiter: str = ","
    csv_bom: bool = False
    """Begin a CSV with a byte order mark: without one, Excel reads UTF-8 as something else."""
    ticket_columns: TicketColumns | None = None
    """Other columns for tickets than fleetscan's own."""
    command: str = ""
    """The command that makes such a run, without hosts and checks; empty where it cannot be given again."""
    exit_status: ExitStatus | None = None
    """How the process is about to end, as far as that does not depend on the reports."""


DEFAULTS = ReportOptions()


def delimiter(text: str) -> str:
    """The character that a value of `--csv-delimiter` means. Raises InputError."""
    found = DELIMITERS.get(text)
    if found is None:
        raise InputError.of(f"--csv-delimiter {text}", "is none that spreadsheets know", "use one of , ; | tab")
    return found
