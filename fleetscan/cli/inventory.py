"""`fleetscan inventory`: what a scan would contact, and how."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fleetscan.cli.options import InventoryFiles, Limit

if TYPE_CHECKING:
    from fleetscan.model.host import Inventory

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


class DataFormat(StrEnum):
    """How to print settings."""

    YAML = "yaml"
    JSON = "json"


@app.command()
def check(
    inventory: InventoryFiles,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Also fetch every secret that hosts need; may ask for some.")
    ] = False,
) -> None:
    """Read the inventory and say whether a scan could use it."""
    from fleetscan import inventory as inventories
    from fleetscan.credentials import Vault
    from fleetscan.errors import Mistakes

    fleet = _load(inventory)
    mistakes = Mistakes()
    with mistakes:
        inventories.check_files(fleet.hosts)
    used = dict.fromkeys(host.credential for host in fleet.hosts)
    if secrets:
        vault = Vault(fleet.credentials)
        for name in filter(used.__contains__, fleet.credentials):
            with mistakes:
                _notify(vault.prepare([name]))
                vault.login(name)
    mistakes.settle()
    groups = {group for host in fleet.hosts for group in host.groups}
    counts = (
        _counted(len(fleet.hosts), "host"),
        _counted(len(groups), "group"),
        _counted(len(fleet.zones), "zone"),
        _counted(len(used), "credential"),
    )
    typer.echo(f"{', '.join(fleet.sources)}: {', '.join(counts)}; no mistakes.")


@app.command("list")
def list_hosts(inventory: InventoryFiles, limit: Limit = None) -> None:
    """Show the hosts that a pattern means, all without one."""
    from tabulate import tabulate

    from fleetscan import inventory as inventories

    hosts = inventories.select(_load(inventory), limit, sys.stdin)
    rows = [
        [
            host.name,
            ", ".join(host.roles),
            ", ".join(host.groups),
            host.zone,
            host.transport.value,
            inventories.endpoint(host),
            host.credential,
        ]
        for host in hosts
    ]
    headers = ["host", "roles", "groups", "zone", "transport", "address", "credential"]
    typer.echo(tabulate(rows, headers, tablefmt="plain", disable_numparse=True))


@app.command()
def show(
    host: Annotated[str, typer.Argument(metavar="HOST", help="Name, short name or address of one host.")],
    inventory: InventoryFiles,
    output_format: Annotated[DataFormat, typer.Option("--format", help="How to print them.")] = DataFormat.YAML,
) -> None:
    """Show the settings that a scan of one host would use: everything inherited, no secret."""
    from fleetscan import inventory as inventories
    from fleetscan import yamlfile
    from fleetscan.errors import InputError

    found = inventories.select(_load(inventory), host, sys.stdin)
    if len(found) > 1:
        cure = f"`fleetscan inventory list -l {host}` shows them"
        raise InputError.of("HOST", f'"{host}" means {len(found)} hosts', cure)
    settings = inventories.describe(found[0])
    if output_format is DataFormat.JSON:
        typer.echo(_json(settings))
    else:
        typer.echo(yamlfile.dump(settings), nl=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of inventory files, for editors and other programs."""
    from fleetscan import inventory as inventories

    typer.echo(_json(inventories.json_schema()))


def _load(paths: list[str]) -> Inventory:
    from fleetscan import inventory as inventories

    fleet = inventories.load(paths, sys.stdin)
    _notify(fleet.notices)
    return fleet


def _notify(notices: Iterable[str]) -> None:
    for notice in notices:
        typer.echo(f"notice: {notice}", err=True)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)
