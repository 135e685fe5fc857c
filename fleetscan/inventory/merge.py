"""Puts the drafts of all sources together."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from fleetscan.errors import InputError
from fleetscan.inventory.draft import Draft, HostDraft, HostMistakes, Place, Settings, counted_hosts
from fleetscan.inventory.groups import Groups
from fleetscan.inventory.resolve import Judge, resolve
from fleetscan.inventory.schema import is_ip
from fleetscan.inventory.ways import Ways
from fleetscan.model.host import Host, Inventory, TransportName, WinRMAuth, Zone
from fleetscan.model.text import one_line
from fleetscan.suggest import did_you_mean

T = TypeVar("T")


def merge(drafts: Sequence[Draft]) -> Inventory:
    """One inventory of all drafts; raises InputError with every mistake of all of them."""
    return _Merger(drafts).merge()


class _Merger:
    def __init__(self, drafts: Sequence[Draft]) -> None:
        self._drafts = drafts
        self._mistakes = HostMistakes()
        self._problems = [problem for draft in drafts for problem in draft.problems]

    def merge(self) -> Inventory:
        credentials = self._unique(
            "credential", [(made.name, made, place) for draft in self._drafts for made, place in draft.credentials]
        )
        zones = self._unique(
            "zone", [(zone.name, zone, place) for draft in self._drafts for zone, place in draft.zones]
        )
        defaults = self._defaults()
        hosts = self._hosts()
        groups = Groups(
            [group for draft in self._drafts for group in draft.groups],
            [name for host in hosts.values() for name in host.groups],
        )
        self._problems += groups.problems
        judge = Judge(
            credentials,
            [name for draft in self._drafts for name in draft.broken_credentials],
            defaults,
            self._mistakes,
        )
        resolved = tuple(self._resolved(draft, groups, defaults, judge) for draft in hosts.values())
        ways = Ways(resolved, {draft.name for draft in hosts.values() if draft.broken}, self._mistakes)
        resolved = tuple(
            ways.followed(host, (defaults | groups.inherited(draft.groups).settings | draft.settings).get("via"))
            for host, draft in zip(resolved, hosts.values(), strict=True)
        )
        self._raise_problems(resolved)
        return Inventory(
            hosts=resolved,
            credentials=credentials,
            zones=_all_zones(resolved, zones),
            sources=tuple(draft.source for draft in self._drafts),
            notices=(
                *(notice for draft in self._drafts for notice in draft.notices),
                *_notices(resolved),
                *_unused(zones, resolved),
            ),
        )

    def _raise_problems(self, hosts: Sequence[Host]) -> None:
        for mistakes in (*(draft.mistakes for draft in self._drafts), self._mistakes):
            self._problems += mistakes.problems()
        if not self._problems and not hosts:
            source = ", ".join(draft.source for draft in self._drafts)
            raise InputError.of(source, "there are no hosts", "add hosts to a group")
        if self._problems:
            order = {draft.source: index for index, draft in enumerate(self._drafts)}
            raise InputError(sorted(self._problems, key=lambda p: (order.get(p.source, 0), p.line, p.column)))

    def _unique(self, kind: str, named: Iterable[tuple[str, T, Place]]) -> dict[str, T]:
        found: dict[str, T] = {}
        places: dict[str, Place] = {}
        for name, value, place in named:
            if name in found:
                self._problems.append(
                    place.problem(f'{kind} "{one_line(name)}" is here again', f"{places[name]} has it already")
                )
                continue
            found[name], places[name] = value, place
        return found

    def _defaults(self) -> Settings:
        merged: Settings = {}
        for draft in self._drafts:
            for name, setting in draft.defaults.items():
                known = merged.setdefault(name, setting)
                if known.value != setting.value:
                    self._problems.append(
                        setting.place.problem(
                            f"two files have defaults for {name}", f"{known.place} has another value; keep one"
                        )
                    )
        return merged

    def _hosts(self) -> dict[str, HostDraft]:
        hosts: dict[str, HostDraft] = {}
        for key, host in itertools.chain.from_iterable(draft.hosts.items() for draft in self._drafts):
            known = hosts.setdefault(key, host)
            if known is not host:
                self._mistakes.add(host.name, host.place, "listed in two files", f"{known.place} has it already")
        return hosts

    def _resolved(self, draft: HostDraft, groups: Groups, defaults: Settings, judge: Judge) -> Host:
        inherited = groups.inherited(draft.groups)
        host = resolve(draft, inherited, defaults)
        if draft.name in groups:
            cure = f"{groups.place(draft.name)} describes the group; rename one of them".lstrip()
            self._mistakes.add(draft.name, draft.place, "the name of a host and of a group", cure)
        broken = draft.broken or inherited.broken or any(draft.broken_defaults for draft in self._drafts)
        judge.judge(host, draft, inherited, whole=not broken)
        return host


def _notices(hosts: Sequence[Host]) -> Iterator[str]:
    """What is allowed, but will hardly work, or leaves something out."""
    unnamed = [
        host.name
        for host in hosts
        if host.transport is TransportName.WINRM and host.winrm.auth is WinRMAuth.KERBEROS and is_ip(host.name)
    ]
    if unnamed:
        cure = "write {name: NAME, address: IP}, or auth: ntlm"
        yield f"{counted_hosts(unnamed)}: kerberos looks for a service by its name, an IP address has none; {cure}"
    known = {name.casefold() for host in hosts for name in (host.name, host.name.partition(".")[0], host.address)}
    for server in dict.fromkeys(host.vmm_server for host in hosts if host.vmm_server):
        if not {server.casefold(), server.partition(".")[0].casefold()} & known:
            managed = counted_hosts([host.name for host in hosts if host.vmm_server == server])
            cure = "add it with roles: [vmm], or nobody looks whether VMM runs"
            yield f"{managed}: vmm_server {server} is no host of the inventory; {cure}"


def _unused(zones: Iterable[str], hosts: Sequence[Host]) -> Iterator[str]:
    """A limit for a zone that is written in another way counts for nobody."""
    used = {host.zone for host in hosts}
    for zone in zones:
        if zone not in used:
            cure = did_you_mean(zone, used - {""}, "zones of hosts:") or "give hosts this zone, or remove it"
            yield f'no host is in zone "{one_line(zone)}", so its limit counts for nobody; {cure}'


def _all_zones(hosts: Iterable[Host], described: Mapping[str, Zone]) -> dict[str, Zone]:
    return {**described, **{host.zone: described.get(host.zone, Zone(host.zone)) for host in hosts if host.zone}}
