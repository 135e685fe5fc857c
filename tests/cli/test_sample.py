"""`fleetscan scan --sample`: running totals, read twice in one visit."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from fleetscan.errors import ExitStatus
from tests.cli.conftest import StartLab, fleetscan
from tests.labs import RunningLab

HOST = ("--hosts", "1", "--base", "hv02.paris.corp.example", "--scheme", "http")
CHURN = ("--check", "vm-churn", "--check", "upload-carries-churn")


def findings(lab: RunningLab, report: Path, *options: str) -> list[Any]:
    done = fleetscan("scan", "-i", str(lab.inventory), *CHURN, "-o", str(report), *options, lab=lab)
    assert done.returncode == ExitStatus.COMPLIANT, done.stdout + done.stderr
    found: list[Any] = json.loads(report.read_text(encoding="utf-8"))["findings"]
    return found


def test_two_readings_in_one_visit(start_lab: StartLab, tmp_path: Path) -> None:
    lab = start_lab(*HOST)
    began = time.monotonic()
    found = findings(lab, tmp_path / "a.json", "--sample", "2s")
    assert time.monotonic() - began >= 2
    passed = [finding for finding in found if finding["status"] == "pass"]
    assert {finding["check_id"] for finding in passed} == {"vm-churn", "upload-carries-churn"}
    assert all(" over 2 s" in finding["observed"] for finding in passed)
    assert lab.total("commands") == 1


def test_one_reading_is_no_pass(start_lab: StartLab, tmp_path: Path) -> None:
    found = findings(start_lab(*HOST), tmp_path / "a.json")
    assert {finding["status"] for finding in found} == {"not_applicable"}
    assert any("--sample 5m" in finding["message"] for finding in found)


def test_against_the_last_run(start_lab: StartLab, tmp_path: Path) -> None:
    """The first night has nothing to compare with, the second has; judged again, it says the same."""
    lab, store = start_lab(*HOST), ("--store", str(tmp_path / "runs.db"))
    first = findings(lab, tmp_path / "a.json", *store, "--sample", "last")
    assert {finding["status"] for finding in first} == {"not_applicable"}
    time.sleep(1)
    second = findings(lab, tmp_path / "b.json", *store, "--sample", "last")
    passed = [finding for finding in second if finding["status"] == "pass"]
    assert {finding["check_id"] for finding in passed} == {"vm-churn", "upload-carries-churn"}
    again = tmp_path / "again.json"
    done = fleetscan("runs", "evaluate", "last", "-o", str(again), *store, lab=lab)
    assert done.returncode in (ExitStatus.FINDINGS, ExitStatus.INCOMPLETE, ExitStatus.COMPLIANT), done.stderr
    judged = json.loads(again.read_text(encoding="utf-8"))["findings"]
    churn = {one["finding_key"]: (one["status"], one["observed"]) for one in judged}
    assert all(churn[one["finding_key"]] == (one["status"], one["observed"]) for one in second)


def test_no_store_has_no_last_run(untouched: RunningLab) -> None:
    done = fleetscan("scan", "-i", str(untouched.inventory), "--sample", "last", "--no-store", lab=untouched)
    assert done.returncode == ExitStatus.BAD_INPUT
    assert untouched.total("connections") == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--sample", "5m", "--host-timeout", "300"), "a sample of 300 s does not fit into it; write 420"),
        (("--sample", "soon"), "is no duration"),
        (("--sample=-5m",), "is no duration"),
    ],
)
def test_a_sample_that_cannot_be(untouched: RunningLab, options: tuple[str, ...], said: str) -> None:
    done = fleetscan("scan", "-i", str(untouched.inventory), *options, lab=untouched)
    assert done.returncode == ExitStatus.BAD_INPUT
    assert said in " ".join(done.stderr.split())
    assert untouched.total("connections") == 0
