"""Times in facts that move with the clock: `now-4m` in a file is four minutes before the visit, whenever that is."""

from __future__ import annotations

from datetime import UTC, datetime

from fleetscan.factfile import resolved
from fleetscan.lab.facts import Machine


def clock(machine: Machine) -> datetime:
    """What the machine's clock shows: the time that its facts name, or the lab's."""
    return datetime.fromisoformat(machine.os.now) if machine.os.now else datetime.now(UTC)


def at(machine: Machine, now: datetime, *, totals: bool = True) -> Machine:
    """The machine as it is at that time: each fact `now`, `now-<n>` or `now+<n>` in s, m, h or d becomes a time.

    The times are in UTC, to the second, as probes report them. A total such as `2000000/s` becomes a number, unless
    scripts read it more than once.
    """
    probes = {name: resolved(entry, now, totals=totals) for name, entry in machine.probes.items()}
    guests = tuple(
        guest.model_copy(update={"machine": at(guest.machine, now, totals=totals)}) for guest in machine.guests
    )
    return machine.model_copy(update={"probes": probes, "guests": guests})
