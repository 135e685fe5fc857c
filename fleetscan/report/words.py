"""How counts, times and verdicts are put into words for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from fleetscan.model.finding import Status
from fleetscan.model.host import Role
from fleetscan.model.playbook import ObjectType
from fleetscan.model.run import HostReport
from fleetscan.report.grid import Colour

ORDER = (Status.PASS, Status.WARN, Status.FAIL, Status.ERROR, Status.NOT_ASSESSED, Status.NOT_APPLICABLE)
"""The order in which counts are told."""

COLOURS: Mapping[Status, Colour] = {
    Status.FAIL: Colour.RED,
    Status.WARN: Colour.YELLOW,
    Status.ERROR: Colour.CYAN,
    Status.NOT_ASSESSED: Colour.CYAN,
}

_NOUNS = {
    ObjectType.HOST: ("host", "hosts"),
    ObjectType.VM: ("VM", "VMs"),
    ObjectType.GUEST: ("guest", "guests"),
    ObjectType.DISK: ("disk", "disks"),
    ObjectType.FLEET: ("fleet", "fleets"),
}


def status_words(status: Status) -> str:
    """`not assessed` for `not_assessed`."""
    return status.value.replace("_", " ")


WAIVED = "waived"
"""Stands for the verdict of a host of which nothing else is amiss."""


def standing(report: HostReport) -> str:
    """How a host stands for whoever has to act: its verdict without what is waived, or WAIVED if only that is left."""
    rest = report.open_verdict
    fine = rest in (Status.PASS, Status.NOT_APPLICABLE)
    return WAIVED if fine and report.verdict is not rest else status_words(rest)


def verdict(status: Status) -> str:
    """The status in capitals."""
    return status_words(status).upper()


def counted(
    counts: Mapping[Status, int], order: Iterable[Status] = ORDER, *, waived: Mapping[Status, int] | None = None
) -> str:
    """`2 fail, 1 of them waived, 55 pass`, without zeros."""
    told = (waived or {}).get
    return ", ".join(
        f"{counts[status]:,} {status_words(status)}" + (f", {told(status):,} of them waived" if told(status) else "")
        for status in order
        if counts.get(status)
    )


def waived(reports: Iterable[HostReport]) -> Counter[Status]:
    """How many findings of each status are waived."""
    return Counter(found.status for report in reports for found in report.findings if found.waiver is not None)


def number(count: int, kind: ObjectType) -> str:
    """`1 VM`, `31 VMs`."""
    one, many = _NOUNS[kind]
    return f"{count:,} {one if count == 1 else many}"


def plural_of(kind: ObjectType) -> str:
    """`VMs`."""
    return _NOUNS[kind][1]


def each(kind: ObjectType) -> str:
    """`each VM`."""
    return f"each {_NOUNS[kind][0]}"


def plural(count: int, noun: str) -> str:
    """`1 host`, `2,000 hosts`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(seconds: float) -> str:
    """`0.4 s`, `34 s`, `3 min 04 s`, `1 h 05 min`."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60:02} min"


def visit_seconds(report: HostReport) -> float | None:
    """How long the visit took, None if there was none."""
    if report.started_at is None or report.ended_at is None:
        return None
    return (report.ended_at - report.started_at).total_seconds()


def utc(moment: datetime | None) -> str:
    """ISO 8601 in UTC with `Z`, to the second; empty for None. A time without a zone counts as UTC."""
    if moment is None:
        return ""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{aware:%Y-%m-%dT%H:%M:%SZ}"


def roles(reports: Iterable[HostReport]) -> str:
    """The roles of the hosts, each once, in the order of the closed list."""
    have = {role for report in reports for role in report.host.roles}
    return "+".join(role for role in Role if role in have)
