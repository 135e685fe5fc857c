"""Who may log on to a simulated host."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spnego._ntlm_raw.crypto import ntowfv1  # the only MD4 at hand: OpenSSL 3 has none, and spnego exports none

_VARIABLE = "NTLM_USER_FILE"


def bare(username: str) -> str:
    """A user name without its domain or realm."""
    return username.split("\\")[-1].split("@")[0]


@dataclass(frozen=True, slots=True)
class Account:
    """One user: `CORP\\name`, `name@corp.example` or `name`. The bare name is accepted too, in any case."""

    username: str
    password: str = ""
    """Empty for a user who has only a key."""
    public_key: str = ""
    """An SSH public key in OpenSSH format that logs on as this user."""

    @property
    def bare(self) -> str:
        """The name without its domain."""
        return bare(self.username)

    def named(self, username: str) -> bool:
        """Whether somebody who gives this name means this user."""
        return username.casefold() in (self.username.casefold(), self.bare.casefold())


@dataclass(frozen=True, slots=True)
class Accounts:
    """The users of one host."""

    users: tuple[Account, ...] = ()

    def find(self, username: str) -> Account | None:
        """The user of that name."""
        return next((user for user in self.users if user.named(username)), None)

    def verify(self, username: str, password: str) -> bool:
        """Whether name and password fit."""
        user = self.find(username)
        return (
            user is not None and bool(user.password) and hmac.compare_digest(user.password.encode(), password.encode())
        )


@dataclass(slots=True)
class CredentialFiles:
    """The users in the form that pyspnego's NTLM acceptor reads: a file in smbpasswd format, named by a variable.

    Hosts with the same users share a file, so that the environment changes only where they differ.
    """

    folder: Path

    def write(self, accounts: Iterable[Account]) -> Path:
        """Write the users, once for each distinct set, and return the file."""
        lines = []
        for user in (account for account in accounts if account.password):
            digest = ntowfv1(user.password).hex().upper()
            names = dict.fromkeys((user.username, user.bare))
            lines += [f"{name}:0:{'0' * 32}:{digest}:[U]:LCT-0" for name in names]
        text = "\n".join(lines)
        path = self.folder / f"ntlm-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        if not path.exists():
            path.write_text(text, encoding="utf-8")
        return path


@contextmanager
def selected(path: Path) -> Iterator[None]:
    """Let pyspnego read this file. The environment is left alone where it names the file already."""
    before = os.environ.get(_VARIABLE)
    if before == str(path):
        yield
        return
    os.environ[_VARIABLE] = str(path)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_VARIABLE, None)
        else:
            os.environ[_VARIABLE] = before
