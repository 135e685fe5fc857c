"""Which objects a host has, and what is known of each: the VMs, disks and guests that findings are about."""

from __future__ import annotations

from collections.abc import Iterator
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


class Objects:
    """The objects of one host, as its facts name them."""

    def __init__(self, host: Host, facts: HostFacts) -> None:
        self._host = host
        self._facts = facts
        self._names: dict[str, dict[str, str] | None] = {}
        self._known: dict[tuple[ObjectType, tuple[str, ...]], list[Subject] | None] = {}

    def of(self, kind: ObjectType, probes: tuple[str, ...]) -> list[Subject] | None:
        """All objects of a kind that the host is known to have, in the order in which it names them.

        An object that any probe named is in the list, even if these say nothing of it: a check is never silent about an
        object that another one reports. None means that no probe could tell which objects there are.
        """
        key = (kind, probes)
        if key not in self._known:  # most checks share their probes with others
            self._known[key] = self._subjects(kind, probes)
        return self._known[key]

    def _subjects(self, kind: ObjectType, probes: tuple[str, ...]) -> list[Subject] | None:
        if kind is ObjectType.HOST:
            return [Subject(self._host.name, self._host.name)]
        if kind is ObjectType.GUEST:
            return [self._guest()]
        key = LISTS.get(kind)
        return None if key is None else self._listed(key, probes)

    def _guest(self) -> Subject:
        """The VM that this machine is, if it says so; otherwise the machine itself."""
        for answer in self._facts.answers.values():
            guest = answer.data.get("guest") if answer.data is not None else None
            if isinstance(guest, dict) and guest.get("id"):
                return Subject(str(guest["id"]), str(guest.get("name") or self._host.name), guest)
        return Subject(self._host.name, self._host.name, _named(self._host.name, self._host.name))

    def _listed(self, key: str, probes: tuple[str, ...]) -> list[Subject] | None:
        if key not in self._names:
            self._names[key] = self._listed_names(key)
        names = self._names[key]
        if names is None:
            return None
        merged = {identity: _named(identity, name) for identity, name in names.items()}
        for probe, entries in self._lists(key):
            if probe in probes:
                for entry in entries:
                    merged[_identity(entry)].update(entry)
        return [Subject(identity, name, merged[identity]) for identity, name in names.items()]

    def _listed_names(self, key: str) -> dict[str, str] | None:
        """The names of all objects by their ids."""
        names: dict[str, str] = {}
        known = False
        for _, entries in self._lists(key):
            known = True
            for entry in entries:
                identity = _identity(entry)
                names.setdefault(identity, str(entry.get("name", identity)))
        return names if known else None

    def _lists(self, key: str) -> Iterator[tuple[str, list[dict[str, JSON]]]]:
        """What each probe lists under a key, with the probe."""
        for answer in self._facts.answers.values():
            entries = answer.data.get(key) if answer.data is not None else None
            if isinstance(entries, list):
                yield answer.probe, [entry for entry in entries if isinstance(entry, dict)]


def _identity(entry: dict[str, JSON]) -> str:
    return str(entry.get("id", ""))


def _named(identity: str, name: str) -> dict[str, JSON]:
    return {"id": identity, "name": name}
