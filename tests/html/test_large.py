"""A thousand hosts: the page stays small, is there at once, and answers at once. The bounds are for a busy machine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.html import fleets
from tests.html.conftest import Open
from tests.html.speed import speed


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
