"""A thousand hosts: the page stays small, is there at once, and answers at once. The bounds are for a busy machine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.html import fleets
from tests.html.conftest import Open
from tests.html.speed import speed
from tests.html.test_browser import row_of_focus, seen_in_order


@pytest.fixture(scope="module")
def thousand() -> Any:
    return fleets.large()


def test_sixty_thousand_findings_are_filtered_and_sorted_at_once(thousand: Any, open_report: Open) -> None:
    opened = open_report(thousand)
    assert opened.count() == "60,000 of 60,000 findings"
    took = speed(opened.page, opened.page.url)
    assert took.ready < 4_000
    assert max(took.search, took.failing, took.sort, took.scroll) < 1_000
    assert opened.page.evaluate("document.querySelectorAll('*').length") < 6_000
    assert opened.clean()


def test_a_list_that_is_taller_than_a_browser_allows_is_scrolled_to_its_end(open_report: Open) -> None:
    opened = open_report(fleets.large(700, vms=20, history=False))
    page = opened.page
    total = int(opened.count().split()[0].replace(",", ""))
    assert total > 300_000
    for keys, row in ((["End"], total + 1), (["ArrowUp"] * 2, total - 1), (["Home"], 2), (["ArrowDown"] * 40, 42)):
        if keys == ["End"]:
            page.locator(".view").focus()
        for key in keys:
            page.keyboard.press(key)
        assert row_of_focus(page) == row
        assert page.evaluate("document.activeElement.getBoundingClientRect().height") > 0
    page.locator(".view").evaluate("view => { view.scrollTop = view.scrollHeight; }")
    page.wait_for_timeout(100)
    assert page.locator(".grid tbody tr").last.get_attribute("aria-rowindex") == str(total + 1)
    assert seen_in_order(page)


def test_the_map_of_a_thousand_hosts_is_one_screen(thousand: Any, open_report: Open) -> None:
    opened = open_report(thousand)
    rows = opened.page.locator(".heat tbody:last-child tr")
    assert rows.count() <= 30
    hosts = [
        int(text.split()[0]) if text[:1].isdigit() else 1
        for text in (row.locator("th").inner_text().replace("\n", " ").split(": ", 1)[-1] for row in rows.all())
    ]
    assert sum(hosts) == 1_000
    assert opened.page.locator(".heat").bounding_box()["height"] < 1_200
