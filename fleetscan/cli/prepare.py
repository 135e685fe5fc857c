"""From what a user asks to a scan that can start: files are read, secrets are there, nothing is contacted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fleetscan.errors import InputError, Mistakes, Problem

if TYPE_CHECKING:
    from fleetscan.cli.request import Request
    from fleetscan.model.host import Host, Inventory
    from fleetscan.model.playbook import Playbook
    from fleetscan.scan import Scan
    from fleetscan.scan.visit import Recall
    from fleetscan.waivers import Waivers


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was read of a request."""

    request: Request
    fleet: Inventory
    hosts: tuple[Host, ...]
    book: Playbook
    waivers: Waivers

    @property
    def left_out(self) -> tuple[Host, ...]:
        """The hosts of the inventory that are not visited, though they have the roles of some that are."""
        visited = {host.name for host in self.hosts}
        roles = {role for host in self.hosts for role in host.roles}
        return tuple(host for host in self.fleet.hosts if host.name not in visited and roles & set(host.roles))


def read(request: Request, moment: datetime, names: Sequence[str] | None = None) -> Prepared:
    """Read the playbook, the waivers as of a moment, and the inventory. Raises InputError.

    `names` are the hosts of an earlier run, in the place of the request's own pattern.
    """
    from fleetscan import inventory as inventories
    from fleetscan import playbook as playbooks
    from fleetscan import waivers

    mistakes = Mistakes()
    with mistakes:
        whole = playbooks.load(request.playbook, request.data)
        with mistakes:
            book = playbooks.select(whole, request.check, request.tag)
        rules = waivers.load(request.waivers, whole)
    with mistakes:
        fleet = inventories.load(request.inventory, sys.stdin)
        hosts = inventories.select(fleet, request.limit, sys.stdin) if names is None else _named(fleet, names)
        inventories.check_files(fleet.involved(hosts))
    mistakes.settle()
    return Prepared(request, fleet, hosts, book, waivers.Waivers.of(rules, fleet, moment))


def _named(fleet: Inventory, names: Sequence[str]) -> tuple[Host, ...]:
    """The hosts of these names, in their order. Raises InputError with all that the inventory does not have."""
    there = {host.name.casefold(): host for host in fleet.hosts}
    gone = [name for name in names if name.casefold() not in there]
    if gone:
        source, cure = ", ".join(fleet.sources), "put it back, or scan anew"
        message = "is in the run, but not in the inventory any more"
        raise InputError([Problem(source, f"{name} {message}", cure) for name in gone])
    return tuple(there[name.casefold()] for name in names)


def make_scan(prepared: Prepared, *, forget_rejections: bool, recall: Recall = lambda _host: None) -> Scan:
    """A scan that can start: its libraries and secrets are there. What is worth a notice goes to standard error."""
    from fleetscan.cli.logs import notice, redact_log
    from fleetscan.cli.spans import sample_seconds
    from fleetscan.credentials import Vault
    from fleetscan.scan import Scan, ScanOptions
    from fleetscan.scan.capacity import affordable
    from fleetscan.scan.memory import RejectionMemory
    from fleetscan.transports import not_installed

    request, fleet, hosts = prepared.request, prepared.fleet, prepared.hosts
    involved = fleet.involved(hosts)
    vault = Vault(fleet.credentials)
    redact_log(vault.redactor)
    credentials = {host.credential for host in involved}
    notices = list(fleet.notices)
    mistakes = Mistakes()
    with mistakes:
        missing = not_installed(involved)
        if missing:
            raise InputError(missing)
    with mistakes:
        notices += vault.prepare(credentials)
    mistakes.settle()
    possible, shortage = affordable(request.concurrency)
    for text in (*notices, *([shortage] if shortage else [])):
        notice(text)
    memory = RejectionMemory()
    if forget_rejections:
        for credential in credentials:
            memory.forget(fleet.credentials[credential].username)
    options = ScanOptions(
        concurrency=possible,
        connect_timeout=request.connect_timeout,
        host_timeout=request.host_timeout,
        run_timeout=request.run_timeout,
        sample=sample_seconds(request.sample),
    )
    return Scan(fleet, hosts, prepared.book, vault, options, memory, prepared.waivers.settle, recall)


def preview(prepared: Prepared) -> str:
    """What a scan would do: each host with its way in, each payload with its hash."""
    from tabulate import tabulate

    from fleetscan.inventory import endpoint
    from fleetscan.powershell.payload import build
    from fleetscan.report.words import plural

    rows = []
    for host in prepared.hosts:
        way = f"{host.winrm.scheme}, {host.winrm.auth}" if host.transport == "winrm" else host.transport.value
        payload = build(prepared.book, host.roles)
        roles = ", ".join(host.roles)
        rows.append([host.name, roles, endpoint(host), way, host.credential, payload.sha256[:12]])
    table = tabulate(
        rows, ["host", "roles", "address", "by", "credential", "payload"], tablefmt="plain", disable_numparse=True
    )
    counts = f"{plural(len(prepared.hosts), 'host')}, {plural(len(prepared.book.checks), 'check')}"
    return f"{table}\n\n{counts} of {prepared.book.name}; nothing was contacted."
