"""Facts laid over facts, and where each of them stands."""

from __future__ import annotations

from datetime import datetime

import pytest

from fleetscan.errors import Problem
from fleetscan.factfile import Fact, is_outcome, overlay, resolved
from fleetscan.model.playbook import JSON
from fleetscan.yamlfile import read

BASE = """\
vms:
  - {name: sql01, state: Running, disks: [{path: a, size: 1}, {path: b, size: 2}]}
  - {name: web01, state: "Off", disks: []}
services: {vmms: Running, winmgmt: Running}
since: now-3m
"""


def laid(top: str) -> tuple[Fact, list[Problem]]:
    """The text over BASE."""
    base, over = read("base.yaml", BASE), read("top.yaml", top)
    problems: list[Problem] = []
    return overlay(Fact(base.data, base), Fact(over.data, over), problems), problems


def found(top: str, *loc: str | int) -> JSON:
    """One value of it."""
    fact, problems = laid(top)
    assert problems == []
    value: JSON = fact.value
    for step in loc:
        value = value[step]  # type: ignore[index,call-overload] # the test knows what is there
    return value


def test_a_name_or_a_number_changes_one_member() -> None:
    assert found("vms: {web01: {state: On}}", "vms", 1) == {"name": "web01", "state": "On", "disks": []}
    assert found("vms: {web01: {state: On}}", "vms", 0, "state") == "Running"
    assert found("vms: {sql01: {disks: {1: {size: 3}}}}", "vms", 0, "disks") == [
        {"path": "a", "size": 1},
        {"path": "b", "size": 3},
    ]


def test_null_takes_away() -> None:
    assert found("services: {vmms: ~}", "services") == {"winmgmt": "Running"}
    assert [vm["name"] for vm in found("vms: {sql01: ~}", "vms")] == ["web01"]  # type: ignore[union-attr,index,call-overload]


def test_other_values_replace() -> None:
    assert found("vms: []", "vms") == []
    assert found("services: {status: denied}", "services") == {"status": "denied"}
    assert found("new: {a: 1}", "new") == {"a": 1}


def test_an_answer_over_a_refusal_replaces_it() -> None:
    base, over = read("b", "p: {status: denied}"), read("t", "p: {vms: []}")
    assert overlay(Fact(base.data, base), Fact(over.data, over), []).value == {"p": {"vms": []}}


@pytest.mark.parametrize("top", ["vms: {web02: {state: On}}", "vms: {sql01: {disks: {2: {size: 3}}}}"])
def test_a_member_that_is_not_there_is_a_mistake(top: str) -> None:
    fact, (problem,) = laid(top)
    assert fact.value == read("base.yaml", BASE).data
    assert str(problem).startswith(f"top.yaml:1:{top.index('web02' if 'web' in top else '2') + 1}: ")


@pytest.mark.parametrize(
    ("loc", "place"),
    [
        (("vms", 0, "state"), "top.yaml:1:22"),
        (("vms", 0, "disks", 1, "size"), "base.yaml:2:79"),
        (("vms", 0), "top.yaml:1:14"),
        (("since",), "base.yaml:5:8"),
    ],
)
def test_mistakes_are_shown_where_the_value_stands(loc: tuple[str | int, ...], place: str) -> None:
    """After web01 is gone, sql01 is still found; what top does not say is in the base."""
    fact, _ = laid("vms: {sql01: {state: On}, web01: ~}")
    assert str(fact.problem(loc, "wrong")).partition(": ")[0] == place


def test_moments() -> None:
    now = datetime.fromisoformat("2026-03-01T01:00:00+01:00")
    assert resolved({"a": ["now", "now-1d", "now+90s"], "b": "now-ish"}, now) == {
        "a": ["2026-03-01T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-01T00:01:30Z"],
        "b": "now-ish",
    }


def test_an_outcome_is_nothing_but_one() -> None:
    assert is_outcome({"status": "denied", "error": "no"})
    assert not is_outcome({"status": "denied", "vms": []})
    assert not is_outcome({"status": "Running"})
