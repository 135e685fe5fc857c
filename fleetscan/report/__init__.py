"""Reports: a format is a function from a run to text; this module knows their names and writes what they return."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from fleetscan.errors import InputError, Problem
from fleetscan.model.run import RunReport
from fleetscan.report import files
from fleetscan.report.options import DEFAULTS, ReportOptions

__all__ = [
    "FORMATS",
    "STANDARD_OUTPUT",
    "ReportOptions",
    "ReportTarget",
    "check_writable",
    "render",
    "target",
    "target_list",
    "write",
]

STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class Format:
    """Where the function of a format is, the suffix that asks for it, and what it is for."""

    suffix: str
    module: str
    purpose: str
    unit: str = ""
    """What it holds one of for each finding, to be counted when it is written."""
    takes_options: bool = False
    """Whether `render` takes ReportOptions, too."""
    tells: bool = False
    """Whether the module has a function `told`, which says what is in it."""


FORMATS = {
    "csv": Format(
        ".csv", "fleetscan.report.csv_rows", "spreadsheets: a row for each finding", "rows", takes_options=True
    ),
    "json": Format(
        ".json",
        "fleetscan.report.json_document",
        "programs: the run, its hosts with their facts, its findings",
        "findings",
    ),
    "html": Format(
        ".html",
        "fleetscan.report.html.page",
        "people: the fleet on one page, then every finding and every host; works offline and printed",
        "findings",
    ),
    "tickets": Format(
        ".tickets.csv",
        "fleetscan.report.tickets",
        "change managers: a row for each host and check that fails, with its state since the night before",
        takes_options=True,
        tells=True,
    ),
    "junit": Format(
        ".junit.xml", "fleetscan.report.junit", "CI servers: a suite for each host, a case for each finding", "cases"
    ),
    "hdf": Format(
        ".hdf.json",
        "fleetscan.report.hdf",
        "Heimdall: a profile for each host, a control for each of its checks",
        "results",
    ),
    "ocsf": Format(
        ".ocsf.json",
        "fleetscan.report.ocsf",
        "security data lakes: a Compliance Finding (class 2003) for each finding",
        "findings",
    ),
    "prometheus": Format(
        ".prom",
        "fleetscan.report.prometheus",
        "the textfile collector of Prometheus' node exporter",
        takes_options=True,
    ),
    "markdown": Format(".md", "fleetscan.report.markdown", "pull requests and chats: problems and hosts, folded"),
    "table": Format(
        ".txt", "fleetscan.report.table", "people: what the terminal shows, 100 columns wide, without colours"
    ),
}


class Renderer(Protocol):
    """The function `render` of a format's module: the text, or its parts where a whole would be large."""

    def __call__(self, report: RunReport, options: ReportOptions = DEFAULTS) -> str | Iterator[str]: ...


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """One `-o`: a format, and the path as the user wrote it, or STANDARD_OUTPUT."""

    format: str
    path: str


def render(report: RunReport, name: str, options: ReportOptions = DEFAULTS) -> Iterator[str]:
    """The report in a format, in parts. `name` is a key of FORMATS; its module is imported on first use."""
    form = FORMATS[name]
    renderer = cast("Renderer", import_module(form.module).render)
    text = renderer(report, options) if form.takes_options else renderer(report)
    yield from [text] if isinstance(text, str) else text


def target(option: str) -> ReportTarget:
    """Read a value of `-o`: `nightly.csv`, `csv=nightly.txt`, `json=-`. Raises InputError."""
    name, equals, path = option.partition("=")
    if equals and name in FORMATS:
        if not path:
            raise InputError.of(f"-o {option}", "there is no file name", f"write {name}=FILE, or {name}=-")
        return ReportTarget(name, path)
    if option == STANDARD_OUTPUT:
        raise InputError.of("-o -", "which format is standard output to have?", "write csv=- or json=-")
    suffixes = sorted(FORMATS.items(), key=lambda item: len(item[1].suffix), reverse=True)
    for name, form in suffixes:
        if option.lower().endswith(form.suffix):
            return ReportTarget(name, option)
    known = ", ".join(form.suffix for form in FORMATS.values())
    raise InputError.of(
        f"-o {option}",
        "the name does not say in which format to write",
        f"end it in one of {known}, or write FORMAT=FILE with one of {', '.join(FORMATS)}",
    )


def target_list(options: Sequence[str]) -> tuple[ReportTarget, ...]:
    """Read all values of `-o`. Raises InputError with every mistake, also for two reports on one path."""
    problems: list[Problem] = []
    targets: dict[object, ReportTarget] = {}
    for option in options:
        try:
            wanted = target(option)
        except InputError as error:
            problems += error.problems
            continue
        place = wanted.path if wanted.path == STANDARD_OUTPUT else files.place(Path(wanted.path))
        if place in targets:
            where = "standard output" if place == STANDARD_OUTPUT else "the same file"
            problems += InputError.of(
                f"-o {option}", f"goes to {where} as -o {targets[place].path}", "give each report its own"
            ).problems
        targets[place] = wanted
    if problems:
        raise InputError(problems)
    return tuple(targets.values())


def check_writable(targets: Sequence[ReportTarget], taken: Sequence[str] = ()) -> None:
    """Find out before the scan what could not be written after it; leaves nothing behind. Raises InputError.

    `taken` are files that the same run reads, or writes otherwise: a report in their place would destroy them.
    """
    problems: list[Problem] = []
    used = {files.place(Path(path)) for path in taken}
    for wanted in targets:
        if wanted.path == STANDARD_OUTPUT:
            continue
        if files.place(Path(wanted.path)) in used:
            message, cure = "the report would take the place of a file that this run uses", "name another file"
            problems.append(Problem(f"-o {wanted.format}={wanted.path}", message, cure))
        else:
            problems += files.obstacles(Path(wanted.path))
    if problems:
        raise InputError(problems)


def write(report: RunReport, wanted: ReportTarget, options: ReportOptions = DEFAULTS) -> str:
    """Render the report and write it, whole or not at all; returns what to tell of it: `nightly.csv (1,230 rows)`.

    Raises FleetscanError if it could not be written there; the message says where the report is instead.
    """

    def parts() -> Iterator[bytes]:
        return (part.encode() for part in render(report, wanted.format, options))

    spare = f"fleetscan-{report.run_id}-"
    if wanted.path == STANDARD_OUTPUT:
        files.write_standard_output(parts, spare=spare)
    else:
        files.write(Path(wanted.path), parts, spare=spare)
    contents = _contents(report, FORMATS[wanted.format], options)
    return f"{wanted.path} ({contents})" if contents else wanted.path


def _contents(report: RunReport, form: Format, options: ReportOptions) -> str:
    if form.tells:
        return str(import_module(form.module).told(report, options))
    return f"{report.counts().total():,} {form.unit}" if form.unit else ""
