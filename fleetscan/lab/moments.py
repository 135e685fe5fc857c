"""Times in facts that move with the clock: `now-4m` in a file is four minutes before the visit, whenever that is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from fleetscan.lab.facts import Machine
from fleetscan.model.playbook import JSON

_MOMENT = re.compile(r"now(?:([+-]\d{1,7})([smhd]))?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def clock(machine: Machine) -> datetime:
    """What the machine's clock shows: the time that its facts name, or the lab's."""
    return datetime.fromisoformat(machine.os.now) if machine.os.now else datetime.now(UTC)


def at(machine: Machine, now: datetime) -> Machine:
    """The machine as it is at that time: each fact `now`, `now-<n>` or `now+<n>` in s, m, h or d becomes a time.

    The times are in UTC, to the second, as probes report them.
    """
    probes = {name: _resolved(entry, now) for name, entry in machine.probes.items()}
    return machine.model_copy(update={"probes": probes})


def _resolved(value: JSON, now: datetime) -> JSON:
    if isinstance(value, dict):
        return {key: _resolved(item, now) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, now) for item in value]
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    distance = timedelta(seconds=int(match[1]) * _SECONDS[match[2]]) if match[1] else timedelta()
    return (now + distance).astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
