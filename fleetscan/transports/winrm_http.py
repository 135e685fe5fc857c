"""HTTP for pywinrm, with everything off that a scanner must not do.

requests would follow redirects, read proxies and `.netrc` from the environment, unpack answers of any size, log on
again in the middle of a session and open new connections behind our back. Here there is one `Link` to one listener:
it opens the connections, it can cut them from another thread, and what comes over them is checked as it comes.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from fleetscan.errors import TransportError
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports.resolve import Address

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

ANSWER_LIMIT = 1024 * 1024
"""Bytes of one HTTP answer. We allow the host envelopes of 150 KiB (MaxEnvelopeSize); sealing adds little."""
_BLOCK = 65_536
_HEARTBEAT = 0.25
_PASSING_STATUS = frozenset({425, 429, 503})
_SEALED = ("multipart/encrypted", "multipart/x-multi-encrypted")


@dataclass(slots=True)
class Progress:
    """How far the conversation with a listener has come. The worker writes it; it decides what an error means."""

    stage: Stage = Stage.CONNECT
    started: bool = False
    """A command was sent: from here on nothing may be tried again."""
    logged_on: bool = False
    bound: bool = False
    """The logon belongs to the TCP connection (NTLM, Kerberos, CredSSP): after it, another connection is of no use."""
    sealed: bool = False
    """From the logon on, every message must be encrypted by WinRM itself."""
    accepted: frozenset[str] = frozenset()
    """The authentication schemes that fit the way in which we log on, in lower case; empty where none is named."""
    offered: set[str] = field(default_factory=set)
    """The authentication schemes that the listener named in its 401 answers, in lower case."""

    def trouble(self, reason: Reason, message: str, *, hint: str = "", passing: bool = False) -> TransportError:
        """An error at this point. `passing`: a new attempt may succeed, if nothing was started yet."""
        retryable = passing and not self.started
        return TransportError(reason, self.stage, message, hint=hint, retryable=retryable)


class Link:
    """The connections to one listener. At most one is open at a time; `kill` may be called from any thread."""

    def __init__(self, tls: ssl.SSLContext | None, tls_name: str, timeout: float) -> None:
        self.progress = Progress()
        self._tls = tls
        self._tls_name = tls_name
        self._timeout = timeout
        self._lock = threading.Lock()
        self._dead = False
        self._address: Address | None = None
        self._last: socket.socket | None = None
        self._waiting: socket.socket | None = None

    def begin(self, address: Address, connected: socket.socket) -> None:
        """Take over the first connection."""
        connected.settimeout(self._timeout)
        self._address = address
        self._last = self._waiting = connected

    def secure(self) -> None:
        """Do the TLS handshake of the connection that is waiting to be used."""
        connected, self._waiting = self._waiting, None
        if self._tls is None or connected is None:
            self._waiting = connected
        else:
            self._waiting = self._handshake(self._tls, connected)

    def take(self) -> socket.socket:
        """Hand out the waiting connection, or open another one where the logon allows it."""
        connected, self._waiting = self._waiting, None
        if connected is not None:
            return connected
        if self._dead or self._address is None or (self.progress.bound and self.progress.logged_on):
            text = "the host closed the connection in the middle of the session"
            raise self.progress.trouble(Reason.PROTOCOL_CLOSED, text, passing=True)
        connected = self._connect(self._address)
        return connected if self._tls is None else self._handshake(self._tls, connected)

    def kill(self) -> None:
        """End whatever blocks on a connection, within milliseconds, and open no other."""
        with self._lock:
            self._dead = True
            if self._last is None:
                return
            # Not SSLSocket.shutdown: it first forgets its TLS state, and a thread that is just sending would go on in
            # clear. An error says that the socket is closed or not connected: nothing can block on it.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._last, socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut, and close what nobody has taken."""
        self.kill()
        if self._waiting is not None:
            self._waiting.close()
            self._waiting = None

    def _watch(self, connection: socket.socket) -> None:
        self._last = connection
        if self._dead:
            connection.close()
            raise ConnectionAbortedError

    def _connect(self, address: Address) -> socket.socket:
        """Connect by non-blocking steps, since a blocking connect cannot be cut on every system."""
        connection = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            with self._lock:
                self._watch(connection)
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.connect_ex(address.place)
            self._await_connected(connection)
            connection.settimeout(self._timeout)
        except BaseException:
            connection.close()
            raise
        return connection

    def _await_connected(self, connection: socket.socket) -> None:
        deadline = time.monotonic() + self._timeout
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_WRITE)
            while not selector.select(_HEARTBEAT):
                if self._dead or time.monotonic() > deadline:
                    raise TimeoutError
        if number := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(number, os.strerror(number))

    def _handshake(self, tls: ssl.SSLContext, connected: socket.socket) -> ssl.SSLSocket:
        before, self.progress.stage = self.progress.stage, Stage.TLS
        try:
            with self._lock:  # wrapping moves the descriptor: `kill` must find the old socket or the new one
                secured = tls.wrap_socket(connected, server_hostname=self._tls_name, do_handshake_on_connect=False)
                self._watch(secured)
        except BaseException:
            connected.close()
            raise
        try:
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        self.progress.stage = before
        return secured


