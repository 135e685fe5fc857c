"""The formats for other programs, read by those programs or by their own libraries."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import junitparser
import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from prometheus_client.parser import text_string_to_metric_families
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

from fleetscan.errors import ExitStatus
from fleetscan.model.finding import Finding, Status
from fleetscan.model.run import RunReport
from fleetscan.model.waiver import Waiver
from fleetscan.report import render
from fleetscan.report.options import ReportOptions
from fleetscan.report.prometheus import METRICS
from tests.report import morning
from tests.report.factory import finding, host, run, unreached, visit
from tests.report.hostile import TEXTS, runs
from tests.tools import needed, needed_file, node

if TYPE_CHECKING:
    from markdown_it.token import Token

WAIVER = Waiver(id="w1", owner="Anna <Durand>", ticket="CHG|1", reason="until ]]> the move", expires=date(2026, 12, 31))
EVIL = [
    *TEXTS,
    "]]>",
    "<script>alert(1)</script>",
    "&lt;&#0;",
    "`a` | **b** | <img src=x onerror=alert(1)>",
    "``",
    "` `` ```",
    "[x](javascript:alert(1))",
    "www.example.com https://example.com @everyone #12",
    "a\\|b\\",
    "\ufffe\uffff\x0b",
    'x"} 1\nfleetscan_info 7 # EOF',
    "| --- |",
    "1. one",
    "- item",
]


def hostile() -> RunReport:
    """Every kind of harm in every text of a finding, in each status, waived and not."""
    findings = [
        finding(
            "hv01",
            f"check-{number}",
            status,
            vm=text,
            check_title=text,
            why=text,
            message=text,
            observed=text,
            expected=text,
            remedy=text,
            reference=text,
            waiver=WAIVER if number % 2 and status in (Status.FAIL, Status.WARN) else None,
        )
        for number, text in enumerate(EVIL)
        for status in Status
    ]
    dark = unreached(host("hv02"), ["check-1"], message="]]> <b>|`\x00\ud800")
    return run([visit(host("hv01"), findings), dark], notices=tuple(EVIL), playbook_title=EVIL[-4])


def text(report: RunReport, name: str, options: ReportOptions | None = None) -> str:
    whole = "".join(render(report, name, options or ReportOptions()))
    whole.encode()
    return whole


MAKERS = pytest.mark.parametrize("make", [morning.fleet, hostile, lambda: run([])], ids=["morning", "hostile", "empty"])
anything = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MAKERS
def test_junit_fits_the_schema_of_jenkins(make: Callable[[], RunReport]) -> None:
    schema = xmlschema.XMLSchema(str(needed_file("FLEETSCAN_JUNIT_XSD", "junit-10.xsd of Jenkins' xunit plugin")))
    schema.validate(text(make(), "junit"))


@anything
@given(runs())
def test_junit_holds_any_text(report: RunReport) -> None:
    suites = junitparser.JUnitXml.fromstring(text(report, "junit").encode())
    assert suites.tests == report.counts().total()


def test_junit_says_error_for_what_could_not_be_looked_at_and_skipped_for_what_is_waived() -> None:
    failed = finding("hv01", "a", Status.FAIL, vm="sql01", message="it's <off>", remedy="Switch it on.")
    accepted = finding("hv01", "b", Status.FAIL, waiver=WAIVER)
    report = run([visit(host("hv01"), [failed, accepted]), unreached(host("hv02"), ["a", "b"])])
    suites = junitparser.JUnitXml.fromstring(text(report, "junit").encode())
    assert (suites.tests, suites.failures, suites.errors) == (4, 1, 2)
    first, second = suites
    assert [suite.name for suite in suites] == ["hv01", "hv02"]
    assert (first.failures, first.skipped, second.errors) == (1, 1, 2)
    case, waived = first
    assert (case.classname, case.name) == ("hv01", "a [sql01]")
    assert case.result[0].message == "criterion.fail: it's <off>"
    assert "remedy: Switch it on." in case.result[0].text
    assert waived.result[0].message.startswith("waived until 2026-12-31 by Anna <Durand> (CHG|1): criterion.fail")
    assert all(case.result[0].type == "not_assessed" for case in second)
    assert all("unreachable.refused" in case.result[0].message for case in second)


INSPECJS = """
const {convertFile, contextualizeEvaluation} = require('inspecjs');
const text = require('fs').readFileSync(process.argv[1], 'utf8');
const file = convertFile(text, true);
const evaluation = file['1_0_ExecJson'];
const controls = evaluation ? contextualizeEvaluation(evaluation).contains.flatMap(p => p.contains) : [];
process.stdout.write(JSON.stringify({
    errors: file.errors || (evaluation ? null : Object.keys(file)),
    profiles: evaluation ? evaluation.profiles.map(p => p.name) : [],
    controls: controls.map(c => ({id: c.data.id, status: c.hdf.status, severity: c.hdf.severity, waived: c.hdf.waived,
                                  results: c.hdf.segments.map(s => s.status)})),
}));
"""


def heimdall(folder: Path, report: RunReport) -> dict[str, Any]:
    path = folder / "run.hdf.json"
    path.write_text(text(report, "hdf"), encoding="utf-8")
    read: dict[str, Any] = node("inspecjs", INSPECJS, str(path))
    assert read["errors"] is None
    return read


@MAKERS
def test_hdf_is_read_by_heimdalls_library(tmp_path: Path, make: Callable[[], RunReport]) -> None:
    report = make()
    read = heimdall(tmp_path, report)
    assert read["profiles"] == [visited.host.name for visited in report.hosts]
    assert sum(len(control["results"]) for control in read["controls"]) == report.counts().total()


def test_hdf_says_not_reviewed_for_what_could_not_be_looked_at(tmp_path: Path) -> None:
    def one(check: str, *statuses: Status, **changes: object) -> list[Finding]:
        return [finding("hv01", check, status, vm=f"vm{n}", **changes) for n, status in enumerate(statuses)]

    findings = [
        *one("passes", Status.PASS, Status.WARN),
        *one("fails", Status.PASS, Status.FAIL, Status.NOT_ASSESSED),
        *one("waived", Status.PASS, Status.FAIL, waiver=WAIVER),
        *one("absent", Status.NOT_APPLICABLE),
        *one("half-seen", Status.PASS, Status.NOT_ASSESSED),
        *one("undecided", Status.ERROR),
    ]
    report = run([visit(host("hv01"), findings), unreached(host("hv02"), ["passes"])])
    statuses = {control["id"]: control["status"] for control in heimdall(tmp_path, report)["controls"]}
    assert statuses == {
        "hv01/passes": "Passed",
        "hv01/fails": "Failed",
        "hv01/waived": "Not Applicable",
        "hv01/absent": "Not Applicable",
        "hv01/half-seen": "Profile Error",
        "hv01/undecided": "Profile Error",
        "hv02/passes": "Not Reviewed",
    }


@MAKERS
def test_ocsf_is_a_list_of_compliance_findings(make: Callable[[], RunReport]) -> None:
    report = make()
    events = json.loads(text(report, "ocsf"))
    assert len(events) == report.counts().total()
    for event in events:
        ComplianceFinding.model_validate(event)
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]


def test_ocsf_suppresses_what_is_waived_and_keeps_its_status() -> None:
    accepted = finding("hv01", "b", Status.FAIL, waiver=WAIVER, vm="sql01")
    first, second = json.loads(text(run([visit(host("hv01"), [accepted]), unreached(host("hv02"), ["b"])]), "ocsf"))
    read = ComplianceFinding.model_validate(first)
    assert (read.status_id.name, read.compliance.status_id.name) == ("Suppressed", "Fail")
    assert [resource.name for resource in read.resources] == ["hv01", "sql01"]
    assert read.finding_info.uid == accepted.key
    assert (second["compliance"]["status"], second["unmapped"]["status"]) == ("Unknown", "not_assessed")


@MAKERS
def test_metrics_please_promtool(make: Callable[[], RunReport]) -> None:
    promtool = needed("promtool")
    metrics = text(make(), "prometheus", ReportOptions(exit_status=ExitStatus.FINDINGS))
    done = subprocess.run(
        [promtool, "check", "metrics"], input=metrics.encode(), capture_output=True, check=False, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, b"")


@anything
@given(runs())
def test_metrics_hold_any_text(report: RunReport) -> None:
    samples = [
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in text_string_to_metric_families(text(report, "prometheus"))
        for sample in family.samples
    ]
    assert len(samples) == len(set(samples))


def test_metrics_have_few_series_and_no_times_of_their_own() -> None:
    report = morning.many(300)
    families = list(text_string_to_metric_families(text(report, "prometheus")))
    assert {family.name for family in families} == {metric.name for metric in METRICS}
    assert all(sample.timestamp is None for family in families for sample in family.samples)
    checks = len({found.check_id for _, found in report.findings()})
    assert sum(len(family.samples) for family in families) <= 300 * 8 + checks + 30


def test_metrics_tell_of_the_exit_and_of_hosts_that_were_not_reached() -> None:
    report = run([visit(host("hv01"), [finding("hv01", "a", Status.FAIL)]), unreached(host("hv02"), ["a"])])
    written = text(report, "prometheus", ReportOptions(exit_status=ExitStatus.FINDINGS))
    assert "\nfleetscan_run_exit_code 3\n" in written
    assert '\nfleetscan_host_assessed{host="hv02"} 0\n' in written
    assert 'last_success_timestamp_seconds{host="hv01"} 17' in written
    assert 'last_success_timestamp_seconds{host="hv02"}' not in written
    assert '\nfleetscan_check_failing{check="a",severity="high"} 1\n' in written


def markdown(report: RunReport) -> list[Token]:
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table")
    return [token for block in parser.parse(text(report, "markdown")) for token in (block, *(block.children or ()))]


def check_markdown(report: RunReport) -> None:
    tokens = markdown(report)
    kinds = Counter(token.type for token in tokens)
    assert not any("html" in kind for kind in kinds)
    assert not kinds["link_open"] + kinds["image"] + kinds["em_open"] + kinds["strong_open"]
    width = cells = 0
    for token in tokens:
        if token.type == "table_open":
            width = 0
        width += token.type == "th_open"
        if token.type == "tr_open":
            cells = 0
        if token.type == "td_open":
            cells += 1
        if token.type == "tr_close" and cells:
            assert cells == width


@MAKERS
def test_markdown_has_no_markup_but_its_own(make: Callable[[], RunReport]) -> None:
    check_markdown(make())


@anything
@given(runs())
def test_markdown_holds_any_text(report: RunReport) -> None:
    check_markdown(report)


def test_markdown_mentions_and_links_nobody() -> None:
    written = text(run([], notices=("ask @everyone at www.example.com or https://example.com",)), "markdown")
    assert "ask `@`everyone at w\u200cww.example.com or https\\://example.com" in written


def test_markdown_fits_into_a_comment_for_a_large_fleet() -> None:
    assert len(text(morning.many(2000), "markdown")) < 65_536
    names = {f"hv{number:04}" for number in range(500)}
    found = [finding(name, "free-space", Status.FAIL, observed=f"{name} has none") for name in sorted(names)]
    written = text(run([visit(host(each.host), [each]) for each in found]), "markdown")
    assert "`hv0000 has none` and 499 other values" in written
    assert "`hv[0000-0499]`" in written


@pytest.mark.parametrize("name", ["junit", "hdf", "ocsf", "prometheus", "markdown", "tickets"])
def test_an_interrupted_run_can_be_written(name: str) -> None:
    never = visit(host("hv01"), [], started_at=None, ended_at=None)
    assert text(replace(run([never]), interrupted=True), name)


def test_large_runs_are_written_in_parts() -> None:
    report = morning.many(200)
    for name in ("csv", "json", "junit", "hdf", "ocsf", "tickets"):
        largest = max(len(part) for part in render(report, name))
        assert largest < 20_000, name


def test_every_format_reads_its_whole_run_once_more_the_same() -> None:
    report = morning.fleet()
    for name in ("junit", "hdf", "ocsf", "prometheus", "markdown", "tickets"):
        assert text(report, name) == text(report, name)
    assert StringIO(text(report, "markdown")).readline().startswith("# Hyper-V to Azure replication: 3 hosts failing")
