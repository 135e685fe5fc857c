"""Fleets for the page: a large one in every state with thirty nights behind it, and one whose every text is hostile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from fleetscan.model.diagnosis import Diagnosis, SeenCause
from fleetscan.model.facts import HostFacts, ProbeAnswer
from fleetscan.model.finding import Finding, Status
from fleetscan.model.history import Change, ChangeKind, History, Move, Night
from fleetscan.model.host import Role
from fleetscan.model.playbook import JSON, Severity
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import HostReport, RunReport, Trouble
from fleetscan.model.waiver import Waiver
from tests.report.factory import PAYLOAD, START, finding, host, run, unreached, visit, vm_id

SECTIONS = ("EP", "RP", "PF", "CR", "AC", "VH", "ER", "LG")
HOST_CHECKS, VM_CHECKS = 39, 21
CHECKS = tuple(f"check-{number:02}" for number in range(HOST_CHECKS + VM_CHECKS))
WAIVER = Waiver(
    id="W-7", owner="ops@corp.example", ticket="CHG0042", reason="Will be replaced.", expires=date(2026, 12, 31)
)
HOSTILE = (
    "</script><script>window.PWNED=1</script>",
    "<img src=x onerror=window.PWNED=1>",
    "javascript:window.PWNED=1",
    '" onmouseover="window.PWNED=1" x=\'',
    "{{ 7*7 }}{% raw %}${window.PWNED=1}",
    "line\u2028separator\u2029here",
    "\u202egnp.exe\u2066 hidden",
    "<!--<script>",
    "\x00\x1b[2J\x01\x02\x03",
    "]]>&lt;b&gt;&amp;",
)


def large(hosts: int = 1_000, vms: int = 1, *, history: bool = True) -> RunReport:
    """60 checks on each host: with one machine 60 findings a host, with twenty 459."""
    reports = [_report(number, vms) for number in range(1, hosts + 1)]
    report = run(reports, check_count=len(CHECKS), diagnoses=tuple(_diagnoses(reports)))
    return replace(report, history=_history(report)) if history else report


def _report(number: int, vms: int) -> HostReport:
    site = ("paris", "lyon", "lille")[number % 3]
    where = host(f"hv{number:04}.{site}.corp.example", zone=site, cluster=f"{site}-c{number % 5}")
    if number % 53 == 0:
        return unreached(where, CHECKS)
    names = [f"vm-{number:04}-{index:02}" for index in range(1, vms + 1)]
    return visit(where, _findings(number, where.name, names), facts=_facts(number, names))


def _findings(number: int, name: str, vms: list[str]) -> Iterator[Finding]:
    for place, check in enumerate(CHECKS):
        article = (f"{SECTIONS[place % 7]}-{place // 8 + 1}",)
        severity = list(Severity)[place % 5]
        sick = (number * 7 + place * 11) % 97 == 0
        for index, vm in enumerate([None] if place < HOST_CHECKS else vms):
            status = Status.PASS
            if sick and index % 3 == 0:
                status = (Status.FAIL, Status.WARN, Status.ERROR)[number % 3]
            about = vm or name
            yield finding(
                name,
                check,
                status,
                vm=vm,
                article=article,
                severity=severity,
                observed=f"{(number * place) % 9} things",
                expected="at most 8 things",
                message="" if status is Status.PASS else f"{about} on {name} has trouble with {check}.",
                remedy="" if status is Status.PASS else f"Mend {about} on {name}.",
                waiver=WAIVER if status is Status.FAIL and number % 2 else None,
            )


def _facts(number: int, names: list[str]) -> HostFacts:
    answers = {
        "host-services": {"services": {"vmms": {"state": "Running"}}},
        "vms": {"vms": [{"id": vm_id(name), "name": name, "state": "Running"} for name in names]},
        "vm-storage-counters": _counters(names, 0),
        "vm-storage-counters_later": _counters(names, 300),
        "vm-replication": {"vms": [_replication(number, index, name) for index, name in enumerate(names)]},
    }
    return HostFacts(
        meta={"computer": f"HV{number:04}"},
        answers={
            probe: ProbeAnswer(probe=probe, data=data, ms=9, sha256=PAYLOAD)  # type: ignore[arg-type] # plain JSON
            for probe, data in answers.items()
        },
        payload_sha256=PAYLOAD,
    )


def _counters(names: list[str], seconds: int) -> JSON:
    """Totals that grow by a megabyte a second for the first machine, by two for the second …"""
    moment = START + timedelta(seconds=seconds)
    disks: list[JSON] = [
        {
            "id": vm_id(name),
            "name": name,
            "age_seconds": 9_000,
            "devices": [{"path": f"{name}.vhdx", "write_bytes": (index + 1) * 1_000_000 * seconds}],
        }
        for index, name in enumerate(names)
    ]
    return {
        "sample": {"ticks": seconds * 10_000, "frequency": 10_000, "time": moment.isoformat()},
        "vms": disks,
    }


def _replication(number: int, index: int, name: str) -> JSON:
    health = 3 if (number + index) % 41 == 0 else 2 if (number + index) % 17 == 0 else 1
    return {
        "id": vm_id(name),
        "name": name,
        "replication": {
            "state": "Replicating",
            "health_code": health,
            "mode": "Primary",
            "frequency_seconds": 300,
            "last_replication": "2026-11-24T01:55:00Z",
        },
        "statistics": {"average_bytes": 1_000_000 * (1 + number % 40), "maximum_bytes": 9_000_000 * (1 + number % 40)},
    }


def _diagnoses(reports: list[HostReport]) -> Iterator[Diagnosis]:
    for report in reports[:60:2]:
        name = report.host.name
        cause = SeenCause(
            check_id="check-01",
            article=("RP-1",),
            host=name,
            because="a service has stopped",
            remedy="Start it.",
            finding_key="0" * 16,
        )
        yield Diagnosis(
            rule="no-replication",
            vm_id=vm_id(name),
            vm_name=f"vm-of-{name.partition('.')[0]}",
            hosts=(name,),
            says="replication does not work as it should",
            symptoms=("check-40",),
            causes=(cause,) if report.findings else (),
            unseen=(),
        )


def _history(report: RunReport) -> History:
    failing = [found for _, found in report.findings() if found.status is Status.FAIL]
    changes = [
        Change(
            kind=ChangeKind.STILL_FAILING if number % 4 else ChangeKind.NEW,
            before=None,
            after=found,
            open_since=START - timedelta(days=number % 20) if number % 4 else None,
        )
        for number, found in enumerate(failing)
    ]
    passing = next(found for _, found in report.findings() if found.status is Status.PASS)
    changes += [
        Change(kind=ChangeKind.FIXED, before=passing, after=passing),
        Change(kind=ChangeKind.FIXED, before=failing[0] if failing else passing, after=None),
    ]
    nights = [
        Night(
            run_id=f"night-{number:02}",
            started_at=START - timedelta(days=35 - number),
            hosts=len(report.hosts),
            failing_hosts=min(len(report.hosts), 8 + number * 7 % 31),
            unassessed_hosts=min(len(report.hosts) // 4, number * 5 % 23),
            counts={Status.FAIL: 40 + number},
        )
        for number in range(35)
    ]
    return History(
        previous_run="night-34",
        previous_started_at=START - timedelta(days=1),
        changes=tuple(changes),
        moves=(Move(vm_id=vm_id("vm"), vm_name="vm-moved", before=("hv0001",), after=("hv0002",)),),
        nights=tuple(nights),
    )


def hostile() -> RunReport:
    """Each text that a host, a file or a playbook can fill holds something that a page could trip over."""
    reports = []
    for number, text in enumerate(HOSTILE):
        where = host(text, Role.HYPERV, zone=text, cluster=text, vmm_server=text, address=f"{text}.example")
        waiver = Waiver(id=text, owner=text, ticket=text, reason=text, expires=date(2026, 12, 31))
        told = {"message": text, "observed": text, "expected": text, "remedy": text, "reference": text}
        titled = {
            "check_title": text,
            "article": (f"EP-{number}", text),
            "evidence_ref": "vms@0123456789ab",
            "action": text,
        }
        vms: JSON = {"vms": [{"id": vm_id(text), "name": text, "state": text, text: text}]}
        answer = ProbeAnswer(probe="vms", data=vms, ms=1, sha256=PAYLOAD)
        found = [
            finding(text, f"check-{text}", status, vm=text, waiver=waiver, **(told | titled))
            for status in (Status.FAIL, Status.WARN, Status.PASS)
        ]
        trouble = None
        if number % 3 == 0:
            trouble = Trouble(reason=Reason.TIMEOUT_HOST, stage=Stage.OUTPUT, message=text, hint=text)
        facts = HostFacts(meta={"computer": text}, answers={"vms": answer}, payload_sha256=PAYLOAD)
        reports.append(visit(where, found, facts=facts, trouble=trouble))
    cause = SeenCause(
        check_id=HOSTILE[0], article=HOSTILE[:2], host=HOSTILE[1], because=HOSTILE[2], remedy="", finding_key=""
    )
    told = Diagnosis(
        rule="r",
        vm_id="v",
        vm_name=HOSTILE[0],
        hosts=HOSTILE[:3],
        says=HOSTILE[1],
        symptoms=(),
        causes=(cause,),
        unseen=(),
    )
    texts = {"notices": HOSTILE, "playbook": HOSTILE[0], "playbook_title": HOSTILE[1], "playbook_version": HOSTILE[3]}
    return run(reports, diagnoses=(told,), run_id="run</title><script>", **texts)
