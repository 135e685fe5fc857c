"""Several processes at one store, and processes that are killed: what was confirmed is there."""

from __future__ import annotations

import concurrent.futures
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fleetscan.model.finding import Status
from fleetscan.model.run import RunState
from fleetscan.store import Store, open_store
from tests.store.made import finding, record, report, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")

WRITER = """
import sys
from fleetscan.model.finding import Status
from fleetscan.store import Journal, open_store
from tests.store.made import finding, record, report, run

url, run_id, first, last = sys.argv[1:]
hosts = [f"hv{number}" for number in range(int(first), int(last))]
made = run(run_id, *(report(*(finding(Status.FAIL, vm=f"{host}-{vm}", host=host) for vm in range(20)), host=host)
                     for host in hosts))
with open_store(url) as store:
    journal = Journal(store, record(made))
    for host in made.hosts:
        journal.add(host)
        print(host.host.name, *journal.notices, flush=True)
    journal.finish(made)
    print(*journal.notices, flush=True)
"""


def writer(url: str, run_id: str, first: int, last: int, limit: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", limit + WRITER, url, run_id, str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})


def test_a_killed_scan_loses_nothing_that_was_confirmed(url: str) -> None:
    with writer(url, "r1", 0, 5_000) as process:
        assert process.stdout is not None
        confirmed = [line.strip() for line in itertools.islice(process.stdout, 25)]
        process.send_signal(signal.SIGKILL)
        confirmed += [line.strip() for line in process.stdout if line.endswith("\n")]
    with open_store(url) as store:
        assert store.run("r1").state is RunState.UNFINISHED
        loaded = store.load("r1")
        found = [host.host.name for host in loaded.hosts]
        assert found[: len(confirmed)] == confirmed
        assert len(found) <= len(confirmed) + 1, "at most the host that was under way"
        assert all(len(host.findings) == 20 for host in loaded.hosts)
        assert len(store.pending("r1")) == 5000 - len(found)


def test_two_scans_at_once_and_a_third_that_prunes(url: str) -> None:
    with open_store(url) as store:
        for night in range(3):
            made = run(f"old{night}", *(report(finding(Status.FAIL, host=host), host=host) for host in names(0, 20)))
            store.begin(record(made))
            store.finish(made)
        with writer(url, "r1", 0, 30) as one, writer(url, "r2", 20, 50) as two:
            pruned: list[str] = []
            while one.poll() is None or two.poll() is None:
                pruned += store.prune(keep_runs=1, facts_runs=0).runs
            assert one.stdout is not None
            assert two.stdout is not None
            assert (one.stdout.read().split(), two.stdout.read().split()) == (names(0, 30), names(20, 50))
        assert pruned[:2] == ["old0", "old1"]
        for run_id, expected in (("r1", names(0, 30)), ("r2", names(20, 50))):
            if run_id in {each.run_id for each in store.runs()}:
                loaded = store.load(run_id)
                assert [host.host.name for host in loaded.hosts] == expected
                assert all(found.status is Status.FAIL for _, found in loaded.findings())
        assert store.run("last").state is RunState.FINISHED


def names(first: int, last: int) -> list[str]:
    return [f"hv{number}" for number in range(first, last)]


def test_many_processes_make_one_new_store(url: str) -> None:
    processes = [writer(url, f"r{number}", 0, 2) for number in range(2)]
    assert [process.communicate()[0].split() for process in processes] == [names(0, 2)] * 2
    with open_store(url) as store:
        assert sorted(each.run_id for each in store.runs()) == ["r0", "r1"]


def test_a_full_disk(tmp_path: Path) -> None:
    # No file of this process may grow beyond 1 MB: to SQLite that is a disk which takes no more.
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
    path = tmp_path / "runs.db"
    with writer(str(path), "r1", 0, 400, limit) as process:
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
    assert process.returncode == 0, "the scan goes on"
    confirmed = [line for line in lines if line in names(0, 400)]
    assert 10 < len(confirmed) < 400
    assert "cannot write" in lines[len(confirmed)]
    assert "the disk" in lines[len(confirmed)]
    with open_store(str(path)) as store:
        assert [host.host.name for host in store.load("r1").hosts] == confirmed


def test_two_runs_in_the_same_second_and_a_clock_that_was_set_back(store: Store) -> None:
    for run_id, night in (("a", 5), ("b", 5), ("c", 2)):
        made = run(run_id, report(finding(Status.FAIL), night=night), night=night)
        store.begin(record(made))
        store.finish(made)
    assert [each.run_id for each in store.runs()] == ["c", "b", "a"]
    assert store.run("last").run_id == "c"
    history = store.history("c")
    assert history is not None
    assert history.previous_run == "b"
    assert [night.run_id for night in history.nights] == ["a", "b"]


def test_threads_share_a_store(store: Store) -> None:
    made = run("r1", *(report(finding(host=name), host=name) for name in names(0, 40)))
    store.begin(record(made))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda host: store.add("r1", host), made.hosts))
    store.finish(made)
    assert store.load("r1") == made
