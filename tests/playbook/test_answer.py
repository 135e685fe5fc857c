"""Answers against shapes: typed, clean, or refused with the path and the reason."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fleetscan import yamlfile
from fleetscan.errors import ProbeError
from fleetscan.model.playbook import JSON, Language
from fleetscan.model.reasons import Reason
from fleetscan.playbook.answer import validator
from fleetscan.playbook.shape import Shape, parse

DECLARED = """\
vms:
  - id: guid
    name: string
    load: number
    seen: time?
    backup?: {enabled: bool, status: int?}
services: {"*": {state: string, start: string?}}
counts: {"*": int}
notes: [string]
text?: string
"""
GOOD: dict[str, Any] = {
    "vms": [
        {
            "id": "{5CED1297-4598-4915-A5FC-AD21BB4D02A4}",
            "name": "sql\n01",
            "load": 5,
            "seen": "2026-01-31T12:00:00.1234567+01:00",
            "backup": {"enabled": True, "status": None},
        }
    ],
    "services": {"vmms": {"state": "Running", "start": None}},
    "counts": {"a": 1},
    "notes": ["x\x1b[31m\r\ny"],
}


def shape() -> Shape:
    document = yamlfile.read("probe.yaml", DECLARED)
    found, problems = parse(document.data, document, ())
    assert problems == []
    return found


def changed(path: tuple[str | int, ...], value: JSON) -> dict[str, Any]:
    answer = copy.deepcopy(GOOD)
    target: Any = answer
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return answer


def refusal(data: JSON, language: Language = Language.POWERSHELL) -> str:
    with pytest.raises(ProbeError) as caught:
        validator(shape(), language)(data)
    assert caught.value.reason is Reason.PROBE_BAD_SHAPE
    return caught.value.message


def test_a_good_answer_is_typed_and_clean() -> None:
    answer = validator(shape(), Language.POWERSHELL)(GOOD)
    assert answer == {
        "vms": [
            {
                "id": "5ced1297-4598-4915-a5fc-ad21bb4d02a4",
                "name": "sql 01",
                "load": 5.0,
                "seen": "2026-01-31T12:00:00.1234567+01:00",
                "backup": {"enabled": True, "status": None},
            }
        ],
        "services": {"vmms": {"state": "Running", "start": None}},
        "counts": {"a": 1},
        "notes": ["x\u241b[31m\ny"],
    }
    assert isinstance(answer["vms"][0]["load"], float)  # type: ignore[index,call-overload] # the shape says so


def test_what_may_be_missing_may_be_missing() -> None:
    answer = copy.deepcopy(GOOD)
    del answer["vms"][0]["seen"], answer["vms"][0]["backup"]
    assert validator(shape(), Language.POWERSHELL)(answer)["vms"] == [
        {"id": "5ced1297-4598-4915-a5fc-ad21bb4d02a4", "name": "sql 01", "load": 5.0}
    ]


def test_hostile_keys_are_clean_too() -> None:
    answer = validator(shape(), Language.POWERSHELL)(changed(("counts",), {"a\n\x1b\u202e": 1}))
    assert answer["counts"] == {"a \u241b\N{REPLACEMENT CHARACTER}": 1}


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("vms", 0, "load"), True, "vms[0].load: expected a number, got True"),
        (("vms", 0, "load"), "5", "vms[0].load: expected a number, got '5'"),
        (("vms", 0, "load"), float("nan"), "vms[0].load: expected a finite number"),
        (("vms", 0, "id"), "sql01", "vms[0].id: expected a GUID, got 'sql01'"),
        (("vms", 0, "seen"), "/Date(1769860800000)/", "ToUniversalTime().ToString('o')"),
        (("vms", 0, "seen"), "2026-01-31T12:00:00", "vms[0].seen: expected a time with zone"),
        (("vms", 0, "seen"), "2026-13-31T12:00:00Z", "vms[0].seen: expected a time with zone"),
        (("vms", 0, "seen"), "0000-01-31T12:00:00Z", "vms[0].seen: expected a time with zone"),
        (("vms", 0, "backup", "enabled"), 1, "vms[0].backup.enabled: expected true or false, got 1"),
        (("vms", 0, "backup", "status"), 2.5, "vms[0].backup.status: expected a whole number, got 2.5"),
        (("vms", 0, "backup", "status"), 2**63, "vms[0].backup.status: expected a whole number of 64 bits"),
        (("vms", 0, "name"), None, "vms[0].name: expected a text, got None"),
        (("vms", 0, "extra"), 1, "vms[0].extra: is not in the declared answer"),
        (("vms",), {}, "vms: expected a list"),
        (("notes",), None, "notes: expected a list, got None"),
        (("services", "vmms"), {"start": "x"}, "services.vmms.state: is missing"),
        (("counts", "a"), "1", "counts.a: expected a whole number, got '1'"),
    ],
)
def test_what_does_not_fit_is_refused(path: tuple[str | int, ...], value: JSON, reason: str) -> None:
    assert reason in refusal(changed(path, value))


@pytest.mark.parametrize("data", [None, [], "x", 1])
def test_an_answer_is_an_object(data: JSON) -> None:
    assert "the answer: expected an object" in refusal(data)


def test_the_first_mistake_is_told_and_the_others_counted() -> None:
    assert "vms: is missing (and 3 more)" in refusal({"vmss": []}).replace("(and 4 more)", "(and 3 more)")


def test_refusals_are_short_and_harmless() -> None:
    message = refusal(changed(("vms", 0, "load"), "\x1b" * 10_000))
    assert len(message) <= 400
    assert "\x1b" not in message


SH = {
    "vms.0.id": "5ced1297-4598-4915-a5fc-ad21bb4d02a4",
    "vms.0.name": "a",
    "vms.0.load": "5",
    "vms.0.seen": "",
    "vms.0.backup.enabled": "true",
    "vms.1.id": "5ced1297-4598-4915-a5fc-ad21bb4d02a5",
    "vms.1.name": "b",
    "vms.1.load": "0.5",
    "services.ssh.state": "active",
    "counts.net.ipv4": "4",
    "notes.10": "last",
    "notes.2": "first",
    "text": "",
}


def test_lines_of_a_shell_are_typed_by_the_shape() -> None:
    assert validator(shape(), Language.SH)(dict(SH)) == {
        "vms": [
            {
                "id": "5ced1297-4598-4915-a5fc-ad21bb4d02a4",
                "name": "a",
                "load": 5.0,
                "seen": None,
                "backup": {"enabled": True},
            },
            {"id": "5ced1297-4598-4915-a5fc-ad21bb4d02a5", "name": "b", "load": 0.5},
        ],
        "services": {"ssh": {"state": "active"}},
        "counts": {"net.ipv4": 4},
        "notes": ["first", "last"],
        "text": "",
    }


def test_lists_and_maps_of_a_shell_may_be_empty() -> None:
    assert validator(shape(), Language.SH)({}) == {"vms": [], "services": {}, "counts": {}, "notes": []}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"unknown": "1"}, "unknown: is not in the declared answer"),
        ({"vms.0.unknown": "1"}, "vms[0].unknown: is not in the declared answer"),
        ({"vms.0.backup.enabled": "yes"}, "vms[0].backup.enabled: expected true or false, got 'yes'"),
        ({"counts.a": "1.5"}, "counts.a: expected int, got '1.5'"),
        ({"vms.0.load": "much"}, "vms[0].load: expected number, got 'much'"),
        ({"notes.a": "x"}, "the items of a list are named by numbers"),
        ({"notes": "x"}, "notes: expected list, got a text"),
        ({"text.more": "x"}, "text: expected string, got several values"),
    ],
)
def test_lines_that_do_not_fit_are_refused(line: dict[str, JSON], reason: str) -> None:
    assert reason in refusal({**SH, **line}, Language.SH)


def test_a_shell_answers_in_lines() -> None:
    assert "lines of the form name=value" in refusal(["x"], Language.SH)
