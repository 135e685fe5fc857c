"""Totals are the same in every format, and no host is missing from any, whatever happened to it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable

import pytest

from fleetscan.model.finding import Status
from fleetscan.model.run import RunReport
from fleetscan.report.json_document import render as render_json
from fleetscan.report.table import render as render_table
from tests.report import morning
from tests.report.factory import run
from tests.report.test_csv import rows

RUNS = [morning.fleet, lambda: morning.many(60), lambda: morning.dead(60), morning.mixed, lambda: run([])]
runs = pytest.mark.parametrize("make", RUNS)


def told(text: str, noun: str) -> dict[str, int]:
    """Read `12 hosts: 3 pass, 5 warn` back from the screen."""
    flat = re.sub(r",\n +", ", ", text)
    total, counts = re.findall(rf"(?:^| · )([\d,]+) {noun}s?: (.*?)(?= · |$)", flat, re.MULTILINE)[-1]
    read = {
        words.replace(" ", "_"): int(number.replace(",", ""))
        for number, words in re.findall(r"([\d,]+) ([a-z ]+)", counts)
    }
    return read | {"total": int(total.replace(",", ""))}


def without_zeros(counts: Counter[Status]) -> dict[str, int]:
    return {status.value: number for status, number in counts.items() if number} | {"total": counts.total()}


@runs
def test_findings_are_counted_alike_everywhere(make: Callable[[], RunReport]) -> None:
    report = make()
    expected = without_zeros(report.counts())
    by_csv = Counter(Status(row["status"]) for row in rows(report))
    document = json.loads("".join(render_json(report)))
    by_json = Counter(Status(row["status"]) for row in document["findings"])
    by_host = sum(
        (Counter({Status(k): v for k, v in h["counts"].items() if k != "total"}) for h in document["hosts"]), Counter()
    )
    in_run = {key: number for key, number in document["run"]["finding_counts"].items() if number} | {
        "total": expected["total"]
    }
    assert without_zeros(by_csv) == expected
    assert without_zeros(by_json) == expected
    assert without_zeros(by_host) == expected
    assert in_run == expected
    assert told(render_table(report, width=80), "finding") == expected
    assert told(render_table(report, width=300, show="quiet"), "finding") == expected


@runs
def test_hosts_are_counted_alike_everywhere(make: Callable[[], RunReport]) -> None:
    report = make()
    expected = without_zeros(Counter(host.verdict for host in report.hosts))
    document = json.loads("".join(render_json(report)))
    in_run = {key: number for key, number in document["run"]["host_counts"].items() if number} | {
        "total": len(report.hosts)
    }
    assert in_run == expected
    assert without_zeros(Counter(Status(host["verdict"]) for host in document["hosts"])) == expected
    assert told(render_table(report, width=80), "host") == expected
    assert told(render_table(report, width=300, show="quiet"), "host") == expected


@runs
def test_the_summary_of_the_fleet_adds_up(make: Callable[[], RunReport]) -> None:
    report = make()
    lines = render_table(report, width=100).split("\n")
    if len(report.hosts) < 2:
        return
    start = next(i for i, line in enumerate(lines) if line.startswith("Fleet"))
    title, *table = lines[start : lines.index("", start)]
    ends = {match[0].strip(): match.end() for match in re.finditer(r"(?:\S| (?=\S))+", title)}
    counts = {
        name: sum(
            int(match[0].replace(",", ""))
            for row in table
            for match in re.finditer(r"[\d,]+", row)
            if match.end() == end
        )
        for name, end in ends.items()
        if name != "Fleet"
    }
    hosts = Counter(host.verdict.value.replace("_", " ") for host in report.hosts)
    assert counts == {"hosts": len(report.hosts)} | {
        name: hosts[name] for name in ends if name not in ("Fleet", "hosts")
    }


@runs
def test_all_shows_a_row_for_each_finding(make: Callable[[], RunReport]) -> None:
    report = make()
    text = render_table(report, width=140, show="all")
    words = "|".join(status.value.replace("_", " ") for status in Status).replace("fail", "FAIL")
    shown = Counter(
        match.lower().replace(" ", "_")
        for match in re.findall(rf"^  ({words}) +(?:critical|high|medium|low)", text, re.MULTILINE)
    )
    assert shown == {status.value: number for status, number in report.counts().items() if number}


@runs
def test_no_host_is_missing_from_a_file(make: Callable[[], RunReport]) -> None:
    report = make()
    names = [host.host.name for host in report.hosts]
    assert list(dict.fromkeys(row["host"] for row in rows(report))) == names
    assert [host["host"] for host in json.loads("".join(render_json(report)))["hosts"]] == names
    everything = render_table(report, width=140, show="all")
    assert all(f"\n{name} · " in everything for name in names)


def test_an_unreachable_host_has_all_its_checks_in_every_format() -> None:
    report, name = morning.fleet(), "hv09.paris.corp.example"
    csv_rows = [row for row in rows(report) if row["host"] == name]
    json_rows = [row for row in json.loads("".join(render_json(report)))["findings"] if row["host"] == name]
    for found in (csv_rows, json_rows):
        assert [row["check_id"] for row in found] == list(morning.CHECKS)
        assert {row["status"] for row in found} == {"not_assessed"}
        assert {row["reason_code"] for row in found} == {"unreachable.refused"}
    screen = render_table(report, width=100)
    assert f"{name} · hyperv · NOT ASSESSED · unreachable.refused" in screen
    assert "10.1.2.9 refuses port 5986" in screen
    assert f"fleetscan doctor {name}" in screen
