"""`fleetscan playbook`: what a scan asks, and how it judges."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from fleetscan.cli.options import DataFolder, PlaybookName
from fleetscan.cli.rehearse import rehearse
from fleetscan.model.host import Role

if TYPE_CHECKING:
    from fleetscan.model.playbook import Playbook

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.command("test")(rehearse)

NOBODY = "none"
"""Stands in the coverage table where no check answers an item."""


class FileKind(StrEnum):
    """The files of a playbook."""

    PLAYBOOK = "playbook"
    CHECK = "check"
    PROBE = "probe"
    DATA = "data"
    TEST = "test"
    BASE = "base"


@app.command("list")
def list_playbooks() -> None:
    """Show the playbooks that come with fleetscan."""
    from fleetscan import playbook as playbooks

    rows = []
    for name in playbooks.builtin_names():
        book = playbooks.load(name)
        rows.append([name, book.version, str(len(book.checks)), str(len(book.probes)), book.title])
    typer.echo(_table(rows, ["name", "version", "checks", "probes", "title"]))


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A built-in playbook, or a folder.")] = "asr-hyperv",
    data: DataFolder = None,
) -> None:
    """Show the checks of a playbook, which check answers each item of its article, and how old its lists are."""
    from fleetscan import playbook as playbooks

    book = playbooks.load(name, data)
    typer.echo(f"{book.name} {book.version}: {book.title}\n")
    rows = [
        [check.id, check.severity.value, check.object.value, ", ".join(check.article), check.title]
        for check in book.checks
    ]
    typer.echo(_table(rows, ["check", "severity", "object", "item", "title"]))
    if book.articles:
        typer.echo("\n" + _table(list(_coverage(book)), ["item", "what it asks", "checks"]))
    reached = [
        [probe.id, role.value, "\n".join(names) or NOBODY]
        for probe in book.probes.values()
        for role, names in probe.connects.items()
    ]
    if reached:
        typer.echo("\n" + _table(reached, ["probe", "on hosts", "tries to reach (port 443 if none is named)"]))
    if book.data:
        lists = [[source.id, source.as_of, source.origin, source.source] for source in book.data]
        typer.echo("\n" + _table(lists, ["data", "as of", "file", "source"]))


@app.command()
def check(
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="The folder of a playbook, or the name of a built-in one.")
    ],
    data: DataFolder = None,
) -> None:
    """Read a playbook and say whether a scan could use it."""
    from fleetscan import playbook as playbooks

    book = playbooks.load(path, data)
    counts = [_counted(len(book.checks), "check"), _counted(len(book.probes), "probe")]
    if book.data:
        counts.append(_counted(len(book.data), "data file"))
    typer.echo(f"{', '.join(counts)}: every probe is proven read-only")


@app.command()
def payload(
    playbook: PlaybookName = None,
    role: Annotated[
        list[Role] | None,
        typer.Option(
            "--role", help="A role of the hosts; may be repeated. Hosts with the same roles get the same bytes."
        ),
    ] = None,
    data: DataFolder = None,
) -> None:
    """Print the exact script that a host with these roles [hyperv] would run, and its SHA-256 on standard error."""
    from fleetscan import playbook as playbooks
    from fleetscan.powershell import payload as payloads

    roles = role or [Role.HYPERV]
    built = payloads.build(playbooks.load(playbook, data), roles)
    sys.stdout.buffer.write(built.text.encode("ascii"))
    sys.stdout.buffer.flush()
    typer.echo(f"SHA-256 {built.sha256} (roles {', '.join(roles)}; {_counted(len(built.probes), 'probe')})", err=True)


@app.command()
def schema(kind: Annotated[FileKind, typer.Argument(help="Which of the files.")]) -> None:
    """Print the JSON Schema of a playbook's file, for editors and other programs."""
    from fleetscan import playbook as playbooks
    from fleetscan import rehearsal

    schemas = {**playbooks.json_schemas(), **rehearsal.json_schemas()}
    typer.echo(json.dumps(schemas[kind.value], indent=2, ensure_ascii=False))


def _coverage(book: Playbook) -> Iterator[list[str]]:
    for item, question in book.articles.items():
        answers = [check.id for check in book.checks if item in check.article]
        answers += [f"{book.measures[item]} (command)"] if item in book.measures else []
        yield [item, question, "\n".join(answers) or NOBODY]


def _table(rows: list[list[str]], headers: list[str]) -> str:
    from tabulate import tabulate

    return tabulate(rows, headers, tablefmt="simple", disable_numparse=True)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
