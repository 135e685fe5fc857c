"""Two readings of running totals: the rate between them, and every way in which there is none."""

from __future__ import annotations

from typing import Any

import pytest

from fleetscan import totals

SHAPE: Any = {
    "sample": {"ticks": "int?", "frequency": "int?", "time": "time?"},
    "vms": [
        {"id": "guid", "name": "string", "age_seconds": "int", "devices": [{"path": "string", "writes": "total?"}]}
    ],
}


def reading(seconds: float, writes: int | None, **changes: Any) -> dict[str, Any]:
    """What a host answers so many seconds after its start."""
    sample = {"ticks": int(seconds * 1000), "frequency": 1000, "time": f"2026-11-24T22:{int(seconds) // 60:02}:00Z"}
    device = {"path": changes.get("path", "a.vhdx"), "writes": writes}
    vm = {"id": "1", "name": changes.get("name", "sql01"), "age_seconds": changes.get("age", 9999), "devices": [device]}
    return {"sample": sample | changes.get("sample", {}), "vms": [vm]}


def rate(earlier: dict[str, Any], later: dict[str, Any]) -> Any:
    """The rate of the one disk."""
    answer: Any = totals.measured(SHAPE, earlier, later)
    (device,) = answer["vms"][0]["devices"]
    return device["writes"]


def test_a_rate_is_the_difference_by_the_clock_of_the_counter() -> None:
    later: Any = totals.measured(SHAPE, reading(60, 1_000), reading(360, 4_000))
    assert later["vms"][0]["devices"] == [{"path": "a.vhdx", "writes": {"value": 4_000, "per_second": 10.0}}]
    assert later["sample"]["seconds"] == 300.0
    assert later["vms"][0]["name"] == "sql01"


def test_standing_still_is_a_rate() -> None:
    assert rate(reading(0, 5), reading(60, 5)) == {"value": 5, "per_second": 0.0}


def test_a_machine_keeps_its_rates_under_a_new_name() -> None:
    assert rate(reading(0, 0, name="old"), reading(60, 60, name="new"))["per_second"] == 1.0


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (reading(0, 500), reading(60, 499)),
        (reading(0, 500), reading(60, 900, age=59)),
        (reading(0, 500), reading(60, 900, path="b.vhdx")),
        (reading(0, None), reading(60, 900)),
    ],
    ids=["smaller than before", "younger than the sample", "another disk", "not counted before"],
)
def test_a_total_that_began_anew_has_no_rate(earlier: dict[str, Any], later: dict[str, Any]) -> None:
    assert rate(earlier, later) == {"value": later["vms"][0]["devices"][0]["writes"]}


def test_nothing_counted_is_no_total() -> None:
    assert rate(reading(0, 5), reading(60, None)) == {}


@pytest.mark.parametrize(
    "sample",
    [
        {"ticks": 10},
        {"ticks": None},
        {"frequency": 2000},
        {"frequency": 0},
        {"time": "2026-11-24T21:00:00Z"},
        {"time": "2026-11-25T22:01:00Z"},
        {"time": None},
    ],
)
def test_no_rate_where_the_clocks_do_not_agree(sample: dict[str, Any]) -> None:
    """The host was started anew, its clock was set, or it does not say."""
    earlier, later = reading(60, 1), reading(120, 61, sample=sample)
    assert totals.elapsed(earlier, later) is None
    assert rate(earlier, later) == {"value": 61}
    answer: Any = totals.measured(SHAPE, earlier, later)
    assert "seconds" not in answer["sample"]


def test_a_corrected_clock_is_no_new_one() -> None:
    """Windows moves the time of day by seconds now and then; the rate goes by the counter's own clock."""
    assert totals.elapsed(reading(0, 1), reading(60, 1, sample={"time": "2026-11-24T22:01:02Z"})) == 60.0
