"""What a probe tries to reach: names that stand in a data file of the playbook, for everybody to read.

A probe names no address. It calls the one function that fleetscan's own script has for it, and that function knows
the list alone: so a probe has no way to choose who hears of a host, or what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from fleetscan.errors import Problem
from fleetscan.model.host import Role
from fleetscan.model.playbook import JSON
from fleetscan.playbook.data import VARIABLE, Data
from fleetscan.playbook.place import Source
from fleetscan.playbook.schema import ProbeFile
from fleetscan.suggest import did_you_mean
from fleetscan.validate import Places

FUNCTION = "Test-FleetscanEndpoint"
"""What a probe calls; it stands in powershell/endpoints.ps1."""

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_ENDPOINT = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})+(?::(\d{{1,5}}))?")
"""At least two labels, so that no wildcard stands for a whole country."""


Found = tuple[Mapping[Role, tuple[str, ...]], list[Problem]]


def read_endpoints(source: Source, file: ProbeFile, text: str, data: Data) -> Found:
    """The names that a probe may try, by role, and what is wrong with the way in which it says so."""
    at, calls = source.document, FUNCTION.casefold() in text.casefold()
    if file.connects is None:
        cure = f"add `connects:` with the name of the file in {VARIABLE}/ that lists the names"
        message = f"the probe calls {FUNCTION}, but does not say what it reaches"
        return {}, [at.problem((), message, cure)] if calls else []
    if not calls:
        return {}, [at.problem(("connects",), f"the probe never calls {FUNCTION}", "remove `connects`")]
    if file.connects not in data.sources:
        cure = did_you_mean(file.connects, data.sources, "it has") or f"write {VARIABLE}/{file.connects}.yaml"
        return {}, [at.problem(("connects",), f'the playbook has no data "{file.connects}"', cure)]
    return _names(source, file, file.connects, data)


def _names(source: Source, file: ProbeFile, name: str, data: Data) -> Found:
    about = data.sources[name]
    listed = data.values[about.variable]
    problems: list[Problem] = []
    found: dict[Role, tuple[str, ...]] = {}
    for role in file.roles:
        names = listed.get(role.value) if isinstance(listed, dict) else None
        if isinstance(names, list):
            found[role] = tuple(str(entry) for entry in names)
            problems += _misspelt(names, role, data.places[name])
        else:
            message = f'the list "{name}" has no names for {role.value}'
            cure = f"add `{role.value}: [name, …]` to {about.origin}"
            problems.append(source.document.problem(("connects",), message, cure))
    return found, problems


def _misspelt(names: list[JSON], role: Role, places: Places) -> Iterator[Problem]:
    for index, name in enumerate(names):
        match = _ENDPOINT.fullmatch(str(name))
        if match is None or not 0 < int(match[1] or 443) < 65536:
            cure = "write login.example.com, *.blob.example.com or name.example.com:8443, in small letters"
            message = f'"{str(name)[:80]}" is no name that a host could reach'
            yield places.problem(("data", role.value, index), message, cure, False)
