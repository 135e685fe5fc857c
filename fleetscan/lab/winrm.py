"""The WinRM endpoint of a simulated host: who may speak, in clear or sealed, and what is answered."""

from __future__ import annotations

import asyncio
import base64
import binascii
from dataclasses import dataclass
from http import HTTPStatus

from fleetscan.lab import soap
from fleetscan.lab.accounts import bare
from fleetscan.lab.host import Runtime
from fleetscan.lab.http import Peer, Request, Response
from fleetscan.lab.mischief import InsteadError, Mischief
from fleetscan.lab.negotiate import Acceptor, LogonRefused, SealError
from fleetscan.lab.soapfault import WSManFault
from fleetscan.lab.wsman import Caller, Service

_MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_SOAP_TYPE = "application/soap+xml;charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """How one WinRM listener is set up. The defaults are those of Windows Server."""

    tls: bool = False
    certificate_hash: bytes | None = None
    """SHA-256 of the server certificate, for channel binding."""
    basic: bool = False
    negotiate: bool = True
    certificate: bool = False
    allow_unencrypted: bool = False
    strict_channel_binding: bool = False
    max_envelope: int = 512_000
    latency: float = 0.0
    """Seconds of a round trip: added to each answer, and once more for the TCP and for the TLS handshake."""


@dataclass(slots=True)
class _Session:
    """What is known about one connection."""

    acceptor: Acceptor
    user: str = ""


class Endpoint:
    """Answers HTTP requests for one host."""

    def __init__(self, machine_name: str, service: Service, runtime: Runtime, listener: Listener) -> None:
        self._machine_name = machine_name
        self._service = service
        self._accounts = runtime.accounts
        self._users_file = runtime.users_file
        self._listener = listener
        self._counters = runtime.counters
        self._mischief = Mischief(runtime.spec.fault)

    async def handle(self, request: Request, peer: Peer) -> Response:
        """Answer one request."""
        self._counters.request()
        if self._listener.latency:
            trips = 1 if peer.requests > 1 else 2 + self._listener.tls
            await asyncio.sleep(self._listener.latency * trips)
        early = await self._mischief.instead_of_http(request)
        if early is not None:
            return early
        if request.target.partition("?")[0].rstrip("/").casefold() != "/wsman":
            return Response(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            return Response(HTTPStatus.METHOD_NOT_ALLOWED)
        if request.header("wsmanidentify"):
            return Response(HTTPStatus.OK, soap.identity("0.0.0"), (("Content-Type", _SOAP_TYPE),))
        session = self._session(peer)
        refusal, token = self._authenticate(request, session, peer)
        if refusal is not None:
            return refusal
        return await self._answer(request, session, peer, token)

    def _session(self, peer: Peer) -> _Session:
        if peer.state is None:
            strict = self._listener.strict_channel_binding
            peer.state = _Session(Acceptor(self._users_file, self._listener.certificate_hash, strict=strict))
        assert isinstance(peer.state, _Session)  # noqa: S101 # nobody else writes it
        return peer.state

    def _authenticate(self, request: Request, session: _Session, peer: Peer) -> tuple[Response | None, str]:
        """A refusal, or None and the last token of the server."""
        scheme, _, credentials = request.header("authorization").partition(" ")
        scheme = scheme.casefold()
        if not scheme:
            return (None, "") if session.user else (self._unauthorized(close=True), "")
        if scheme == "basic" and self._listener.basic:
            return self._basic(credentials, session), ""
        if scheme == _MUTUAL and self._listener.certificate:
            return self._certificate(peer.certificate_name, session), ""
        if scheme in ("negotiate", "ntlm", "kerberos") and self._listener.negotiate:
            return self._negotiate(scheme.capitalize(), credentials, session)
        return self._unauthorized(), ""

    def _basic(self, credentials: str, session: _Session) -> Response | None:
        session.user = ""
        try:
            name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return self._unauthorized()
        if not self._accounts.verify(name, password):
            self._counters.refused(name)
            return self._unauthorized()
        self._counters.logons += 1
        session.user = name
        return None

    def _certificate(self, name: str, session: _Session) -> Response | None:
        """Take the user whom the certificate names, as a mapping under WSMan:/localhost/ClientCertificate would."""
        user = self._accounts.find(name) if name else None
        session.user = user.username if user is not None else ""
        if user is None:
            self._counters.refused(name)
            return self._unauthorized()
        self._counters.logons += 1
        return None

    def _negotiate(self, scheme: str, credentials: str, session: _Session) -> tuple[Response | None, str]:
        session.user = ""
        try:
            answer = session.acceptor.step(base64.b64decode(credentials, validate=True))
        except LogonRefused as refused:
            self._counters.refused(refused.username)
            return self._unauthorized(), ""
        except binascii.Error:
            return self._unauthorized(), ""
        token = f"{scheme} {base64.b64encode(answer).decode()}" if answer else ""
        if not session.acceptor.user:
            return Response(HTTPStatus.UNAUTHORIZED, headers=(("WWW-Authenticate", token),)), ""
        if self._accounts.find(bare(session.acceptor.user)) is None:  # a ticket of somebody who is nobody here
            self._counters.refused(session.acceptor.user)
            return self._unauthorized(), ""
        self._counters.logons += 1
        session.user = session.acceptor.user
        return None, token

    def _unauthorized(self, *, close: bool = False) -> Response:
        """401 with what is offered. Windows closes the connection after a request that brought nothing at all."""
        offers = []
        if self._listener.negotiate:
            offers.append(("WWW-Authenticate", "Negotiate"))
        if not (self._listener.basic or self._listener.certificate):
            offers.append(("WWW-Authenticate", "Kerberos"))
        if self._listener.basic:
            offers.append(("WWW-Authenticate", 'Basic realm="WSMAN"'))
        return Response(HTTPStatus.UNAUTHORIZED, headers=tuple(offers), close=close)

    async def _answer(self, request: Request, session: _Session, peer: Peer, token: str) -> Response:
        headers = (("WWW-Authenticate", token),) if token else ()
        if not request.body:
            return Response(HTTPStatus.OK, headers=headers)
        content_type = request.header("content-type")
        sealed = content_type.casefold().startswith("multipart/")
        try:
            data = session.acceptor.unseal(content_type, request.body) if sealed else request.body
        except SealError:
            return Response(HTTPStatus.BAD_REQUEST, close=True)
        if not (sealed or self._listener.tls or self._listener.allow_unencrypted):
            return Response(HTTPStatus.INTERNAL_SERVER_ERROR, headers=headers)
        if len(data) > self._listener.max_envelope:
            return Response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, headers=headers)
        try:
            message = soap.parse(data)
        except soap.MalformedError:
            return Response(HTTPStatus.BAD_REQUEST, headers=headers)
        try:
            status, body = await self._soap(message, self._caller(session, request, peer))
        except InsteadError as instead:
            return instead.response
        sealed_type = _SOAP_TYPE
        if sealed:
            sealed_type, body = session.acceptor.seal(content_type, body)
        response = Response(status, body, (*headers, ("Content-Type", sealed_type)))
        return self._mischief.deliver(message, response)

    def _caller(self, session: _Session, request: Request, peer: Peer) -> Caller:
        scheme = "https" if self._listener.tls else "http"
        return Caller(session.user, peer.address, f"{scheme}://{request.header('host')}{request.target}")

    async def _soap(self, message: soap.Message, caller: Caller) -> tuple[int, bytes]:
        try:
            await self._mischief.before(message)
            body = await self._service.answer(message, caller)
        except WSManFault as fault:
            return HTTPStatus.INTERNAL_SERVER_ERROR, fault.envelope(message.message_id, self._machine_name)
        return HTTPStatus.OK, self._mischief.after(message, body)
