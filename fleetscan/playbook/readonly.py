"""The read-only proof of a probe: a script passes only if every piece of it is known to change nothing."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from fleetscan.errors import Problem
from fleetscan.model.playbook import Language

PINS = "pins.txt"
"""In the package `gate`: the fingerprints of the built-in probes, whose proof the project's own tests make."""


def prove(text: str, language: Language, source: str) -> list[Problem]:
    """The reasons why a probe is not proven to be read-only, with their places; none means that it is.

    The text must have line feeds only, as it is sent. A built-in probe is proven by being, to the byte, what was proven
    when fleetscan was made. docs/read-only.md says what the proof covers.
    """
    return [] if fingerprint(text, language) in _pinned() else examine(text, language, source)


def examine(text: str, language: Language, source: str) -> list[Problem]:
    """The same from the syntax tree, whoever wrote the probe."""
    from fleetscan.playbook.gate import powershell, sh  # the parsers take 5 MB, and most scans need none

    return sh.prove(text, source) if language is Language.SH else powershell.prove(text, source)


def fingerprint(text: str, language: Language) -> str:
    """What a pin says of a script: the hash of its language and its text."""
    return hashlib.sha256(f"{language}\n{text}".encode()).hexdigest()


@cache
def _pinned() -> frozenset[str]:
    text = files("fleetscan.playbook.gate").joinpath(PINS).read_text(encoding="utf-8")
    return frozenset(line.partition(" ")[0] for line in text.splitlines() if not line.startswith("#"))
