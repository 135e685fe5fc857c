"""A WinRM shell on one host, through pywinrm's Protocol. Everything here blocks, in one worker thread at a time.

pywinrm knows the messages and the message encryption; what it does not check is checked here: nothing goes out in clear
that should be encrypted, no answer is taken for another's, and after an error the connection is dead for good.
"""

from __future__ import annotations

import contextlib
import re
import traceback
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import requests
import spnego
from requests_ntlm import HttpNtlmAuth
from spnego._ntlm_raw.crypto import ntowfv1  # spnego exports no MD4, and OpenSSL 3 has none
from winrm.exceptions import WinRMOperationTimeoutError, WinRMTransportError, WSManFaultError
from winrm.protocol import Protocol
from winrm.transport import Transport

from fleetscan.errors import TransportError
from fleetscan.model.host import WinRMAuth, WinRMSettings
from fleetscan.model.login import Login
from fleetscan.model.reasons import Reason
from fleetscan.transports.troubles import causes
from fleetscan.transports.winrm_errors import is_known, translate
from fleetscan.transports.winrm_http import harden
from fleetscan.transports.winrm_link import Link
from fleetscan.transports.winrm_receive import Received, receive_message, received

OPERATION_TIMEOUT = 20
"""Seconds that the host may think about a request; a default WinRM allows no more than 60 (MaxTimeoutms)."""
READ_TIMEOUT = OPERATION_TIMEOUT + 10
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
_IDLE_TIMEOUT = "PT120S"
_CODEPAGE_UTF8 = 65001
_ACCEPTED = {
    WinRMAuth.NTLM: frozenset({"ntlm", "negotiate"}),
    WinRMAuth.KERBEROS: frozenset({"kerberos", "negotiate"}),
    WinRMAuth.CREDSSP: frozenset({"credssp"}),
    WinRMAuth.BASIC: frozenset({"basic"}),
    WinRMAuth.CERTIFICATE: frozenset[str](),
}
_MESSAGE_ID = re.compile(r"MessageID>([^<]*)<")
_RELATES_TO = re.compile(rb"RelatesTo[^>]*>\s*([^<]*?)\s*<")
T = TypeVar("T")


class _Transport(Transport):
    """pywinrm's transport, bound to a link before it sends its first byte, never in clear where encryption is due."""

    def __init__(self, link: Link, login: Login, **options: Any) -> None:
        super().__init__(**options)
        self._link = link
        self._login = login
        self._ours: requests.Session | None = None

    def build_session(self) -> requests.Session:
        """The one session."""
        session = super().build_session()
        self._take_over(session)
        return session

    def setup_encryption(self, session: requests.Session) -> None:
        """Log on. pywinrm calls this while it builds the session: nothing may be sent before the session is ours."""
        self._take_over(session)
        super().setup_encryption(session)

    def send_message(self, message: str | bytes) -> bytes:
        """Send a SOAP message and return the answer's text."""
        if self._link.progress.sealed and self.encryption is None:
            raise self._link.progress.trouble(Reason.INTERNAL, "refused to send a message in clear")
        try:
            answer = super().send_message(message)
        except WinRMTransportError as error:
            _refuse_doctype(str(error.args[2]).encode())
            raise
        _refuse_doctype(answer)
        return answer

    def _take_over(self, session: requests.Session) -> None:
        if session is self._ours:
            return
        self._ours = session
        harden(session, self._link)
        if isinstance(session.auth, HttpNtlmAuth) and self._login.password is not None:
            # From a password spnego would compute an LM hash, in pure Python, which NTLMv2 never uses.
            digest = ntowfv1(self._login.password.reveal()).hex()
            credential = spnego.NTLMHash(username=self._login.username, nt_hash=digest)
            session.auth.username = credential  # type: ignore[assignment] # it is handed to spnego, which takes both


