"""Options that several commands share, in one place, so that they mean and say the same everywhere."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from fleetscan.model.playbook import Severity

if TYPE_CHECKING:
    from fleetscan.report.options import ReportOptions


class Color(StrEnum):
    """When to use colours."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Show(StrEnum):
    """How much of a run the terminal shows."""

    PROBLEMS = "problems"
    ALL = "all"
    QUIET = "quiet"
    CHANGES = "changes"


class Which(StrEnum):
    """The hosts of an earlier run that are visited once more."""

    FAILED = "failed"
    UNREACHABLE = "unreachable"


MONTH = 2_592_000
"""Seconds of 30 days. No clock, here or on a host, counts as far as a number that is typed by mistake."""

_INVENTORY = typer.Option(
    "--inventory", "-i", metavar="FILE", help="Inventory file; may be repeated; - reads standard input."
)
InventoryFiles = Annotated[list[str], _INVENTORY]
MaybeInventoryFiles = Annotated[list[str] | None, _INVENTORY]
"""For commands that may know it from an earlier run."""
Limit = Annotated[
    str | None,
    typer.Option(
        "--limit", "-l", metavar="PATTERN", help="Only these hosts, for example 'paris:&hyperv:!hv07', '@file', or -."
    ),
]
PlaybookName = Annotated[
    str | None,
    typer.Option("--playbook", "-p", metavar="NAME|PATH", help="Built-in playbook or a folder [asr-hyperv]."),
]
DataFolder = Annotated[
    str | None,
    typer.Option("--data", metavar="DIR", help="Folder with dated lists to use instead of the playbook's own."),
]
Checks = Annotated[
    list[str] | None, typer.Option("--check", metavar="ID", help="Only this check; may be repeated, may be a glob.")
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="TAG", help="Only checks with this tag; may be repeated.")
]
Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Also write a report; the suffix names the format (.csv .json .html .tickets.csv .junit.xml .hdf.json"
        " .ocsf.json .prom .md .txt), or FORMAT=FILE.",
    ),
]
WaiverFiles = Annotated[
    list[str] | None,
    typer.Option("--waivers", metavar="FILE", help="What is accepted as it is, by whom, until when; may be repeated."),
]
LogFile = Annotated[
    str | None,
    typer.Option("--log-file", metavar="FILE", help="Also keep a log there, in files of 5 MB, five old ones."),
]
Lock = Annotated[
    str | None,
    typer.Option("--lock", metavar="NAME", help="Do nothing (exit 2) while another scan with this name is under way."),
]
OnChange = Annotated[
    str | None,
    typer.Option(
        "--on-change",
        metavar="COMMAND",
        help="Run this, without a shell, if something changed since the last run;"
        " {report} {run} {status} {new} {fixed} are filled in.",
    ),
]
StoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        envvar="FLEETSCAN_STORE",
        show_envvar=False,
        help="Where runs are kept: a file or postgresql://… [FLEETSCAN_STORE, or a file of this user].",
    ),
]
RunId = Annotated[
    str | None,
    typer.Option("--run", metavar="ID", help="Which run: its id, the beginning of it, last, or last~1."),
]
Rerun = Annotated[
    Which | None,
    typer.Option("--rerun", help="A new run of the hosts of an earlier one that failed, or were not seen."),
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="RUN", help="Show what changed since a run: last, last~1, or its id.")
]
Keep = Annotated[
    str | None, typer.Option("--keep", metavar="365d", help="Afterwards remove runs from the store that are older.")
]
KeepFacts = Annotated[
    int | None, typer.Option("--keep-facts", min=0, metavar="N", help="Keep the facts of the last N runs only.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
CsvDelimiter = Annotated[
    str, typer.Option("--csv-delimiter", metavar="CHAR", help="What separates the cells of a CSV: , ; | or tab.")
]
CsvBom = Annotated[bool, typer.Option("--csv-bom", help="Begin a CSV with a byte order mark, which Excel wants.")]
TicketColumns = Annotated[
    str | None,
    typer.Option(
        "--ticket-columns", metavar="NAME|FILE", help="Columns of .tickets.csv: servicenow, jira, glpi or a YAML file."
    ),
]
FailOn = Annotated[Severity, typer.Option("--fail-on", help="Exit with 3 for failures of at least this severity.")]
All = Annotated[bool, typer.Option("--all", help="Show every finding, not only problems.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show one line.")]
ColorChoice = Annotated[Color, typer.Option("--color", help="When to use colours; NO_COLOR is obeyed.")]
Concurrency = Annotated[int, typer.Option("--concurrency", min=1, max=1000, metavar="N", help="Hosts visited at once.")]
ConnectTimeout = Annotated[
    float,
    typer.Option(
        "--connect-timeout",
        min=0.1,
        max=3600,
        metavar="S",
        help="Seconds for a name, a connection, a TLS handshake each.",
    ),
]
RunTimeout = Annotated[
    float, typer.Option("--run-timeout", min=0, max=MONTH, metavar="S", help="Seconds for the whole run; 0: no limit.")
]

ForgetRejections = Annotated[
    bool,
    typer.Option("--forget-rejections", help="The secret is right now: forget that its account was rejected lately."),
]


def report_options(csv_delimiter: str, csv_bom: bool, ticket_columns: str | None) -> ReportOptions:
    """What the options on reports ask for. Raises InputError."""
    from fleetscan.report.options import ReportOptions, delimiter

    columns = None
    if ticket_columns is not None:
        from fleetscan.report.tickets import load

        columns = load(ticket_columns)
    return ReportOptions(csv_delimiter=delimiter(csv_delimiter), csv_bom=csv_bom, ticket_columns=columns)


def days(text: str | None) -> int:
    """How many days `365d` or `52w` are; 0 for None."""
    if text is None:
        return 0
    match = re.fullmatch(r"([1-9][0-9]{0,4})([dwy]?)", text.strip())
    if match is None:
        raise typer.BadParameter(f"{text[:40]} is no time to keep runs: write 90d, 52w or 2y")
    return int(match[1]) * {"": 1, "d": 1, "w": 7, "y": 366}[match[2]]


def show(everything: bool, quiet: bool) -> Show:
    """What --all and --quiet ask for; together they are a mistake."""
    if everything and quiet:
        raise typer.BadParameter("--all and --quiet exclude each other")
    return Show.ALL if everything else Show.QUIET if quiet else Show.PROBLEMS
