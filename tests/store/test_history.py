"""A run against those before it."""

from __future__ import annotations

from fleetscan.model.finding import Finding, Status
from fleetscan.model.history import ChangeKind, History
from fleetscan.model.reasons import Reason
from fleetscan.store import Store
from tests.store.made import FIRST_NIGHT, blind, finding, record, report, run

FAIL, PASS, WARN, ERROR = Status.FAIL, Status.PASS, Status.WARN, Status.ERROR


def night(store: Store, number: int, *findings: Finding, **hosts: tuple[Finding, ...]) -> None:
    """A finished run in which hv01 (or each of the hosts) came to these findings."""
    visited = hosts or {"hv01": findings}
    made = run(
        f"r{number}", *(report(*found, host=name, night=number) for name, found in visited.items()), night=number
    )
    store.begin(record(made))
    store.finish(made)


def kinds(history: History | None) -> list[tuple[str, str]]:
    assert history is not None
    return [(change.kind.value, (change.after or change.before).object_id) for change in history.changes]  # type: ignore[union-attr]


def test_a_night_without_change(store: Store) -> None:
    night(store, 1, finding(vm="a"), finding(WARN, vm="b"))
    night(store, 2, finding(vm="a"), finding(WARN, vm="b"))
    history = store.history("r2")
    assert history is not None
    assert history.changes == ()
    assert history.previous_run == "r1"
    assert [each.run_id for each in history.nights] == ["r1"]


def test_new_fixed_and_still_failing(store: Store) -> None:
    night(store, 1, finding(vm="a"), finding(FAIL, vm="b"), finding(FAIL, vm="c"))
    night(store, 2, finding(FAIL, vm="a"), finding(vm="b"), finding(FAIL, vm="c"))
    history = store.history("r2")
    assert kinds(history) == [("new", "a"), ("fixed", "b"), ("still_failing", "c")]
    assert history is not None
    assert [change.open_since for change in history.changes] == [
        None,
        FIRST_NIGHT.replace(day=2),
        FIRST_NIGHT.replace(day=2),
    ]


def test_a_night_without_an_answer_closes_nothing(store: Store) -> None:
    night(store, 1, finding(FAIL, vm="a"), finding(vm="b"))
    night(store, 2, blind())
    night(store, 3, blind())
    night(store, 4, finding(FAIL, vm="a"), finding(vm="b"))
    night(store, 5, blind())
    night(store, 6, finding(vm="a"), finding(vm="b"))
    night(store, 7, finding(FAIL, vm="a"), finding(vm="b"))
    assert kinds(store.history("r2")) == [("no_longer_assessed", ""), ("no_longer_assessed", "")]
    assert kinds(store.history("r3")) == [("no_longer_assessed", "")]
    assert kinds(store.history("r4")) == [("still_failing", "a"), ("newly_assessed", "b")]
    assert kinds(store.history("r6")) == [("fixed", "a"), ("newly_assessed", "b")]
    assert kinds(store.history("r7")) == [("new", "a")]


def test_a_night_without_a_measurement_closes_nothing_and_opens_nothing(store: Store) -> None:
    def unmeasured(vm: str) -> Finding:
        return finding(Status.NOT_APPLICABLE, vm=vm, reason=Reason.PRECONDITION_UNMEASURED)

    night(store, 1, finding(FAIL, vm="a"), finding(vm="b"))
    night(store, 2, unmeasured("a"), unmeasured("b"))
    night(store, 3, unmeasured("a"), unmeasured("b"))
    night(store, 4, finding(FAIL, vm="a"), finding(vm="b"))
    night(store, 5, unmeasured("a"), unmeasured("b"))
    night(store, 6, finding(vm="a"), finding(vm="b"))
    assert kinds(store.history("r2")) == [("no_longer_assessed", "a")]
    assert kinds(store.history("r3")) == [("no_longer_assessed", "a")]
    assert kinds(store.history("r4")) == [("still_failing", "a")]
    assert kinds(store.history("r6")) == [("fixed", "a")]


def test_a_failure_of_an_object_that_is_gone_is_fixed_once(store: Store) -> None:
    night(store, 1, finding(FAIL, vm="a"), finding(vm="b"))
    night(store, 2, finding(vm="b"))
    night(store, 3, finding(vm="b"))
    night(store, 4, finding(FAIL, vm="a"), finding(vm="b"))
    assert kinds(store.history("r2")) == [("fixed", "a")]
    assert kinds(store.history("r3")) == []
    assert kinds(store.history("r4")) == [("new", "a")]


def test_a_renamed_machine_is_the_same(store: Store) -> None:
    night(store, 1, finding(FAIL, vm="a"))
    night(store, 2, finding(FAIL, vm="a", object_name="renamed"))
    assert kinds(store.history("r2")) == [("still_failing", "a")]


def test_a_partial_run_says_nothing_of_what_it_did_not_select(store: Store) -> None:
    night(store, 1, finding(FAIL, "backup"), finding(FAIL, "os"))
    night(store, 2, finding(PASS, "os"))
    night(store, 3, finding(FAIL, "backup"), finding(FAIL, "os"))
    assert kinds(store.history("r2")) == [("fixed", "hv01")]
    assert kinds(store.history("r3")) == [("still_failing", "hv01"), ("new", "hv01")]


def test_machines_move_by_their_guid(store: Store) -> None:
    night(store, 1, hv01=(finding(vm="a"), finding(vm="b")), hv02=(finding(vm="c", host="hv02"),))
    night(store, 2, hv01=(finding(vm="b"),), hv02=(finding(vm="c", host="hv02"), finding(vm="A", host="hv02")))
    history = store.history("r2")
    assert history is not None
    [move] = history.moves
    assert (move.vm_id, move.before, move.after) == ("a", ("hv01",), ("hv02",))


def test_an_error_is_no_decision(store: Store) -> None:
    night(store, 1, finding(FAIL, vm="a"))
    night(store, 2, finding(ERROR, vm="a"))
    night(store, 3, finding(FAIL, vm="a"))
    assert kinds(store.history("r2")) == [("no_longer_assessed", "a")]
    assert kinds(store.history("r3")) == [("still_failing", "a")]
    assert kinds(store.diff("r1", "r3")) == [("still_failing", "a")]
    [change] = store.diff("r3", "r1").changes
    assert change.open_since == FIRST_NIGHT.replace(day=2)
    assert change.kind is ChangeKind.STILL_FAILING
