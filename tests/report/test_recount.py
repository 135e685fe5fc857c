"""Totals are the same in every format, and no host is missing from any, whatever happened to it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from defusedxml import ElementTree

from fleetscan.model.finding import Status
from fleetscan.model.run import RunReport
from fleetscan.report import render
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


def elements(report: RunReport) -> Counter[str]:
    """JUnit has no word for a warning and none for our statuses but in `type`."""
    found: Counter[str] = Counter()
    for case in ElementTree.fromstring("".join(render(report, "junit"))).iter("testcase"):
        told = case.find("system-out")
        verdict = next((each.attrib["type"] for each in case if "type" in each.attrib), None)
        found[verdict or (told.text or "").partition(":")[0] if told is not None or verdict else "pass"] += 1
    return found


def results(report: RunReport) -> Counter[str]:
    document = json.loads("".join(render(report, "hdf")))
    controls = (control for profile in document["profiles"] for control in profile["controls"])
    return Counter(result["code_desc"].partition(":")[0] for control in controls for result in control["results"])


def events(report: RunReport) -> Counter[str]:
    return Counter(event["unmapped"]["status"] for event in json.loads("".join(render(report, "ocsf"))))


def samples(report: RunReport) -> Counter[str]:
    """By host: their sum is the run's."""
    text = "".join(render(report, "prometheus"))
    found: Counter[str] = Counter()
    for status, number in re.findall(r'^fleetscan_host_findings\{.*,status="(\w+)"\} (\d+)$', text, re.MULTILINE):
        found[status] += int(number)
    in_run = dict(re.findall(r'^fleetscan_findings\{status="(\w+)"\} (\d+)$', text, re.MULTILINE))
    assert {status: str(found[status]) for status in in_run} == in_run
    return found


def cells(report: RunReport) -> Counter[str]:
    rows = re.findall(r"^\| ([a-z ]+) \| \d+ \| (\d+) \|$", "".join(render(report, "markdown")), re.MULTILINE)
    counts = Counter({words.replace(" ", "_"): int(number) for words, number in rows})
    assert counts.pop("total") == counts.total()
    return counts


@runs
@pytest.mark.parametrize("read", [elements, results, events, samples, cells])
def test_the_formats_of_other_programs_count_alike(
    make: Callable[[], RunReport], read: Callable[[RunReport], Counter[str]]
) -> None:
    report = make()
    assert without_zeros(Counter({Status(status): number for status, number in read(report).items()})) == (
        without_zeros(report.counts())
    )


@runs
def test_tickets_count_failures_and_gaps(make: Callable[[], RunReport]) -> None:
    report = make()
    counts = report.counts()
    found: Counter[str] = Counter()
    for row in csv.DictReader(io.StringIO("".join(render(report, "tickets")), newline="")):
        found[row["state"]] += int(row["object_count"]) + int(row["waived_count"])
    assert found["new"] + found["waived"] == counts[Status.FAIL]
    assert found["not_assessed"] == counts[Status.ERROR] + counts[Status.NOT_ASSESSED]


@runs
def test_no_host_is_missing_from_the_formats_of_other_programs(make: Callable[[], RunReport]) -> None:
    report = make()
    names = [host.host.name for host in report.hosts]
    document = ElementTree.fromstring("".join(render(report, "junit")))
    assert [suite.attrib["name"] for suite in document.iter("testsuite")] == names
    assert [profile["name"] for profile in json.loads("".join(render(report, "hdf")))["profiles"]] == names
    events = json.loads("".join(render(report, "ocsf")))
    assert list(dict.fromkeys(event["resources"][0]["name"] for event in events)) == names
    metrics = "".join(render(report, "prometheus"))
    assert re.findall(r'^fleetscan_host_assessed\{host="(.*)"\}', metrics, re.MULTILINE) == names
    listed = "".join(render(report, "markdown")).rpartition("## Hosts")[2]
    assert sorted(expand(re.findall("`(.*?)`", listed))) == sorted(names)


def expand(folds: list[str]) -> Iterator[str]:
    """`hv[01-02,04].corp` back to its names."""
    for folded in folds:
        before, bracket, rest = folded.partition("[")
        inside, _, after = rest.partition("]")
        if not bracket:
            yield folded
            continue
        for part in inside.split(","):
            first, _, last = part.partition("-")
            for number in range(int(first), int(last or first) + 1):
                yield f"{before}{number:0{len(first)}}{after}"
