"""Splits a host pattern into its terms. Colons separate terms, but not inside brackets, IPv6 addresses and paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fleetscan.inventory.schema import is_ip

_FILE = re.compile(r"@(?:[A-Za-z]:(?=[\\/]))?[^,:]*")
_PLAIN = re.compile(r"(?:\[[^\]]*\]|[^,:])*")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+(?:%[\w.-]+)?")
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a pattern; `operator` is `!` (without), `&` (only those that are also), or nothing (and)."""

    operator: str
    text: str


def split(pattern: str) -> list[Term]:
    """The terms of a pattern in their order; empty ones are left out."""
    return [term for term in _terms(pattern) if term.text or term.operator]


def _terms(pattern: str) -> Iterator[Term]:
    start = 0
    while start <= len(pattern):
        start = _end(_SPACE, pattern, start)
        operator = pattern[start : start + 1] if pattern[start : start + 1] in ("!", "&") else ""
        start = _end(_SPACE, pattern, start + len(operator))
        end = _ipv6_end(pattern, start) or _end(_FILE, pattern, start)
        end = end if end > start else _end(_PLAIN, pattern, start)
        yield Term(operator, pattern[start:end].strip())
        start = end + 1


def _end(regex: re.Pattern[str], text: str, start: int) -> int:
    match = regex.match(text, start)
    return match.end() if match else start


def _ipv6_end(text: str, start: int) -> int:
    """Where an IPv6 address that is a whole term ends; 0 when there is none."""
    longest = _end(_IPV6, text, start)
    for end in range(longest, start, -1):
        candidate = text[start:end]
        if text[end : end + 1] in ("", ",", ":", " ") and ":" in candidate and is_ip(candidate):
            return end
    return 0
