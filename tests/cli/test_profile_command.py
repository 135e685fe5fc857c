"""`fleetscan profile` as a user meets it: samples on time, killed, resumed, interrupted, reported."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fleetscan.errors import ExitStatus
from tests.cli.conftest import FLEETSCAN, StartLab, fleetscan
from tests.labs import RunningLab

HOST = ("--hosts", "1", "--base", "hv02.paris.corp.example", "--scheme", "http")
QUICK = ("--interval", "2s", "--duration", "6s")


def start(lab: RunningLab, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **lab.environment, "COLUMNS": "100"}
    pipe = subprocess.PIPE
    return subprocess.Popen([*FLEETSCAN, *arguments], stdout=pipe, stderr=pipe, encoding="utf-8", env=environment)


def samples(path: Path) -> list[int]:
    """The numbers of the samples in a journal, in its order."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    entries: list[Any] = []
    for line in lines:
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return [entry["sample"] for entry in entries if entry["kind"] == "sample"]


def wait_for(path: Path, count: int) -> None:
    deadline = time.monotonic() + 30
    while len(samples(path)) < count:
        assert time.monotonic() < deadline, "no samples came"
        time.sleep(0.1)


def test_samples_become_a_report_in_every_form(start_lab: StartLab, tmp_path: Path) -> None:
    lab = start_lab(*HOST)
    names = ("p.jsonl", "p.csv", "p.json", "vms.txt")
    journal, table, document, planner = (tmp_path / name for name in names)
    outputs = ("--out", str(journal), "-o", str(table), "-o", str(document), "--planner-list", str(planner))
    done = fleetscan("profile", "-i", str(lab.inventory), *QUICK, *outputs, "--link", "1Gbit", lab=lab)
    assert done.returncode == ExitStatus.COMPLIANT, done.stdout + done.stderr
    assert samples(journal) == [0, 1, 2, 3]
    assert lab.total("commands") == 4
    report = json.loads(document.read_text(encoding="utf-8"))
    fleet = report["rows"][0]
    assert (fleet["scope"], fleet["samples"], fleet["limit_mbit_per_second"]) == ("fleet", 3, 1000)
    # The simulated disks grow by an even rate: what is measured is what their facts say.
    assert fleet["churn_p95_mb_per_second"] == pytest.approx(fleet["churn_average_mb_per_second"], rel=0.02)
    assert 4 < fleet["churn_average_mb_per_second"] < 6
    with table.open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == len(report["rows"])
    machines = planner.read_bytes().decode().split("\r\n")
    assert len(machines) > 5
    assert all("\\" in line for line in machines if line)
    assert "planning needs a day" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_killed_and_resumed(start_lab: StartLab, tmp_path: Path) -> None:
    lab = start_lab(*HOST)
    journal = tmp_path / "p.jsonl"
    options = ("profile", "-i", str(lab.inventory), "--out", str(journal))
    process = start(lab, *options, "--interval", "1s", "--duration", "5s")
    try:
        wait_for(journal, 2)
    finally:
        process.kill()
        process.communicate(timeout=20)
    with journal.open("ab") as stream:
        stream.write(b'{"kind":"sample","host":"hv0')
    done = fleetscan(*options, "--resume", lab=lab)
    assert done.returncode in (ExitStatus.COMPLIANT, ExitStatus.INCOMPLETE), done.stderr
    numbers = samples(journal)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 5
    assert "1 torn line of the journal skipped" in done.stdout
    again = fleetscan(*options, "--resume", lab=lab)
    assert "has all its samples" in again.stderr
    assert samples(journal) == numbers


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_ctrl_c_ends_with_the_report_of_what_is_there(start_lab: StartLab, tmp_path: Path) -> None:
    lab = start_lab(*HOST)
    journal = tmp_path / "p.jsonl"
    process = start(lab, "profile", "-i", str(lab.inventory), "--out", str(journal), "--interval", "1s")
    wait_for(journal, 3)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == ExitStatus.INTERRUPTED
    assert "go on with --resume" in stdout
    assert "Churn of machines" in stdout
    assert "Traceback" not in stderr
    reported = fleetscan("profile", "--report", "--out", str(journal))
    assert reported.returncode == ExitStatus.COMPLIANT
    assert "Churn of machines" in reported.stdout


def test_a_host_that_does_not_answer_is_a_gap_and_no_zero(start_lab: StartLab, tmp_path: Path) -> None:
    lab = start_lab("--hosts", "2", "--base", "hv02.paris.corp.example", "--misbehave", "0.5", "--faults", "refuse")
    journal, document = tmp_path / "p.jsonl", tmp_path / "p.json"
    outputs = ("--out", str(journal), "-o", str(document))
    done = fleetscan("profile", "-i", str(lab.inventory), *QUICK, *outputs, lab=lab)
    assert done.returncode == ExitStatus.INCOMPLETE
    assert "4 of 4 samples missing; last: unreachable.refused" in " ".join(done.stdout.split())
    report = json.loads(document.read_text(encoding="utf-8"))
    assert [gap["missed"] for gap in report["gaps"]] == [4]
    assert [row["host"] for row in report["rows"] if row["scope"] == "host"] == ["hv0001.lab.example"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--interval", "1h", "--duration", "1m"), "--duration 60: does not go with the interval"),
        (("--interval", "0"), "--interval 0: is too short"),
        (("--link", "5"), "is no bandwidth"),
        (("-o", "x.txt"), "a profile is written as .csv or .json"),
        (("--resume",), "which journal?; name it with --out FILE"),
        (("-l", "nowhere"), "matches no host"),
        (("--out", "/nowhere/p.jsonl"), "cannot be written"),
    ],
)
def test_mistakes_are_told_before_anybody_is_contacted(
    untouched: RunningLab, options: tuple[str, ...], said: str
) -> None:
    done = fleetscan("profile", "-i", str(untouched.inventory), *options, lab=untouched)
    assert done.returncode == ExitStatus.BAD_INPUT
    assert said in " ".join(done.stderr.split())
    assert untouched.total("connections") == 0


def test_a_journal_is_gone_on_with_only_for_its_own_hosts(untouched: RunningLab, tmp_path: Path) -> None:
    journal = tmp_path / "p.jsonl"
    head = {"kind": "begin", "at": "2026-11-24T12:00:00+00:00", "interval": 60, "samples": 9, "hosts": ["other"]}
    journal.write_text(json.dumps(head) + "\n", encoding="utf-8")
    options = ("profile", "-i", str(untouched.inventory), "--out", str(journal))
    assert "was begun with other hosts" in fleetscan(*options, "--resume", lab=untouched).stderr
    assert "go on with it by --resume" in fleetscan(*options, lab=untouched).stderr
    assert "Traceback" not in fleetscan("profile", "--report", "--out", str(journal)).stderr
