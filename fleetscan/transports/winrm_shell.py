"""A WinRM shell on one host, through pywinrm's Protocol. Everything here blocks, in one worker thread at a time.

After an error the connection is dead for good.
"""

from __future__ import annotations

import contextlib
import traceback
import uuid
from collections.abc import Callable
from typing import TypeVar

import requests
from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError

from fleetscan.errors import TransportError
from fleetscan.model.host import WinRMAuth, WinRMSettings
from fleetscan.model.login import Login
from fleetscan.model.reasons import Reason
from fleetscan.transports.troubles import causes
from fleetscan.transports.winrm_errors import is_known, translate
from fleetscan.transports.winrm_link import Link
from fleetscan.transports.winrm_messages import (
    Received,
    delete_message,
    receive_message,
    received,
    send_message,
    signal_message,
)
from fleetscan.transports.winrm_ntlm import NtlmHandshake
from fleetscan.transports.winrm_protocol import OPERATION_TIMEOUT, READ_TIMEOUT, protocol

CHUNK = 90 * 1024
"""Bytes of stdin in one message: base64 makes 120 KiB of them, and envelopes of 150 KiB are always allowed."""
BOUND = frozenset({WinRMAuth.NTLM, WinRMAuth.KERBEROS, WinRMAuth.CREDSSP})
"""The ways to log on that authenticate the TCP connection, by a handshake of its own, and can encrypt messages."""

_LOST = frozenset(
    {
        Reason.UNREACHABLE_RESET,
        Reason.UNREACHABLE_TIMEOUT,
        Reason.UNREACHABLE_NETWORK,
        Reason.PROTOCOL_CLOSED,
        Reason.PROTOCOL_GARBLED,
        Reason.ANSWER_TOO_LARGE,
    }
)
"""After these nobody knows whether the host did what it was asked to do."""
_ACCEPTED = {
    WinRMAuth.NTLM: frozenset({"ntlm", "negotiate"}),
    WinRMAuth.KERBEROS: frozenset({"kerberos", "negotiate"}),
    WinRMAuth.CREDSSP: frozenset({"credssp"}),
    WinRMAuth.BASIC: frozenset({"basic"}),
    WinRMAuth.CERTIFICATE: frozenset[str](),
}
T = TypeVar("T")


def _forget(error: BaseException) -> None:
    """Drop the local variables of the frames that an error keeps alive: sockets, answers, the password."""
    for cause in causes(error):
        traceback.clear_frames(cause.__traceback__)


class Shell:
    """A shell on a host. Any error cuts its link: only a new Shell on a new link can clean up after it."""

    def __init__(self, link: Link, settings: WinRMSettings, login: Login, *, name: str, place: str) -> None:
        self.shell_id = ""
        self.command_id = ""
        self._link = link
        self._place = place
        self._handshake = settings.auth in BOUND
        progress = link.progress
        progress.bound = self._handshake
        progress.sealed = self._handshake and settings.scheme == "http"
        progress.accepted = _ACCEPTED[settings.auth]
        self._protocol = protocol(link, settings, login, name)
        self._ntlm: NtlmHandshake | None = None
        if settings.auth is WinRMAuth.NTLM:
            send = self._protocol.transport.authorized
            self._ntlm = NtlmHandshake(send, link, login, name=name, bind=settings.channel_binding)

    def secure(self) -> None:
        """Do the TLS handshake."""
        self._run(self._link.secure)

    def greet(self) -> None:
        """Do what there is of the logon before the account is shown: NTLM has a challenge to ask for."""
        if self._ntlm is not None:
            self._run(self._ntlm.ask)

    def logon(self) -> None:
        """Log on where that is a handshake of its own; otherwise `open` does, since every request carries the proof."""
        self._run(self._log_on)

    def open(self) -> None:
        """Create the shell. Its id is known before the answer is: a shell whose answer is lost can still be deleted."""
        try:
            self.shell_id = self._run(self._create)
        except TransportError as error:
            late = isinstance(error.__cause__, WinRMOperationTimeoutError)  # the host goes on opening it, perhaps
            if error.reason not in _LOST and not late:
                self.shell_id = ""
            raise
        self._link.progress.logged_on = True

    def start(self, command: str, stdin: bytes) -> None:
        """Start a command line and feed it its stdin, to the end. A command before it is signalled first."""
        if self.command_id:
            self.signal(self.shell_id, self.command_id)
        self._link.progress.started = True
        self.command_id = self._run(
            lambda: self._protocol.run_command(self.shell_id, command, console_mode_stdin=False).strip()
        )
        for start in range(0, max(len(stdin), 1), CHUNK):
            self._feed(stdin[start : start + CHUNK], end=start + CHUNK >= len(stdin))

    def receive(self) -> Received:
        """What the command has written since the last time; waits up to OPERATION_TIMEOUT for it."""
        return self._run(self._receive)

    def signal(self, shell_id: str, command_id: str) -> None:
        """Terminate a command. A fault says that there is nothing to terminate any more."""
        self._end(signal_message(shell_id, command_id, OPERATION_TIMEOUT))

    def delete(self, shell_id: str) -> None:
        """Delete a shell, and all that runs in it. A fault says that it is gone, or will go by itself."""
        self._end(delete_message(shell_id, OPERATION_TIMEOUT))

    def close(self) -> None:
        """Hang up."""
        self._link.close()
        if self._protocol.transport.session is not None:
            self._protocol.transport.session.close()

    def _run(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except TransportError:
            self._link.kill()
            raise
        except Exception as error:  # blind, since the libraries let their parsers' errors through, StopIteration too
            self._link.kill()
            _forget(error)
            raise translate(error, self._link.progress, self._place) from error

    def _end(self, message: bytes) -> None:
        def work() -> None:
            with contextlib.suppress(WSManFaultError):
                self._protocol.send_message(message)

        self._run(work)

    def _feed(self, chunk: bytes, *, end: bool) -> None:
        message = send_message(self.shell_id, self.command_id, OPERATION_TIMEOUT, chunk, end=end)
        self._run(lambda: self._protocol.send_message(message))

    def _log_on(self) -> None:
        transport = self._protocol.transport
        if self._ntlm is not None:
            transport.trust(self._ntlm.prove())
        session = transport.build_session()
        if self._handshake:
            if self._ntlm is None and transport.encryption is None:
                prepared = session.prepare_request(requests.Request("POST", transport.endpoint))
                session.send(prepared, timeout=READ_TIMEOUT).raise_for_status()
            self._link.progress.logged_on = True

    def _create(self) -> str:
        self.shell_id = str(uuid.uuid4()).upper()
        try:
            shell_id = self._protocol.create_shell(self.shell_id)
        except WSManFaultError as error:
            if is_known(error):
                raise
            self.shell_id = ""  # perhaps it is the id that the host does not like
            shell_id = self._protocol.create_shell()
        if not shell_id:
            raise ValueError("the new shell has no id")
        return shell_id

    def _receive(self) -> Received:
        message = receive_message(self.shell_id, self.command_id, OPERATION_TIMEOUT)
        try:
            answer = self._protocol.send_message(message)
        except WinRMOperationTimeoutError:
            return Received()
        return received(answer)
