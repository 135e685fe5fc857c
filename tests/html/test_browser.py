"""The page in a real Chromium, used as people use it: with a mouse, with a keyboard, with a screen reader, on paper."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from fleetscan.model.finding import Status
from fleetscan.model.run import RunReport
from tests.html import fleets
from tests.html.conftest import Open
from tests.report import morning
from tests.report.factory import run

RUNS = {
    "morning": morning.fleet,
    "large": lambda: fleets.large(40, 3),
    "dead": lambda: morning.dead(30),
    "hostile": fleets.hostile,
    "empty": lambda: run([]),
}
runs = pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)


def numbers(text: str) -> list[int]:
    return [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", text)]


def seen_in_order(page: Any) -> bool:
    """The heading stands on top of the view, and the last row ends within it."""
    view, head, last = (
        page.locator(which).bounding_box() for which in (".view", ".grid thead th >> nth=0", ".grid tbody tr >> nth=-1")
    )
    assert abs(head["y"] - view["y"]) < 3
    assert last["y"] + last["height"] <= view["y"] + view["height"] + 1
    return True


def row_of_focus(page: Any) -> int:
    """As a screen reader tells it: the heading is row 1."""
    return int(page.evaluate("document.activeElement.closest('tr').getAttribute('aria-rowindex')"))


@runs
def test_the_page_asks_for_nothing_runs_nothing_foreign_and_counts_as_the_run_does(
    make: Callable[[], RunReport], open_report: Open
) -> None:
    report = make()
    opened = open_report(report)
    verdicts = Counter(host.verdict for host in report.hosts)
    figures = opened.page.locator(".figure .value").all_inner_texts()
    told = [numbers(text) for text in figures]
    assert told[:3] == [[len(report.hosts)], [verdicts[Status.FAIL]], [verdicts[Status.NOT_ASSESSED]]]
    counts = report.counts()
    for status in Status:
        assert numbers(opened.page.text_content(f"[data-status={status.value}]")) == [counts[status]]
    assert numbers(opened.count()) == [counts.total(), counts.total()]
    assert opened.page.locator("#findings").is_visible() == bool(report.hosts)
    opened.page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    opened.page.wait_for_timeout(50)
    assert opened.clean()


def test_hostile_names_are_shown_as_they_are_and_do_nothing(open_report: Open) -> None:
    opened = open_report(fleets.hostile())
    page = opened.page
    names = page.locator("#hosts h3").all_inner_texts()
    assert {"<img src=x onerror=window.PWNED=1>", "</script><script>window.PWNED=1</script>"} <= set(names)
    assert page.locator("main img, main script:not(noscript *)").count() == 0
    for place in range(5):
        page.locator(".grid tbody .open").nth(place).click()
        page.keyboard.press("Escape")
    for link in page.locator(".heat tbody th a").all()[:10]:
        link.click()
    addresses = page.eval_on_selector_all("a", "links => links.map(link => link.getAttribute('href'))")
    assert addresses
    assert all(address.startswith("#") for address in addresses)
    assert opened.clean()


def test_a_filter_leaves_what_was_asked_for_and_says_how_many(open_report: Open) -> None:
    report = morning.fleet()
    opened = open_report(report)
    page = opened.page
    page.locator("[data-status=fail]").click()
    failures = report.counts()[Status.FAIL]
    assert numbers(opened.count()) == [failures, report.counts().total()]
    assert {text[-4:] for text in opened.column("status")} == {"fail"}
    page.locator("[data-status=warn]").click()
    assert numbers(opened.count())[0] == failures + report.counts()[Status.WARN]
    page.locator("#reset").click()
    page.locator("#search").fill("HRL-free SQL")
    wanted = [f for _, f in report.findings() if f.check_id == "hrl-free-space" and "sql" in f.object_name]
    assert numbers(opened.count())[0] == len(wanted)
    assert set(opened.column("check")) == {"hrl-free-space"}
    failed = next(f for _, f in report.findings() if f.status is Status.FAIL)
    page.locator("#search").fill(failed.key)
    assert numbers(opened.count())[0] == 1
    assert opened.column("check") == [failed.check_id]
    page.locator("#search").fill("nothing is called like this")
    assert page.locator("#none").is_visible()
    assert numbers(opened.count())[0] == 0
    assert page.locator("[role=status]").count() == 1


def test_columns_sort_both_ways_and_say_so(open_report: Open) -> None:
    opened = open_report(morning.fleet())
    page = opened.page
    head = page.locator("th.c-host")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    up = opened.column("host")
    assert up == sorted(up)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    down = opened.column("host")
    assert down == sorted(down, reverse=True)
    assert up[0] != down[0]
    assert page.locator("th[aria-sort]").count() == 1
    page.locator("th.c-severity button").click()
    order = ["critical", "high", "medium", "low", "info"]
    ranks = [order.index(text) for text in opened.column("severity")]
    assert ranks == sorted(ranks)


def test_each_cell_of_the_map_leads_to_the_findings_behind_it(open_report: Open) -> None:
    opened = open_report(fleets.large(40, 3))
    page = opened.page
    cells = page.locator(".heat tbody:last-child a.cell.s-fail").all()
    assert cells
    for cell in cells[:4]:
        behind = numbers(cell.locator("[aria-hidden]").inner_text())
        cell.click()
        assert numbers(opened.count())[0] == behind[0]
        assert all("fail" in text for text in opened.column("status"))
    page.locator(".chip").click()
    assert numbers(opened.count())[0] >= behind[0]


def test_addresses_lead_to_a_host_and_to_a_view_and_back(open_report: Open) -> None:
    report = morning.fleet()
    opened = open_report(report, address="#host=hv09.paris.corp.example")
    page = opened.page
    part = page.locator("details.host[open]")
    assert part.count() == 1
    assert "10.1.2.9 refuses port 5986" in part.inner_text()
    assert "fleetscan doctor hv09.paris.corp.example" in part.inner_text()
    part.get_by_role("link", name=re.compile("findings of this host")).click()
    assert numbers(opened.count())[0] == len(next(h for h in report.hosts if h.host.name.startswith("hv09")).findings)
    page.locator("[data-status=not_assessed]").click()
    address = page.evaluate("location.hash")
    again = open_report(report, address=address)
    assert again.count() == opened.count()
    assert again.page.locator("[data-status=not_assessed]").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize(
    "address", ["#host=%E0%A4%A", "#host=nobody", "#f=group=x&status=odd&sort=-no", "#f=%", "#nowhere"]
)
def test_an_address_that_means_nothing_does_no_harm(address: str, open_report: Open) -> None:
    opened = open_report(morning.fleet(), address=address)
    opened.page.locator("#search").fill("hv07")
    assert opened.text("#verdict").startswith("3 of 12 hosts fail")
    assert opened.clean()


def test_a_finding_opens_in_full_and_hands_the_focus_back(open_report: Open) -> None:
    opened = open_report(fleets.large(40, 3))
    page = opened.page
    page.locator(".view").focus()
    page.keyboard.press("ArrowDown")
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("ArrowDown")
    assert row_of_focus(page) == 3
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    text = dialog.inner_text()
    for part in ("has trouble with", "Mend", "at most 8 things", "open since", "vmms", first):
        assert part in (text + dialog.locator("details").evaluate("part => part.textContent")), part
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate("document.activeElement.textContent") == first


def test_the_last_row_of_many_is_reached_by_key_and_by_scrolling(open_report: Open) -> None:
    report = fleets.large(40, 3)
    opened = open_report(report)
    page = opened.page
    page.locator(".view").focus()
    page.keyboard.press("End")
    total = report.counts().total()
    rows = page.locator(".grid tbody tr")
    assert page.locator(".grid table").get_attribute("aria-rowcount") == str(total + 1)
    assert row_of_focus(page) == total + 1
    assert rows.count() < 80
    page.keyboard.press("Home")
    assert row_of_focus(page) == 2
    page.locator(".view").evaluate("view => { view.scrollTop = view.scrollHeight; }")
    page.wait_for_timeout(100)
    assert rows.last.get_attribute("aria-rowindex") == str(total + 1)
    assert page.evaluate("document.activeElement.className") == "view"  # its row went out of sight
    assert seen_in_order(page)


def test_tab_goes_from_the_skip_link_through_the_controls(open_report: Open) -> None:
    opened = open_report(morning.fleet())
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    visited = []
    for _ in range(8):
        page.keyboard.press("Tab")
        visited.append(page.evaluate("document.activeElement.className || document.activeElement.tagName"))
    assert visited[:3] == ["figure"] * 3


@pytest.mark.parametrize(("locale", "expected"), [("fr-CA", "fr"), ("en-US", "en"), ("de-DE", "en")])
def test_the_language_is_that_of_the_browser_until_it_is_switched(
    locale: str, expected: str, open_report: Open
) -> None:
    opened = open_report(morning.fleet(), locale=locale)
    page = opened.page
    assert page.evaluate("document.documentElement.lang") == expected
    findings = {"en": "All findings", "fr": "Tous les constats"}
    assert opened.text("#findings-title") == findings[expected]
    page.locator("#language").click()
    other = {"en": "fr", "fr": "en"}[expected]
    assert page.evaluate("document.documentElement.lang") == other
    assert opened.text("#findings-title") == findings[other]
    assert page.evaluate("document.activeElement.id") == "language"
    assert opened.clean()


def test_french_has_no_english_label_left(open_report: Open) -> None:
    """Texts of checks stay in the language of the playbook, and say so."""
    opened = open_report(fleets.large(40, 3), locale="fr-FR")
    opened.page.locator("details.host summary").first.click()
    told = opened.page.evaluate(
        """() => { const copy = document.body.cloneNode(true);
        const other = copy.querySelectorAll('script, noscript, style, [lang=en], [translate=no], #language');
        other.forEach(node => node.remove());
        return copy.textContent; }"""
    )
    words = set(re.findall(r"[a-z]+", told.lower()))
    assert "constats" in words
    english = {"hosts", "findings", "expected", "severity", "failing", "remedy", "search", "since", "show", "the"}
    assert words & english == set()


AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


@pytest.mark.parametrize(("scheme", "locale", "width"), [("light", "en-GB", 1280), ("dark", "fr-FR", 400)])
def test_axe_finds_no_fault(scheme: str, locale: str, width: int, open_report: Open) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    opened = open_report(
        fleets.large(8, 2), color_scheme=scheme, locale=locale, viewport={"width": width, "height": 900}
    )
    page = opened.page
    page.locator("details.host summary").first.click()
    page.locator("details.alternative summary").first.click()
    page.evaluate("document.querySelectorAll('.evidence').forEach(part => { part.open = true; })")
    assert faults(axe, page) == []
    page.locator(".grid tbody .open").first.click()
    assert faults(axe, page, "dialog") == []


def faults(axe: Any, page: Any, context: str | None = None) -> list[str]:
    found = axe.Axe().run(page, context, options=AXE_RULES).response["violations"]
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:200]} {fault['nodes'][0]['failureSummary'][:300]}"
        for fault in found
    ]


def test_the_theme_can_be_switched_and_stays(open_report: Open) -> None:
    opened = open_report(morning.fleet(), color_scheme="dark")
    page = opened.page
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.locator("#theme").click()
    light = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == light


def test_paper_shows_every_problem_and_no_control(open_report: Open) -> None:
    report = morning.fleet()
    opened = open_report(report)
    page = opened.page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    text = page.locator("#hosts").inner_text()
    for _, found in report.findings():
        if found.status in (Status.FAIL, Status.WARN):
            assert found.check_id in text
            assert found.remedy in text
    assert "10.1.2.9 refuses port 5986" in text
    assert [each for each in page.locator("button, select, input, .view").all() if each.is_visible()] == []
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.host[open]").count() == 0


def test_a_printed_file_has_its_pages(open_report: Open) -> None:
    opened = open_report(morning.fleet())
    pages = opened.page.pdf(format="A4").count(b"/Type /Page\n")
    bad = sum(host.verdict not in (Status.PASS, Status.NOT_APPLICABLE) for host in morning.fleet().hosts)
    assert pages > bad  # a page for each host with problems, after those on the fleet


def test_without_scripts_the_problems_are_listed(open_report: Open) -> None:
    opened = open_report(fleets.hostile(), java_script_enabled=False)
    text = opened.page.locator("main").inner_text()
    assert "10 hosts: 10 fail" in text
    assert "<img src=x onerror=window.PWNED=1>" in text
    assert opened.page.locator("main img").count() == 0


def test_history_is_told_and_without_one_that_is_told(open_report: Open) -> None:
    opened = open_report(fleets.large(40, 3))
    history = fleets.large(40, 3).history
    assert history is not None
    kinds = Counter(change.kind.value for change in history.changes)
    figure = opened.page.locator(".figure").nth(3)
    assert numbers(figure.locator(".value").inner_text()) == [kinds["new"]]
    figure.click()
    assert numbers(opened.count())[0] == kinds["new"]
    opened.page.locator("#trend summary").click()
    assert opened.page.locator("#trend tbody tr").count() == 30
    assert opened.page.locator("#trend svg.trend g").count() == 30
    assert f"; {kinds['new']} failures are new." in opened.text("#verdict")
    assert f"{kinds['fixed']} fixed" in opened.text("#changes")
    alone = open_report(fleets.large(10, 3, history=False))
    assert "no earlier run" in alone.text("#numbers")
    assert "no earlier run" in alone.text("#trend")
    assert not alone.page.locator("#changes").is_visible()


def test_replication_is_drawn_from_facts(open_report: Open) -> None:
    opened = open_report(fleets.large(40, 3))
    assert "all zones · 120 machines" in opened.text("#replication")
    opened.page.locator("#replication summary").first.click()
    rows = opened.page.locator("#replication .panel").first.locator("tbody tr").all_inner_texts()
    totals = [numbers(row) for row in rows]
    assert totals[0] == [sum(column) for column in zip(*totals[1:], strict=True)]
    assert totals[0][0] == sum(totals[0][1:])
    assert "133 kB/s" in opened.text("#replication")
    churn = opened.page.locator("#replication .panel").last.locator(".bar .value").all_inner_texts()
    assert churn[:3] == ["3\u00a0MB/s"] * 3  # the third machine of each host writes most
    empty = open_report(morning.dead(3))
    assert "No host told" in empty.text("#replication")
