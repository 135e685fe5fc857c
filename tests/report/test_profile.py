"""A profile in its three forms: narrow terminals, names that bite, numbers that stay numbers."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fleetscan.errors import ExitStatus
from fleetscan.model.finding import Status
from fleetscan.model.profile import MEGABYTE, Gap, Load, ProfileReport, ProfileRow, Scope
from fleetscan.report.profile_rows import render as render_file
from fleetscan.report.profile_table import render as render_screen

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOSTILE = "=cmd|' /C calc'!A1\x1b[2J\u202e日本語のとても長い名前"


def load(megabytes: float) -> Load:
    return Load(megabytes * MEGABYTE, 2 * megabytes * MEGABYTE, 3 * megabytes * MEGABYTE)


def row(scope: Scope, **values: Any) -> ProfileRow:
    some = Load(10.0, 20.0, 30.0)
    return ProfileRow(scope=scope, samples=9, churn=load(1.5), iops=some, throughput=load(3), **values)


def report(machines: int = 2) -> ProfileReport:
    vms = [row(Scope.VM, host="hv01", vm=f"sql{number:02}", storage="standard") for number in range(machines)]
    rows = [
        row(Scope.FLEET, needed_bits=16_000_000.0, needed_bits_90=12_000_000.0, limit_bits=8_000_000.0),
        row(Scope.HOST, host="hv01", needed_bits=16_000_000.0, needed_bits_90=12_000_000.0),
        *vms,
        row(Scope.VM, host="hv01", vm=HOSTILE, storage="none", status=Status.FAIL, message="writes too much"),
        row(Scope.DISK, host="hv01", vm="sql01", disk=HOSTILE, storage="none", status=Status.FAIL, message="too busy"),
    ]
    gap = Gap(host="hv02", missed=3, of=10, last_reason="unreachable.refused", last_message=HOSTILE)
    return ProfileReport(
        tool_version="0.1.0",
        started_at=NOON,
        ended_at=NOON,
        interval=60.0,
        planned=10,
        taken=10,
        rpo=900.0,
        growth=1.3,
        rows=tuple(rows),
        gaps=(gap,),
    )


def screen(told: ProfileReport, width: int = 100, *, everything: bool = False) -> str:
    return render_screen(
        told, width=width, color=False, everything=everything, written=["p.csv"], exit_status=ExitStatus.FINDINGS
    )


@pytest.mark.parametrize("width", [80, 100, 160])
def test_a_screen_keeps_to_its_width_and_shows_no_controls(width: int) -> None:
    from fleetscan.model.text import display_width

    text = screen(report(), width)
    assert max(display_width(line) for line in text.splitlines()) <= width
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "fail" in text
    assert "hv02: 3 of 10 samples missing; last: unreachable.refused" in " ".join(text.split())
    assert text.endswith("Wrote p.csv · exit 3")


def test_what_fails_comes_first_and_all_shows_the_rest() -> None:
    told = report(machines=40)
    short = screen(told)
    assert short.index("none  fail") < short.index("sql00") < short.index(": writes too much")
    assert "and 21 more; --all shows them" in short
    assert "sql39" not in short
    assert "sql39" in screen(told, everything=True)


def test_an_interrupted_profile_says_so() -> None:
    assert "go on with --resume" in screen(replace(report(), interrupted=True))


def test_csv_has_numbers_as_numbers_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO("".join(render_file(report(), "csv")), newline="")))
    assert [found["scope"] for found in rows] == ["fleet", "host", "vm", "vm", "vm", "disk"]
    assert rows[0]["churn_average_mb_per_second"] == "1.5"
    assert rows[0]["needed_mbit_per_second"] == "16.0"
    assert rows[4]["vm"].startswith("'=cmd")
    assert all("\x1b" not in value for found in rows for value in found.values())


def test_json_says_the_same() -> None:
    document = json.loads("".join(render_file(report(), "json")))
    assert document["rows"][1]["host"] == "hv01"
    assert document["rows"][0]["churn_gb_per_day"] == pytest.approx(1.5 * 86_400 / 1024, abs=0.001)
    assert document["gaps"][0]["reason_code"] == "unreachable.refused"
    assert document["profile"]["growth"] == 1.3
