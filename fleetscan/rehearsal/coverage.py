"""Which checks their cases leave open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fleetscan.model.finding import Status
from fleetscan.model.playbook import Check
from fleetscan.rehearsal.suite import Rehearsal

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Gap:
    """Checks that lack a kind of case, out of `total`."""

    what: str
    checks: tuple[str, ...]
    total: int

    def line(self, *, whole: bool = False) -> str:
        """`12 of 50 checks have no failing case: …`, with all names or a few."""
        shown = self.checks if whole else self.checks[:_SHOWN]
        more = len(self.checks) - len(shown)
        names = ", ".join(shown) + (f" and {more} more" if more else "")
        verb = "has" if len(self.checks) == 1 else "have"
        return f"{len(self.checks)} of {self.total} checks {verb} no {self.what}: {names}"


def gaps(checks: Iterable[Check], rehearsals: Iterable[Rehearsal]) -> tuple[Gap, ...]:
    """The checks without any case, and those whose cases expect no pass, or neither failure nor warning."""
    expected: dict[str, set[Status]] = {check.id: set() for check in checks}
    for rehearsal in rehearsals:
        if rehearsal.check.id in expected:
            expected[rehearsal.check.id] |= {entry.status for entry in rehearsal.case.expect.values()}
    tried = {name: statuses for name, statuses in expected.items() if statuses}
    lists = {
        "case": [name for name in expected if name not in tried],
        "passing case": [name for name, statuses in tried.items() if Status.PASS not in statuses],
        "failing case": [name for name, statuses in tried.items() if not statuses & {Status.FAIL, Status.WARN}],
    }
    return tuple(Gap(what, tuple(names), len(expected)) for what, names in lists.items() if names)
