"""Inventories: load the hosts of one or several sources, select from them, describe them.

A source is a file or standard input, and YAML, CSV or what `ansible-inventory --list` prints. After loading, a host
is complete: nothing is inherited any more, and no secret is in it, only the name of a credential.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from fleetscan import yamlfile
from fleetscan.errors import InputError, Problem
from fleetscan.inventory import ansible, csv_file, yaml_file
from fleetscan.inventory.draft import Draft
from fleetscan.inventory.merge import merge
from fleetscan.inventory.schema import json_schema
from fleetscan.inventory.select import PATTERN, select
from fleetscan.model.host import Host, Inventory, TransportName

__all__ = ["PATTERN", "check_files", "describe", "endpoint", "json_schema", "load", "select"]

STDIN = "-"
_SECTION = re.compile(r"^\[[^\[\]]+\][ \t]*\r?$", re.MULTILINE)
"""What begins a group in an INI file; no line of YAML that fleetscan reads looks like it."""
_UNUSED = {
    TransportName.WINRM: ("ssh", "via", "vm"),
    TransportName.SSH: ("winrm", "via", "vm"),
    TransportName.DIRECT: ("winrm", "ssh", "address"),
}
MAX_BYTES = 64 * 1024 * 1024
"""Of one source. YAML, which is read more slowly, has a limit of its own."""


def load(paths: Sequence[str], stdin: TextIO | None = None) -> Inventory:
    """The inventory that all sources make together; `-` is `stdin`, or standard input.

    Raises InputError with every mistake of every source.
    """
    drafts: list[Draft] = []
    unread: list[Problem] = []
    for index, path in enumerate(paths):
        try:
            if path in paths[:index]:
                raise InputError.of(path, "is given twice", "remove one")
            drafts.append(_parse(path, stdin or sys.stdin))
        except InputError as error:
            unread += error.problems
    if unread:  # what the others lack may be in there
        known = [problem for draft in drafts for problem in (*draft.problems, *draft.mistakes.problems())]
        raise InputError([*unread, *known])
    return merge(drafts)


def _parse(path: str, stdin: TextIO) -> Draft:
    if path == STDIN:
        source, text, base = yamlfile.STDIN, yamlfile.read_stream(stdin, MAX_BYTES), Path()
    else:
        source, text, base = path, yamlfile.read_text(path, MAX_BYTES), Path(path).parent
    return _parse_text(source, text, base)


def _parse_text(source: str, text: str, base: Path) -> Draft:
    """Choose by suffix; where that says nothing (standard input), by content."""
    suffix = Path(source).suffix.lower()
    if suffix == ".csv":
        return csv_file.parse(source, text, base)
    if suffix not in (".yaml", ".yml") and ansible.looks_like_ansible(text):
        return ansible.parse(source, text, base)
    section = None if suffix in (".yaml", ".yml", ".json") else _SECTION.search(text)
    if section:
        line = text.count("\n", 0, section.start()) + 1
        cure = "give fleetscan what `ansible-inventory --list` prints"
        raise InputError.of(source, "this is an inventory of Ansible", cure, line, 1)
    if suffix not in (".yaml", ".yml", ".json") and csv_file.looks_like_csv(text):
        return csv_file.parse(source, text, base)
    return yaml_file.parse(source, text, base)


def check_files(hosts: Iterable[Host]) -> None:
    """Raise InputError for every certificate or known-hosts file of these hosts that cannot be read."""
    wanted: dict[str, Host] = {}
    for host in hosts:
        files = {TransportName.WINRM: host.winrm.ca_file, TransportName.SSH: host.ssh.known_hosts}
        path = files.get(host.transport)
        if path is not None:
            wanted.setdefault(path, host)
    problems = []
    for path, host in wanted.items():
        try:
            with Path(path).open("rb"):
                pass
        except OSError as error:
            problems.append(Problem(host.origin, f"{host.name} needs {path}: {error.strerror}", "correct the path"))
    if problems:
        raise InputError(problems)


def endpoint(host: Host) -> str:
    """Where a visit connects: `address:port`, or the Hyper-V hosts that lead to the machine."""
    if host.transport is TransportName.DIRECT:
        return f"via {', '.join(host.via)}"
    port = host.winrm.port if host.transport is TransportName.WINRM else host.ssh.port
    return f"[{host.address}]:{port}" if ":" in host.address else f"{host.address}:{port}"


def describe(host: Host) -> dict[str, Any]:
    """The settings that a scan of the host uses, as plain values; those of other transports are left out."""
    settings = dataclasses.asdict(host)
    return {name: _plain(value) for name, value in settings.items() if name not in _UNUSED[host.transport]}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, str) else value
