"""What `powershell.exe` writes to standard error: CLIXML, even when nothing went wrong.

Only texts are taken out; nothing is ever turned into an object.
"""

from __future__ import annotations

import re

from fleetscan.model.text import clean

_ERROR = re.compile(r'<S S="(?:[Ee]rror|[Ww]arning)">(.*?)</S>', re.DOTALL)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


def error_text(stderr: bytes | bytearray, limit: int = 2_000) -> str:
    """The error messages in it, made harmless; text that is not CLIXML comes back as it is.

    Progress records and informational streams are left out.
    """
    text = stderr[:200_000].decode("utf-8", "replace")
    if "#< CLIXML" not in text:
        return clean(text.strip(), limit)
    return clean("".join(_plain(part) for part in _ERROR.findall(text)).strip(), limit)


def _plain(text: str) -> str:
    for entity, char in _ENTITIES.items():
        text = text.replace(entity, char)
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    # Characters beyond the basic plane arrive as two escaped surrogates.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
