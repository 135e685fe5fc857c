"""How long the page takes: until it can be used, for a filter, for a sort, for a step of scrolling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_TIMED = """([selector, event, value]) => {
  const node = document.querySelector(selector);
  const began = performance.now();
  if (value !== null && event === "input") node.value = value;
  if (value !== null && event === "scroll") node.scrollTop = value;
  const kind = event === "click" ? MouseEvent : Event;
  node.dispatchEvent(new kind(event, { bubbles: true }));
  return new Promise((done) => requestAnimationFrame(() => {
    document.body.offsetHeight;
    done(performance.now() - began);
  }));
}"""


@dataclass(frozen=True)
class Speed:
    """Milliseconds. `ready` counts from the beginning of the navigation; the others end with the next frame."""

    ready: float
    search: float
    failing: float
    sort: float
    scroll: float


def speed(page: Any, address: str) -> Speed:
    """Open the page and use it once in each way."""
    page.goto(address)

    def timed(selector: str, event: str, value: object = None) -> float:
        return float(page.evaluate(_TIMED, [selector, event, value]))

    ready = float(page.evaluate("Number(document.documentElement.dataset.ready)"))
    search, failing = timed("#search", "input", "hv0 check"), timed("[data-status=fail]", "click")
    timed("#reset", "click")
    return Speed(ready, search, failing, timed("th.c-host button", "click"), timed(".view", "scroll", 100_000))
