"""Whatever the nights bring, each run comes back as it was, and the history is what a simple reckoning says."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetscan.model.facts import HostFacts, ProbeAnswer
from fleetscan.model.finding import Finding, Status
from fleetscan.model.history import DECIDED, ChangeKind, History
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport, RunReport
from fleetscan.model.waiver import Waiver
from fleetscan.report import csv_rows, json_document
from fleetscan.store import Store, open_store
from tests import postgres
from tests.store.made import blind, finding, record, report, run

CHECKS = ("backup", "os", "disk\x00\ud800")
VMS = ("vm-a", "vm-b", "VM-C\x1a0041")
HOSTS = ("hv01", "HV02", "h" * 300)
TEXTS = st.sampled_from(["", "as ever", "\x00", "\ud800\udc00", "\x1a", "\x1a0000", "Zürich 東京", "x" * 3000])
STATUSES = st.sampled_from(list(Status))
WAIVER = Waiver(id="w1", owner="ann", ticket="CHG-1", reason="later\ud800", expires=date(2026, 12, 31))
_NUMBERS = itertools.count()


@st.composite
def findings(draw: st.DrawFn, host: str, checks: list[str]) -> list[Finding]:
    """What some checks say of a host: of its VMs, of itself, or that they could not look."""
    found = []
    vms = draw(st.lists(st.sampled_from(VMS), unique=True))
    for check in checks:
        if draw(st.integers(0, 5)) == 0:
            found.append(blind(check, host))
            continue
        for vm in vms if check != "os" else [""]:
            status = draw(STATUSES)
            observed = draw(TEXTS)
            waiver = WAIVER if status is Status.FAIL and draw(st.booleans()) else None
            name = draw(st.sampled_from(["web", "web2"])) if vm else host
            values = {"observed": observed, "waiver": waiver, "object_name": name}
            found.append(finding(status, check, vm, host, evidence_ref=draw(st.sampled_from(EVIDENCE)), **values))
    return found


EVIDENCE = ["", "vms@{}", "vms@{};other@", "=", "vms@000000000000", "nobody@123"]


@st.composite
def visit(draw: st.DrawFn, host: str, checks: list[str], night: int) -> HostReport:
    """One host, with an answer whose hash is new each time; some findings refer to it."""
    digest = f"{draw(st.integers(0, 3)):0>64x}" if draw(st.booleans()) else draw(TEXTS)
    data = draw(st.sampled_from([{"a": [1, 2.5, None, "\ud800"]}, {}, {"deep": {"b": True}}]))
    bad = draw(st.booleans())
    answers = {
        "vms": ProbeAnswer(probe="vms", data=data, sha256=digest, ms=draw(st.integers(0, 10**6))),
        "other": ProbeAnswer(probe="other", data=None, reason=Reason.PROBE_FAILED, message=draw(TEXTS)),
    }
    facts = HostFacts(meta={"now": "x", "elevated": None}, answers=answers, payload_sha256="p") if bad else HostFacts()
    found = tuple(
        replace(one, evidence_ref=one.evidence_ref.format(digest[:12])) for one in draw(findings(host, checks))
    )
    return report(*found, host=host, night=night, facts=facts)


@st.composite
def nights(draw: st.DrawFn) -> list[RunReport]:
    """Some runs, each of some checks on some hosts."""
    made = []
    for number in range(draw(st.integers(1, 5))):
        checks = draw(st.lists(st.sampled_from(CHECKS), unique=True, min_size=1))
        hosts = draw(st.lists(st.sampled_from(HOSTS), unique=True))
        visits = [draw(visit(host, checks, number)) for host in hosts]
        made.append(run(f"r{number}", *visits, night=number))
    return made


def shifted(made: list[RunReport]) -> list[RunReport]:
    """The same runs under names that no other example has used."""
    example = next(_NUMBERS)
    return [replace(each, run_id=f"{example}-{each.run_id}", playbook=f"playbook {example}") for each in made]


def draft(visited: HostReport) -> HostReport:
    """A host as it is judged alone: of one check one cannot say yet what it comes to, another is missing at times."""
    found = [
        replace(one, status=Status.NOT_ASSESSED, reason=Reason.ACROSS_PENDING) if one.check_id == "backup" else one
        for one in visited.findings
        if one.check_id != "os" or one.status is not Status.WARN
    ]
    return replace(visited, findings=tuple(found))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that all examples write to."""
    if request.param == "sqlite":
        address = str(tmp_path_factory.mktemp("any") / "runs.db")
    else:
        cluster: postgres.Cluster = request.getfixturevalue("cluster")
        address = cluster.database("any_nights")
    with open_store(address) as store:
        yield store


QUICK = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@QUICK
@given(nights())
def test_every_run_comes_back(shared: Store, made: list[RunReport]) -> None:
    made = shifted(made)
    for each in made:
        shared.begin(record(each))
    for each in made:  # the runs are under way at the same time
        for host in each.hosts:
            shared.add(each.run_id, draft(host))
    for each in made:
        shared.finish(each)
    for each in made:
        loaded = shared.load(each.run_id)
        assert loaded == each
        assert "".join(csv_rows.render(loaded)) == "".join(csv_rows.render(each))
        assert "".join(json_document.render(loaded)) == "".join(json_document.render(each))


