"""Files of waivers: what is right in them, and how each mistake is told."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from fleetscan import playbook as playbooks
from fleetscan import waivers, yamlfile
from fleetscan.errors import InputError
from fleetscan.model.playbook import Playbook

GOOD = """\
timezone: Europe/Paris
waivers:
  - id: erp-backup
    check: backup-service-enabled
    host: hv07
    object: erp01
    owner: Anna Durand
    ticket: CHG-1
    reason: The database is backed up by itself.
    expires: 2026-12-31
  - {check: guest-*, owner: o, ticket: t, reason: r, expires: "2027-01-31"}
"""


@pytest.fixture(scope="module")
def book() -> Playbook:
    return playbooks.load()


def mistakes(tmp_path: Path, text: str, book: Playbook) -> list[str]:
    path = tmp_path / "waivers.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        waivers.load([str(path)], book)
    return [str(problem).removeprefix(str(path)) for problem in caught.value.problems]


def test_a_file_with_two_waivers(tmp_path: Path, book: Playbook) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(GOOD, encoding="utf-8")
    first, second = waivers.load([str(path)], book)
    assert first.waiver.id == "erp-backup"
    assert first.waiver.expires == date(2026, 12, 31)
    assert (first.host, first.object, first.timezone) == ("hv07", "erp01", "Europe/Paris")
    assert first.origin == f"{path}:3:5"
    assert (second.host, second.object) == ("all", "*")
    assert second.waiver.id.startswith("w-")


def test_the_id_of_a_waiver_without_one_stays_when_its_term_changes(tmp_path: Path, book: Playbook) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(GOOD, encoding="utf-8")
    before = waivers.load([str(path)], book)[1].waiver.id
    path.write_text(GOOD.replace("2027-01-31", "2027-06-30"), encoding="utf-8")
    assert waivers.load([str(path)], book)[1].waiver.id == before


def test_mistakes_stand_in_the_order_of_the_file(tmp_path: Path, book: Playbook) -> None:
    text = GOOD.replace("    check: ", "    chek: x\n    check: ").replace("owner: Anna Durand", "owner: ''")
    assert [line.split(": ")[0] for line in mistakes(tmp_path, text, book)] == [":4:5", ":8:12"]


def test_a_bare_list_is_a_file_too(tmp_path: Path, book: Playbook) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text("- {check: vmms-running, owner: o, ticket: t, reason: r, expires: 2026-12-31}\n", encoding="utf-8")
    (rule,) = waivers.load([str(path)], book)
    assert rule.timezone == "UTC"
    text = "- {check: vmms-runing, owner: o, ticket: t, reason: r, expires: 2026-12-31}\n"
    assert mistakes(tmp_path, text, book) == [
        ':1:11: the playbook asr-hyperv has no check "vmms-runing"; did you mean "vmms-running"?'
    ]


def test_all_mistakes_are_told_at_once_with_their_places(tmp_path: Path, book: Playbook) -> None:
    text = (
        GOOD.replace("Europe/Paris", "Europe/Pari")
        .replace("2026-12-31", "31.12.2026")
        .replace("guest-*", "geust-*")
        .replace('"2027-01-31"', "2027-02-30")
        .replace("    owner: Anna Durand\n", "    onwer: Anna Durand\n")
    )
    found = mistakes(tmp_path, text, book)
    assert ':1:11: timezone: "Europe/Pari" is no time zone; did you mean "Europe/Paris"?' in found
    assert any(line.startswith(':7:5: waivers[0]: unknown key "onwer"; did you mean "owner"') for line in found)
    assert ':3:5: waivers[0]: "owner" is missing; add it' in found
    assert ':10:14: waivers[0].expires: "31.12.2026" is no day; write it as 2026-12-31' in found
    assert any(line.startswith(':11:63: waivers[1].expires: "2027-02-30" is not in the calendar') for line in found)
    assert any(line.startswith(':11:13: the playbook asr-hyperv has no check "geust-*"') for line in found)
    assert len(found) == 6


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hv07", '"-"', "standard input"),
        ("hv07", '"hv07:!-"', "standard input"),
        ("erp01", "12", "must be a text; quote it"),
        ("Europe/Paris", "Europe", "is no time zone"),
        ("Europe/Paris", "../UTC", "is no time zone"),
        ("erp-backup", "a b", "waivers[0].id"),
        ("reason: The database is backed up by itself.", "reason: ' '", "is empty"),
        ("2026-12-31", "2026-12-31T00:00:00Z", "is no day"),
        ("waivers:", "waiver:", 'unknown key "waiver"'),
        ("backup-service-enabled", "backup service", "waivers[0].check"),
    ],
)
def test_a_mistake_has_its_words(tmp_path: Path, book: Playbook, old: str, new: str, message: str) -> None:
    assert old in GOOD
    assert any(message in line for line in mistakes(tmp_path, GOOD.replace(old, new, 1), book))


@pytest.mark.parametrize("text", ["", "waivers:\n", "waivers: {}\n", "just a text\n", "a: [\n"])
def test_what_is_no_file_of_waivers(tmp_path: Path, book: Playbook, text: str) -> None:
    assert mistakes(tmp_path, text, book)


def test_the_same_waiver_twice_is_a_mistake_also_in_two_files(tmp_path: Path, book: Playbook) -> None:
    one, two = tmp_path / "a.yaml", tmp_path / "b.yaml"
    for path in (one, two):
        path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        waivers.load([str(one), str(two)], book)
    first, second = map(str, caught.value.problems)
    assert first == f'{two}:3:9: "erp-backup" is here twice; {one}:3:5 has it already'
    assert second == f"{two}:11:5: waives the same as another one; {one}:11:5 has it already"


def test_the_published_schema_is_the_one_of_the_code() -> None:
    path = Path(__file__).parents[2] / "docs" / "schemas" / "waivers.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert schema == waivers.json_schema()  # fleetscan waivers schema > this file
    jsonschema.validate(yamlfile.read("waivers.yaml", GOOD).data, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yamlfile.read("waivers.yaml", GOOD.replace("owner", "onwer")).data, schema)
