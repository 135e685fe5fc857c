"""Takes secrets out of texts, whatever put them there."""

from __future__ import annotations

import base64
import logging
import re
import threading
from collections.abc import Iterator

_MIN_SECRET = 4
"""Characters of a secret below which redacting it would spell it: `e***ample` says that it is an x."""
_MIN_ENCODED = 6
"""Characters of an encoded form below which it would also be found where it is not meant."""


class Redactor(logging.Filter):
    """Replaces every secret that it knows by `***`: as it is, and in the base64 of its UTF-8 and UTF-16LE.

    As a filter of a log handler it does so for whole records, with their exceptions.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Learn one more secret; one that is too short to be told from ordinary text is left alone."""
        if len(secret) < _MIN_SECRET:
            return
        with self._lock:
            self._forms |= {secret, *_encoded(secret.encode("utf-8", "surrogatepass"))}
            self._forms |= set(_encoded(secret.encode("utf-16-le", "surrogatepass")))
            self._forms.discard("")
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def redact(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub("***", text) if self._pattern else text

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact a record where it is; it is always kept."""
        record.msg, record.args = self.redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self.redact(record.exc_text)
        return True


def _encoded(secret: bytes) -> Iterator[str]:
    """What the base64 of a longer text has in common wherever the secret stands in it: three shifts are possible."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + secret).decode()
        rest = (shift + len(secret)) % 3
        common = encoded[(0, 2, 3)[shift] : len(encoded) - (0, 3, 2)[rest]]
        if len(common) >= _MIN_ENCODED:
            yield common
