"""The guard of logons: a wrong password must not lock an account, however many hosts would like to try it.

Rules, for each account (user and realm, whatever the credential is called in the inventory), and for each credential,
since two credentials of one account may hold two passwords:
- the first logon goes to one host alone; only its success opens the way for the others;
- two rejections without a success between them end all further logons in this run, of the account or of the credential;
- after a single rejection, logons go one at a time until one succeeds;
- rejections in earlier runs of the last half hour count: after one, the next one is the last; after three, none is
  tried;
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
from fleetscan.scan.memory import MAX_IN_WINDOW, RejectionMemory

MAX_REJECTIONS = 2
PATIENCE = 1.5
"""Seconds after which a logon that does not come back (a hung host) no longer holds up those of other hosts."""


@dataclass(slots=True)
class _Record:
    """What is known of an account, or of a credential."""

    name: str
    proven: bool = False
    rejections: int = 0
    under_way: list[float] = field(default_factory=list)
    """When each logon that is under way began."""
    rejected_by: list[str] = field(default_factory=list)

    @property
    def stopped(self) -> bool:
        return self.rejections >= MAX_REJECTIONS

    def fresh(self, now: float) -> int:
        return sum(now - began < PATIENCE for began in self.under_way)

    def may_try(self, now: float) -> bool:
        """Whether one more logon may find out whether the password is right."""
        if not self.under_way:
            return True
        return not self.fresh(now) and len(self.under_way) + self.rejections < MAX_REJECTIONS

    def reject(self, host: str) -> None:
        self.rejections += 1
        self.rejected_by.append(host)

    def accept(self) -> None:
        self.proven = True
        if not self.stopped:
            self.rejections = 0

    @property
    def hosts(self) -> str:
        return " and ".join(self.rejected_by[-MAX_REJECTIONS:])


@dataclass(slots=True)
class _Logons:
    """The logons with one credential, beside all those with its account."""

    account: _Record
    credential: _Record
    parallel: int

    @property
    def both(self) -> tuple[_Record, _Record]:
        return self.account, self.credential

    def may_start(self, now: float) -> bool:
        if self.account.fresh(now) >= self.parallel:
            return False
        if self.account.rejections:
            return self.account.may_try(now)
        sure = self.credential.proven and not self.credential.rejections
        return sure or self.credential.may_try(now)


class LogonGuard:
    """Lets logons through one account at a time, as the module's rules say."""

    def __init__(self, memory: RejectionMemory | None = None) -> None:
        """`memory` adds what earlier runs came to; without one, only this run counts."""
        self._memory = memory
        self._accounts: dict[str, _Record] = {}
        self._credentials: dict[str, _Logons] = {}
        self._changed = anyio.Event()

    @property
    def notices(self) -> list[str]:
        """What the reader of a report must know: which accounts and credentials were stopped, and by whom."""
        stopped = [f"account {_told(account)}" for account in self._accounts.values() if account.stopped]
        stopped += [
            f"credential {_told(logons.credential)}"
            for logons in self._credentials.values()
            if logons.credential.stopped and not logons.account.stopped
        ]
        return [f"{text}: no further logon was tried, so that the account is not locked" for text in stopped]

    @property
    def busy(self) -> bool:
        """Whether any logon is under way that may end soon."""
        now = anyio.current_time()
        return any(account.fresh(now) for account in self._accounts.values())

    async def change(self, seconds: float) -> None:
        """Wait until a logon ends, or for so long."""
        with anyio.move_on_after(seconds):
            await self._changed.wait()

    @asynccontextmanager
    async def logon(self, credential: Credential, host: str) -> AsyncIterator[None]:
        """Wait until a logon is allowed, and learn from how it ends.

        Raises TransportError (AUTH_STOPPED) once the account or the credential is stopped. A body that ends without an
        error counts as an accepted logon, one that raises AUTH_REJECTED as a rejected one; any other error says
        nothing.
        """
        logons = self._logons(credential)
        began = await self._admit(logons, credential)
        try:
            yield
        except TransportError as error:
            if error.reason is Reason.AUTH_REJECTED:
                for record in logons.both:
                    record.reject(host)
                if self._memory is not None:
                    self._memory.add(credential.username)
            raise
        else:
            if self._memory is not None and not logons.account.proven:
                self._memory.forget(credential.username)
            for record in logons.both:
                record.accept()
        finally:
            for record in logons.both:
                record.under_way.remove(began)
            self._changed.set()
            self._changed = anyio.Event()

    def refuse_if_stopped(self, credential: Credential) -> None:
        """Raise TransportError (AUTH_STOPPED) where no logon will be allowed: then there is no need to connect."""
        stopped = next((record for record in self._logons(credential).both if record.stopped), None)
        if stopped is not None:
            raise TransportError(
                Reason.AUTH_STOPPED,
                Stage.LOGON,
                f"not tried: {credential.username} was rejected by {stopped.hosts}, "
                "and more attempts could lock the account",
                hint=f"check the secret of credential {credential.name}, then scan with --forget-rejections",
            )

    def _logons(self, credential: Credential) -> _Logons:
        if credential.name not in self._credentials:
            name = credential.username.casefold()
            account = self._accounts.get(name) or self._accounts.setdefault(name, self._remembered(credential.username))
            self._credentials[credential.name] = _Logons(account, _Record(credential.name), credential.parallel_logons)
        return self._credentials[credential.name]

    def _remembered(self, username: str) -> _Record:
        """An account as earlier runs left it: one more rejection is its last, or there is none left."""
        record = _Record(username)
        past = self._memory.count(username) if self._memory is not None else 0
        if past:
            record.rejections = MAX_REJECTIONS if past >= MAX_IN_WINDOW else MAX_REJECTIONS - 1
            record.rejected_by.append(f"earlier runs ({past} times in half an hour)" if past > 1 else "an earlier run")
        return record

    async def _admit(self, logons: _Logons, credential: Credential) -> float:
        while True:
            self.refuse_if_stopped(credential)
            now = anyio.current_time()
            if logons.may_start(now):
                for record in logons.both:
                    record.under_way.append(now)
                return now
            await self.change(1.0)


def _told(record: _Record) -> str:
    return f"{record.name} was rejected by {record.hosts}"
