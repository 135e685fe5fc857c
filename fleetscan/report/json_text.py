"""JSON that any program can read, whatever text or number comes: used by all formats that are JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping

_encode = json.JSONEncoder(allow_nan=False, default=lambda mapping: dict(mapping.items())).encode
_DOUBTFUL = re.compile(r"\\ud|NaN|Infinity")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def separated(items: Iterable[str]) -> Iterator[str]:
    """The items of an array or object, a line each."""
    for number, item in enumerate(items):
        yield f",\n{item}" if number else item


def dump(value: object) -> str:
    """A value on one line, in pure ASCII. What JSON or UTF-8 cannot say is replaced (see `_exact`)."""
    try:
        text = _encode(value)
    except ValueError:
        text = ""
    if not text or "\\ud" in text:  # something that JSON or UTF-8 may not be able to say: look at every part of it
        text = json.dumps(_exact(value), allow_nan=False)
    return text


def exact(text: str) -> str:
    """This JSON in pure ASCII, without what JSON or UTF-8 cannot say: see `_exact`."""
    return dump(json.loads(text)) if _DOUBTFUL.search(text) else text


def _exact(value: object) -> object:
    """The same value, without what JSON or UTF-8 cannot say: NaN and infinities become null, lone surrogates U+FFFD."""
    if isinstance(value, str):
        return _LONE_SURROGATES.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(_exact(key)): _exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(item) for item in value]
    return value
