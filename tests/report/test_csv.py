"""CSV: opens in a spreadsheet, runs nothing there, and keeps one record a line."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings

from fleetscan.errors import InputError
from fleetscan.model.finding import Status
from fleetscan.model.run import RunReport
from fleetscan.report.csv_rows import CELL_LIMIT, render
from fleetscan.report.options import ReportOptions, delimiter
from fleetscan.report.rows import COLUMNS
from tests.report import morning
from tests.report.factory import PAYLOAD, finding, host, run, visit
from tests.report.hostile import TEXTS, runs

FORMULA = tuple("=+-@\t\r＝＋－＠")

DESIGN = (
    "run_id,finding_key,assessed_at,host,host_role,zone,cluster,vmm_server,object_type,object_id,object_name,check_id,"
    "check_title,article,severity,status,reason_code,message,expected,observed,waived,waiver_id,waiver_expires,remedy,"
    "reference,evidence_ref,tool_version,payload_sha256"
)


def standard_library(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def rfc4180(text: str) -> list[list[str]]:
    """Read what the grammar of RFC 4180 allows with every field quoted, and nothing else."""
    records: list[list[str]] = []
    record: list[str] = []
    at = 0
    while at < len(text):
        assert text[at] == '"', f"a field begins with {text[at]!r}"
        field = ""
        at += 1
        while text[at] != '"' or text[at : at + 2] == '""':
            field += text[at]
            at += 2 if text[at] == '"' else 1
        record.append(field)
        at += 1
        if text[at] == ",":
            at += 1
            continue
        assert text[at : at + 2] == "\r\n", f"a record ends with {text[at : at + 2]!r}"
        records.append(record)
        record = []
        at += 2
    assert record == []
    return records


def rows(report: RunReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(render(report)), newline=""), strict=True))


def one(**changes: object) -> dict[str, str]:
    name = "hv01.example"
    (row,) = rows(run([visit(host(name), [finding(name, "check", Status.FAIL, **changes)])]))
    return row


@settings(max_examples=80, deadline=None)
@given(runs())
def test_any_text_in_any_field_gives_the_same_harmless_table_to_every_reader(report: RunReport) -> None:
    text = "".join(render(report))
    text.encode()  # no lone surrogate came through
    table = standard_library(text)
    assert rfc4180(text) == table
    assert len(table) == 1 + report.counts().total()
    assert {len(record) for record in table} == {len(COLUMNS)}
    assert len(text.splitlines()) == len(table)
    for record in table[1:]:
        for cell in record:
            assert not cell.lstrip().startswith(FORMULA), cell
            assert len(cell.encode("utf-16-le")) <= 2 * CELL_LIMIT


def test_the_columns_are_the_published_ones() -> None:
    assert "".join(render(run([]))) == ",".join(f'"{column}"' for column in DESIGN.split(",")) + "\r\n"


def test_a_row_says_all_of_its_finding() -> None:
    row = next(row for row in rows(morning.fleet()) if row["status"] == "fail")
    assert row == {
        "run_id": "20261124-0200-k3f7",
        "finding_key": row["finding_key"],
        "assessed_at": "2026-11-24T02:00:02Z",
        "host": "hv07.paris.corp.example",
        "host_role": "hyperv",
        "zone": "paris",
        "cluster": "",
        "vmm_server": "vmm01.paris.corp.example",
        "object_type": "vm",
        "object_id": row["object_id"],
        "object_name": "sql01",
        "check_id": "backup-service-enabled",
        "check_title": "Backup service enabled",
        "article": "AC-7;VH-2",
        "severity": "critical",
        "status": "fail",
        "reason_code": "criterion.fail",
        "message": row["message"],
        "expected": "enabled, status OK",
        "observed": "disabled",
        "waived": "false",
        "waiver_id": "",
        "waiver_expires": "",
        "remedy": "Enable the backup integration service of sql01.",
        "reference": "https://learn.microsoft.com/azure/site-recovery/hyper-v-azure-troubleshoot",
        "evidence_ref": "host-services@0123456789ab",
        "tool_version": "0.1.0",
        "payload_sha256": PAYLOAD,
    }
    assert len(row["finding_key"]) == 16
    assert len(row["object_id"]) == 36


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
        ("  =1+1", "'  =1+1"),
        ("\tx", "' x"),
        ("+1", "'+1"),
        ("-5", "'-5"),
        ("@x", "'@x"),
        ("＝1+1", "'＝1+1"),
        ("sql-01 = @home", "sql-01 = @home"),
        ("two\r\nlines\nand  a third\n", "two ⏎ lines ⏎ and  a third"),
        ("a\tb", "a b"),
        ("\x1b[2J", "␛[2J"),
        ("\n=1", "'=1"),
        ("", ""),
    ],
)
def test_cells_are_defused_and_keep_to_one_line(name: str, cell: str) -> None:
    assert one(object_name=name)["object_name"] == cell


def test_a_cell_is_no_longer_than_excel_reads() -> None:
    for text in ("x" * 40_000, "=" + "y" * 40_000, "💾" * 31_000):
        cell = one(message=text)["message"]
        assert CELL_LIMIT - 1 <= len(cell.encode("utf-16-le")) / 2 <= CELL_LIMIT
        assert cell.endswith("…")
    for whole in ("💾" * 16_383, "x" * CELL_LIMIT):
        assert one(message=whole)["message"] == whole


@pytest.mark.parametrize("text", TEXTS)
def test_every_known_harm_is_one_physical_line(text: str) -> None:
    report = run([visit(host("hv01.example"), [finding("hv01.example", "check", object_name=text, message=text)])])
    assert len("".join(render(report)).splitlines()) == 2


def test_a_host_without_a_visit_is_dated_by_the_end_of_the_run() -> None:
    never = visit(host("hv01"), [finding("hv01", "check")], started_at=None, ended_at=None)
    assert rows(run([never]))[0]["assessed_at"] == "2026-11-24T02:00:08Z"


def test_times_are_utc_whatever_the_clock_of_the_process() -> None:
    paris = timezone(timedelta(hours=1))
    visited = visit(host("hv01"), [finding("hv01", "check")], ended_at=datetime(2026, 11, 24, 3, 0, tzinfo=paris))
    assert rows(run([visited]))[0]["assessed_at"] == "2026-11-24T02:00:00Z"


@pytest.mark.parametrize(("option", "char"), [(",", ","), (";", ";"), ("|", "|"), ("tab", "\t"), ("\t", "\t")])
def test_a_delimiter_changes_what_separates_and_nothing_else(option: str, char: str) -> None:
    report = morning.fleet()
    text = "".join(render(report, ReportOptions(csv_delimiter=delimiter(option))))
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=char)) == standard_library("".join(render(report)))


@pytest.mark.parametrize("option", ["", ":", "ab", '"', "\n", "a"])
def test_other_delimiters_are_a_mistake_with_a_cure(option: str) -> None:
    with pytest.raises(InputError, match=r"use one of , ; \| tab"):
        delimiter(option)


def test_a_byte_order_mark_comes_once_and_first() -> None:
    text = "".join(render(morning.fleet(), ReportOptions(csv_bom=True)))
    assert text == "\ufeff" + "".join(render(morning.fleet()))
    assert text.encode()[:3] == b"\xef\xbb\xbf"
