"""The figures of the HTML report: its size, how long it takes to make, and how long a browser takes with it."""

from __future__ import annotations

import gzip
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fleetscan.report.html.page import render
from tests.html import fleets
from tests.html.browser import CHROMIUM, launch
from tests.html.speed import Speed, speed

RUNS = 3

Say = Callable[[str, object, str], None]


def measure(say: Say) -> None:
    """A thousand hosts with sixty findings each, then with twenty machines each."""
    for vms in (1, 20):
        report = fleets.large(vms=vms)
        began = time.process_time()
        text = "".join(render(report)).encode()
        seconds = time.process_time() - began
        many = f"{report.counts().total():,} findings"
        say(f"HTML, {many}: file", f"{len(text) / 1e6:.2f} MB", f"gzip {len(gzip.compress(text)) / 1e6:.2f} MB")
        say(f"HTML, {many}: rendering", f"{seconds:.2f} s CPU", "")
        fastest = _in_browser(text)
        say(f"HTML, {many}: ready", f"{fastest.ready:.0f} ms", f"the fastest of {RUNS}")
        say(f"HTML, {many}: search, only failures", f"{fastest.search:.0f}, {fastest.failing:.0f} ms", "")
        say(f"HTML, {many}: sort by host", f"{fastest.sort:.0f} ms", "")
        say(f"HTML, {many}: step of scrolling", f"{fastest.scroll:.0f} ms", "")


def _in_browser(text: bytes) -> Speed:
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        raise SystemExit("no Chromium on this machine (Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = Path(folder, "report.html")
        path.write_bytes(text)
        browser = launch(driver)
        took = [speed(browser.new_page(), path.as_uri()) for _ in range(RUNS)]
        browser.close()
    return Speed(*(min(getattr(each, name) for each in took) for name in Speed.__dataclass_fields__))
