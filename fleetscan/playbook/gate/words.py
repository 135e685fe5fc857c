"""Lists of words, written as people read them."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text, separated by blanks or line ends."""
    return frozenset(text.split())


def folded(text: str) -> frozenset[str]:
    """The words of a text in small letters: PowerShell does not tell capitals apart."""
    return words(text.casefold())
