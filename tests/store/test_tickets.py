"""The life of a ticket over nights that are kept: opened once, closed once, whatever lies between."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date

from fleetscan.model.finding import Finding, Status
from fleetscan.model.reasons import Reason
from fleetscan.model.waiver import Waiver
from fleetscan.report import render
from fleetscan.store import Store
from tests.store.made import blind, finding, record, report, run

FAIL = Status.FAIL
ACCEPTED = Waiver(id="w", owner="Anna", ticket="CHG-1", reason="planned", expires=date(2026, 11, 30))


def night(store: Store, number: int, *findings: Finding, host: str = "hv01") -> list[tuple[str, str, str]]:
    """State, machines and due date of the tickets that a night writes, without what is not assessed."""
    made = run(f"r{number:02}", report(*findings, host=host, night=number), night=number)
    store.begin(record(made))
    store.finish(made)
    told = replace(made, history=store.history(made.run_id))
    rows = csv.DictReader(io.StringIO("".join(render(told, "tickets")), newline=""))
    return [
        (
            row["state"],
            " ".join(part.partition(" [")[0][-1] for part in row["affected_objects"].split(";")),
            row["due_date"],
        )
        for row in rows
        if row["state"] != "not_assessed"
    ]


def test_a_ticket_is_opened_once_and_closed_once(store: Store) -> None:
    due = "2026-11-09"  # a week after the first night
    healthy = finding(vm="a"), finding(vm="b")
    failing = finding(FAIL, vm="a"), finding(FAIL, vm="b")
    assert night(store, 0, *healthy) == []
    assert night(store, 1, *failing) == [("new", "a b", due)]
    assert night(store, 2, *failing) == [("open", "a b", due)]
    assert night(store, 3, blind()) == [("open", "a b", due)]
    assert night(store, 4, blind()) == [("open", "a b", due)]
    assert night(store, 5, finding(check="other")) == []
    assert night(store, 6, finding(host="hv02"), host="hv02") == []
    assert night(store, 7, *failing) == [("open", "a b", due)]
    assert night(store, 8, finding(vm="a"), finding(FAIL, vm="b")) == [("open", "b", due)]
    assert night(store, 9, *healthy) == [("resolved", "b", due)]
    assert night(store, 10, *healthy) == []
    assert night(store, 11, finding(FAIL, vm="a"), finding(vm="b")) == [("new", "a", "2026-11-19")]


def test_a_ticket_that_is_fixed_while_nobody_could_look_is_resolved_when_somebody_can(store: Store) -> None:
    night(store, 1, finding(FAIL, vm="a"))
    night(store, 2, blind())
    assert night(store, 3, finding(vm="a")) == [("resolved", "a", "2026-11-09")]


def test_a_waiver_puts_a_ticket_on_hold_and_its_end_opens_it(store: Store) -> None:
    night(store, 1, finding(FAIL, vm="a"))
    (held,) = night(store, 2, finding(FAIL, vm="a", waiver=ACCEPTED))
    assert held[0] == "waived"
    assert night(store, 3, finding(FAIL, vm="a", waiver=ACCEPTED))[0][0] == "waived"
    assert night(store, 4, finding(FAIL, vm="a")) == [("new", "a", "2026-11-12")]
    assert night(store, 5, finding(FAIL, vm="a"))[0][0] == "open"


def test_a_ticket_stays_open_while_nothing_is_measured(store: Store) -> None:
    unmeasured = finding(Status.NOT_APPLICABLE, vm="a", reason=Reason.PRECONDITION_UNMEASURED)
    assert night(store, 1, finding(FAIL, vm="a"))[0][0] == "new"
    assert [night(store, number, unmeasured)[0][0] for number in (2, 3)] == ["open", "open"]
    assert night(store, 4, finding(vm="a"))[0][0] == "resolved"


def test_why_it_matters_is_kept_with_the_run(store: Store) -> None:
    made = run("r1", report(finding(FAIL, vm="a", why="Nothing can be restored.")))
    store.begin(record(made))
    store.finish(made)
    loaded = store.load("r1")
    assert [found.why for _, found in loaded.findings()] == ["Nothing can be restored."]
