"""JSON: valid by its published schema, exact, and pure ASCII."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from fleetscan.model.facts import HostFacts, ProbeAnswer
from fleetscan.model.finding import Status
from fleetscan.model.playbook import DataSource
from fleetscan.model.reasons import Reason
from fleetscan.model.run import RunReport
from fleetscan.report.json_document import render
from fleetscan.report.json_schema import schema
from tests.report import morning
from tests.report.factory import PAYLOAD, finding, host, run, visit
from tests.report.hostile import runs
from tests.report.test_csv import rows as csv_rows

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas" / "result.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(schema())


def load(report: RunReport) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads("".join(render(report)), parse_constant=refuse)


def lone_surrogates(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


@settings(max_examples=50, deadline=None)
@given(runs())
def test_any_run_validates_in_printable_ascii(report: RunReport) -> None:
    text = "".join(render(report))
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    document = load(report)
    VALIDATOR.validate(document)
    assert not lone_surrogates(document)
    assert [row["status"] for row in document["findings"]] == [found.status for _, found in report.findings()]


def test_the_published_schema_is_the_one_of_the_code() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == schema(), (
        "write it anew: python -c 'import json; from fleetscan.report.json_schema import schema; "
        f"print(json.dumps(schema(), indent=2))' > {PUBLISHED.name}"
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("findings", 0, "status"), "ok"),
        (("findings", 0, "reason_code"), "no.such"),
        (("findings", 0, "surplus"), 1),
        (("hosts", 0, "verdict"), None),
        (("run", "started_at"), "yesterday"),
        (("run", "finding_counts", "fail"), -1),
    ],
)
def test_the_schema_refuses_what_is_wrong(path: tuple[str | int, ...], value: object) -> None:
    document = load(morning.fleet())
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)


def test_the_schema_refuses_a_row_without_one_of_its_columns() -> None:
    document = load(morning.fleet())
    for column in list(document["findings"][0]):
        short = document | {"findings": [{k: v for k, v in document["findings"][0].items() if k != column}]}
        assert not VALIDATOR.is_valid(short), column


def test_text_is_exact_and_not_defused() -> None:
    name = "=cmd|'/c calc'!A1\r\n\t\x1b[2J zürich\u202e"
    document = load(run([visit(host("hv01"), [finding("hv01", "check", Status.FAIL, object_name=name)])]))
    assert document["findings"][0]["object_name"] == name


def test_rows_have_the_names_and_values_of_the_csv_and_a_diagnosis() -> None:
    report = morning.fleet()
    for row, cells in zip(load(report)["findings"], csv_rows(report), strict=True):
        del row["diagnosis"]
        assert {key: str(value).lower() if key == "waived" else value for key, value in row.items()} == cells


def test_a_host_that_refused_says_where_and_why_and_what_to_try() -> None:
    document = load(morning.fleet())
    (refused,) = [each for each in document["hosts"] if each["host"].startswith("hv09")]
    assert refused["verdict"] == "not_assessed"
    assert refused["trouble"] == {
        "reason": "unreachable.refused",
        "stage": "connect",
        "message": "10.1.2.9 refuses port 5986, but listens on 5985: is the HTTPS listener configured?",
        "hint": "fleetscan doctor hv09.paris.corp.example",
    }
    assert (refused["transport"], refused["zone"], refused["attempts"]) == ("winrm", "paris", 2)
    assert refused["meta"] == {}
    assert refused["probes"] == {}
    assert refused["counts"]["not_assessed"] == refused["counts"]["total"] == 8


def test_facts_come_with_their_time_and_their_hash() -> None:
    where = host("hv01")
    denied = ProbeAnswer(probe="guests", data=None, reason=Reason.PERMISSION_DENIED, message="no", ms=4)
    fine = ProbeAnswer(probe="services", data={"ratio": math.nan, "up": math.inf, "n": 2**60}, ms=9, sha256=PAYLOAD)
    facts = HostFacts(meta={"computer": "HV01"}, answers={"guests": denied, "services": fine}, payload_sha256=PAYLOAD)
    (told,) = load(run([replace(visit(where, []), facts=facts)]))["hosts"]
    assert told["meta"] == {"computer": "HV01"}
    assert told["probes"]["guests"] == {
        "reason": "permission.denied",
        "message": "no",
        "ms": 4,
        "sha256": "",
        "data": None,
    }
    assert told["probes"]["services"]["data"] == {"ratio": None, "up": None, "n": 2**60}
    assert told["probes"]["services"]["sha256"] == PAYLOAD
    assert told["seconds"] == {"connect": 0.021, "logon": 0.3, "command": 1.579}


def test_the_run_says_how_it_was_made() -> None:
    made = load(run([], notices=("TLS was not verified",), interrupted=True))["run"]
    assert made["notices"] == ["TLS was not verified"]
    assert made["interrupted"] is True
    assert made["data"] == []
    assert (made["started_at"], made["ended_at"]) == ("2026-11-24T02:00:00Z", "2026-11-24T02:00:08Z")


def test_the_run_says_with_which_lists_it_compared() -> None:
    """Also with those that are fresh: a later reader has another today."""
    fresh = DataSource(id="matrix", as_of="2026-11-20", source="https://example.com/matrix", origin="mine/matrix.yaml")
    document = load(run([], data=(fresh,)))
    VALIDATOR.validate(document)
    assert document["run"]["data"] == [
        {"id": "matrix", "as_of": "2026-11-20", "source": "https://example.com/matrix", "file": "mine/matrix.yaml"}
    ]
