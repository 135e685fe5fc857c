"""Whole scans over real sockets: every host is in the result with its cause, budgets hold, nothing is left behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import anyio
import pytest

from fleetscan.errors import ExitStatus
from fleetscan.lab import Fault, Fleet, Lab, SimulatedHost, demo_fleet, many
from fleetscan.model.finding import Status
from fleetscan.model.playbook import Playbook, Severity
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import HostReport
from fleetscan.scan import Scan
from fleetscan.scan.outcome import exit_status, run_report
from tests.scan.conftest import Watcher

pytestmark = pytest.mark.anyio

Prepare = Callable[..., Scan]


def hyperv(scheme: str = "http") -> SimulatedHost:
    """A healthy Hyper-V host of the demo."""
    host = next(host for host in demo_fleet().hosts if host.name.startswith("hv01"))
    return replace(host, scheme=scheme, fault=None)  # type: ignore[arg-type] # http or https


# What each fault must be called: the cause, and the step at which a visit meets it.
CAUSES = {
    Fault.REFUSE: (Reason.UNREACHABLE_REFUSED, Stage.CONNECT),
    Fault.HANG: (Reason.TIMEOUT_HOST, Stage.LOGON),
    Fault.RESET: (Reason.UNREACHABLE_RESET, Stage.LOGON),
    Fault.NO_COMMON_AUTH: (Reason.AUTH_METHOD, Stage.LOGON),
    Fault.NO_CHALLENGE: (Reason.AUTH_METHOD, Stage.LOGON),
    Fault.LOGON_HANG: (Reason.TIMEOUT_HOST, Stage.LOGON),
    Fault.UNAVAILABLE: (Reason.PROTOCOL_HTTP, Stage.LOGON),
    Fault.REDIRECT: (Reason.PROTOCOL_REDIRECT, Stage.LOGON),
    Fault.GARBAGE: (Reason.PROTOCOL_GARBLED, Stage.LOGON),
    Fault.CREATE_HANG: (Reason.TIMEOUT_HOST, Stage.SHELL),
    Fault.COMMAND_HANG: (Reason.TIMEOUT_HOST, Stage.COMMAND),
    Fault.RECEIVE_HANG: (Reason.TIMEOUT_HOST, Stage.OUTPUT),
    Fault.CREATE_RESET: (Reason.UNREACHABLE_RESET, Stage.SHELL),
    Fault.COMMAND_RESET: (Reason.UNREACHABLE_RESET, Stage.COMMAND),
    Fault.RECEIVE_RESET: (Reason.UNREACHABLE_RESET, Stage.OUTPUT),
    Fault.DRIP: (Reason.TIMEOUT_HOST, Stage.SHELL),
    Fault.QUOTA_SHELLS: (Reason.QUOTA_SHELLS, Stage.SHELL),
    Fault.QUOTA_SHELLS_WMI: (Reason.QUOTA_SHELLS, Stage.SHELL),
    Fault.QUOTA_OPERATIONS: (Reason.QUOTA_OPERATIONS, Stage.COMMAND),
    Fault.ACCESS_DENIED: (Reason.PERMISSION_DENIED, Stage.SHELL),
    Fault.NEVER_ENDS: (Reason.TIMEOUT_HOST, Stage.OUTPUT),
    Fault.SILENT: (Reason.ANSWER_MISSING, Stage.ANSWER),
    Fault.TRUNCATED: (Reason.ANSWER_TRUNCATED, Stage.ANSWER),
    Fault.FOREIGN: (Reason.ANSWER_FOREIGN, Stage.ANSWER),
    Fault.HUGE_10: (Reason.ANSWER_TOO_LARGE, Stage.OUTPUT),
    Fault.HUGE_100: (Reason.ANSWER_TOO_LARGE, Stage.OUTPUT),
    Fault.MEMORY: (Reason.QUOTA_MEMORY, Stage.ANSWER),
    Fault.ANTIMALWARE: (Reason.BLOCKED_ANTIMALWARE, Stage.ANSWER),
}
HARMLESS = {Fault.NOISE, Fault.SPLIT, Fault.DELETE_RESET, Fault.SHELL_ID_IGNORED, Fault.SHELL_ID_REFUSED}
"""What a good client takes in its stride."""


def all_with(fault: Fault, count: int = 1) -> Fleet:
    """Hosts that all have the fault."""
    fleet = many(hyperv(), count)
    return replace(fleet, hosts=tuple(replace(host, fault=fault) for host in fleet.hosts))


def each_fault(faults: set[Fault]) -> Fleet:
    """A healthy host first, then one with each fault."""
    base = hyperv()
    names = sorted(faults)
    fleet = many(base, len(names) + 1)
    healthy, *others = fleet.hosts
    return replace(
        fleet, hosts=(healthy, *(replace(host, fault=fault) for host, fault in zip(others, names, strict=True)))
    )


async def test_every_fault_has_its_cause_and_every_check_its_row(prepare: Prepare, book: Playbook) -> None:
    fleet = each_fault(set(CAUSES) | HARMLESS)
    watcher = Watcher()
    async with Lab(fleet) as lab:
        scan = prepare(lab, host_timeout=8, connect_timeout=2)
        began = time.monotonic()
        reports = await scan.run(watcher)
        took = time.monotonic() - began
        open_shells = {name: lab.counters(name).shells_open for name in (host.name for host in fleet.hosts)}
    assert [report.host.name for report in reports] == [host.name for host in fleet.hosts]
    seen = {
        spec.fault: (report.trouble.reason, report.trouble.stage) if report.trouble else None
        for spec, report in zip(fleet.hosts, reports, strict=True)
    }
    assert seen == {None: None, **CAUSES, **dict.fromkeys(HARMLESS)}
    attempts = {spec.fault: report.attempts for spec, report in zip(fleet.hosts, reports, strict=True)}
    assert [attempts[fault] for fault in (Fault.UNAVAILABLE, Fault.QUOTA_SHELLS, Fault.CREATE_RESET)] == [2, 2, 2]
    assert [attempts[fault] for fault in (None, Fault.ACCESS_DENIED, Fault.COMMAND_RESET)] == [1, 1, 1]
    for report in reports:
        assert {finding.check_id for finding in report.findings} == {check.id for check in book.checks}
    # A hung host may hold up the first logons for some seconds; beyond that, the host's deadline is the end.
    assert took < 8 + 5 + 2 * 5
    lost = {host.name for host in fleet.hosts if host.fault in {Fault.CREATE_HANG, Fault.CREATE_RESET, Fault.DRIP}}
    assert {name for name, count in open_shells.items() if count} <= lost


async def test_a_wrong_password_is_tried_twice_and_every_host_says_why(prepare: Prepare) -> None:
    fleet = all_with(Fault.WRONG_PASSWORD, 30)
    async with Lab(fleet) as lab:
        scan = prepare(lab)
        reports = await scan.run(Watcher())
        failed = sum(sum(lab.counters(host.name).failed_logons.values()) for host in fleet.hosts)
    assert failed == 2
    reasons = [report.trouble.reason for report in reports if report.trouble]
    assert reasons.count(Reason.AUTH_REJECTED) == 2
    assert reasons.count(Reason.AUTH_STOPPED) == 28
    told = [report.trouble.message for report in reports if report.trouble]
    assert len([message for message in told if "(credential " in message and ": " in message]) == 2
    assert "was rejected by" in scan.guard.notices[0]


async def test_a_host_that_accepts_and_says_nothing_costs_the_logon_budget_only(
    prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetscan.scan.visit.LOGON_SECONDS", 1.0)
    async with Lab(all_with(Fault.LOGON_HANG)) as lab:
        [report] = await prepare(lab, connect_timeout=0.5, host_timeout=60).run(Watcher())
    assert report.trouble is not None
    assert (report.trouble.reason, report.trouble.stage) == (Reason.UNREACHABLE_TIMEOUT, Stage.LOGON)
    assert sum(report.seconds.values()) < 5


async def test_half_an_answer_is_judged_and_the_rest_says_timeout(prepare: Prepare) -> None:
    fleet = all_with(Fault.HALF)
    async with Lab(fleet) as lab:
        [report] = await prepare(lab, host_timeout=6).run(Watcher())
    assert report.trouble is not None
    assert report.trouble.reason is Reason.TIMEOUT_HOST
    statuses = report.counts()
    assert statuses[Status.PASS] > 0
    unknown = [finding for finding in report.findings if finding.status is Status.NOT_ASSESSED]
    assert unknown
    assert {finding.reason for finding in unknown} == {Reason.TIMEOUT_HOST}


async def test_damage_costs_the_damaged_answers_only(prepare: Prepare) -> None:
    fleet = all_with(Fault.DAMAGED)
    async with Lab(fleet) as lab:
        [report] = await prepare(lab).run(Watcher())
    reasons = {answer.reason for answer in report.facts.answers.values()}
    assert reasons <= {Reason.ANSWER_DAMAGED, Reason.ANSWER_TRUNCATED, None}
    assert not report.counts()[Status.FAIL]
    assert report.counts()[Status.ERROR] + report.counts()[Status.NOT_ASSESSED] > 0


async def test_stopping_keeps_what_is_finished_and_starts_nothing_new(prepare: Prepare) -> None:
    fleet = many(replace(hyperv(), powershell_seconds=0.5), 30)
    finished: list[str] = []
    scan: Scan

    def stop_after_five(report: HostReport) -> None:
        finished.append(report.host.name)
        if len(finished) == 5:
            scan.stop(Reason.CANCELLED)

    async with Lab(fleet) as lab:
        scan = prepare(lab, concurrency=5)
        began = time.monotonic()
        reports = await scan.run(Watcher(stop_after_five))
        took = time.monotonic() - began
        started = sum(lab.counters(host.name).commands for host in fleet.hosts)
        still_open = sum(lab.counters(host.name).shells_open for host in fleet.hosts)
    assert took < 10
    assert started <= 10
    assert still_open == 0
    assert len(reports) == 30
    assert sum(report.trouble is None for report in reports) >= 5
    assert {report.trouble.reason for report in reports if report.trouble} == {Reason.CANCELLED}
    queued = [report for report in reports if report.started_at is None]
    assert all(finding.status in (Status.NOT_ASSESSED, Status.NOT_APPLICABLE) for r in queued for finding in r.findings)


async def test_the_run_has_a_budget_of_its_own(prepare: Prepare) -> None:
    fleet = many(replace(hyperv(), powershell_seconds=2), 8)
    async with Lab(fleet) as lab:
        scan = prepare(lab, concurrency=2, run_timeout=3)
        began = time.monotonic()
        reports = await scan.run(Watcher())
    assert time.monotonic() - began < 3 + 5
    reasons = {report.trouble.reason for report in reports if report.trouble}
    assert reasons == {Reason.TIMEOUT_RUN}


async def test_limits_hold_for_the_run_and_for_a_zone(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = many(replace(hyperv(), powershell_seconds=0.2), 12)
    async with Lab(fleet) as lab:
        scan = prepare(lab, concurrency=3)
        under_way: set[str] = set()
        most = 0

        class Counter(Watcher):
            def on_stage(self, host, stage):  # type: ignore[no-untyped-def] # as Watcher
                nonlocal most
                under_way.add(host.name)
                if stage is Stage.JUDGE:  # the visit is over: others may have its place
                    under_way.discard(host.name)
                most = max(most, len(under_way))

        await scan.run(Counter())
    assert most == 3


async def test_the_demo_comes_to_findings(prepare: Prepare, book: Playbook) -> None:
    async with Lab(demo_fleet()) as lab:
        scan = prepare(lab, connect_timeout=3, host_timeout=30)
        reports = await scan.run(Watcher())
        assert not lab.crashes
    run = run_report(
        scan,
        reports,
        book,
        run_id="test",
        started_at=reports[0].started_at,  # type: ignore[arg-type] # every host of the demo is visited
        fail_on=Severity.LOW,
        interrupted=False,
    )
    assert exit_status(run) is ExitStatus.FINDINGS
    assert exit_status(replace(run, interrupted=True)) is ExitStatus.INTERRUPTED
    clean = replace(run, hosts=tuple(report for report in reports if report.verdict is Status.PASS))
    assert exit_status(clean) is ExitStatus.COMPLIANT
    unknown = replace(run, hosts=tuple(report for report in reports if report.trouble is not None))
    assert exit_status(unknown) is ExitStatus.INCOMPLETE


async def test_a_defect_of_ours_costs_one_host_its_result_never_the_run(
    prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fleetscan.powershell import answers

    merge = answers.merge

    def broken(payload, readings):  # type: ignore[no-untyped-def] # as answers.merge
        computers = [reading.envelopes["_host"].value["computer"] for reading in readings]
        if "HV0002" in str(computers).upper():
            raise ZeroDivisionError("a defect")
        return merge(payload, readings)

    monkeypatch.setattr(answers, "merge", broken)
    async with Lab(many(hyperv(), 3)) as lab:
        reports = await prepare(lab).run(Watcher())
    assert [report.trouble.reason if report.trouble else None for report in reports] == [None, Reason.INTERNAL, None]
    assert {finding.reason for finding in reports[1].findings} <= {Reason.INTERNAL, Reason.ROLE_MISMATCH}


async def test_no_thread_is_left(prepare: Prepare) -> None:
    import threading

    async with Lab(many(hyperv(), 10)) as lab:
        await prepare(lab).run(Watcher())
        await anyio.sleep(0.1)
    names = [thread.name for thread in threading.enumerate() if "fleetscan" in thread.name.lower()]
    assert not [name for name in names if "lookup" in name.lower()]
