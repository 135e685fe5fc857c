"""The arithmetic of a profile, with numbers that can be checked by hand."""

from __future__ import annotations

import statistics

import pytest

from fleetscan.profile.series import load, needed, worst_delay


def test_average_percentile_and_peak() -> None:
    """1 … 100: the 95th percentile lies between 95 and 96, where spreadsheets have it (PERCENTILE.INC)."""
    told = load(list(range(1, 101)))
    assert (told.average, told.p95, told.peak) == (50.5, pytest.approx(95.05), 100)


def test_one_sample_and_none() -> None:
    assert (load([7.0]).average, load([7.0]).p95, load([7.0]).peak) == (7.0, 7.0, 7.0)
    assert load([]).peak == 0.0


def test_a_single_burst_does_not_move_the_percentile() -> None:
    told = load([1.0] * 99 + [1000.0])
    assert told.p95 == 1.0
    assert told.peak == 1000.0


def test_even_churn_needs_its_own_rate() -> None:
    assert needed([10.0] * 60, 60, 900) == 10.0


def test_a_burst_may_be_sent_within_the_objective() -> None:
    """600 bytes/s for one minute, then nothing: 36,000 bytes, the last of them sent 5 minutes after the minute ended.

    At B bytes a second, (600 - B) * 60 are left after that minute, and take 300 s: 600 * 60 = B * 360.
    """
    churn = [600.0] + [0.0] * 59
    assert needed(churn, 60, 300) == pytest.approx(100.0)
    assert worst_delay(churn, 60, 100.0) == pytest.approx(300.0)


def test_less_is_needed_for_most_of_the_time_and_never_less_than_the_average() -> None:
    churn = [600.0] + [0.0] * 59
    assert needed(churn, 60, 300, share=0.9) < needed(churn, 60, 300)
    assert needed([600.0, 600.0], 60, 10_000) == 600.0
    assert needed(churn, 60, 300, share=0.0) == statistics.fmean(churn)


def test_nothing_written_needs_nothing() -> None:
    assert needed([0.0, 0.0], 60, 900) == 0.0
    assert needed([], 60, 900) == 0.0
    assert worst_delay([], 60, 1.0) == 0.0
