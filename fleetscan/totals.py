"""From two readings of running totals to rates.

A total counts up from some moment on: the bytes written to a disk, the operations. Only two readings say how fast.
Windows counts with a clock of its own, so an answer with totals has a `sample` beside them: `ticks` of that clock,
their `frequency` per second, and the `time` of day. A total is worth nothing if it began anew between the readings:
it is smaller than before, its object is younger than the readings are apart (`age_seconds`), or the two clocks do not
agree on the time that has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from fleetscan.model.playbook import JSON

WORD = "total"
"""What the shape of an answer calls a total."""
SAMPLE = "sample"
AGE = "age_seconds"
_IDENTITY = ("string", "guid")
_TOLERANCE = 2.5
"""Seconds by which the clocks may differ: the time of day is told to the second, and corrected now and then."""
_DRIFT = 0.05


def elapsed(earlier: Mapping[str, JSON], later: Mapping[str, JSON]) -> float | None:
    """Seconds from one answer to the other by the host's own clock; None where they cannot be compared."""
    first, second = earlier.get(SAMPLE), later.get(SAMPLE)
    if not isinstance(first, Mapping) or not isinstance(second, Mapping):
        return None
    frequency = second.get("frequency")
    ticks = first.get("ticks"), second.get("ticks")
    if not isinstance(frequency, int) or frequency < 1 or first.get("frequency") != frequency:
        return None
    if not isinstance(ticks[0], int) or not isinstance(ticks[1], int):
        return None
    moments = first.get("time"), second.get("time")
    if not isinstance(moments[0], str) or not isinstance(moments[1], str):
        return None
    seconds = (ticks[1] - ticks[0]) / frequency
    by_clock = (datetime.fromisoformat(moments[1]) - datetime.fromisoformat(moments[0])).total_seconds()
    agree = abs(seconds - by_clock) <= max(_TOLERANCE, _DRIFT * abs(by_clock))
    return seconds if seconds > 0 and agree else None


def measured(shape: Mapping[str, JSON], earlier: Mapping[str, JSON], later: Mapping[str, JSON]) -> dict[str, JSON]:
    """The later answer with `{value, per_second}` for each total; each of the two is missing where it cannot be told.

    `sample` has `seconds` beside what it had, unless nothing at all can be told.
    """
    seconds = elapsed(earlier, later)
    answer = cast("dict[str, JSON]", _walk(dict(shape), dict(earlier), dict(later), seconds))
    sample = answer.get(SAMPLE)
    if seconds is not None and isinstance(sample, dict):
        answer[SAMPLE] = {**sample, "seconds": seconds}
    return answer


def _walk(shape: JSON, earlier: JSON, later: JSON, seconds: float | None) -> JSON:
    if isinstance(shape, str):
        return _rate(earlier, later, seconds) if shape.removesuffix("?") == WORD else later
    if isinstance(shape, list) and isinstance(later, list):
        return _items(shape[0], earlier, later, seconds)
    if not isinstance(shape, Mapping) or not isinstance(later, Mapping):
        return later
    before = earlier if isinstance(earlier, Mapping) else {}
    age = later.get(AGE)
    if seconds is not None and isinstance(age, int | float) and age < seconds:
        before = {}
    shapes = {key.removesuffix("?"): inner for key, inner in shape.items()}
    untold: dict[str, JSON] = {key: {} for key, inner in shapes.items() if inner in (WORD, f"{WORD}?")}
    return untold | {
        key: _walk(shapes.get(key, shapes.get("*", "string")), before.get(key), value, seconds)
        for key, value in later.items()
    }


def _rate(earlier: JSON, later: JSON, seconds: float | None) -> JSON:
    if not isinstance(later, int):
        return {}
    if seconds is None or not isinstance(earlier, int) or later < earlier:
        return {"value": later}
    return {"value": later, "per_second": (later - earlier) / seconds}


def _items(shape: JSON, earlier: JSON, later: list[JSON], seconds: float | None) -> JSON:
    """Each item with the one of before that has the same `id`, or the same texts if there are no ids."""
    before = {_identity(shape, item): item for item in earlier} if isinstance(earlier, list) else {}
    return [_walk(shape, before.get(_identity(shape, item)), item, seconds) for item in later]


def _identity(shape: JSON, item: JSON) -> JSON | tuple[JSON, ...]:
    if not isinstance(shape, Mapping) or not isinstance(item, Mapping):
        return None
    if "id" in shape:
        return item.get("id")
    texts = [key for key, inner in shape.items() if isinstance(inner, str) and inner.removesuffix("?") in _IDENTITY]
    return tuple(item.get(key.removesuffix("?")) for key in texts)
