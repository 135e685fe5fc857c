"""Nights as a user meets them: kept, cut off, gone on with, compared, judged again. Real sockets, real signals."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetscan.errors import ExitStatus
from tests.cli.conftest import FLEETSCAN, fleetscan
from tests.labs import RunningLab, running_lab

pytestmark = pytest.mark.timeout(240)
"""A dozen commands, each a process of its own: many times of what a quiet machine needs."""

CHECKS = ("--check", "backup-service-enabled", "--check", "replication-not-paused", "--check", "vmms-running")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """Eight hosts with two failures each, that take their time."""
    options = ("--hosts", "8", "--base", "hv01.paris.corp.example", "--scheme", "http", "--powershell-seconds", "0.4")
    with running_lab(tmp_path_factory.mktemp("nights"), *options) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def verdicts(path: Path) -> Counter[tuple[str, ...]]:
    """What a run came to, without what differs from night to night."""
    names = ("host", "check_id", "object_id", "status", "reason_code", "observed", "finding_key", "waived")
    return Counter(tuple(row[name] for name in names) for row in rows(path))


def listed(store: Path) -> list[dict[str, Any]]:
    done = fleetscan("runs", "list", "--json", "--store", str(store))
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def cut_off(lab: RunningLab, store: Path, number: int, *more: str, **streams: Any) -> subprocess.Popen[str]:
    """Start a scan, and send it a signal once the store has two hosts."""
    process = subprocess.Popen(
        [*FLEETSCAN, "scan", "-i", str(lab.inventory), *CHECKS, "--concurrency", "2", "--store", str(store), *more],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams,
        encoding="utf-8",
        env={**os.environ, **lab.environment},
    )
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
        if store.exists() and _visits(store) >= 2:
            break
    process.send_signal(number)
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals and a pseudo-terminal")
@pytest.mark.parametrize("end", ["twice", "terminal", "pipe"])
def test_however_a_run_ends_the_store_has_what_was_finished(lab: RunningLab, store: Path, end: str) -> None:
    """An impatient Ctrl+C, a terminal that is closed, a reader that goes away."""
    import pty

    master, terminal = pty.openpty()
    streams = {"stdout": terminal, "stderr": terminal} if end == "terminal" else {}
    process = cut_off(lab, store, 0 if end == "pipe" else signal.SIGINT, **streams, start_new_session=True)
    os.close(terminal)
    os.close(master)
    if end == "twice":
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
    elif end == "terminal":
        process.send_signal(signal.SIGHUP)
    elif process.stdout is not None:
        process.stdout.close()
        process.stdout = None
    process.communicate(timeout=40)
    (run,) = listed(store)
    done = 8 if end == "pipe" else run["hosts_done"]
    assert (run["state"], run["hosts_done"]) == ("finished" if end == "pipe" else "interrupted", done)
    assert done >= 2
    if end != "pipe":
        resumed = fleetscan("scan", "--resume", "--store", str(store), lab=lab)
        assert resumed.returncode == ExitStatus.FINDINGS, resumed.stderr
        assert [one["state"] for one in listed(store)] == ["finished"]


def _visits(store: Path) -> int:
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        return int(connection.execute("select count(*) from visits").fetchone()[0])
    except sqlite3.Error:
        return 0
    finally:
        connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_run_loses_nothing_and_its_resumption_equals_a_run_that_nobody_killed(
    lab: RunningLab, store: Path, tmp_path: Path
) -> None:
    report, whole = tmp_path / "night.csv", tmp_path / "whole.csv"
    process = cut_off(lab, store, signal.SIGKILL, "-o", str(report))
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    (run,) = listed(store)
    assert run["state"] == "unfinished"
    assert 2 <= run["hosts_done"] < run["hosts"] == 8

    shown = fleetscan("runs", "show", "--store", str(store))
    assert shown.returncode == 0, shown.stderr
    left = run["hosts"] - run["hosts_done"]
    assert f"is unfinished: {left} of 8 hosts are still to be visited: hv[" in shown.stderr
    again = f"fleetscan scan --resume --run {run['run_id']} --store {store}"
    assert again in " ".join(shown.stdout.replace("\\", "").split())

    before = lab.total("commands")
    resumed = fleetscan("scan", "--resume", "--store", str(store), lab=lab)
    assert resumed.returncode == ExitStatus.FINDINGS, resumed.stderr
    assert lab.total("commands") - before == left
    (run,) = listed(store)
    assert (run["state"], run["hosts_done"]) == ("finished", 8)
    assert {row["run_id"] for row in rows(report)} == {run["run_id"]}
    fleetscan("scan", "-i", str(lab.inventory), *CHECKS, "--no-store", "-o", str(whole), lab=lab)
    assert verdicts(report) == verdicts(whole)

    nothing = fleetscan("scan", "--resume", "--store", str(store), lab=lab)
    assert nothing.returncode == ExitStatus.BAD_INPUT
    assert "is unfinished" in nothing.stderr
    changed = fleetscan("runs", "diff", "last", run["run_id"], "--store", str(store))
    assert changed.returncode == ExitStatus.BAD_INPUT
    assert "cannot be compared with itself" in changed.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no way to send Ctrl+C to one process")
def test_an_interrupted_run_ends_with_the_command_that_finishes_it(
    lab: RunningLab, store: Path, tmp_path: Path
) -> None:
    process = cut_off(lab, store, signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == ExitStatus.INTERRUPTED
    (run,) = listed(store)
    assert run["state"] == "interrupted"
    # The output is as wide as it need be: a pipe gets 120 columns.
    assert " ".join(output.replace("\\", "").split()).endswith(
        f"Again: fleetscan scan --resume --run {run['run_id']} --store {store}"
    )
    # What the run was made of must still be there.
    inventory = lab.inventory.read_text(encoding="utf-8")
    changed = tmp_path / "other.yaml"
    changed.write_text(inventory.replace("hyperv", "guest"), encoding="utf-8")
    options = ("scan", "--resume", "--store", str(store))
    other = fleetscan(*options, "-i", str(changed), lab=lab)
    assert other.returncode == ExitStatus.BAD_INPUT
    assert "has other roles than when the run began" in other.stderr
    other = fleetscan(*options, "-p", "hyperv-health", lab=lab)
    assert other.returncode == ExitStatus.BAD_INPUT
    assert listed(store)[0]["state"] == "interrupted"


def test_nights_are_compared_and_hosts_visited_once_more(lab: RunningLab, store: Path, tmp_path: Path) -> None:
    options = ("-i", str(lab.inventory), "--store", str(store), *CHECKS)
    calls = tmp_path / "calls"
    hook = f"{sys.executable} -c \"import sys; open(sys.argv[1], 'a').write(' '.join(sys.argv[2:]) + chr(10))\" {calls}"
    hook += " {run} {status} {new} {fixed} {report}"
    table = str(tmp_path / "a $(touch pwned).csv")
    log = tmp_path / "fleetscan.log"
    first = fleetscan("scan", *options, "-l", "hv000[1-3]*", "--on-change", hook, "-o", table, lab=lab)
    assert first.returncode == ExitStatus.FINDINGS, first.stderr
    since = ("--since", "last", "--log-file", str(log))
    second = fleetscan("scan", *options, "-l", "hv000[1-3]*", *since, "--on-change", hook, "-o", table, lab=lab)
    assert "Since " in second.stdout
    assert "Still failing: 6" in second.stdout
    assert "Remedy" not in second.stdout
    newest, oldest = listed(store)
    # Nothing changed in the second night, so the command was run once; its values were one word each.
    assert calls.read_text(encoding="utf-8") == f"{oldest['run_id']} 3 0 0 {table}\n"
    assert not (tmp_path / "pwned").exists()
    told = log.read_text(encoding="utf-8")
    assert f"run {newest['run_id']} begins: 3 hosts" in told
    assert "hv0002.lab.example: fail" in told
    assert f"run {newest['run_id']} ends: exit 3" in told

    quiet = fleetscan("scan", "--rerun", "failed", "--run", "last~1", "--store", str(store), "--quiet", lab=lab)
    (line,) = quiet.stdout.splitlines()
    assert "3 hosts: 3 fail" in line
    assert "6 still failing" in line
    assert line.count("exit 3") == 1
    nobody = fleetscan("scan", "--rerun", "unreachable", "--store", str(store), lab=lab)
    assert nobody.returncode == ExitStatus.COMPLIANT
    assert nobody.stdout == "No host of that run needs to be visited once more.\n"

    compared = fleetscan("runs", "diff", "last~2", "last", "--json", "--store", str(store))
    found = json.loads(compared.stdout)
    assert Counter(change["kind"] for change in found["changes"]) == {"still_failing": 6}
    assert {change["after"]["status"] for change in found["changes"]} == {"fail"}


def test_facts_are_judged_again_by_other_checks_without_touching_a_host(
    lab: RunningLab, store: Path, tmp_path: Path
) -> None:
    import shutil

    playbook = tmp_path / "mine"
    shutil.copytree(Path(__file__).parents[2] / "playbooks" / "asr-hyperv", playbook)
    options = ("-i", str(lab.inventory), "--store", str(store), "-l", "hv0001*", "-p", str(playbook), *CHECKS)
    assert fleetscan("scan", *options, lab=lab).returncode == ExitStatus.FINDINGS
    check = playbook / "checks" / "backup-service-enabled.yaml"
    text = check.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("pass:"))
    check.write_text(text.replace(line, "pass: 'true'"), encoding="utf-8")
    before = lab.total("connections")
    document = tmp_path / "again.json"
    judged = fleetscan("runs", "evaluate", "--store", str(store), "-o", str(document))
    assert judged.returncode == ExitStatus.FINDINGS, judged.stderr
    assert lab.total("connections") == before
    assert "1 fixed, 1 still failing" in judged.stdout
    findings = json.loads(document.read_text(encoding="utf-8"))["findings"]
    assert Counter(row["check_id"] for row in findings if row["status"] == "fail") == {"replication-not-paused": 1}
    assert listed(store)[0]["finding_counts"]["fail"] == 2  # the store is as it was

    fleetscan("runs", "prune", "--keep-facts", "0", "--store", str(store))
    gone = fleetscan("runs", "evaluate", "--store", str(store))
    assert gone.returncode == ExitStatus.BAD_INPUT
    assert "no longer kept" in gone.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
def test_two_nights_with_one_lock_do_not_overlap_and_a_killed_one_does_not_block(lab: RunningLab, store: Path) -> None:
    process = cut_off(lab, store, signal.SIGSTOP, "--lock", "nightly")
    busy = fleetscan("scan", "-i", str(lab.inventory), "--store", str(store), "--lock", "nightly", lab=lab)
    assert busy.returncode == ExitStatus.BAD_INPUT
    assert f"another scan holds the lock nightly (process {process.pid} on " in busy.stderr
    assert "nothing was contacted" in busy.stderr
    resumed = fleetscan("scan", "--resume", "--store", str(store), lab=lab)
    assert resumed.returncode == ExitStatus.BAD_INPUT
    assert "is being made" in resumed.stderr
    process.kill()
    process.communicate(timeout=20)
    after = fleetscan("scan", "-i", str(lab.inventory), "-l", "hv0001*", "--no-store", "--lock", "nightly", lab=lab)
    assert after.returncode == ExitStatus.FINDINGS, after.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--resume", "--rerun", "failed"), "exclude each other"),
        (("--run", "last"), "--run needs"),
        (("--no-store", "--since", "last"), "--no-store excludes"),
        (("--keep", "soon"), "write 90d, 52w or 2y"),
        (("--lock", "../x"), "no name for a lock"),
        (("--on-change", "no-such-program {run}"), 'no program "no-such-program"'),
        (("--on-change", "echo {runs}"), 'did you mean "run"?'),
        (("--on-change", "echo {report}"), "write one with -o FILE"),
        (("--on-change", "echo 'x"), "close its quotes"),
        (("--log-file", "no/such/folder/log"), "the log file cannot be opened"),
        (("--store", "no/such/folder/runs.db"), "no/such/folder"),
    ],
)
def test_a_mistake_contacts_nobody(lab: RunningLab, arguments: tuple[str, ...], expected: str) -> None:
    before = lab.total("connections")
    done = fleetscan("scan", "-i", str(lab.inventory), *arguments, lab=lab)
    assert done.returncode == ExitStatus.BAD_INPUT
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert lab.total("connections") == before
