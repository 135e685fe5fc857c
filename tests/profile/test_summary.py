"""From a journal to a report: rates of disks, machines, hosts and the fleet, against limits, with what is missing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fleetscan.errors import ExitStatus
from fleetscan.model.finding import Status
from fleetscan.model.profile import MEGABYTE, ProfileReport, ProfileRow, Scope
from fleetscan.profile import Journal, Plan, Wishes, planner_list, read_journal, summarize
from fleetscan.report.profile_table import render
from tests.playbooks.support import builtin

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SQL, WEB = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
GIBIBYTE = 1024 * MEGABYTE


class Story:
    """A journal in the making: hosts answer with totals that grow by so much a minute."""

    def __init__(self, folder: Path, samples: int = 3, hosts: tuple[str, ...] = ("hv01",)) -> None:
        self.path = folder / "p.jsonl"
        self.journal = Journal.begin(self.path, Plan(began=NOON, interval=60.0, samples=samples, hosts=hosts))

    def facts(self, host: str, **answers: Any) -> Story:
        facts = {name.replace("_", "-"): answer for name, answer in answers.items()}
        self.journal.add("host", NOON, host=host, facts=facts)
        return self

    def sample(self, host: str, number: int, *vms: Any, seconds: float | None = None) -> Story:
        elapsed = number * 60 if seconds is None else seconds
        at = NOON + timedelta(seconds=elapsed)
        clock = {"ticks": int(elapsed * 1000) + 5000, "frequency": 1000, "time": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
        self.journal.add(
            "sample", at, host=host, sample=number, totals={"sample": clock, "vms": list(vms), "unmatched": []}
        )
        return self

    def report(self, **wishes: Any) -> ProfileReport:
        self.journal.close()
        book = builtin()
        shape = book.probes["vm-storage-counters"].shape
        return summarize(read_journal(self.path), shape, book.lists, (), Wishes(**{"growth": 1.0, **wishes}))


def vm(identity: str, name: str, **written: float) -> Any:
    """A machine whose disks have taken so many megabytes, in writes of 64 KiB; nothing was read."""
    devices = [
        {
            "path": f"D:\\{disk}.vhdx",
            "read_bytes": 0,
            "write_bytes": int(megabytes * MEGABYTE),
            "reads": 0,
            "writes": int(megabytes * 16),
        }
        for disk, megabytes in written.items()
    ]
    return {"id": identity, "name": name, "age_seconds": 999_999, "devices": devices}


def one(report: ProfileReport, scope: Scope, name: str = "") -> ProfileRow:
    (row,) = [row for row in report.rows if row.scope is scope and name in (row.disk or row.vm or row.host)]
    return row


def test_disks_add_up_to_machines_hosts_and_the_fleet(tmp_path: Path) -> None:
    story = Story(tmp_path, hosts=("hv01", "hv02"))
    for number in range(3):
        story.sample("hv01", number, vm(SQL, "sql01", a=60 * number, b=30 * number))
        story.sample("hv02", number, vm(WEB, "web01", c=6 * number))
    report = story.report()
    assert one(report, Scope.DISK, "a.vhdx").churn.average == pytest.approx(1 * MEGABYTE)
    assert one(report, Scope.DISK, "a.vhdx").iops.p95 == pytest.approx(16)
    assert one(report, Scope.VM, "sql01").churn.average == pytest.approx(1.5 * MEGABYTE)
    assert one(report, Scope.HOST, "hv02").churn.peak == pytest.approx(0.1 * MEGABYTE)
    fleet = one(report, Scope.FLEET)
    assert (fleet.samples, fleet.churn.average) == (2, pytest.approx(1.6 * MEGABYTE))
    assert fleet.needed_bits == pytest.approx(1.6 * MEGABYTE * 8)
    assert report.gaps == ()


def test_what_is_written_to_an_excluded_disk_is_load_and_no_churn(tmp_path: Path) -> None:
    story = Story(tmp_path).facts(
        "hv01", vm_replication={"vms": [{"id": SQL, "replication": {"mode_code": 1, "excluded_disks": ["d:\\B.VHDX"]}}]}
    )
    for number in range(3):
        story.sample("hv01", number, vm(SQL, "sql01", a=60 * number, b=30 * number))
    row = one(story.report(), Scope.VM)
    assert row.churn.average == pytest.approx(1 * MEGABYTE)
    assert row.throughput.average == pytest.approx(1.5 * MEGABYTE)


def test_machines_that_are_not_replicated_are_told_or_left_out(tmp_path: Path) -> None:
    """For a plan all of them count; what today's limits must carry is that of the replicated ones alone."""
    told = {"vms": [{"id": SQL, "replication": {"mode_code": 1, "excluded_disks": []}}]}
    story = Story(tmp_path).facts("hv01", vm_replication=told)
    for number in range(3):
        story.sample("hv01", number, vm(SQL, "sql01", a=60 * number), vm(WEB, "web01", c=600 * number))
    whole = story.report()
    assert whole.unreplicated == 1
    assert one(whole, Scope.HOST).churn.average == pytest.approx(11 * MEGABYTE)
    screen = render(whole, width=100, color=False, everything=False, written=(), exit_status=ExitStatus.COMPLIANT)
    assert "1 of 2 machines are not replicated now" in screen
    only = story.report(replicated=True)
    assert only.unreplicated == 0
    assert [row.vm for row in only.rows if row.scope is Scope.VM] == ["sql01"]
    assert one(only, Scope.HOST).churn.average == pytest.approx(1 * MEGABYTE)


