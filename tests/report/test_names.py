"""Folded names: short, in order, and still all there."""

from __future__ import annotations

import re
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetscan.report.names import fold, fold_text, pattern_of


def expand(text: str) -> list[str]:
    """Read a folded text back, independently of how it was made."""
    names: list[str] = []
    for part in re.findall(r"(?:[^,\[]|\[[^\]]*\])+", text.replace(", ", ",")):
        match = re.fullmatch(r"([^\[]*)\[([^\]]*)\](.*)", part)
        if match is None:
            names.append(part)
            continue
        for piece in match[2].split(","):
            first, _, last = piece.partition("-")
            width = len(first) if first[0] == "0" else 0
            numbers = range(int(first), int(last or first) + 1)
            names += [f"{match[1]}{number:0{width}}{match[3]}" for number in numbers]
    return names


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        (["hv01.x", "hv02.x", "hv04.x", "hv05.x", "hv06.x"], "hv[01-02,04-06].x"),
        (["hv1", "hv2", "hv10", "hv9"], "hv[1-2,9-10]"),
        (["hv08", "hv09", "hv10", "hv011"], "hv[08-10], hv011"),
        (["hv01", "hv1"], "hv01, hv1"),
        (["rack1-hv01", "rack1-hv02", "rack2-hv01", "rack2-hv02"], "rack1-hv[01-02], rack2-hv[01-02]"),
        (["hv01.dc1", "hv02.dc1", "hv01.dc2", "hv02.dc2"], "hv[01-02].dc1, hv[01-02].dc2"),
        (["10.1.2.3", "10.1.2.4", "10.1.2.6"], "10.1.2.[3-4,6]"),
        (["vmm01.x", "zürich", "hv07.x"], "vmm01.x, zürich, hv07.x"),
        (["hv01", "hv01"], "hv01"),
        (["sn1234567890123", "sn1234567890124"], "sn1234567890123, sn1234567890124"),
        ([], ""),
    ],
)
def test_names_that_differ_in_one_number_are_folded(names: list[str], folded: str) -> None:
    assert fold_text(names) == folded


_name = st.from_regex(r"\A[a-c]{1,2}[0-9]{1,3}(-[0-9]{1,2})?(\.[xy][0-9]?)?\Z")


@given(st.lists(_name, max_size=30))
def test_no_name_is_lost_or_invented(names: list[str]) -> None:
    assert sorted(expand(fold_text(names))) == sorted(set(names))
    assert sum(folded.count for folded in fold(names)) == len(set(names))


@given(st.lists(_name, min_size=1, max_size=30, unique=True), st.integers(10, 80))
def test_a_cut_keeps_whole_names_and_counts_the_rest(names: list[str], width: int) -> None:
    text = fold_text(names, width)
    rest = sum(int(number.replace(",", "")) for number in re.findall(r"\+([\d,]+) more", text))
    kept = expand(re.sub(r", ?\+[\d,]+ more|,\+[\d,]+ more", "", text))
    assert set(kept) <= set(names)
    assert len(kept) + rest == len(names)
    assert len(text) <= width or len(kept) == 1


def test_scattered_numbers_are_cut_inside_the_brackets() -> None:
    names = [f"hv{number:04}.paris.corp.example" for number in range(1, 2001, 2)]
    text = fold_text(names, 60)
    assert text == "hv[0001,0003,0005,0007,0009,+995 more].paris.corp.example"


def test_names_without_numbers_are_counted_when_they_do_not_fit() -> None:
    names = ["alpha", "beta", "gamma", "delta"]
    assert fold_text(names, 20) == "alpha, beta, +2 more"
    assert fold_text(["x" * 50, "y"], 20) == f"{'x' * 50}, +1 more"


def test_thousands_of_names_are_folded_at_once() -> None:
    names = list(chain.from_iterable((f"a{i}b{i * 7 % 1000}.c{i % 13}", f"hv{i:04}") for i in range(3000)))
    assert sorted(expand(fold_text(names))) == sorted(names)


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["a.example"], "a.example"),
        (["hv01.x", "hv02.x", "hv04.x", "db.x"], "hv[01:02].x,hv04.x,db.x"),
        (["hv9", "hv10"], "hv[9:10]"),
    ],
)
def test_a_pattern_means_exactly_these_names(names: list[str], pattern: str) -> None:
    assert pattern_of(names) == pattern
