"""Waivers on findings: who is meant, until when, and what is told of those that do not count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from fleetscan.model.facts import HostFacts
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Credential, Inventory
from fleetscan.model.playbook import ObjectType, Severity
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport
from fleetscan.model.waiver import Waiver
from fleetscan.waivers import Rule, Waivers
from tests.factory import host

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
GUID = "6f9619ff-8b86-d011-b42d-00cf4fc964ff"


def rule(**changes: object) -> Rule:
    values: dict[str, object] = {
        "waiver": waiver(),
        "check": "backup-service-enabled",
        "host": "all",
        "object": "*",
        "timezone": "UTC",
        "origin": "waivers.yaml:3:5",
    }
    return Rule(**(values | changes))  # type: ignore[arg-type] # a test's shorthand


def waiver(expires: date = date(2026, 12, 31), identity: str = "w1") -> Waiver:
    return Waiver(id=identity, owner="Anna", ticket="CHG-1", reason="because", expires=expires)


def finding(status: Status = Status.FAIL, **changes: object) -> Finding:
    values: dict[str, object] = {
        "host": "hv01.example",
        "check_id": "backup-service-enabled",
        "check_title": "t",
        "article": (),
        "severity": Severity.HIGH,
        "object_type": ObjectType.VM,
        "object_id": GUID,
        "object_name": "sql01",
        "status": status,
        "reason": None if status is Status.PASS else Reason.CRITERION_FAIL,
        "message": "",
    }
    return Finding(**(values | changes))  # type: ignore[arg-type] # a test's shorthand


def report(*findings: Finding, name: str = "hv01.example") -> HostReport:
    return HostReport(host=host(name), started_at=NOON, ended_at=NOON, facts=HostFacts(), findings=findings)


def fleet(*names: str) -> Inventory:
    credentials = {"audit": Credential(name="audit", username="audit")}
    return Inventory(hosts=tuple(host(name) for name in names or ("hv01.example",)), credentials=credentials)


def waived(one: Rule, found: Finding, moment: datetime = NOON) -> bool:
    settled = Waivers.of([one], fleet(), moment).settle(report(found))
    assert settled.findings[0].status is found.status
    return settled.findings[0].waiver is not None


@pytest.mark.parametrize(("status", "counts"), [(status, status in (Status.FAIL, Status.WARN)) for status in Status])
def test_only_what_is_known_to_be_amiss_is_waived_and_keeps_its_status(status: Status, counts: bool) -> None:
    assert waived(rule(), finding(status)) is counts


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("*", True),
        ("sql01", True),
        ("SQL01", True),
        ("sql*", True),
        ("sql", False),
        (GUID.upper(), True),
        ("{" + GUID + "}", True),
        ("6f96*", True),
        ("web*", False),
    ],
)
def test_an_object_is_meant_by_name_id_or_glob(wanted: str, meant: bool) -> None:
    assert waived(rule(object=wanted), finding()) is meant


def test_a_name_that_looks_like_a_glob_is_still_a_name() -> None:
    assert waived(rule(object="sql[prod]"), finding(object_name="sql[prod]"))


def test_another_check_or_another_host_is_not_meant() -> None:
    assert waived(rule(check="backup-*"), finding())
    assert not waived(rule(check="guest-*"), finding())
    two = Waivers.of([rule(host="hv02")], fleet("hv01.example", "hv02.example"), NOON)
    assert two.settle(report(finding())).findings[0].waiver is None
    assert two.settle(report(finding(), name="hv02.example")).findings[0].waiver is not None


@pytest.mark.parametrize(
    ("zone", "moment", "counts"),
    [
        # In Paris the 25th of November ends at 23:00 UTC.
        ("Europe/Paris", datetime(2026, 11, 25, 22, 59, 59, tzinfo=UTC), True),
        ("Europe/Paris", datetime(2026, 11, 25, 23, 0, 0, tzinfo=UTC), False),
        ("UTC", datetime(2026, 11, 25, 23, 59, 59, tzinfo=UTC), True),
        ("UTC", datetime(2026, 11, 26, 0, 0, 0, tzinfo=UTC), False),
        ("America/Los_Angeles", datetime(2026, 11, 26, 7, 59, 59, tzinfo=UTC), True),
        ("America/Los_Angeles", datetime(2026, 11, 26, 8, 0, 0, tzinfo=UTC), False),
    ],
)
def test_the_last_day_counts_to_its_end_in_its_zone(zone: str, moment: datetime, counts: bool) -> None:
    one = rule(timezone=zone, waiver=waiver(date(2026, 11, 25)))
    assert waived(one, finding(), moment) is counts
    assert (one.days_left(moment) == 0) is counts


def notices(one: Rule, *found: Finding, names: tuple[str, ...] = ()) -> tuple[str, ...]:
    waivers = Waivers.of([one], fleet(*names), NOON)
    return waivers.notices([waivers.settle(report(*found))])


def test_one_that_is_good_for_months_is_no_news() -> None:
    assert notices(rule(), finding()) == ()


@pytest.mark.parametrize(
    ("day", "told"), [(25, "ends today"), (26, "ends tomorrow"), (30, "ends in 5 days"), (24, "expired on 2026-11-24")]
)
def test_what_ends_soon_and_what_has_expired_is_told(day: int, told: str) -> None:
    (notice,) = notices(rule(waiver=waiver(date(2026, 11, day))), finding())
    assert notice.startswith("waiver w1 (waivers.yaml:3:5) " + told)
    assert "Anna, CHG-1" in notice


def test_two_weeks_before_is_the_first_warning() -> None:
    assert notices(rule(waiver=waiver(date(2026, 12, 9))), finding())
    assert not notices(rule(waiver=waiver(date(2026, 12, 10))), finding())


def test_an_expired_one_says_how_many_findings_count_again() -> None:
    expired = rule(waiver=waiver(date(2026, 11, 24)))
    other = replace(finding(), object_id="x", object_name="web01")
    assert "2 findings count again" in notices(expired, finding(), other)[0]
    assert not waived(expired, finding())


def test_one_that_matches_nothing_is_told_but_only_if_it_could_have() -> None:
    (fixed,) = notices(rule(), finding(Status.PASS))
    assert "matches nothing: its check finds nothing amiss there" in fixed
    (gone,) = notices(rule(object="sql02"), finding())
    assert 'matches nothing: there is no object "sql02"' in gone
    # Nobody knows what a host that was not reached would have had.
    assert notices(rule(object="sql02"), finding(Status.NOT_ASSESSED, object_id="", object_name="")) == ()
    # The check, or the host, is not in this run.
    assert notices(rule(), finding(check_id="vmms-running")) == ()
    assert notices(rule(host="hv02"), finding(), names=("hv01.example", "hv02.example")) == ()


def test_a_pattern_for_no_host_is_told_with_what_may_be_meant() -> None:
    (notice,) = notices(rule(host="hv1"), finding())
    assert notice == (
        'waiver w1 (waivers.yaml:3:5) is for no host: "hv1" matches no host or group; did you mean "hv01"?'
    )


def test_a_file_of_hosts_that_is_missing_is_named() -> None:
    (notice,) = notices(rule(host="@no-such-file"), finding())
    assert notice.startswith("waiver w1 (waivers.yaml:3:5) is for no host: no-such-file: cannot be read: ")


def test_the_first_waiver_that_covers_a_finding_is_named() -> None:
    both = [rule(object="sql01", waiver=waiver(identity="a")), rule(waiver=waiver(identity="b"))]
    settled = Waivers.of(both, fleet(), NOON).settle(report(finding()))
    assert settled.findings[0].waiver is not None
    assert settled.findings[0].waiver.id == "a"