class _Connection(HTTPConnection):
    """An HTTP connection over a socket of the link, plain or TLS alike. Head and body of a request go out together."""

    link: Link
    unsent = b""

    def connect(self) -> None:
        self.sock = self.link.take()

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.unsent += data

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # so does urllib3: it is not http.client's answer
        data, self.unsent = self.unsent, b""
        self.sock.sendall(data)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    def __init__(self, link: Link) -> None:
        super().__init__("listener", maxsize=1, block=False)
        self._link = link

    def _new_conn(self) -> _Connection:
        connection = _Connection(self.host, timeout=self.timeout.connect_timeout)
        connection.link = self._link
        return connection


class _Answer(Response):
    """An answer that is read as it is, up to a limit."""

    trouble: Any

    def iter_content(self, _size: int | None = 1, _decode: bool = False) -> Iterator[Any]:
        size = 0
        while block := self.raw.read(_BLOCK, decode_content=False):
            size += len(block)
            if size > ANSWER_LIMIT:
                self.close()
                text = f"one answer of the host is larger than {ANSWER_LIMIT} bytes"
                raise self.trouble(Reason.ANSWER_TOO_LARGE, text)
            yield block


class Adapter(HTTPAdapter):
    """Sends requests over a link and refuses answers that a WinRM listener has no reason to give."""

    def __init__(self, link: Link) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._pool = _Pool(link)
        self._progress = link.progress

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        """The one pool there is, whatever proxies or certificates requests has found."""
        return self._pool

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Nothing: the link does TLS, with a context that is shared between hosts."""

    def request_url(self, request: PreparedRequest, _: Any) -> str:
        """The path alone, as no proxy is ever asked."""
        return request.path_url

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """The answer, its body still unread."""
        answer = _Answer()
        answer.__dict__.update(super().build_response(req, resp).__dict__)
        answer.trouble = self._progress.trouble
        return answer

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send, and look at the head of the answer; raises TransportError for what must not go on."""
        answer = super().send(request, *args, **kwargs)
        trouble = self._judge(answer)
        if trouble is not None:
            answer.close()
            raise trouble
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()
        super().close()

    def _judge(self, answer: Response) -> TransportError | None:
        progress, status = self._progress, answer.status_code
        kind = answer.headers.get("Content-Type", "").lower()
        if 300 <= status < 400:
            text = f"the listener redirects to {answer.headers.get('Location', 'nowhere')!r}"
            hint = "a WinRM listener never does: the address belongs to another service, or somebody is listening in"
            return progress.trouble(Reason.PROTOCOL_REDIRECT, text, hint=hint)
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            return progress.trouble(Reason.PROTOCOL_GARBLED, "the answer is compressed, which was not asked for")
        if status == 401:
            return self._judge_401(answer)
        if status >= 400 and not kind.startswith(("application/soap+xml", *_SEALED)):
            return http_trouble(progress, status)
        if progress.sealed and progress.logged_on and not kind.startswith(_SEALED):
            return progress.trouble(Reason.PROTOCOL_GARBLED, "the host answered in clear to an encrypted message")
        return None

    def _judge_401(self, answer: Response) -> TransportError | None:
        progress = self._progress
        challenges = answer.headers.get("WWW-Authenticate", "")
        progress.offered |= {part.split()[0].lower() for part in challenges.split(",") if part.strip()}
        if progress.logged_on:
            text = "the host does not accept the logon any more in the middle of the session"
            return progress.trouble(Reason.AUTH_REJECTED, text)
        return None


def http_trouble(progress: Progress, status: int) -> TransportError:
    """The trouble of an HTTP status that is neither success nor a WS-Management fault."""
    hints = {
        404: "check winrm.path: WinRM listens on /wsman",
        405: "the port belongs to a web server, not to WinRM",
        407: "a proxy answered, although none is used: check the address",
        503: "the WinRM service is starting, stopping or out of its limits",
    }
    passing = status in _PASSING_STATUS
    text = f"the listener answered with HTTP status {status}"
    return progress.trouble(Reason.PROTOCOL_HTTP, text, hint=hints.get(status, ""), passing=passing)


def harden(session: Session, link: Link) -> None:
    """Bind a session of requests to a link, and to nothing else."""
    session.trust_env = False
    session.proxies = {}
    session.verify = True
    session.cert = None
    session.max_redirects = 0
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["Accept-Encoding"] = "identity"
    adapter = Adapter(link)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
