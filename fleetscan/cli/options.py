"""Options that several commands share, in one place, so that they mean and say the same everywhere."""

from __future__ import annotations

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


InventoryFiles = Annotated[
    list[str],
    typer.Option("--inventory", "-i", metavar="FILE", help="Inventory file; may be repeated; - reads standard input."),
]
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
        help="Also write a report; the suffix names the format (.csv .json .html .txt), or FORMAT=FILE.",
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
CsvDelimiter = Annotated[
    str, typer.Option("--csv-delimiter", metavar="CHAR", help="What separates the cells of a CSV: , ; | or tab.")
]
CsvBom = Annotated[bool, typer.Option("--csv-bom", help="Begin a CSV with a byte order mark, which Excel wants.")]
FailOn = Annotated[Severity, typer.Option("--fail-on", help="Exit with 3 for failures of at least this severity.")]
All = Annotated[bool, typer.Option("--all", help="Show every finding, not only problems.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show one line.")]
ColorChoice = Annotated[Color, typer.Option("--color", help="When to use colours; NO_COLOR is obeyed.")]
Concurrency = Annotated[int, typer.Option("--concurrency", min=1, max=1000, metavar="N", help="Hosts visited at once.")]
ConnectTimeout = Annotated[
    float,
    typer.Option(
        "--connect-timeout", min=0.1, metavar="S", help="Seconds for a name, a connection, a TLS handshake each."
    ),
]
RunTimeout = Annotated[
    float, typer.Option("--run-timeout", min=0, metavar="S", help="Seconds for the whole run; 0: no limit.")
]

ForgetRejections = Annotated[
    bool,
    typer.Option("--forget-rejections", help="The secret is right now: forget that its account was rejected lately."),
]


def report_options(csv_delimiter: str, csv_bom: bool) -> ReportOptions:
    """What the options on reports ask for. Raises InputError."""
    from fleetscan.report.options import ReportOptions, delimiter

    return ReportOptions(csv_delimiter=delimiter(csv_delimiter), csv_bom=csv_bom)


def show(everything: bool, quiet: bool) -> Show:
    """What --all and --quiet ask for; together they are a mistake."""
    if everything and quiet:
        raise typer.BadParameter("--all and --quiet exclude each other")
    return Show.ALL if everything else Show.QUIET if quiet else Show.PROBLEMS
