"""`fleetscan waivers`: what is accepted as it is, by whom, and for how long still."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from fleetscan.cli.options import InventoryFiles, PlaybookName

if TYPE_CHECKING:
    from fleetscan.waivers import Rule, Waivers

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

SHOWN = 60
"""Columns of a pattern or an object; the file has the whole of it."""


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Files of waivers.")],
    inventory: InventoryFiles,
    playbook: PlaybookName = None,
) -> None:
    """Read waivers and say whether a scan could use them; list them with the days that they have left."""
    from tabulate import tabulate

    from fleetscan import inventory as inventories
    from fleetscan import playbook as playbooks
    from fleetscan import waivers
    from fleetscan.errors import InputError, Problem

    problems: list[Problem] = []
    try:
        fleet = inventories.load(inventory, sys.stdin)
    except InputError as error:
        problems += error.problems
    try:
        rules = waivers.load(files, playbooks.load(playbook))
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    now = datetime.now(UTC)
    known = waivers.Waivers.of(rules, fleet, now)
    rows = [_row(known, rule, now) for rule in rules]
    headers = ["waiver", "check", "hosts", "object", "owner", "ticket", "expires", "days left"]
    if rows:
        typer.echo(tabulate(rows, headers, tablefmt="plain", disable_numparse=True) + "\n")
    for identity, why in known.strays.items():
        typer.echo(f"notice: waiver {identity} is for no host: {why}", err=True)
    expired = sum(rule.days_left(now) < 0 for rule in rules)
    typer.echo(f"{len(rules)} waiver{'s' if len(rules) != 1 else ''}, {expired} expired; no mistakes.")


@app.command()
def schema() -> None:
    """Print the JSON Schema of files of waivers, for editors and other programs."""
    from fleetscan import waivers

    typer.echo(json.dumps(waivers.json_schema(), indent=2, ensure_ascii=False))


def _row(known: Waivers, rule: Rule, now: datetime) -> list[str]:
    from fleetscan.model.text import one_line
    from fleetscan.report.names import fold_text

    left = rule.days_left(now)
    hosts = fold_text(known.hosts_of(rule), SHOWN) if rule.waiver.id not in known.strays else "none"
    texts = (rule.waiver.id, rule.check, hosts, rule.object, rule.waiver.owner, rule.waiver.ticket)
    until = f"{rule.waiver.expires} {rule.timezone}"
    return [*(one_line(text, SHOWN) for text in texts), until, str(left) if left >= 0 else "expired"]