class _Protocol(Protocol):
    """pywinrm's messages; an answer must name the message that it answers."""

    _shell_tag = "<rsp:Shell>"

    def __init__(self, wire: _Transport, **options: Any) -> None:
        super().__init__(**options)
        self.transport = wire

    def create_shell(self, shell_id: str = "") -> str:
        """Create a shell, of that id where one is given; returns the id that the host says it has."""
        self._shell_tag = f'<rsp:Shell ShellId="{shell_id}">' if shell_id else "<rsp:Shell>"
        return self.open_shell(codepage=_CODEPAGE_UTF8, idle_timeout=_IDLE_TIMEOUT).strip()

    def send_message(self, message: str) -> bytes:
        """Send a SOAP message and return the answer's text."""
        message = message.replace("<rsp:Shell>", self._shell_tag, 1)  # `open_shell` cannot say the id
        answer = super().send_message(message)
        asked, related = _MESSAGE_ID.search(message), _RELATES_TO.search(answer)
        if asked is None or related is None or related[1].decode("ascii").lower() != asked[1].lower():
            raise ValueError("the answer belongs to another message")
        return answer


def _forget(error: BaseException) -> None:
    """Drop the local variables of the frames that an error keeps alive: sockets, answers, the password."""
    for cause in causes(error):
        traceback.clear_frames(cause.__traceback__)


def _refuse_doctype(text: bytes) -> None:
    if b"<!DOCTYPE" in text:
        raise ValueError("the answer holds a document type")


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
        self._protocol = _protocol(link, settings, login, name)

    def secure(self) -> None:
        """Do the TLS handshake."""
        self._run(self._link.secure)

    def logon(self) -> None:
        """Log on where that is a handshake of its own; otherwise `open` does, since every request carries the proof."""
        self._run(self._log_on)

    def open(self) -> None:
        """Create the shell. Its id is known before the answer is: a shell whose answer is lost can still be deleted."""
        try:
            self.shell_id = self._run(self._create)
        except TransportError as error:
            if error.reason not in _LOST:
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

        def terminate() -> None:
            with contextlib.suppress(WSManFaultError):
                self._protocol.cleanup_command(shell_id, command_id)

        self._run(terminate)

    def delete(self, shell_id: str) -> None:
        """Delete a shell, and all that runs in it."""
        self._run(lambda: self._protocol.close_shell(shell_id, close_session=False))

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

    def _feed(self, chunk: bytes, *, end: bool) -> None:
        self._run(lambda: self._protocol.send_command_input(self.shell_id, self.command_id, chunk, end=end))

    def _log_on(self) -> None:
        session = self._protocol.transport.build_session()
        if self._handshake:
            if self._protocol.transport.encryption is None:
                endpoint = self._protocol.transport.endpoint
                prepared = session.prepare_request(requests.Request("POST", endpoint))
                session.send(prepared, timeout=READ_TIMEOUT).raise_for_status()
            if isinstance(session.auth, HttpNtlmAuth) and session.auth.session_security is None:
                raise ValueError("the host let us in without asking who we are")
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


def _protocol(link: Link, settings: WinRMSettings, login: Login, name: str) -> _Protocol:
    host = f"[{name}]" if ":" in name else name
    shared: dict[str, Any] = {
        "endpoint": f"{settings.scheme}://{host}:{settings.port}{settings.path}",
        "username": _principal(login.username) if settings.auth is WinRMAuth.KERBEROS else login.username,
        "password": login.password.reveal() if login.password is not None else "",
        "service": settings.spn_service,
        "ca_trust_path": None,
        "cert_pem": login.certificate,
        "cert_key_pem": login.certificate_key,
        "read_timeout_sec": READ_TIMEOUT,
        "kerberos_hostname_override": name,
        "message_encryption": "always" if link.progress.sealed else "never",
        "send_cbt": settings.channel_binding,
        # None would let requests change the environment of the process for a moment in each thread, and lose the race.
        # No proxy is ever asked: `harden` takes them out before anything is sent, and this one leads nowhere.
        "proxy": "http://proxy.invalid",
    }
    transport = _Transport(link, login, auth_method=settings.auth.value, **shared)
    return _Protocol(transport, transport=settings.auth.value, operation_timeout_sec=OPERATION_TIMEOUT, **shared)


def _principal(username: str) -> str | None:
    """The Kerberos principal; a name in the DOMAIN\\user form is none, and the cache's own one is used."""
    return username if username and "\\" not in username else None
