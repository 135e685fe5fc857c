"""Which texts say the same of different hosts and objects."""

from __future__ import annotations

import pytest

from fleetscan.model.finding import Status
from fleetscan.report.digest import HOST, OBJECT, OBJECT_ID, Likeness, blocks, neutral
from tests.report.factory import finding, host, visit, vm_id

WHERE = host("hv07.paris.example", address="10.1.2.7")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hv07.paris.example is down", f"{HOST} is down"),
        ("10.1.2.7 refuses", f"{HOST} refuses"),
        ("10.1.2.70 and 110.1.2.7 refuse", "10.1.2.70 and 110.1.2.7 refuse"),
        ("disabled on hv07", f"disabled on {HOST}"),
        ("hv071 is not hv07's twin xhv07", f"hv071 is not {HOST}'s twin xhv07"),
        ("sql01 of hv07: sql01", f"{OBJECT} of {HOST}: {OBJECT}"),
        ("sql012 stays", "sql012 stays"),
        (f"Get-VM -Id {vm_id('sql01')} # sql01", f"Get-VM -Id {OBJECT_ID} # {OBJECT}"),
        ("two\nlines", "two lines"),
    ],
)
def test_names_are_replaced_where_they_are_words(text: str, expected: str) -> None:
    assert neutral(text, WHERE, finding(WHERE.name, "check", vm="sql01")) == expected


def test_a_host_that_is_called_like_a_word_does_not_swallow_the_word() -> None:
    assert neutral("the web service of web.example", host("web.example")) == f"the web service of {HOST}"


def test_the_first_part_of_an_address_is_no_name() -> None:
    assert neutral("10 minutes", host("10.1.2.7")) == "10 minutes"


@pytest.mark.parametrize(("likeness", "count"), [(Likeness.OBJECT, 4), (Likeness.FOUND, 3), (Likeness.CHECK, 2)])
def test_the_less_must_be_alike_the_fewer_blocks_there_are(likeness: Likeness, count: int) -> None:
    def sick(number: int, check: str, vm: str, observed: str) -> object:
        name = f"hv{number:02}"
        return visit(host(name), [finding(name, check, Status.FAIL, vm=vm, observed=observed)])

    reports = [
        sick(1, "check-a", "sql01", "off"),
        sick(2, "check-a", "sql02", "off"),
        sick(3, "check-a", "sql03", "half off"),
        sick(4, "check-b", "sql03", "off"),
    ]
    told = blocks(reports, likeness)  # type: ignore[arg-type] # typed loosely above
    assert len(told) == count
    assert sum(len(block.hosts) for block in told) == 4
