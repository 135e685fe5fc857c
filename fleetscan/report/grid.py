"""Text on a grid: one character stands for one column of the terminal, whatever it is made of.

`len`, slices, textwrap and tabulate count characters, terminals count columns. So what is not plain Latin is laid on
the grid first: wide characters, characters with their accents, coloured ones become private characters that stand in
for them, one for each column. `develop` puts the real ones back when all is measured, cut and aligned.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from fleetscan.model.text import display_width, one_line

_FIRST = 0xF0000
_ROOM = 0x1FFFD
"""Stand-ins are the private characters of planes 15 and 16; the last one fills the second column of a wide one."""
_FILL = chr(_FIRST + _ROOM)
_STAND_IN = re.compile(f"([{chr(_FIRST)}-{chr(_FIRST + _ROOM - 1)}])({_FILL}?)|{_FILL}")
_LATIN = re.compile("[\x20-\x7e\xa1-\xac\xae-\u024f]*")
"""What is one column wide in each terminal and for each library that measures text."""
_JOINERS = "\u200c\u200d"
_MARKS = 4
"""Accents that one character may carry: more of them would paint over the lines above and below."""


class Colour(StrEnum):
    """The three colours, as the codes of ANSI terminals. No meaning hangs on them alone."""

    RED = "31"
    YELLOW = "33"
    CYAN = "36"


@dataclass(slots=True)
class Grid:
    """The stand-ins of one document. With `color` off, `paint` changes nothing."""

    color: bool = False
    _known: dict[str, str] = field(default_factory=dict)
    _real: list[tuple[str, bool]] = field(default_factory=list)
    """What each stand-in stands for, and whether that is two columns wide."""

    def lay(self, text: str) -> str:
        """Any text on one line, harmless, one character a column."""
        text = one_line(text)
        if text.isascii():
            return text
        text = unicodedata.normalize("NFC", text)
        if _LATIN.fullmatch(text):
            return text
        return "".join(self._columns(cluster) for cluster in _clusters(text))

    def paint(self, words: str, colour: Colour | None) -> str:
        """ASCII words of ours in a colour. Paint last: what is cut afterwards loses the end of the colour."""
        if colour is None or not self.color:
            return words
        return " ".join(self._painted(word, colour) for word in words.split(" "))

    def develop(self, laid: str) -> str:
        """The text for the terminal. A wide character of which a cut left one half becomes a space."""
        return _STAND_IN.sub(self._develop_one, laid)

    def _painted(self, word: str, colour: Colour) -> str:
        on, off = f"\x1b[{colour}m", "\x1b[0m"
        if len(word) < 2:
            return self._stand_in(f"{on}{word}{off}") if word else word
        return self._stand_in(on + word[0]) + word[1:-1] + self._stand_in(word[-1] + off)

    def _columns(self, cluster: str) -> str:
        if _LATIN.fullmatch(cluster):
            return cluster
        wide = display_width(cluster) > 1
        return self._stand_in(cluster, wide) + (_FILL if wide else "")

    def _stand_in(self, text: str, wide: bool = False) -> str:
        known = self._known.get(text)
        if known is None:
            if len(self._real) == _ROOM:
                return "?"
            known = self._known[text] = chr(_FIRST + len(self._real))
            self._real.append((text, wide))
        return known

    def _develop_one(self, match: re.Match[str]) -> str:
        if match[1] is None:
            return " "
        text, wide = self._real[ord(match[1]) - _FIRST]
        if wide:
            return text if match[2] else " "
        return text + " " * len(match[2])


def _clusters(text: str) -> Iterator[str]:
    """Characters with the accents that belong to them; other invisible characters show as replacement characters."""
    cluster = ""
    for char in text:
        category = unicodedata.category(char)
        if category in ("Mn", "Me") or char in _JOINERS:
            cluster = cluster or "\N{DOTTED CIRCLE}"
            cluster += char if len(cluster) <= _MARKS else ""
            continue
        if cluster:
            yield cluster
        cluster = "\N{REPLACEMENT CHARACTER}" if category in ("Cf", "Co", "Cn") else char
    if cluster:
        yield cluster
