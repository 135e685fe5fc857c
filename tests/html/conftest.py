"""A real Chromium, and a page in it that tells of everything that it should not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fleetscan.model.run import RunReport
from fleetscan.report.html.page import render
from tests.html.browser import CHROMIUM, launch

LISTEN = (
    "window.violations = []; addEventListener('securitypolicyviolation', e => violations.push(e.violatedDirective));"
)


@dataclass
class Opened:
    """A report in the browser, and what it asked for beyond its own file."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        """What a reader sees there."""
        return " ".join(self.page.locator(selector).inner_text().split())

    def count(self) -> str:
        """The line that tells how many findings are shown, once it was announced."""
        self.page.wait_for_timeout(250)
        return self.text("#count")

    def column(self, name: str) -> list[str]:
        """The texts of the rows that exist, from the top."""
        return [text.strip() for text in self.page.locator(f".grid tbody .c-{name}").all_inner_texts()]

    def clean(self) -> bool:
        """No error, no violation of the policy, no request, no foreign script."""
        assert self.errors == []
        assert self.page.evaluate("window.violations") == []
        assert self.page.evaluate("typeof window.PWNED") == "undefined"
        assert self.requests == []
        return True


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window; gone before the next module, since its driver runs an event loop in this thread."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    with playwright.sync_playwright() as driver:
        launched = launch(driver)
        yield launched
        launched.close()


Open = Callable[..., Opened]


@pytest.fixture
def open_report(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Render a report into a file and open it; further settings are those of a browser context."""
    contexts = []

    def opened(report: RunReport, *, address: str = "", **settings: object) -> Opened:
        path = tmp_path / "report.html"
        path.write_text("".join(render(report)), encoding="utf-8")
        values = {"locale": "en-GB", "viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | settings
        context = browser.new_context(**values)
        contexts.append(context)
        context.add_init_script(LISTEN)
        context.set_default_timeout(5_000)
        made = Opened(context.new_page())
        made.page.on("pageerror", lambda error: made.errors.append(str(error)))
        made.page.on("console", lambda message: made.errors.append(message.text) if message.type == "error" else None)
        made.page.on("request", lambda request: _foreign(request.url, path, made))
        made.page.goto(path.as_uri() + address)
        return made

    yield opened
    for context in contexts:
        context.close()


def _foreign(url: str, path: Path, made: Opened) -> None:
    if not url.startswith((path.as_uri(), "data:")):
        made.requests.append(url)
