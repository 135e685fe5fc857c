"""What a user probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MAX_LISTED = 8


def did_you_mean(word: str, known: Iterable[str], listed: str = "") -> str:
    """`did you mean "x"?` for the known word most like `word`.

    Without a likely one: `listed` followed by the known words when they are few, else nothing.
    """
    spellings = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), spellings, n=1)
    if close:
        return f'did you mean "{spellings[close[0]]}"?'
    if listed and 0 < len(spellings) <= MAX_LISTED:
        return f"{listed} {', '.join(spellings.values())}"
    return ""
