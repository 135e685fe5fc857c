"""The read-only proof of a probe: a script passes only if every piece of it is known to change nothing."""

from __future__ import annotations

from fleetscan.errors import Problem
from fleetscan.model.playbook import Language
from fleetscan.playbook.gate import powershell, sh


def prove(text: str, language: Language, source: str) -> list[Problem]:
    """The reasons why a probe is not proven to be read-only, with their places; none means that it is.

    The text must have line feeds only, as it is sent. docs/read-only.md says what the proof covers.
    """
    return sh.prove(text, source) if language is Language.SH else powershell.prove(text, source)
