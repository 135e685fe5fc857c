"""What is remembered of rejected logons from one run to the next: a nightly job must not lock an account bit by bit.

The file holds account names and times, no secret and nothing made of one.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from pathlib import Path

from fleetscan import state

WINDOW = 30 * 60
"""Seconds for which a rejection counts: as long as Windows usually counts it itself."""
MAX_IN_WINDOW = 3
"""Rejections of an account in that time after which it is left alone; lock-out policies begin at about five."""


class RejectionMemory:
    """The rejections of the last half hour, by account. A file that cannot be read or written is no reason to fail."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or state.folder() / "rejected-logons.json"

    def count(self, account: str) -> int:
        """How often the account was rejected in the last half hour, in all runs of this user."""
        return len(self._load().get(account.casefold(), []))

    def add(self, account: str) -> None:
        """Remember one more rejection, at once: a killed run must not forget it."""
        known = self._load()
        known.setdefault(account.casefold(), []).append(time.time())
        self._save(known)

    def forget(self, account: str) -> None:
        """The account was accepted, or the user says so: earlier rejections no longer count."""
        known = self._load()
        if known.pop(account.casefold(), None):
            self._save(known)

    def _load(self) -> dict[str, list[float]]:
        try:
            text = self._path.read_text(encoding="utf-8")
            known: dict[str, list[float]] = {
                str(account): [float(moment) for moment in moments] for account, moments in json.loads(text).items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}
        now = time.time()
        # A time in the future means that the clock was set back: it counts, or the guard could be set aside so.
        recent = {account: [t for t in times if now - t < WINDOW] for account, times in known.items()}
        return {account: times for account, times in recent.items() if times}

    def _save(self, known: dict[str, list[float]]) -> None:
        draft = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(known), encoding="utf-8")
            draft.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
