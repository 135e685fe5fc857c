"""What the store costs: nights of 1,000 hosts with 20 virtual machines each, judged by all checks of the playbook."""

from __future__ import annotations

import hashlib
import random
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fleetscan import playbook
from fleetscan.judge import conclude, judge
from fleetscan.lab import demo_fleet
from fleetscan.lab.direct import outcome_of
from fleetscan.lab.moments import at
from fleetscan.model.facts import HostFacts, Packed, ProbeAnswer
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Host, Role
from fleetscan.model.playbook import ObjectType, Severity
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport, RunRecord, RunReport
from fleetscan.store import Store, open_store
from tests import postgres

HOSTS = 1000
VMS = 20
NIGHTS = 4
CHANGED = 0.01
"""Of the findings, from one night to the next."""
FIRST = datetime(2026, 11, 1, 2, tzinfo=UTC)


class Model:
    """One judged host, from which all others are made: judging is measured elsewhere."""

    def __init__(self) -> None:
        self.book = playbook.load(None, None)
        self.probes = {check.id: check.probes for check in self.book.checks}
        machine = at(demo_fleet().hosts[0].machine, FIRST)
        answers = {}
        known = [machine["id"] for machine in outcome_of(machine, "vms")["data"]["vms"]]
        chosen = set([(identity, copy) for copy in range(VMS) for identity in known][:VMS])
        for name, probe in self.book.probes.items():
            if Role.HYPERV in probe.roles:
                outcome = outcome_of(machine, name)
                data = probe.validate(_with_vms(outcome["data"], chosen)) if outcome.get("status") == "ok" else None
                if data is not None:
                    answers[name] = ProbeAnswer(probe=name, data=data, ms=20)
        self.facts = HostFacts(meta={"computer": "HV", "now": FIRST.isoformat()}, answers=answers)
        alone = judge(_host(0), self.facts, self.book)
        visit = HostReport(host=_host(0), started_at=FIRST, ended_at=FIRST, facts=self.facts, findings=alone)
        self.findings = conclude(self.book, [visit])[0].findings

    def report(self, number: int, night: int) -> HostReport:
        """A host in a night: one in a hundred of its findings is not as it was the night before."""
        host = _host(number)
        began = FIRST + timedelta(days=night, seconds=number)
        answers = {
            name: replace(answer, data=data, sha256=hashlib.sha256(data.compressed).hexdigest())
            for name, answer in self.facts.answers.items()
            for data in [Packed(dict(answer.data or {}) | {"night": night if len(name) % 2 else 0, "host": number})]
        }
        facts = replace(self.facts, answers=answers, payload_sha256="c" * 64)
        return HostReport(
            host=host,
            started_at=began,
            ended_at=began + timedelta(seconds=2),
            facts=facts,
            findings=tuple(self._findings(host, number, night, facts)),
            attempts=1,
            seconds={"resolve": 0.001, "connect": 0.02, "logon": 0.1, "output": 1.2},
        )

    def _findings(self, host: Host, number: int, night: int, facts: HostFacts) -> Iterator[Finding]:
        changed: dict[int, int] = {}
        share = round(len(self.findings) * CHANGED)
        for earlier in range(1, night + 1):
            chance = random.Random(number * 1000 + earlier)  # noqa: S311 # not for secrets
            changed |= dict.fromkeys(chance.sample(range(len(self.findings)), share), earlier)
        names: dict[str, tuple[str, str]] = {}
        for place, finding in enumerate(self.findings):
            if finding.object_id not in names:
                names[finding.object_id] = _renamed(finding, host, number)
            identity, name = names[finding.object_id]
            hashes = [(probe, facts.answers.get(probe)) for probe in self.probes[finding.check_id]]
            evidence = ";".join(f"{probe}@{answer.sha256[:12]}" for probe, answer in hashes if answer)
            made = replace(finding, host=host.name, object_id=identity, object_name=name, evidence_ref=evidence)
            yield _changed(made, changed[place]) if place in changed else made


def _renamed(finding: Finding, host: Host, number: int) -> tuple[str, str]:
    if finding.object_type is ObjectType.VM and finding.object_id:
        identity = uuid.uuid5(uuid.NAMESPACE_DNS, f"{finding.object_id}{number}")
        return str(identity), f"{finding.object_name}-{number}"
    return (host.name, host.name) if finding.object_id else ("", "")


def _changed(finding: Finding, night: int) -> Finding:
    failing = bool(night % 2)
    return replace(
        finding,
        status=Status.FAIL if failing else Status.PASS,
        reason=Reason.CRITERION_FAIL if failing else None,
        observed=f"{finding.object_name} as of night {night}",
        message=f"{finding.check_title}: {finding.object_name}",
    )


def _host(number: int) -> Host:
    name = f"hv{number:04}.paris.corp.example"
    return Host(name=name, address=name, roles=(Role.HYPERV,), groups=("paris",), zone="paris", credential="audit")


