"""The guard of logons: a wrong password must not lock an account, however many hosts would like to try it.

Rules, for each account (user and realm, whatever the credential is called in the inventory):
- the first logon goes to one host alone; only its success opens the way for the others;
- two rejections without a success between them end all further logons with that account in this run;
- after a single rejection, logons go one at a time until one succeeds;
- never more than the credential's `parallel_logons` are under way at once, so that a password that changes in the
  middle of a scan is tried that often at most.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from fleetscan.errors import TransportError
from fleetscan.model.host import Credential
from fleetscan.model.reasons import Reason, Stage

MAX_REJECTIONS = 2
PATIENCE = 3.0
"""Seconds after which a logon that does not come back (a hung host) no longer holds up those of other hosts."""


@dataclass(slots=True)
class _Account:
    name: str
    parallel: int
    proven: bool = False
    rejections: int = 0
    under_way: list[float] = field(default_factory=list)
    """When each logon that is under way began."""
    rejected_by: list[str] = field(default_factory=list)
    changed: anyio.Event = field(default_factory=anyio.Event)

    @property
    def stopped(self) -> bool:
        return self.rejections >= MAX_REJECTIONS

    def may_start(self, now: float) -> bool:
        fresh = sum(now - began < PATIENCE for began in self.under_way)
        if self.proven and not self.rejections:
            return fresh < self.parallel
        if not self.under_way:
            return True
        return not fresh and len(self.under_way) + self.rejections < MAX_REJECTIONS

    def wake(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()


class LogonGuard:
    """Lets logons through one account at a time, as the module's rules say."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}

    @property
    def notices(self) -> list[str]:
        """What the reader of a report must know: which accounts were stopped, and by whom."""
        return [
            f"account {account.name} was rejected by {' and '.join(account.rejected_by[-MAX_REJECTIONS:])}: "
            "no further logon was tried, so that it is not locked"
            for account in self._accounts.values()
            if account.stopped
        ]

    @asynccontextmanager
    async def logon(self, credential: Credential, host: str) -> AsyncIterator[None]:
        """Wait until a logon is allowed, and learn from how it ends.

        Raises TransportError (AUTH_STOPPED) once the account is stopped. A body that ends without an error counts as
        an accepted logon, one that raises AUTH_REJECTED as a rejected one; any other error says nothing.
        """
        fresh = _Account(credential.username, credential.parallel_logons)
        account = self._accounts.setdefault(credential.username.casefold(), fresh)
        began = await self._admit(account, credential)
        try:
            yield
        except TransportError as error:
            if error.reason is Reason.AUTH_REJECTED:
                account.rejections += 1
                account.rejected_by.append(host)
            raise
        else:
            account.proven = True
            if not account.stopped:
                account.rejections = 0
        finally:
            account.under_way.remove(began)
            account.wake()

    async def _admit(self, account: _Account, credential: Credential) -> float:
        while True:
            if account.stopped:
                raise TransportError(
                    Reason.AUTH_STOPPED,
                    Stage.LOGON,
                    f"not tried: {credential.username} was rejected by {' and '.join(account.rejected_by)}, "
                    "and more attempts could lock the account",
                    hint=f"check the secret of credential {credential.name}, then scan again",
                )
            now = anyio.current_time()
            if account.may_start(now):
                account.under_way.append(now)
                return now
            with anyio.move_on_after(1.0):
                await account.changed.wait()