@QUICK
@given(nights(), st.integers(1, 3), st.integers(0, 3))
def test_pruning_leaves_the_other_runs_whole(shared: Store, made: list[RunReport], keep: int, facts: int) -> None:
    made = shifted(made)
    for each in made:
        shared.begin(record(each))
        shared.finish(each)
    shared.prune(keep_runs=keep, facts_runs=facts)
    left = {each.run_id for each in shared.runs()}
    assert [each.run_id in left for each in made] == [place >= len(made) - keep for place in range(len(made))]
    for place, each in enumerate(made[-keep:], start=max(len(made) - keep, 0)):
        loaded = shared.load(each.run_id)
        kept = place >= len(made) - facts
        assert [host.findings for host in loaded.hosts] == [host.findings for host in each.hosts]
        assert not kept or loaded == each
        assert kept or not any(host.facts.answers for host in loaded.hosts)


@QUICK
@given(nights())
def test_the_history_is_what_a_simple_reckoning_says(shared: Store, made: list[RunReport]) -> None:
    made = shifted(made)
    for each in made:
        shared.begin(record(each))
        for host in each.hosts:
            shared.add(each.run_id, draft(host))
        shared.finish(each)
    for number in range(1, len(made)):
        for earlier in range(number):
            history = shared.diff(made[earlier].run_id, made[number].run_id)
            assert told(history) == reckoned(made, earlier, number)


Told = dict[tuple[str, str, str, int], tuple[ChangeKind, Status | None, Status | None, datetime | None]]


def told(history: History) -> Told:
    """What the store says, by host, check, object."""
    found: Told = {}
    for change in history.changes:
        some = change.before or change.after
        assert some is not None
        status = (change.before.status if change.before else None, change.after.status if change.after else None)
        found[some.host, some.check_id, some.object_id.casefold(), 0] = (change.kind, *status, change.open_since)
    return found


@dataclass
class Slot:
    """What is known of a check on an object."""

    status: Status | None = None
    since: datetime | None = None
    seen_in: int = -1


def replay(made: list[RunReport], last: int, host: str) -> tuple[dict[tuple[str, str], Slot], set[str]]:
    """All that is known of a host after a run, and the checks of its last visit."""
    slots: dict[tuple[str, str], Slot] = {}
    checks: set[str] = set()
    for number, each in enumerate(made[: last + 1]):
        for visited in (one for one in each.hosts if one.host.name == host):
            checks = {found.check_id for found in visited.findings}
            blind_checks = {found.check_id for found in visited.findings if unseen(found)}
            present = {(found.check_id, found.object_id.casefold()): found for found in visited.findings}
            for key, slot in slots.items():
                if key not in present and key[0] in checks - blind_checks:
                    slot.since = None
            for key, found in present.items():
                slot = slots.setdefault(key, Slot())
                slot.status, slot.seen_in = found.status, number
                if found.status is Status.FAIL:
                    slot.since = slot.since or each.started_at
                elif found.status in DECIDED:
                    slot.since = None
    return slots, checks


def unseen(found: Finding) -> bool:
    return found.status not in DECIDED and found.object_id in ("", found.host)


def reckoned(made: list[RunReport], earlier: int, later: int) -> Told:
    """What changed, by looking at everything."""
    expected: Told = {}
    for visited in made[later].hosts:
        host = visited.host.name
        known = [n for n in range(later) if any(one.host.name == host for one in made[n].hosts)]
        base = earlier if earlier in known else max(known, default=-1)
        before, ran = replay(made, base, host)
        after, checks = replay(made, later, host)
        unseen_checks = {found.check_id for found in visited.findings if unseen(found)}
        for key in before.keys() | after.keys():
            if key[0] not in checks:
                continue
            old, new = before.get(key, Slot()), after[key]
            was = old.status if old.seen_in == base or key[0] not in ran or old.since else None
            now = new.status if new.seen_in == later else None
            kind = judged(was, old, now, new, key[0] in unseen_checks)
            if kind is not None:
                if now is None and kind is ChangeKind.NO_LONGER_ASSESSED:
                    now = Status.NOT_ASSESSED if key[0] in unseen_checks else None
                expected[host, *key, 0] = (kind, was, now, old.since)
    return expected


def judged(was: Status | None, old: Slot, now: Status | None, new: Slot, is_unseen: bool) -> ChangeKind | None:
    if now is Status.FAIL:
        return ChangeKind.STILL_FAILING if old.since else ChangeKind.NEW
    if now in DECIDED:
        if old.since:
            return ChangeKind.FIXED
        return None if was in DECIDED else ChangeKind.NEWLY_ASSESSED
    if now is None and old.since and not new.since:
        return ChangeKind.FIXED
    if old.since or (was in DECIDED and (now is not None or is_unseen)):
        return ChangeKind.NO_LONGER_ASSESSED
    return None
