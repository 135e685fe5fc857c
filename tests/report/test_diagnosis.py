"""The diagnosis on the screen and in JSON: who, what, why, folded where it is the same, harmless whatever the names."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema

from fleetscan.model.diagnosis import Diagnosis, SeenCause
from fleetscan.model.finding import Status
from fleetscan.report import json_document, json_schema, table
from tests.report import morning
from tests.report.factory import finding, host, run, visit, vm_id


def cause(number: int = 0, host: str = "hv01.example") -> SeenCause:
    return SeenCause(
        check_id=f"check-{number}",
        article=("AC-7", "VH-2"),
        host=host,
        because=f"service {number} is disabled",
        remedy="enable it",
        finding_key="0123456789abcdef",
    )


def diagnosis(name: str, *causes: SeenCause, **changes: object) -> Diagnosis:
    values: dict[str, object] = {
        "rule": "no-snapshot",
        "vm_id": "c1fcc74a-3527-51b7-9f20-851ac3bec535",
        "vm_name": name,
        "hosts": ("hv01.example",),
        "says": "no application-consistent snapshots",
        "symptoms": ("app-consistent-snapshot-recent",),
        "causes": causes,
        "unseen": (),
    }
    return Diagnosis(**(values | changes))  # type: ignore[arg-type] # a test's shorthand


def screen(*diagnoses: Diagnosis, width: int = 100) -> list[str]:
    text = table.render(replace(morning.fleet(), diagnoses=diagnoses), width=width)
    lines = text.split("\n")
    start = lines.index("Diagnosis")
    return lines[start : lines.index("", start)]


def test_each_cause_has_its_line_with_host_and_item() -> None:
    assert screen(diagnosis("sql01", cause(1), cause(2, "sql01.example"))) == [
        "Diagnosis",
        "  sql01: no application-consistent snapshots",
        "    because service 1 is disabled (hv01.example, AC-7, VH-2)",
        "    because service 2 is disabled (sql01.example, AC-7, VH-2)",
    ]


def test_machines_with_the_same_causes_share_one_sentence() -> None:
    lines = screen(*(diagnosis(f"vm{number:02}", cause()) for number in range(10)))
    assert lines[1] == "  vm00, vm01, vm02, vm03, vm04, vm05 and 4 more: no application-consistent snapshots"
    assert len(lines) == 3


def test_many_diagnoses_keep_to_a_screen_and_all_shows_them() -> None:
    many = [diagnosis(f"vm{number}", cause(number)) for number in range(40)]
    assert screen(*many)[-1] == "  … and 28 more diagnoses"
    text = table.render(replace(morning.fleet(), diagnoses=tuple(many)), show="all")
    assert "vm39: no application-consistent snapshots" in text


def test_an_unknown_cause_says_so_and_names_what_was_not_seen() -> None:
    assert "    the cause is not known: every check that could explain it passes" in screen(diagnosis("sql01"))
    unseen = screen(diagnosis("sql01", unseen=("its guest",)))
    assert unseen[2] == "    the cause is not known; could not be looked at: its guest"


def test_a_machine_seen_on_two_hosts_is_marked() -> None:
    lines = screen(diagnosis("sql01", cause(), hosts=("hv01.example", "hv02.example")))
    assert lines[1].endswith("(seen on hv01.example and hv02.example)")


def test_hostile_names_stay_on_their_line() -> None:
    lines = screen(diagnosis("a\x1b[2J\nb", cause()), width=60)
    assert all(char.isprintable() for line in lines for char in line)
    assert max(map(len, lines)) <= 60


def test_json_has_every_diagnosis_as_the_schema_says() -> None:
    report = replace(morning.fleet(), diagnoses=(diagnosis("sql01", cause()), diagnosis("web03")))
    document = json.loads("".join(json_document.render(report)))
    jsonschema.validate(document, json_schema.schema())
    first, second = document["diagnoses"]
    assert first["diagnosis"] == (
        "sql01: no application-consistent snapshots, because service 0 is disabled (hv01.example, AC-7, VH-2)"
    )
    assert second["causes"] == []


def test_each_symptom_in_json_says_why() -> None:
    why = replace(diagnosis("sql01", cause()), symptoms=("symptom",), vm_id=vm_id("sql01").lower())
    sick, well = (finding("hv01", "symptom", status, vm="sql01") for status in (Status.FAIL, Status.PASS))
    findings = [sick, finding("hv01", "symptom", Status.FAIL, vm="web03"), replace(well, reason=None)]
    report = replace(run([visit(host("hv01"), findings)]), diagnoses=(why,))
    document = json.loads("".join(json_document.render(report)))
    jsonschema.validate(document, json_schema.schema())
    assert [row["diagnosis"] for row in document["findings"]] == [why.text, "", ""]
