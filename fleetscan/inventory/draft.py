"""What one source says, before it is merged with the others: nothing is resolved yet, everything has its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from fleetscan.errors import InputError, Problem
from fleetscan.inventory.expand import RangeError, expand
from fleetscan.inventory.schema import HostEntry, SettingsEntry, SSHEntry, WinRMEntry
from fleetscan.model.host import Credential, Zone
from fleetscan.yamlfile import Step

_PATHS = ("ca_file", "known_hosts")
MAX_TOTAL = 50_000
"""Hosts of one source."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source

    def problem(self, message: str, cure: str = "") -> Problem:
        """A mistake here."""
        return Problem(self.source, message, cure, self.line, self.column)


Placer: TypeAlias = "Callable[[tuple[Step, ...]], Place]"
"""Finds the place of what an entry says, by key; `()` is the entry itself."""


@dataclass(frozen=True, slots=True)
class OnePlace:
    """The place of everything in a source that knows no better; see `validate.Places`."""

    place: Place

    def problem(self, _: Sequence[Step], message: str, cure: str, _key: bool) -> Problem:
        """A mistake here."""
        return self.place.problem(message, cure)

    def existing(self, loc: Sequence[Step]) -> tuple[Step, ...]:
        """All steps: they are names for the reader."""
        return tuple(loc)


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of one setting, and where it was set."""

    value: Any
    place: Place


Settings: TypeAlias = "dict[str, Setting]"
"""Settings by dotted name: `credential`, `winrm.port`."""


class HostMistakes:
    """What is wrong with hosts, so that forty hosts with the same mistake make one problem."""

    def __init__(self) -> None:
        self._hosts: dict[tuple[str, str], tuple[Place, list[str]]] = {}

    def add(self, host: str, place: Place, message: str, cure: str) -> None:
        """Note a mistake of a host."""
        self._hosts.setdefault((message, cure), (place, []))[1].append(host)

    def problems(self) -> list[Problem]:
        """One problem for each mistake, at the place of its first host."""
        return [
            place.problem(f"{counted_hosts(hosts)}: {message}", cure)
            for (message, cure), (place, hosts) in self._hosts.items()
        ]


def counted_hosts(hosts: Sequence[str]) -> str:
    """`hv01`, or `hv01 and 39 more`."""
    return hosts[0] if len(hosts) == 1 else f"{hosts[0]} and {len(hosts) - 1} more"


@dataclass(slots=True)
class HostDraft:
    """A host with what is written at the host itself."""

    name: str
    place: Place
    settings: Settings = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    broken: bool = False
    """Has mistakes of its own: what it lacks may be what they hide."""


@dataclass(slots=True)
class GroupDraft:
    """A group as one source has it. A broken one has mistakes of its own: what its hosts lack may be hidden by them."""

    name: str
    place: Place
    settings: Settings = field(default_factory=dict)
    children: list[tuple[str, Place]] = field(default_factory=list)
    broken: bool = False


@dataclass(slots=True)
class Draft:
    """Everything that one source says."""

    source: str
    defaults: Settings = field(default_factory=dict)
    broken_defaults: bool = False
    hosts: dict[str, HostDraft] = field(default_factory=dict)
    """By case-folded name."""
    groups: list[GroupDraft] = field(default_factory=list)
    credentials: list[tuple[Credential, Place]] = field(default_factory=list)
    broken_credentials: list[str] = field(default_factory=list)
    zones: list[tuple[Zone, Place]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    mistakes: HostMistakes = field(default_factory=HostMistakes)
    notices: list[str] = field(default_factory=list)

    def add_host(self, host: HostDraft, group: str | None) -> None:
        """Add a host, or one more group of a host that is here already.

        Raises InputError when there are too many hosts to go on.
        """
        known = self.hosts.setdefault(host.name.casefold(), host)
        if known is not host and not self._joins(known, host, group):
            return
        if group is not None:
            known.groups.append(group)
        if len(self.hosts) > MAX_TOTAL:
            raise InputError.of(self.source, f"more than {MAX_TOTAL:,} hosts", "use several inventories")

    def _joins(self, known: HostDraft, again: HostDraft, group: str | None) -> bool:
        if group is None or group in known.groups:
            self.mistakes.add(again.name, again.place, "listed twice", f"remove it: {known.place} has it already")
            return False
        if known.settings and again.settings:
            cure = f"{known.place} has settings for it, too; keep them in one place"
            self.mistakes.add(again.name, again.place, "settings in two places", cure)
            return False
        if again.settings:
            known.settings, known.place = again.settings, again.place
        return True


def hosts_of(entry: HostEntry, place: Placer, base: Path, *, broken: bool = False) -> list[HostDraft]:
    """The hosts that an entry stands for; raises RangeError when names and addresses do not go in pairs.

    `broken` is an entry that is not all of what was written.
    """
    names = expand(entry.name)
    settings = settings_of(entry, place, base)
    drafts = [HostDraft(name, place(()), dict(settings), broken=broken) for name in names]
    for key, noun, text in (("address", "addresses", entry.address), ("vm", "VMs", entry.vm)):
        if text is None:
            continue
        # The name of a single VM may hold brackets of its own.
        values = [text] if key == "vm" and len(names) == 1 else expand(text)
        if len(names) != len(values):
            message = f"{len(names)} names have {len(values)} {noun}"
            raise RangeError(message, f"give the {key} as many values as the name")
        where = place((key,))
        for draft, value in zip(drafts, values, strict=True):
            draft.settings[key] = Setting(value, where)
    return drafts


def settings_of(entry: SettingsEntry, place: Placer, base: Path) -> Settings:
    """The settings of an entry; `place` finds them by their key. Paths become absolute or relative to `base`."""
    settings: Settings = {}
    for name in SettingsEntry.model_fields:
        value = getattr(entry, name)
        if isinstance(value, WinRMEntry | SSHEntry):
            for key, inner in value:
                if inner is not None:
                    inner = path_from(base, inner) if key in _PATHS else inner
                    settings[f"{name}.{key}"] = Setting(inner, place((name, key)))
        elif value is not None:
            settings[name] = Setting(value, place((name,)))
    return settings


def path_from(base: Path, text: str) -> str:
    """A path that a file in the folder `base` names; `~` is the home of the user."""
    return str(base / Path(text).expanduser())
