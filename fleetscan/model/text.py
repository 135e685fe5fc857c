"""Text from a host is hostile until it went through here, once, at intake."""

from __future__ import annotations

import re
import unicodedata

_PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)} | {0x7F: "\u2421"}
_HOSTILE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def clean(text: str, limit: int = 32_000) -> str:
    """Make a text safe to print, log and store: controls become visible pictures, the rest of `limit` is cut.

    Carriage returns before a line feed go, tabs and line feeds stay. ESC shows as `␛`, C1 controls, direction
    marks and lone surrogates as `\N{REPLACEMENT CHARACTER}`. Any text goes in; no exception comes out.
    """
    text = text.replace("\r\n", "\n")
    text = _HOSTILE.sub(lambda match: _PICTURES.get(ord(match[0]), "\N{REPLACEMENT CHARACTER}"), text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str, limit: int = 2_000) -> str:
    """The text on one line, for tables, CSV cells and log records."""
    return clean(" ".join(text.split()), limit)


def display_width(text: str) -> int:
    """Columns that a terminal gives the text: two for wide East Asian characters, none for combining ones."""
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    # Not unicodedata.combining: it is 0 for many marks that take no column, such as Thai vowels.
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
