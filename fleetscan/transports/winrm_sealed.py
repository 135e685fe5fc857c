"""Sealed answers, taken out of the multipart frame that they travel in.

pywinrm's reader knows the frame to the byte as WinRM writes it. Exchange writes a blank before the boundary, and other
servers indent the headers in their own way, order them differently, or leave out the last line end; the sealed bytes
themselves cannot be mistaken, since their length is announced and their signature is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_BOUNDARY = re.compile(r'boundary\s*=\s*"?([^";]+)', re.IGNORECASE)
_LENGTH = re.compile(rb"\blength\s*=\s*(\d{1,9})\b", re.IGNORECASE)
_DATA = re.compile(rb"content-type:\s*application/octet-stream[^\r\n]*\r\n", re.IGNORECASE)
_USUAL = "Encrypted Boundary"


def unsealed(content_type: str, body: bytes, unseal: Callable[[bytes], bytes]) -> bytes:
    """The messages in the body, put together; `unseal` opens one. Raises ValueError for a frame that does not hold."""
    named = _BOUNDARY.search(content_type)
    boundary = (named[1] if named else _USUAL).strip().encode("latin-1")
    delimiter = re.compile(rb"--[ \t]*" + re.escape(boundary) + rb"(?P<end>--)?[ \t]*(?:\r\n|$)", re.IGNORECASE)
    message = b""
    place = delimiter.search(body)
    while place is not None and not place["end"]:
        length, begin = _announced(body, place.end())
        # Sealed bytes are never fewer than what is in them, and may look like anything, a delimiter too.
        place = delimiter.search(body, begin + length)
        if place is None:
            raise ValueError("the sealed answer has no end")
        opened = unseal(body[begin : place.start()])
        if len(opened) != length:
            raise ValueError("the sealed answer does not have the length that it names")
        message += opened
    if not message:
        raise ValueError("the sealed answer is empty")
    return message


def _announced(body: bytes, begin: int) -> tuple[int, int]:
    """The length of the message whose headers begin there, and where its sealed bytes begin."""
    data = _DATA.search(body, begin)
    length = _LENGTH.search(body, begin, data.start()) if data is not None else None
    if data is None or length is None:
        raise ValueError("the sealed answer does not name its length")
    return int(length[1]), data.end()
