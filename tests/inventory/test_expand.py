"""Ranges in names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetscan.inventory.expand import MAX_HOSTS, RangeError, expand


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("hv07", ["hv07"]),
        ("hv[1:3]", ["hv1", "hv2", "hv3"]),
        ("hv[08:10].x", ["hv08.x", "hv09.x", "hv10.x"]),
        ("hv[9:11]", ["hv9", "hv10", "hv11"]),
        ("[a:c]", ["a", "b", "c"]),
        ("[X:Z]", ["X", "Y", "Z"]),
        ("hv[01:09:4]", ["hv01", "hv05", "hv09"]),
        ("hv[01:08:4]", ["hv01", "hv05"]),
        ("[a:b][1:2]-x", ["a1-x", "a2-x", "b1-x", "b2-x"]),
        ("hv[5:5]", ["hv5"]),
    ],
)
def test_ranges_stand_for_names(text: str, names: list[str]) -> None:
    assert expand(text) == names


@pytest.mark.parametrize(
    ("text", "message", "cure"),
    [
        ("hv[40:01].x", 'range "hv[40:01].x" ends before it starts', "write hv[01:40].x"),
        ("hv[d:a]", 'range "hv[d:a]" ends before it starts', "write hv[a:d]"),
        ("hv[1:10001]", 'range "hv[1:10001]" stands for 10,001 hosts', "use ranges of at most 10,000 hosts"),
        ("[1:101][1:100]", 'range "[1:101][1:100]" stands for 10,100 hosts', "use ranges of at most 10,000 hosts"),
        ("[0:999999999]", 'range "[0:999999999]" stands for 1,000,000,000 hosts', "use ranges of at most 10,000 hosts"),
        ("hv[01:100]", 'range "hv[01:100]" has ends of different lengths', "write [001:100]"),
        ("hv[1:2:0]", 'range "hv[1:2:0]" has a step of 0', "write [1:2]"),
        ("hv[1:b]", 'range "hv[1:b]" mixes a number and a letter', "use two numbers or two letters"),
        ("hv[a:D]", 'range "hv[a:D]" mixes small and capital letters', "write [a:d]"),
        ("hv[1-4]", '"hv[1-4]": [1-4] is not a range', "write a range like [01:40], [a:d] or [01:09:2]"),
        ("hv[]", '"hv[]": [] is not a range', "write a range like [01:40], [a:d] or [01:09:2]"),
        ("hv[1:4", '"hv[1:4" has a bracket without its partner', "write a range like [01:40]"),
        ("hv1:4]", '"hv1:4]" has a bracket without its partner', "write a range like [01:40]"),
    ],
)
def test_what_is_no_range_says_why(text: str, message: str, cure: str) -> None:
    with pytest.raises(RangeError) as caught:
        expand(text)
    assert (caught.value.message, caught.value.cure) == (message, cure)


def test_the_largest_range_is_accepted() -> None:
    assert len(expand(f"hv[1:{MAX_HOSTS}]")) == MAX_HOSTS


@given(first=st.integers(0, 2000), count=st.integers(1, 200), step=st.integers(1, 50), width=st.integers(0, 6))
def test_numbers_keep_their_order_their_ends_and_their_zeros(first: int, count: int, step: int, width: int) -> None:
    last = first + (count - 1) * step
    width = max(width, len(str(last))) if width else 0
    names = expand(f"hv[{first:0{width}d}:{last:0{width}d}:{step}].example")
    assert names == [f"hv{number:0{width}d}.example" for number in range(first, last + 1, step)]


@given(st.text(alphabet="hv[]:0123456789aZ-.", max_size=24))
def test_any_text_expands_or_is_refused(text: str) -> None:
    names, refused = [], ("", "")
    try:
        names = expand(text)
    except RangeError as error:
        refused = error.message, error.cure
    assert all(refused) or 1 <= len(names) <= MAX_HOSTS
    assert len(set(names)) == len(names)
    assert not any("[" in name or "]" in name for name in names)
