"""Virtual machines, as the facts of their hosts describe them: state, replication, how much is written and sent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from fleetscan import totals
from fleetscan.model.facts import LATER
from fleetscan.model.playbook import JSON
from fleetscan.model.run import HostReport, RunReport
from fleetscan.report.html.strings import Strings

COLUMNS = ("host", "id", "name", "state", "mode", "replication", "health", "last", "sent", "peak", "written")

_COUNTED: dict[str, JSON] = {"vms": [{"id": "guid", "devices": [{"path": "string", "write_bytes": "total?"}]}]}
"""Where an answer with running totals holds the bytes that the disks of a machine have written."""


def machines(report: RunReport, strings: Strings) -> dict[str, list[object]]:
    """Columns with a value for each machine of each host that told of it.

    `host` is the place of the host, texts are places of texts. `health` is Hyper-V's own number: 1 normal, 2 warning,
    3 critical; None for a machine without replication. `sent` and `peak` are bytes per second, on average and in the
    largest cycle of Hyper-V's monitoring window (Measure-VMReplication); `written` is what its disks wrote in a second
    between two readings of one visit.
    """
    rows = [
        _row(number, identity, facts, written.get(identity), strings)
        for number, host in enumerate(report.hosts)
        for written in [_written(host)]
        for identity, facts in _by_id(host).items()
    ]
    return {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}


def entries(data: Mapping[str, JSON] | None, name: str) -> Iterator[dict[str, JSON]]:
    """The objects of a list in an answer; nothing where the answer has no such list."""
    listed = dict(data).get(name) if data is not None else None
    if isinstance(listed, list):
        yield from (entry for entry in listed if isinstance(entry, dict))


def _by_id(report: HostReport) -> dict[str, dict[str, JSON]]:
    """What all answers say of each machine, laid over each other."""
    found: dict[str, dict[str, JSON]] = {}
    for answer in report.facts.answers.values():
        for entry in entries(answer.data, "vms"):
            if entry.get("id"):
                found.setdefault(str(entry["id"]), {}).update(entry)
    return found


def _written(report: HostReport) -> dict[str, float]:
    """Bytes a second for each machine of which every counted disk was read twice."""
    answers = report.facts.answers
    found: dict[str, float] = {}
    for name, later in answers.items():
        earlier = answers.get(name.removesuffix(LATER))
        if not name.endswith(LATER) or earlier is None or earlier.data is None or later.data is None:
            continue
        for machine in entries(totals.measured(_COUNTED, dict(earlier.data), dict(later.data)), "vms"):
            devices = machine.get("devices")
            rates = [_per_second(device) for device in devices] if isinstance(devices, list) else []
            if rates and None not in rates:
                found[str(machine.get("id"))] = sum(rate for rate in rates if rate is not None)
    return found


def _per_second(device: JSON) -> float | None:
    counted = device.get("write_bytes") if isinstance(device, dict) else None
    return _number(counted.get("per_second")) if isinstance(counted, dict) else None


def _row(host: int, identity: str, facts: Mapping[str, JSON], written: float | None, strings: Strings) -> list[object]:
    replication, statistics = _part(facts, "replication"), _part(facts, "statistics")
    cycle = _number(replication.get("frequency_seconds"))
    return [
        host,
        strings.add(identity),
        strings.add(_text(facts.get("name"))),
        strings.add(_text(facts.get("state"))),
        strings.add(_text(replication.get("mode"))),
        strings.add(_text(replication.get("state"))),
        _number(replication.get("health_code")),
        strings.add(_text(replication.get("last_replication"))),
        _rate(statistics.get("average_bytes"), cycle),
        _rate(statistics.get("maximum_bytes"), cycle),
        None if written is None else round(written),
    ]


def _part(facts: Mapping[str, JSON], name: str) -> dict[str, JSON]:
    part = facts.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else ""


def _number(value: JSON) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if usable else None  # type: ignore[return-value] # `usable` says that it is a number


def _rate(amount: JSON, seconds: float | None) -> int | None:
    number = _number(amount)
    return round(number / seconds) if number is not None and seconds else None
