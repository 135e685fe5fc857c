"""`evidence_ref` without what changes every night, and with it again.

A finding refers to the answers it was judged on as `probe@hash;probe@hash`. An answer may change each night while the
finding stays as it is, so the hashes are kept with the visit and the probes with the finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from fleetscan.model.facts import HostFacts

WIDTH = 6
"""Bytes of each hash that `evidence_ref` shows, as 12 digits."""

_HASH = re.compile("[0-9a-f]{12}")
_LITERAL = "="


class Evidence:
    """The hashes of one visit."""

    def __init__(self, hashes: Mapping[str, str]) -> None:
        self._hashes = hashes
        self._known: dict[str, str] = {}

    @classmethod
    def of(cls, facts: HostFacts) -> Evidence:
        """From the answers of a visit."""
        shown = {name: answer.sha256[: 2 * WIDTH] for name, answer in facts.answers.items()}
        return cls({name: digits for name, digits in shown.items() if _HASH.fullmatch(digits)})

    @classmethod
    def unpacked(cls, probes: tuple[str, ...], packed: bytes) -> Evidence:
        """From what `probes` and `packed` gave."""
        return cls({name: packed[n * WIDTH : (n + 1) * WIDTH].hex() for n, name in enumerate(probes)})

    @property
    def probes(self) -> tuple[str, ...]:
        """The probes whose hashes are known."""
        return tuple(self._hashes)

    @property
    def packed(self) -> bytes:
        """Their hashes, in the same order."""
        return b"".join(bytes.fromhex(digits) for digits in self._hashes.values())

    def strip(self, reference: str) -> str:
        """The reference without hashes; as it stands, behind a mark, where it is of other answers than this visit's."""
        if reference not in self._known:
            probes = ";".join(part.partition("@")[0] for part in reference.split(";"))
            whole = not probes.startswith(_LITERAL) and self._filled(probes) == reference
            self._known[reference] = probes if whole else _LITERAL + reference
        return self._known[reference]

    def fill(self, stripped: str) -> str:
        """The reference that was stripped."""
        if stripped not in self._known:
            literal = stripped.startswith(_LITERAL)
            self._known[stripped] = stripped[1:] if literal else self._filled(stripped)
        return self._known[stripped]

    def _filled(self, probes: str) -> str:
        if not probes:
            return ""
        return ";".join(f"{probe}@{self._hashes.get(probe, '')}" for probe in probes.split(";"))
