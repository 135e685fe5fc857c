"""pywinrm, held to what a scanner may do: bound to one link, nothing in clear that must be sealed, no foreign answer.

pywinrm knows the messages of a shell and how they are encrypted; what it does not check is checked here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import winrm.protocol
import winrm.transport
from requests_ntlm import HttpNtlmAuth
from winrm.encryption import Encryption
from winrm.exceptions import WinRMTransportError

from fleetscan.model.host import WinRMAuth, WinRMSettings
from fleetscan.model.login import Login
from fleetscan.model.reasons import Reason
from fleetscan.transports.winrm_http import SEALED, harden
from fleetscan.transports.winrm_link import Link
from fleetscan.transports.winrm_messages import create_message, created
from fleetscan.transports.winrm_sealed import unsealed

if TYPE_CHECKING:
    from requests_ntlm.requests_ntlm import ShimSessionSecurity

OPERATION_TIMEOUT = 20
"""Seconds that the host may think about a request; a default WinRM allows no more than 60 (MaxTimeoutms)."""
READ_TIMEOUT = OPERATION_TIMEOUT + 10
PATIENCE = 2
"""How many times as long a Receive may take: busy hosts are late with it, and some listeners hold it to the end of the
command, whatever time they were given. What it would have brought cannot be asked for again."""

_IDLE_SECONDS = 120
_CODEPAGE_UTF8 = 65001
_MESSAGE_ID = re.compile(rb"MessageID>([^<]*)<")
_RELATES_TO = re.compile(rb"RelatesTo[^>]*>\s*([^<]*?)\s*<")


class Transport(winrm.transport.Transport):
    """pywinrm's transport, bound to a link before it sends its first byte, never in clear where encryption is due."""

    def __init__(self, link: Link, **options: Any) -> None:
        super().__init__(**options)
        self._link = link
        self._ours: requests.Session | None = None

    def build_session(self) -> requests.Session:
        """The one session."""
        session = super().build_session()
        self._take_over(session)
        return session

    def setup_encryption(self, session: requests.Session) -> None:
        """Log on. pywinrm calls this while it builds the session: nothing may be sent before the session is ours."""
        self._take_over(session)
        if not isinstance(session.auth, HttpNtlmAuth):  # NTLM is done in two steps, see `NtlmHandshake`
            super().setup_encryption(session)

    def authorized(self, header: str) -> requests.Response:
        """Send an empty request with that Authorization header; gives any answer."""
        session = self.build_session()
        request = requests.Request("POST", self.endpoint, headers={"Authorization": header})
        return session.send(session.prepare_request(request), timeout=READ_TIMEOUT)

    def trust(self, security: ShimSessionSecurity) -> None:
        """Log on by NTLM: messages are sealed by that from now on, where they must be."""
        session = self.build_session()
        if isinstance(session.auth, HttpNtlmAuth):
            session.auth.session_security = security
        if self._link.progress.sealed:
            self.encryption = Encryption(session, self.auth_method)

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

    def _get_message_response_text(self, response: requests.Response) -> bytes:
        encryption, kind = self.encryption, response.headers.get("Content-Type", "")
        if encryption is None or not kind.lower().startswith(SEALED):
            return response.content
        name = urlsplit(self.endpoint).hostname
        return unsealed(kind, response.content, lambda sealed: encryption._decrypt_message(sealed, name))

    def _take_over(self, session: requests.Session) -> None:
        if session is self._ours:
            return
        self._ours = session
        harden(session, self._link)


class Protocol(winrm.protocol.Protocol):
    """pywinrm's messages; an answer must name no other message than the one that it answers."""

    transport: Transport

    def __init__(self, wire: Transport, **options: Any) -> None:
        super().__init__(**options)
        self.transport = wire

    def create_shell(self, shell_id: str = "") -> str:
        """Create a shell, of that id where one is given; returns the id that the host says it has."""
        return created(
            self.send_message(
                create_message(shell_id, OPERATION_TIMEOUT, idle_seconds=_IDLE_SECONDS, codepage=_CODEPAGE_UTF8)
            )
        )

    def send_message(self, message: str | bytes) -> bytes:
        """Send a SOAP message and return the answer's text."""
        if isinstance(message, str):
            message = message.encode()
        answer = super().send_message(message)  # type: ignore[arg-type] # it hands over either to the transport
        asked, related = _MESSAGE_ID.search(message), _RELATES_TO.search(answer)
        # Where it names none, it is the connection that tells: an answer comes after its request.
        if asked is None or (related is not None and related[1].lower() not in (b"", asked[1].lower())):
            raise ValueError("the answer belongs to another message")
        return answer


def _refuse_doctype(text: bytes) -> None:
    if b"<!DOCTYPE" in text:
        raise ValueError("the answer holds a document type")


def protocol(link: Link, settings: WinRMSettings, login: Login, name: str) -> Protocol:
    """The way to talk to one listener; nothing is sent yet."""
    host = f"[{name}]" if ":" in name else name
    shared: dict[str, Any] = {
        "endpoint": f"{settings.scheme}://{host}:{settings.port}{settings.path}",
        "username": _principal(login.username) if settings.auth is WinRMAuth.KERBEROS else login.username,
        "password": login.password.reveal() if login.password is not None else "",
        "service": settings.spn_service,
        "ca_trust_path": None,
        "cert_pem": login.certificate,
        "cert_key_pem": login.certificate_key,
        "read_timeout_sec": PATIENCE * READ_TIMEOUT,  # of each single read; a call as a whole is cut off by its caller
        "kerberos_hostname_override": name,
        "message_encryption": "always" if link.progress.sealed else "never",
        "send_cbt": settings.channel_binding,
        # None would let requests change the environment of the process for a moment in each thread, and lose the race.
        # No proxy is ever asked: `harden` takes them out before anything is sent, and this one leads nowhere.
        "proxy": "http://proxy.invalid",
    }
    transport = Transport(link, auth_method=settings.auth.value, **shared)
    return Protocol(transport, transport=settings.auth.value, operation_timeout_sec=OPERATION_TIMEOUT, **shared)


def _principal(username: str) -> str | None:
    """The Kerberos principal; a name in the DOMAIN\\user form is none, and the cache's own one is used."""
    return username if username and "\\" not in username else None