def test_the_screen_says_in_full_what_does_not_fit(tmp_path: Path) -> None:
    """A verdict is a word; the sentence stands below, once for all that have the same trouble."""
    story = Story(tmp_path)
    for number in range(3):
        story.sample("hv01", number, vm(SQL, "sql01", a=3600 * number), vm(WEB, "web01", c=3600 * number))
    report = story.report(link_bits=8_000_000)
    screen = render(report, width=80, color=False, everything=False, written=(), exit_status=ExitStatus.FINDINGS)
    flat = " ".join(screen.split())
    assert "fleet: the link is below the average churn: replication never catches up; it takes 1,006.6 Mbit/s" in flat
    assert flat.count("writes more than the 54 MB/s that Site Recovery carries") == 1
    assert "sql01, web01: writes more than" in flat


def test_all_disks_and_what_each_needs(tmp_path: Path) -> None:
    drives = [{"path": "D:\\A.vhdx", "size_bytes": 100 * GIBIBYTE}]
    story = Story(tmp_path).facts("hv01", vm_disks={"vms": [{"id": SQL, "drives": drives}]})
    for number in range(3):
        story.sample("hv01", number, vm(SQL, "sql01", a=60 * number))
    report = story.report()
    few, whole = (
        render(report, width=100, color=False, everything=wish, written=(), exit_status=ExitStatus.COMPLIANT)
        for wish in (False, True)
    )
    assert "1 standard HDD" in few
    assert "a.vhdx" not in few
    assert re.search(r"a\.vhdx +sql01 .*standard HDD S10", whole)


def test_more_operations_than_the_planner_accepts(tmp_path: Path) -> None:
    drives = [{"path": "D:\\A.vhdx", "size_bytes": 8192 * GIBIBYTE}]
    story = Story(tmp_path, samples=2).facts("hv01", vm_disks={"vms": [{"id": SQL, "drives": drives}]})
    for number in range(2):
        machine = vm(SQL, "sql01", a=0)
        machine["devices"][0]["writes"] = 60 * 8000 * number
        story.sample("hv01", number, machine)
    row = one(story.report(), Scope.DISK)
    assert (row.status, row.storage) == (Status.WARN, "premium SSD P60")
    assert "more than the 7,500 IOPS of a disk" in row.message


def test_a_total_that_began_anew_is_thrown_away_and_said(tmp_path: Path) -> None:
    story = Story(tmp_path, samples=4)
    for number, total in enumerate((100, 160, 3, 63)):
        story.sample("hv01", number, vm(SQL, "sql01", a=total))
    report = story.report()
    assert report.restarted == 1
    assert one(report, Scope.VM).samples == 2
    assert one(report, Scope.VM).churn.peak == pytest.approx(1 * MEGABYTE)


def test_a_host_that_was_away_leaves_a_gap_and_no_average_over_it(tmp_path: Path) -> None:
    """The burst of the gap would look like a steady load."""
    story = (
        Story(tmp_path, samples=6).sample("hv01", 0, vm(SQL, "sql01", a=0)).sample("hv01", 1, vm(SQL, "sql01", a=60))
    )
    for number in (2, 3):
        story.journal.add("gap", NOON, host="hv01", sample=number, reason="unreachable.refused", message="port 5986")
    story.sample("hv01", 4, vm(SQL, "sql01", a=9000)).sample("hv01", 5, vm(SQL, "sql01", a=9060))
    report = story.report()
    assert one(report, Scope.VM).churn.peak == pytest.approx(1 * MEGABYTE)
    (gap,) = report.gaps
    assert (gap.missed, gap.of, gap.last_reason) == (2, 6, "unreachable.refused")


def test_a_machine_that_moves_stays_one(tmp_path: Path) -> None:
    story = Story(tmp_path, samples=4, hosts=("hv01", "hv02"))
    for number in range(4):
        there = [vm(SQL, "sql01", a=60 * number)]
        story.sample("hv01", number, *(there if number < 2 else ()))
        story.sample("hv02", number, *(there if number >= 2 else ()))
    row = one(story.report(), Scope.VM)
    assert (row.host, row.samples) == ("hv02", 2)


