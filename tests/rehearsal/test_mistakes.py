"""What is wrong in a test is told with place and cure, and all of it at once."""

from __future__ import annotations

import pytest

from tests.rehearsal.conftest import BASE, CASES, Rehearsed

SPOILT = {
    "unknown probe": (
        CASES,
        "facts: {volumes: {status: denied}}",
        "facts: {volums: {}}",
        f'{CASES}:22:13: the playbook has no probe "volums"; did you mean "volumes"?',
    ),
    "unknown key": (
        CASES,
        "near: true",
        "neer: true",
        f'{CASES}:13:5: cases[2]: unknown key "neer"; did you mean "near"?',
    ),
    "unknown field of a host": (
        BASE,
        "{name: hv01, ",
        "{name: hv01, zones: x, ",
        f'{BASE}:2:20: host: unknown key "zones"; did you mean "zone"?',
    ),
    "unknown status": (
        CASES,
        '"D:": pass',
        '"D:": passed',
        (
            f'{CASES}:6:13: cases[0].expect.D:: "passed" is not one of pass, warn, fail, error, not_applicable, '
            'not_assessed; did you mean "pass"?'
        ),
    ),
    "unknown reason": (
        CASES,
        "permission.denied",
        "permission.deny",
        (
            f'{CASES}:24:43: cases[4].expect.-.reason: "permission.deny" is no reason code; '
            'did you mean "permission.denied"?'
        ),
    ),
    "unknown ending": (
        CASES,
        "{status: denied}",
        "{status: denid}",
        f'{CASES}:22:31: no question ends as "denid"; did you mean "denied"?',
    ),
    "a value of another type": (
        CASES,
        "{free_bytes: 10737418240}",
        "{free_bytes: lots}",
        f"{CASES}:8:50: volumes: disks[1].free_bytes: expected a whole number, got 'lots'",
    ),
    "a value of another type in a base": (
        BASE,
        "{id: v1, ",
        "{id: 1, ",
        f"{BASE}:6:14: volumes: disks[0].id: expected a text, got 1",
    ),
    "a missing value": (
        CASES,
        "label: ~, bytes: 0, ",
        "label: ~, ",
        f"{CASES}:18:31: volumes: disks[0].bytes: is missing",
    ),
    "a value that was taken away": (
        CASES,
        "{free_bytes: 10737418240}",
        "{free_bytes: ~}",
        f"{CASES}:8:50: volumes: disks[1].free_bytes: is missing",
    ),
    "a volume that the base does not have": (
        CASES,
        '"D:": {free_bytes: 10737418240}',
        '"F:": {free_bytes: 10737418240}',
        f'{CASES}:8:31: the list that this changes has no "F:"; it has C:, D:',
    ),
    "an object that does not exist": (
        CASES,
        '"E:": not_applicable',
        '"E:": not_applicable\n      "F:": pass',
        f'{CASES}:21:7: a volume without a size: there is no finding about "F:"; remove it',
    ),
    "a finding of which nothing is expected": (
        CASES,
        '\n      "D:": pass',
        "",
        (
            f'{CASES}:5:7: half empty: nothing is expected of "D:", and the check found pass; '
            "add it with pass if that is right"
        ),
    ),
    "an unknown base": (
        CASES,
        "based_on: hv01",
        "based_on: hv1",
        f'{CASES}:1:11: there is no base "hv1"; did you mean "hv01"?',
    ),
    "a base on itself": (
        BASE,
        "host: {",
        "based_on: hv01\nhost: {",
        f"{BASE}:2:11: the base is based on itself; break the circle",
    ),
    "two cases of one name": (
        CASES,
        "name: a tenth is left",
        "name: half empty",
        f'{CASES}:7:11: another case is called "half empty", too; choose another name',
    ),
    "a clock without a zone": (
        BASE,
        "name: hv01, ",
        'name: hv01, now: "2026-01-31T12:00:00", ',
        f'{BASE}:2:25: host.now: "2026-01-31T12:00:00" is no time with a zone; write it as 2026-01-31T12:00:00Z',
    ),
    "nothing expected": (
        CASES,
        '    expect:\n      "E:": not_applicable',
        "    expect: {}",
        f"{CASES}:19:13: cases[3].expect: is empty; write at least one",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_mistake(folder: Rehearsed, what: str) -> None:
    name, old, new, told = SPOILT[what]
    folder.replace(name, old, new)
    assert folder.mistakes() == [told]


def test_an_unknown_check(folder: Rehearsed) -> None:
    folder.write("tests/volume-has-rom.yaml", "cases: []\n")
    folder.write("tests/other/a.yaml", "cases: []\n")
    assert folder.mistakes() == [
        'tests/other: the playbook has no check "other"; it has volume-has-room',
        'tests/volume-has-rom.yaml: the playbook has no check "volume-has-rom"; did you mean "volume-has-room"?',
    ]


def test_files_of_another_kind(folder: Rehearsed) -> None:
    folder.write("tests/notes.txt", "")
    folder.write("tests/bases/old.yml", "")
    folder.write("tests/README.md", "may lie here")
    assert [line.partition(":")[0] for line in folder.mistakes()] == ["tests/bases/old.yml", "tests/notes.txt"]


def test_an_unknown_check_on_the_command_line(folder: Rehearsed) -> None:
    (mistake,) = folder.mistakes("--check", "volume-has-rom")
    assert 'did you mean "volume-has-room"?' in mistake


def test_a_list_without_its_key(folder: Rehearsed) -> None:
    folder.write(CASES, "- {name: x, expect: {x: pass}}\n")
    assert folder.mistakes() == [f"{CASES}:1:1: a list stands where a mapping is expected; write `cases:` above it"]


def test_several_mistakes_are_told_at_once(folder: Rehearsed) -> None:
    folder.write("tests/bases/other.yaml", "facts: {volumes: {disks: [{id: v1}]}}\n")
    folder.replace(CASES, "{free_bytes: 10737418240}", "{free_bytes: lots}")
    folder.write("tests/volume-has-rom.yaml", "")
    lines = folder.mistakes()
    assert [line.split(":")[0] for line in lines] == [
        *["tests/bases/other.yaml"] * 3,
        "tests/volume-has-rom.yaml",
        CASES,
    ]


def test_a_time_beyond_the_calendar(folder: Rehearsed) -> None:
    folder.replace("probes/volumes.yaml", "label: string?", "label: time?")
    folder.replace(BASE, "label: data", "label: now+9999999d")
    (mistake,) = folder.mistakes()
    assert "disks[1].label: expected a time with zone" in mistake
