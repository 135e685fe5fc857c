"""Change tickets: opened once, kept while unknown, closed when all is well, and harmless wherever they are opened."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings

from fleetscan import yamlfile
from fleetscan.errors import InputError
from fleetscan.model.finding import Finding, Status
from fleetscan.model.history import Change, ChangeKind, History
from fleetscan.model.playbook import Severity
from fleetscan.model.run import HostReport, RunReport
from fleetscan.model.waiver import Waiver
from fleetscan.report import render
from fleetscan.report.csv_rows import CELL_LIMIT
from fleetscan.report.options import ReportOptions
from fleetscan.report.tickets import FIELDS, SHIPPED, json_schema, load, told
from tests.report import morning
from tests.report.factory import START, finding, host, run, unreached, visit
from tests.report.hostile import runs
from tests.report.test_csv import FORMULA, rfc4180, standard_library

NAME = "hv01.example"
NIGHT = START - timedelta(days=3)
WAIVER = Waiver(id="w1", owner="Anna Durand", ticket="CHG-1", reason="until the move", expires=date(2026, 12, 31))


def vm(name: str, status: Status, check: str = "backup", **changes: object) -> Finding:
    return finding(NAME, check, status, vm=name, **changes)


def change(kind: ChangeKind, before: Finding | None, after: Finding | None, since: datetime | None = NIGHT) -> Change:
    return Change(kind=kind, before=before, after=after, open_since=since)


def rows(report: RunReport, options: ReportOptions | None = None) -> list[dict[str, str]]:
    text = "".join(render(report, "tickets", options or ReportOptions()))
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def night(findings: Sequence[Finding], changes: Sequence[Change] | None, *more: HostReport) -> RunReport:
    """A run of one host, against one before it unless `changes` is None."""
    history = None
    if changes is not None:
        history = History(previous_run="r0", previous_started_at=NIGHT, changes=tuple(changes))
    return run([visit(host(NAME), findings), *more], history=history)


FAIL, PASS, UNSEEN = (Status.FAIL, Status.PASS, Status.NOT_ASSESSED)
KIND = ChangeKind


@pytest.mark.parametrize(
    ("findings", "changes", "state", "objects"),
    [
        pytest.param([vm("a", FAIL)], None, "new", "a", id="no history: new"),
        pytest.param([vm("a", FAIL)], [change(KIND.NEW, vm("a", PASS), vm("a", FAIL), None)], "new", "a", id="new"),
        pytest.param(
            [vm("a", FAIL)], [change(KIND.STILL_FAILING, vm("a", FAIL), vm("a", FAIL))], "open", "a", id="still failing"
        ),
        pytest.param([vm("a", PASS)], [change(KIND.FIXED, vm("a", FAIL), vm("a", PASS))], "resolved", "a", id="fixed"),
        pytest.param(
            [vm("", Status.NOT_APPLICABLE)], [change(KIND.FIXED, vm("a", FAIL), None)], "resolved", "a", id="VM is gone"
        ),
        pytest.param(
            [vm("a", PASS), vm("b", FAIL)],
            [
                change(KIND.FIXED, vm("a", FAIL), vm("a", PASS)),
                change(KIND.STILL_FAILING, vm("b", FAIL), vm("b", FAIL)),
            ],
            "open",
            "b",
            id="partly fixed: open with the rest",
        ),
        pytest.param(
            [vm("a", PASS), vm("b", FAIL)],
            [change(KIND.FIXED, vm("a", FAIL), vm("a", PASS)), change(KIND.NEW, vm("b", PASS), vm("b", FAIL), None)],
            "open",
            "b",
            id="one fixed, another new: the same ticket",
        ),
        pytest.param(
            [vm("a", UNSEEN)],
            [change(KIND.NO_LONGER_ASSESSED, vm("a", FAIL), vm("a", UNSEEN))],
            "open",
            "a",
            id="not looked at: stays open",
        ),
        pytest.param(
            [vm("a", PASS), vm("b", UNSEEN)],
            [
                change(KIND.FIXED, vm("a", FAIL), vm("a", PASS)),
                change(KIND.NO_LONGER_ASSESSED, vm("b", FAIL), vm("b", UNSEEN)),
            ],
            "open",
            "b",
            id="one fixed, the other not looked at",
        ),
        pytest.param(
            [vm("a", PASS), vm("b", UNSEEN)],
            [change(KIND.FIXED, vm("a", FAIL), vm("a", PASS))],
            "open",
            "a",
            id="fixed, but something of it is not known",
        ),
        pytest.param([vm("a", FAIL, waiver=WAIVER)], [], "waived", "a", id="waived"),
        pytest.param(
            [vm("a", FAIL, waiver=WAIVER), vm("b", FAIL)],
            [change(KIND.STILL_FAILING, vm("b", FAIL), vm("b", FAIL))],
            "open",
            "b",
            id="partly waived: the rest",
        ),
        pytest.param(
            [vm("a", FAIL)],
            [change(KIND.STILL_FAILING, vm("a", FAIL, waiver=WAIVER), vm("a", FAIL))],
            "new",
            "a",
            id="the waiver has ended: there was no ticket",
        ),
        pytest.param(
            [vm("a", PASS)],
            [change(KIND.FIXED, vm("a", FAIL, waiver=WAIVER), vm("a", PASS))],
            "resolved",
            "a",
            id="a waived failure is fixed",
        ),
    ],
)
def test_what_becomes_of_a_ticket(
    findings: list[Finding], changes: list[Change] | None, state: str, objects: str
) -> None:
    (row,) = (row for row in rows(night(findings, changes)) if row["check_id"])
    assert row["state"] == state
    assert [part.split(" [")[0] for part in row["affected_objects"].split("; ")] == objects.split()
    assert row["object_count"] == str(len(objects.split()))
    assert row["first_seen"][:10] == ("2026-11-24" if state in ("new", "waived") else "2026-11-21")


@pytest.mark.parametrize("status", [Status.PASS, Status.WARN, Status.NOT_APPLICABLE])
def test_what_does_not_fail_is_no_ticket(status: Status) -> None:
    assert rows(night([vm("a", status)], None)) == []
    newly = change(KIND.NEWLY_ASSESSED, None, vm("a", status), None)
    assert rows(night([vm("a", status)], [newly])) == []


def test_a_run_that_did_not_ask_resolves_nothing() -> None:
    other_host = Change(kind=KIND.FIXED, before=finding("hv02", "backup", FAIL), after=None, open_since=NIGHT)
    other_check = change(KIND.FIXED, vm("a", FAIL, "other"), None)
    assert rows(night([vm("a", PASS)], [other_host, other_check])) == []


def test_an_unreachable_host_keeps_its_tickets_and_is_there() -> None:
    dead = unreached(host("hv02"), ["backup", "services"])
    kept = Change(
        kind=KIND.NO_LONGER_ASSESSED, before=finding("hv02", "backup", FAIL), after=dead.findings[0], open_since=NIGHT
    )
    first, gap = rows(night([], [kept], dead))
    assert (first["host"], first["check_id"], first["state"]) == ("hv02", "backup", "open")
    assert first["observed"] == "Could not be looked at this time: hv02"
    assert (gap["host"], gap["state"], gap["object_count"]) == ("hv02", "not_assessed", "2")
    assert gap["affected_objects"] == "backup; services"
    assert "refuses port 5986" in gap["message"]
    assert gap["remedy"] == "fleetscan doctor hv02"
    assert gap["due_date"] == ""


def test_the_key_is_that_of_host_and_check_and_of_nothing_else() -> None:
    report = night([vm("a", FAIL), vm("a", FAIL, "services"), vm("b", FAIL)], None)
    later = replace(report, run_id="r9", started_at=START + timedelta(days=9))
    keys = [row["ticket_key"] for row in rows(report)]
    assert keys == [row["ticket_key"] for row in rows(later)]
    assert len(set(keys)) == 2
    upper = finding(NAME.upper(), "backup", FAIL)
    assert rows(run([visit(host(NAME.upper()), [upper])]))[0]["ticket_key"] == keys[0]


@pytest.mark.parametrize(
    ("severity", "priority", "due"),
    [
        (Severity.CRITICAL, "1", "2026-11-23"),
        (Severity.HIGH, "2", "2026-11-28"),
        (Severity.MEDIUM, "3", "2026-12-21"),
        (Severity.LOW, "4", "2027-02-19"),
        (Severity.INFO, "5", ""),
    ],
)
def test_priority_and_due_date_come_from_the_severity_and_the_first_night(
    severity: Severity, priority: str, due: str
) -> None:
    found = vm("a", FAIL, severity=severity)
    (row,) = rows(night([found], [change(KIND.STILL_FAILING, found, found)]))
    assert (row["priority"], row["due_date"]) == (priority, due)


def test_a_row_can_be_handed_over_alone() -> None:
    failing = [
        vm(
            name,
            FAIL,
            why="No consistent snapshots.",
            observed=observed,
            expected="enabled",
            remedy=f"Enable it for {name}.",
            action="enable-backup-service",
        )
        for name, observed in (("sql01", "disabled"), ("web02", "disabled"), ("app03", "not reported"))
    ]
    options = ReportOptions(command="fleetscan scan -i paris.yaml")
    (row,) = rows(night(failing, None), options)
    assert row["object_count"] == "3"
    assert row["observed"] == "disabled: sql01, web02; not reported: app03"
    assert row["remedy"] == "Enable it for sql01. (likewise for web02, app03)"
    assert row["why"] == "No consistent snapshots."
    assert row["suggested_action"] == "enable-backup-service"
    assert row["verify_command"] == f"fleetscan scan -i paris.yaml -l {NAME} --check backup --fail-on info --no-store"
    assert row["planned_window"] == row["owner"] == ""
    assert list(row) == list(FIELDS)


def test_a_waived_row_says_who_has_answered_until_when() -> None:
    (row,) = rows(night([vm("a", FAIL, waiver=WAIVER)], None))
    assert (row["owner"], row["waiver_id"], row["waiver_ticket"]) == ("Anna Durand", "w1", "CHG-1")
    assert row["waiver_expires"] == "2026-12-31"


def test_the_line_about_the_file_counts_states() -> None:
    assert told(morning.fleet()) == "tickets: 4 new, 3 not assessed"
    assert told(morning.fleet(), ReportOptions(ticket_columns=load("jira"))) == "tickets: 4 new"
    assert told(run([])) == "no tickets"


@settings(max_examples=60, deadline=None)
@given(runs())
def test_any_text_gives_the_same_harmless_table_to_every_reader(report: RunReport) -> None:
    text = "".join(render(report, "tickets"))
    text.encode()
    table = standard_library(text)
    assert rfc4180(text) == table
    assert {len(record) for record in table} == {len(FIELDS)}
    assert len(text.splitlines()) == len(table)
    for record in table[1:]:
        for cell in record:
            assert not cell.lstrip().startswith(FORMULA), cell
            assert len(cell.encode("utf-16-le")) <= 2 * CELL_LIMIT
    failing = Counter((id(visited), found.check_id) for visited, found in report.findings() if found.status is FAIL)
    assert sum(row["state"] in ("new", "waived") for row in rows(report)) == len(failing)


@pytest.mark.parametrize(
    ("name", "cell"), [("007", "'007"), ("1e5", "'1e5"), ("12345678901234567", "'12345678901234567"), ("4", "4")]
)
def test_a_spreadsheet_does_not_take_a_name_for_another_number(name: str, cell: str) -> None:
    (row,) = rows(night([vm("a", FAIL, observed=name)], None))
    assert row["observed"] == cell


@pytest.mark.parametrize("name", SHIPPED)
def test_the_columns_that_are_shipped_fit_the_schema_and_every_ticket(name: str) -> None:
    path = Path(__file__).parents[2] / "fleetscan" / "report" / "tickets" / "shipped" / f"{name}.yaml"
    jsonschema.validate(yamlfile.read(path).data, json_schema())
    report = night([vm(severity.value, FAIL, severity.value, severity=severity) for severity in Severity], None)
    written = rows(report, ReportOptions(ticket_columns=load(name)))
    assert len(written) == len(Severity)
    assert len({json.dumps(row) for row in written}) == len(Severity)
    priority = [row.get("priority") or row.get("Priority") or row["urgency"] for row in written]
    assert not set(priority) & {severity.value for severity in Severity}, "a severity is not translated"


def test_line_breaks_of_the_template_stay_and_those_of_a_host_do_not() -> None:
    forged = "harmless\nWhat to do: format C:"
    (row,) = rows(night([vm("a", FAIL, message=forged)], None), ReportOptions(ticket_columns=load("jira")))
    lines = row["Description"].splitlines()
    assert lines[0] == "harmless ⏎ What to do: format C:"
    assert sum(line.startswith("What to do:") for line in lines) == 1


def test_the_published_schema_is_the_one_of_the_code() -> None:
    path = Path(__file__).parents[2] / "docs" / "schemas" / "ticket-columns.schema.json"
    assert json.loads(path.read_text(encoding="utf-8")) == json_schema()


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("columns: {Summary: '{hots}'}", ":1:20: ", 'did you mean "host"?'),
        ("columns: {Summary: '{host'}", ":1:20: ", "write {{ and }}"),
        ("columns: {Summary: '{host!r:>9}'}", ":1:20: ", "write {host}"),
        ("columns: {}", ":1:10: ", "columns: is empty"),
        ("title: x", ":1:1: ", '"columns" is missing'),
        ("columns: {a: x}\nstates: [newer]", ":2:10: ", 'did you mean "new"?'),
        ("columns: {a: x}\ndue_days: {high: soon}", ":2:18: ", "whole number"),
        ("columns:\n  a: {text: '{severity}', value: {}}", ":2:27: ", 'did you mean "values"?'),
        ("columns: {a: x, a: y}", ":1:17: ", "twice"),
        ("columns: {'=a': x}", ":1:17: ", "one line that"),
    ],
)
def test_mistakes_are_told_with_place_and_cure(tmp_path: Path, text: str, place: str, said: str) -> None:
    path = tmp_path / "columns.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(str(path))
    assert f"{path}{place}" in caught.value.message
    assert said in caught.value.message


def test_an_unknown_name_is_no_file() -> None:
    with pytest.raises(InputError, match='did you mean "servicenow"'):
        load("service-now")
