"""Waivers on the findings of a run: which count, and what is to be told of those that do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from fleetscan import inventory as inventories
from fleetscan.errors import InputError
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Inventory
from fleetscan.model.run import HostReport
from fleetscan.waivers.rule import WAIVABLE, Rule

SOON = 14
"""Days before its last one from which a waiver is warned of."""

_UNDECIDED = (Status.ERROR, Status.NOT_ASSESSED)


@dataclass(slots=True)
class _Use:
    """What a rule met in a run."""

    findings: int = 0
    waivable: int = 0
    undecided: int = 0


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers of one run. Which have expired is decided once, by the moment at which the run began."""

    rules: tuple[Rule, ...]
    moment: datetime
    strays: dict[str, str] = field(default_factory=dict)
    """Waiver id → why its host pattern means no host of the inventory."""
    by_host: dict[str, tuple[Rule, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Sequence[Rule], inventory: Inventory, moment: datetime) -> Waivers:
        """Find the hosts of each waiver. A pattern that means none is no mistake: hosts come and go."""
        by_host: dict[str, list[Rule]] = {}
        strays: dict[str, str] = {}
        for rule in rules:
            try:
                names = [host.name for host in inventories.select(inventory, rule.host)]
            except InputError as error:
                problem = error.problems[0]
                where = "" if problem.source == inventories.PATTERN else f"{problem.source}: "
                strays[rule.waiver.id] = where + problem.message + (f"; {problem.cure}" if problem.cure else "")
                continue
            for name in names:
                by_host.setdefault(name, []).append(rule)
        return cls(tuple(rules), moment, strays, {name: tuple(found) for name, found in by_host.items()})

    def settle(self, report: HostReport) -> HostReport:
        """The same report, its waived findings marked."""
        rules = [rule for rule in self.by_host.get(report.host.name, ()) if rule.days_left(self.moment) >= 0]
        if not rules:
            return report
        return replace(report, findings=tuple(_settled(finding, rules) for finding in report.findings))

    def notices(self, hosts: Sequence[HostReport]) -> tuple[str, ...]:
        """What is to be told of waivers for these hosts and their checks: expired, ending soon, without any use."""
        uses = self._uses(hosts)
        return tuple(notice for rule in self.rules for notice in self._notice(rule, uses.get(rule.waiver.id)))

    def hosts_of(self, rule: Rule) -> list[str]:
        """The names of the hosts that it is for."""
        return [name for name, rules in self.by_host.items() if rule in rules]

    def _uses(self, hosts: Sequence[HostReport]) -> dict[str, _Use]:
        uses: dict[str, _Use] = {}
        for report in hosts:
            rules = self.by_host.get(report.host.name, ())
            for finding in report.findings if rules else ():
                for rule in rules:
                    if rule.covers_check(finding.check_id):
                        _count(uses.setdefault(rule.waiver.id, _Use()), rule, finding)
        return uses

    def _notice(self, rule: Rule, use: _Use | None) -> Iterator[str]:
        name = f"waiver {rule.waiver.id} ({rule.origin})"
        if rule.waiver.id in self.strays:
            yield f"{name} is for no host: {self.strays[rule.waiver.id]}"
            return
        if use is None:
            return
        left, last = rule.days_left(self.moment), rule.waiver.expires
        who = f"{rule.waiver.owner}, {rule.waiver.ticket}"
        if left < 0:
            again = f": {_findings(use.waivable)} again" if use.waivable else ""
            yield f"{name} expired on {last} and does not count{again} ({who})"
        elif left <= SOON and use.waivable:
            yield f"{name} ends {_days(left)}, on {last} ({who})"
        if not use.waivable and not use.undecided:
            found = "its check finds nothing amiss there" if use.findings else f'there is no object "{rule.object}"'
            yield f"{name} matches nothing: {found}; remove or correct it ({who})"


def _settled(finding: Finding, rules: Sequence[Rule]) -> Finding:
    if finding.status not in WAIVABLE:
        return finding
    rule = next((rule for rule in rules if rule.covers(finding)), None)
    return finding if rule is None else replace(finding, waiver=rule.waiver)


def _count(use: _Use, rule: Rule, finding: Finding) -> None:
    """An undecided finding may stand for objects that were not seen, so its own name is not looked at."""
    use.undecided += finding.status in _UNDECIDED
    if rule.covers(finding):
        use.findings += 1
        use.waivable += finding.status in WAIVABLE


def _findings(count: int) -> str:
    return "1 finding counts" if count == 1 else f"{count:,} findings count"


def _days(left: int) -> str:
    return ("today", "tomorrow")[left] if left < 2 else f"in {left} days"
