"""What is written is read back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from fleetscan.model.facts import HostFacts, ProbeAnswer
from fleetscan.model.finding import Status
from fleetscan.model.playbook import JSON
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import RunState, Trouble
from fleetscan.store import Journal, Store, open_store
from tests.factory import host
from tests.store.made import finding, record, report, run


def test_a_run_comes_back_as_it_was_reported(url: str) -> None:
    made = run("r1", report(finding(Status.FAIL, vm="a"), finding(vm="b"), finding(check="os")))
    with open_store(url) as store:
        begun = replace(record(made), left_out=(host("hv02"),))
        store.begin(begun)
        store.add("r1", made.hosts[0])
        store.finish(made)
    with open_store(url) as store:
        assert store.load("last") == made
        assert store.record("last") == begun
        assert store.run("r").state is RunState.FINISHED


def test_an_unfinished_run_names_the_hosts_that_are_missing(store: Store) -> None:
    made = run("r1", report(finding()))
    store.begin(record(made, [made.hosts[0].host, host("hv02")]))
    store.add("r1", made.hosts[0])
    assert store.run("last").state is RunState.UNFINISHED
    assert [each.name for each in store.pending("last")] == ["hv02"]
    loaded = store.load("last")
    assert loaded.interrupted
    assert loaded.hosts == made.hosts


def test_a_run_that_was_cut_off_is_gone_on_with(store: Store) -> None:
    whole = run("r1", report(finding()), report(finding(host="hv02"), host="hv02"))
    unvisited = replace(
        report(finding(Status.NOT_ASSESSED, host="hv02"), host="hv02"),
        trouble=Trouble(reason=Reason.CANCELLED, stage=Stage.QUEUED, message="interrupted"),
    )
    cut = replace(whole, hosts=(whole.hosts[0], unvisited), interrupted=True)
    store.begin(record(whole))
    store.add("r1", whole.hosts[0])
    store.finish(cut)
    assert store.load("r1") == cut
    assert store.run("r1").state is RunState.INTERRUPTED
    assert [each.name for each in store.pending("r1")] == ["hv02"]
    store.add("r1", whole.hosts[1])
    store.finish(whole)
    assert store.load("r1") == whole
    assert store.pending("r1") == ()


def test_facts_go_before_findings_do(store: Store) -> None:
    for night in range(4):
        made = run(f"r{night}", report(finding(vm="a"), night=night), night=night)
        store.begin(record(made))
        store.finish(made)
    pruned = store.prune(keep_runs=3, facts_runs=1)
    assert (pruned.runs, pruned.facts) == (("r0",), ("r1", "r2"))
    assert not store.prune(keep_runs=3, facts_runs=1)
    assert store.facts("r1", "hv01") is None
    assert store.load("r1").hosts[0].findings == made.hosts[0].findings
    assert store.load("r3") == made


def test_a_file_that_is_pruned_gets_smaller(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with open_store(str(path)) as store:
        for night in range(6):
            data: dict[str, JSON] = {"noise": os.urandom(200_000).hex()}
            facts = HostFacts(answers={"vms": ProbeAnswer(probe="vms", data=data)})
            made = run(f"r{night}", report(finding(), night=night, facts=facts), night=night)
            store.begin(record(made))
            store.finish(made)
    before = path.stat().st_size
    with open_store(str(path)) as store:
        store.prune(facts_runs=1)
        assert path.stat().st_size < before / 3
        assert store.load("last") == made


def test_what_all_hosts_together_say_takes_the_place_of_what_one_said(tmp_path: Path) -> None:
    early = report(finding(Status.NOT_ASSESSED, vm="a"), host="hv01")
    late = run("r1", report(finding(Status.FAIL, vm="a"), host="hv01"), report(finding(host="hv02"), host="hv02"))
    with open_store(str(tmp_path / "runs.db")) as store:
        journal = Journal(store, record(late))
        for visit in (early, late.hosts[1]):
            journal.add(visit)
        journal.finish(late)
        assert not journal.notices
        assert store.load("r1") == late


def test_a_run_goes_on_in_a_file_when_its_store_fails(tmp_path: Path) -> None:
    made = run("r1", report(finding(), host="hv01"), report(finding(host="hv02"), host="hv02"))
    with open_store(str(tmp_path / "runs.db")) as store:
        journal = Journal(store, record(made))
        journal.add(made.hosts[0])
        with closing(sqlite3.connect(tmp_path / "runs.db")) as other:
            other.execute("ALTER TABLE visits RENAME TO gone")
        journal.add(made.hosts[1])
        journal.finish(made)
        assert journal.spool is not None
        assert str(journal.spool) in journal.notices[0]
    with open_store(str(journal.spool)) as spool, open_store(str(tmp_path / "later.db")) as later:
        assert spool.load("r1") == made
        assert later.bring_in(spool) == ("r1",)
        assert later.bring_in(spool) == ()
        assert later.load("r1") == made
