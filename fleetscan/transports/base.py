"""The seam between a scan and the network: log on to one host, run one command there, hang up.

A transport knows no PowerShell and takes no decision. It raises TransportError, and nothing else, for whatever the
network or the host does; cancellation (a deadline, Ctrl+C) ends any of its calls within a second, and what had been
received by then stays in the caller's Output.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from fleetscan.errors import TransportError
from fleetscan.model.host import Host
from fleetscan.model.login import Login
from fleetscan.model.reasons import Reason, Stage

OnStage = Callable[[Stage], None]
Showing = Callable[[], AbstractAsyncContextManager[None]]
"""Makes the context within which, and only within which, a host is shown the proof of who we are."""


SIFT_BYTES = 128 * 1024
"""How much may come before it is looked through for what is worth keeping."""
HEAD_BYTES = 1024
"""What is kept as it came, for messages about an answer that is none."""


@dataclass(slots=True)
class Output:
    """What a command has written so far. It outlives the call, so that a deadline loses nothing that had come.

    `sift` gives the part of some whole lines that is worth keeping: hosts that talk without end cost no memory then.
    """

    limit: int = 4 * 1024 * 1024
    """Bytes of stdout and stderr together that are accepted; more is ANSWER_TOO_LARGE."""
    sift: Callable[[bytes | bytearray], bytes] | None = None
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    _received: int = 0
    _sifted: int = 0

    def add(self, stdout: bytes = b"", stderr: bytes = b"") -> None:
        """Keep what arrived; raises TransportError once the limit is passed."""
        for stream, data in ((self.stdout, stdout), (self.stderr, stderr)):
            accepted = data[: self.limit - self._received]
            stream += accepted
            self._received += len(accepted)
        if self.sift is not None and len(self.stdout) - self._sifted > SIFT_BYTES:
            self._sifted = self._condense(self.sift)
        if (stdout or stderr) and self._received >= self.limit:
            raise TransportError(
                Reason.ANSWER_TOO_LARGE, Stage.OUTPUT, f"the host answered with more than {self.limit} bytes"
            )

    def _condense(self, sift: Callable[[bytes | bytearray], bytes]) -> int:
        """Look through what has come since the last time, up to the last line's end; where the next time begins.

        A single line that is as long as all of it is looked through as it is.
        """
        begin = self._sifted or self.stdout.find(b"\n", HEAD_BYTES) + 1 or HEAD_BYTES
        end = self.stdout.rfind(b"\n", begin) + 1 or len(self.stdout)
        kept = sift(self.stdout[begin:end])
        self.stdout[begin:end] = kept + b"\n" if kept else b""
        return begin + len(kept) + bool(kept)


class Connection(Protocol):
    """One open, authenticated line to one host, for one task."""

    async def run(self, command: str, stdin: bytes, output: Output) -> int | None:
        """Run a command line, feed it `stdin` and end of file, collect what it writes; the exit status or None.

        A non-zero exit status is a result, not an error. `command` holds only `[A-Za-z0-9+/=.-]` and spaces, so that
        it means the same in cmd, PowerShell and sh.
        """
        ...

    async def aclose(self) -> None:
        """Leave nothing behind on the host, in at most five seconds, whatever happened; never raises."""
        ...


class Connect(Protocol):
    """Each transport module has one such function, named `connect`."""

    async def __call__(
        self, host: Host, login: Login, *, connect_timeout: float, on_stage: OnStage, showing: Showing
    ) -> Connection:
        """Resolve, connect, secure and log on. `connect_timeout` bounds each of these steps but the logon.

        The logon happens in the context that `showing` makes: entering it may take long, or raise TransportError.
        """
        ...
