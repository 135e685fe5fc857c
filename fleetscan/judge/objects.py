"""Which objects a host has, and what is known of each: the VMs, disks and guests that findings are about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fleetscan.model.facts import HostFacts
from fleetscan.model.host import Host
from fleetscan.model.playbook import JSON, ObjectType

LISTS = {ObjectType.VM: "vms", ObjectType.DISK: "disks"}
"""The key under which an answer lists objects of a type."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One object. `facts` are those of the asked probes only, merged by id."""

    id: str
    name: str
    facts: dict[str, JSON] = field(default_factory=dict)


def subjects(kind: ObjectType, host: Host, facts: HostFacts, probes: Iterable[str]) -> list[Subject] | None:
    """All objects of a kind that the host is known to have, in the order in which it names them.

    An object that any probe named is in the list, even if the probes of this check say nothing of it: a check is never
    silent about an object that another one reports. None means that no probe could tell which objects there are.
    """
    if kind is ObjectType.HOST:
        return [Subject(host.name, host.name)]
    if kind is ObjectType.GUEST:
        return [_guest(host, facts)]
    key = LISTS.get(kind)
    if key is None:
        return None
    return _listed(key, facts, set(probes))


def _guest(host: Host, facts: HostFacts) -> Subject:
    """The VM that this machine is, if it says so; otherwise the machine itself."""
    for answer in facts.answers.values():
        guest = answer.data.get("guest") if answer.data is not None else None
        if isinstance(guest, dict) and guest.get("id"):
            return Subject(str(guest["id"]), str(guest.get("name") or host.name), guest)
    return Subject(host.name, host.name, {"id": host.name, "name": host.name})


def _listed(key: str, facts: HostFacts, asked: set[str]) -> list[Subject] | None:
    names: dict[str, str] = {}
    merged: dict[str, dict[str, JSON]] = {}
    known = False
    for answer in facts.answers.values():
        entries = answer.data.get(key) if answer.data is not None else None
        if not isinstance(entries, list):
            continue
        known = True
        for entry in entries:
            if not isinstance(entry, dict):
                continue
            identity = str(entry.get("id", ""))
            names.setdefault(identity, str(entry.get("name", identity)))
            target = merged.setdefault(identity, {})
            if answer.probe in asked:
                target.update(entry)
    if not known:
        return None
    return [Subject(identity, name, _named(identity, name) | merged[identity]) for identity, name in names.items()]


def _named(identity: str, name: str) -> dict[str, JSON]:
    return {"id": identity, "name": name}
