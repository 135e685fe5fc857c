"""Virtual machines that are on other hosts than before, by their GUIDs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, select

from fleetscan.model.history import Move
from fleetscan.model.playbook import ObjectType
from fleetscan.store import codec
from fleetscan.store.compare import Pair
from fleetscan.store.once import batches
from fleetscan.store.tables import objects

_Seen = dict[str, dict[str, str]]
"""GUID in lower case → name of the host → name of the machine there."""


class MoveFinder:
    """Sees all hosts of a run, then says which machines moved."""

    def __init__(self) -> None:
        self._before: list[codec.Frame] = []
        self._after: list[codec.Frame] = []
        self._streams: list[int] = []
        self._alike = True

    def see(self, pair: Pair) -> None:
        """One more host."""
        self._streams.append(pair.later.stream)
        self._after.append(pair.after)
        if pair.before is not None:
            self._before.append(pair.before)
        self._alike = self._alike and pair.before is pair.after

    def moves(self, connection: Connection) -> tuple[Move, ...]:
        """Machines that are seen on a host where they were not, and no longer on one where they were."""
        if self._alike:
            return ()
        machines = _machines(connection, self._streams)
        before, after = _seen(self._before, machines), _seen(self._after, machines)
        moved = []
        for identity, hosts in sorted(after.items()):
            earlier = before.get(identity, {})
            if hosts.keys() - earlier.keys() and earlier.keys() - hosts.keys():
                name = next(iter(hosts.values()))
                moved.append(Move(vm_id=identity, vm_name=name, before=tuple(earlier), after=tuple(hosts)))
        return tuple(sorted(moved, key=lambda move: (move.vm_name.casefold(), move.vm_id)))


def _machines(connection: Connection, streams: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Id of the object → GUID and name."""
    found: dict[int, tuple[str, str]] = {}
    for batch in batches(streams):
        query = select(objects.c.id, objects.c.identity, objects.c.name).where(
            objects.c.stream.in_(batch), objects.c.type == ObjectType.VM.value, objects.c.identity != ""
        )
        found.update((row.id, (row.identity, row.name)) for row in connection.execute(query))
    return found


def _seen(frames: Iterable[codec.Frame], machines: dict[int, tuple[str, str]]) -> _Seen:
    found: _Seen = defaultdict(dict)
    for frame in frames:
        for thing in sorted({thing for _, things in frame.layout for thing in things} & machines.keys()):
            identity, name = machines[thing]
            found[identity.casefold()][frame.host.name] = name
    return found
