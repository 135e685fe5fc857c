"""What is written is read back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from fleetscan.model.finding import Status
from fleetscan.model.run import RunState
from fleetscan.store import Journal, open_store
from tests.factory import host
from tests.store.made import finding, record, report, run


def test_a_run_comes_back_as_it_was_reported(tmp_path: Path) -> None:
    made = run("r1", report(finding(Status.FAIL, vm="a"), finding(vm="b"), finding(check="os")))
    with open_store(str(tmp_path / "runs.db")) as store:
        store.begin(record(made))
        store.add("r1", made.hosts[0])
        store.finish(made)
    with open_store(str(tmp_path / "runs.db")) as store:
        assert store.load("last") == made
        assert store.run("r").state is RunState.FINISHED


def test_an_unfinished_run_names_the_hosts_that_are_missing(tmp_path: Path) -> None:
    made = run("r1", report(finding()))
    with open_store(str(tmp_path / "runs.db")) as store:
        store.begin(record(made, [made.hosts[0].host, host("hv02")]))
        store.add("r1", made.hosts[0])
        assert store.run("last").state is RunState.UNFINISHED
        assert [each.name for each in store.pending("last")] == ["hv02"]
        loaded = store.load("last")
        assert loaded.interrupted
        assert loaded.hosts == made.hosts


def test_facts_go_before_findings_do(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "runs.db")) as store:
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