def _with_vms(value: Any, chosen: set[tuple[str, int]]) -> Any:
    """The answer with copies of the machines that are in it."""
    if not isinstance(value, dict):
        return value
    return {key: _copies(item, chosen) if key == "vms" else _with_vms(item, chosen) for key, item in value.items()}


def _copies(machines: list[dict[str, Any]], chosen: set[tuple[str, int]]) -> list[dict[str, Any]]:
    pairs = [(machine, copy) for copy in range(VMS) for machine in machines if (machine["id"], copy) in chosen]
    return [machine | _other(machine, copy) if copy else machine for machine, copy in pairs]


def _other(machine: dict[str, Any], copy: int) -> dict[str, Any]:
    identity = uuid.uuid5(uuid.NAMESPACE_DNS, f"{machine['id']}{copy}")
    return {"id": str(identity), "name": f"{machine['name']}-{copy}"}


def measure(name: str, url: str, size: Callable[[], float], say: Callable[..., None]) -> None:
    """Some nights in one kind of store."""
    model = Model()
    with open_store(url) as store:
        sizes = []
        for night in range(NIGHTS):
            wall, cpu = _write(store, model, night)
            sizes.append(size())
            if night < 2:
                label = "the first night" if night == 0 else "a later one, 1 % of the findings changed"
                say(f"{name}: {label}, wall time", f"{wall:.1f} s", f"CPU of the client {cpu:.1f} s")
        say(f"{name}: findings a night", f"{len(model.findings) * HOSTS:,}")
        say(f"{name}: size after the first night", f"{sizes[0]:.0f} MB")
        say(f"{name}: growth a night while facts are kept", f"{(sizes[-1] - sizes[1]) / (NIGHTS - 2):.1f} MB")
        _timed(f"{name}: diff of two nights", lambda: store.diff("night0", "night1"), say)
        _timed(f"{name}: history of the last night", lambda: store.history("last"), say)
        _timed(f"{name}: a whole run read back", lambda: store.load("last"), say)
        _timed(f"{name}: pruned to two nights of facts", lambda: store.prune(facts_runs=2), say)
        bare = [run for run in store.runs() if not run.has_facts]
        say(f"{name}: size then, facts of {len(bare)} of {NIGHTS} nights gone", f"{size():.0f} MB")


def grow(say: Callable[..., None]) -> None:
    """What a hundred hosts add to a SQLite file in a night, with and without their facts."""
    model = Model()
    with tempfile.TemporaryDirectory() as folder, open_store(str(Path(folder, "runs.db"))) as store:
        with_facts, without = [], []
        for night in range(9):
            _write(store, model, night, hosts=100)
            if night in (1, 8):
                with_facts.append(_used(Path(folder, "runs.db")))
                store.prune(facts_runs=0)
                without.append(_used(Path(folder, "runs.db")))
        findings = (without[1] - without[0]) / 7
        say("SQLite: findings of 100 hosts, a night", f"{findings:.2f} MB", "1 % of them changed")
        say("SQLite: facts of 100 hosts, a night", f"{(with_facts[1] - without[1]) / 7:.2f} MB", "half of them changed")


def _used(path: Path) -> float:
    """Megabytes of a SQLite file that hold something."""
    with closing(sqlite3.connect(path)) as database:
        pages, free, size = (
            database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    return float((pages - free) * size) / 1e6


def _write(store: Store, model: Model, night: int, hosts: int = HOSTS) -> tuple[float, float]:
    run_id, began = f"night{night}", FIRST + timedelta(days=night)
    common: dict[str, Any] = {
        "run_id": run_id,
        "started_at": began,
        "playbook": model.book.name,
        "playbook_title": model.book.title,
        "playbook_version": model.book.version,
        "fail_on": Severity.LOW,
        "tool_version": "0",
    }
    planned = tuple(_host(number) for number in range(hosts))
    checks = tuple(check.id for check in model.book.checks)
    store.begin(RunRecord(checks=checks, hosts=planned, **common))
    wall = cpu = 0.0
    for number in range(hosts):
        report = model.report(number, night)
        started, used = time.perf_counter(), time.process_time()
        store.add(run_id, report)
        wall += time.perf_counter() - started
        cpu += time.process_time() - used
    store.finish(RunReport(check_count=len(checks), ended_at=began + timedelta(hours=1), hosts=(), **common))
    return wall, cpu


def _timed(label: str, what: Callable[[], object], say: Callable[..., None]) -> None:
    started, used = time.perf_counter(), time.process_time()
    what()
    say(label, f"{time.perf_counter() - started:.2f} s", f"CPU of the client {time.process_time() - used:.2f} s")


def run(say: Callable[..., None]) -> None:
    """SQLite, and PostgreSQL where it is installed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "runs.db")

        def size() -> float:
            return sum(part.stat().st_size for part in Path(folder).iterdir()) / 1e6

        measure("SQLite", str(path), size, say)
    grow(say)
    programs = postgres.programs()
    if programs is None:
        say("PostgreSQL", "not installed")
        return
    with postgres.running(programs, fsync=True) as cluster:
        url = cluster.database("figures")
        measure("PostgreSQL", url, lambda: cluster.size("figures"), say)
