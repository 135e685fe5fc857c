"""The options on reports reach the reports, and their mistakes end the run before anything is contacted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fleetscan.errors import ExitStatus


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--csv-delimiter", "::"], "--csv-delimiter ::: is none that spreadsheets know; use one of"),
        (["--ticket-columns", "jirra"], 'there is no such file; did you mean "jira"?'),
        (["--ticket-columns", "wrong.yaml"], 'wrong.yaml:1:14: columns.a: "hots" is nothing that a ticket has'),
    ],
)
def test_a_mistake_ends_the_run_before_it_begins(tmp_path: Path, options: list[str], told: str) -> None:
    (tmp_path / "wrong.yaml").write_text("columns: {a: '{hots}'}", encoding="utf-8")
    command = [sys.executable, "-m", "fleetscan", "scan", "-i", "nowhere.yaml", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50, cwd=tmp_path)
    assert done.returncode == ExitStatus.BAD_INPUT
    assert told in done.stderr
    assert "nowhere.yaml" not in done.stderr
    assert "1 mistake; nothing was contacted." in done.stderr
