"""Texts that are told once: a table of different ones, and places in it."""

from __future__ import annotations

from fleetscan.model.text import clean

HOST, OBJECT, OBJECT_ID = "\x01", "\x02", "\x03"
"""Stand in a text for the name of its host, and the name and the id of its object; `clean` lets none through."""

SHORTEST = 3
"""Characters that a name must have to be replaced: shorter ones are parts of too many words."""


class Strings:
    """A growing table of texts. Every text in it is clean, whatever was put in; the empty one is at 0."""

    def __init__(self) -> None:
        self.table: list[str] = []
        self._places: dict[str, int] = {}
        self._clean: dict[str, str] = {}
        self.add("")

    def add(self, text: str) -> int:
        """The place of the text."""
        return self._place(self.clean(text))

    def add_neutral(self, text: str, names: tuple[tuple[str, str], ...]) -> int:
        """The place of the text with stand-ins for the names, so that texts which differ in them only are one.

        `names` are pairs of a clean name and its stand-in, the longest name first; a reader puts the names back.
        """
        if not text:
            return 0
        text = self.clean(text)
        for name, stand_in in names:
            if name in text:
                text = text.replace(name, stand_in)
        return self._place(text)

    def clean(self, text: str) -> str:
        """The text as it may be shown."""
        done = self._clean.get(text)
        if done is None:
            done = self._clean[text] = clean(text)
        return done

    def _place(self, text: str) -> int:
        place = self._places.get(text)
        if place is None:
            place = self._places[text] = len(self.table)
            self.table.append(text)
        return place


def names(host: str, object_name: str, object_id: str) -> tuple[tuple[str, str], ...]:
    """Clean names with their stand-ins, the longest first; of equal ones the host's, then the object's name."""
    pairs = {object_id: OBJECT_ID} | {object_name: OBJECT} | {host: HOST}
    return tuple(sorted(((n, s) for n, s in pairs.items() if len(n) >= SHORTEST), key=lambda pair: -len(pair[0])))