@pytest.mark.parametrize(
    ("megabytes", "storage", "status"),
    [
        (2, "standard", Status.PASS),
        (2.1, "premium", Status.PASS),
        (20.1, "premium, large writes only", Status.WARN),
        (54.1, "none", Status.FAIL),
    ],
)
def test_limits_of_site_recovery(tmp_path: Path, megabytes: float, storage: str, status: Status) -> None:
    story = Story(tmp_path, samples=2)
    for number in range(2):
        story.sample("hv01", number, vm(SQL, "sql01", a=60 * megabytes * number))
    row = one(story.report(), Scope.VM)
    assert (row.storage, row.status) == (storage, status)


@pytest.mark.parametrize(
    ("megabytes", "gib", "storage", "status"),
    [
        (31, 100, "standard HDD S10", Status.PASS),
        (100, 600, "premium SSD P30", Status.PASS),
        (59, 100, "premium SSD P15", Status.WARN),
        (5000, 60, "none", Status.FAIL),
    ],
)
def test_the_managed_disk_that_carries_a_disk(
    tmp_path: Path, megabytes: float, gib: int, storage: str, status: Status
) -> None:
    """Writes of 64 KiB: 31 MB/s are 496 IOPS, 59 MB/s are 944."""
    drives = [{"path": "D:\\A.vhdx", "size_bytes": gib * GIBIBYTE}]
    story = Story(tmp_path, samples=2).facts("hv01", vm_disks={"vms": [{"id": SQL, "drives": drives}]})
    for number in range(2):
        story.sample("hv01", number, vm(SQL, "sql01", a=60 * megabytes * number))
    row = one(story.report(), Scope.DISK)
    assert (row.storage, row.status) == (storage, status)


def test_growth_is_planned_for(tmp_path: Path) -> None:
    story = Story(tmp_path, samples=2)
    for number in range(2):
        story.sample("hv01", number, vm(SQL, "sql01", a=60 * 1.8 * number))
    report = story.report(growth=1.3)
    assert one(report, Scope.VM).storage == "premium"
    assert one(report, Scope.FLEET).needed_bits == pytest.approx(1.3 * 1.8 * MEGABYTE * 8)


@pytest.mark.parametrize(("link", "status"), [(9_000_000, Status.PASS), (8_000_000, Status.FAIL)])
def test_the_link_must_carry_the_churn(tmp_path: Path, link: float, status: Status) -> None:
    """1 MB/s are 8.39 Mbit/s."""
    story = Story(tmp_path)
    for number in range(3):
        story.sample("hv01", number, vm(SQL, "sql01", a=60 * number))
    row = one(story.report(link_bits=link), Scope.FLEET)
    assert (row.status, row.limit_bits) == (status, link)


def test_an_upload_limit_of_a_host_is_one(tmp_path: Path) -> None:
    policies = [{"name": "office", "application": "cbengine.exe", "bits_per_second": 1_000_000}]
    story = Story(tmp_path).facts("hv01", azure_agents={"qos_policies": policies})
    for number in range(3):
        story.sample("hv01", number, vm(SQL, "sql01", a=60 * number))
    row = one(story.report(), Scope.HOST)
    assert (row.status, row.limit_bits) == (Status.FAIL, 1_000_000)
    assert "never catches up" in row.message


@pytest.mark.parametrize(("hours", "limit"), [((None, None), None), ((5e5, None), 5e5), ((5e5, 2e5), 2e5)])
def test_the_agents_own_limits_count(
    tmp_path: Path, hours: tuple[float | None, float | None], limit: float | None
) -> None:
    """What holds at some hours only is held against the whole profile: its hours are not known."""
    throttle = dict(zip(("work_hours_bits", "other_hours_bits"), hours, strict=True))
    story = Story(tmp_path).facts("hv01", azure_agents={"qos_policies": [], "throttle": throttle})
    for number in range(3):
        story.sample("hv01", number, vm(SQL, "sql01", a=60 * number))
    row = one(story.report(), Scope.HOST)
    assert (row.status, row.limit_bits) == (Status.PASS if limit is None else Status.FAIL, limit)


def test_the_planners_list() -> None:
    """One machine a line: host, backslash, machine; a machine on two hosts once; names that are refused apart."""
    hv01 = {"vms": [vm(SQL, "sql01"), vm(WEB, "web [old]")]}
    found = planner_list([("hv01.example", hv01), ("10.0.0.2", {"vms": [vm(SQL, "sql01")]})])
    assert found.text == "hv01.example\\sql01\r\n"
    assert (found.count, found.left_out) == (1, ("hv01.example\\web [old]",))
