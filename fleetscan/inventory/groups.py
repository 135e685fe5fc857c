"""Groups of all sources together: who contains whom, and what a host gets from the groups it is in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fleetscan.errors import Problem
from fleetscan.inventory.draft import GroupDraft, Place, Setting, Settings
from fleetscan.model.host import Role
from fleetscan.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class Conflict:
    """A setting for which two groups, neither inside the other, have different values."""

    name: str
    groups: tuple[str, str]
    places: tuple[Place, Place]


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a host gets from its groups."""

    groups: tuple[str, ...]
    """All groups that the host is in, outer ones first."""
    settings: Settings
    roles: frozenset[Role]
    conflicts: tuple[Conflict, ...] = ()
    broken: bool = False


@dataclass(slots=True)
class _Group:
    place: Place
    settings: list[Settings] = field(default_factory=list)
    parents: set[str] = field(default_factory=set)
    broken: bool = False


class Groups:
    """All groups by name. `problems` holds unknown children and circles."""

    def __init__(self, drafts: Iterable[GroupDraft], members: Iterable[str]) -> None:
        """`members` are the names of groups that hosts say they are in; they need not be described."""
        self.problems: list[Problem] = []
        self._groups: dict[str, _Group] = {}
        self._cache: dict[tuple[str, ...], Inherited] = {}
        drafts = list(drafts)
        for draft in drafts:
            group = self._groups.setdefault(draft.name, _Group(draft.place))
            group.settings.append(draft.settings)
            group.broken |= draft.broken
        for name in members:
            self._groups.setdefault(name, _Group(Place("")))
        for draft in drafts:
            self._adopt(draft)
        self._outer = {name: self._ancestors(name) for name in self._groups}
        self._report_circles()

    def __contains__(self, name: str) -> bool:
        return name in self._groups

    def __iter__(self) -> Iterator[str]:
        return iter(self._groups)

    def place(self, name: str) -> Place:
        """Where a group is described first."""
        return self._groups[name].place

    def inherited(self, direct: Iterable[str]) -> Inherited:
        """What a host gets that is listed in the groups `direct`."""
        key = tuple(direct)
        if key not in self._cache:
            self._cache[key] = self._inherit(key)
        return self._cache[key]

    def _adopt(self, draft: GroupDraft) -> None:
        for child, place in draft.children:
            if child in self._groups:
                self._groups[child].parents.add(draft.name)
            else:
                cure = did_you_mean(child, self._groups, "groups:") or "describe it under groups"
                self.problems.append(place.problem(f'there is no group "{child}"', cure))

    def _ancestors(self, name: str) -> frozenset[str]:
        found: set[str] = set()
        todo = list(self._groups[name].parents)
        while todo:
            parent = todo.pop()
            if parent not in found:
                found.add(parent)
                todo += self._groups[parent].parents
        return frozenset(found)

    def _report_circles(self) -> None:
        circle = [name for name in self._groups if name in self._outer[name]]
        if circle:
            place = self._groups[circle[0]].place
            message = f"groups contain each other: {', '.join(circle)}"
            self.problems.append(place.problem(message, "remove one of their children"))

    def _inherit(self, direct: tuple[str, ...]) -> Inherited:
        order = {name: index for index, name in enumerate(self._groups)}
        names = sorted(
            set(direct).union(*(self._outer[name] for name in direct)),
            key=lambda name: (len(self._outer[name]), order[name]),
        )
        said: dict[str, list[tuple[str, Setting]]] = {}
        for name in names:
            for settings in self._groups[name].settings:
                for key, setting in settings.items():
                    said.setdefault(key, []).append((name, setting))
        roles = [setting.value for _, setting in said.pop("roles", [])]
        inner = {key: self._innermost(candidates) for key, candidates in said.items()}
        return Inherited(
            groups=tuple(names),
            settings={key: candidates[0][1] for key, candidates in inner.items()},
            roles=frozenset(role for listed in roles for role in _roles(listed)),
            conflicts=tuple(_conflicts(inner)),
            broken=any(self._groups[name].broken for name in names),
        )

    def _innermost(self, candidates: list[tuple[str, Setting]]) -> list[tuple[str, Setting]]:
        """The candidates that no group further inside overrides."""
        return [
            (name, setting)
            for name, setting in candidates
            if not any(name in self._outer[other] for other, _ in candidates)
        ] or candidates


def _roles(value: object) -> Iterable[Role]:
    return value if isinstance(value, list) else ()


def _conflicts(inner: dict[str, list[tuple[str, Setting]]]) -> Iterator[Conflict]:
    for key, candidates in inner.items():
        (first, setting), *rest = candidates
        for other, against in rest:
            if against.value != setting.value:
                yield Conflict(key, (first, other), (setting.place, against.place))
                break
