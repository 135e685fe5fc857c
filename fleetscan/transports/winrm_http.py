"""HTTP for pywinrm, with everything off that a scanner must not do.

requests would follow redirects, read proxies and `.netrc` from the environment, unpack answers of any size, log on
again in the middle of a session and open new connections behind our back. Here a session is bound to one `Link`, and
what comes over it is checked as it comes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from fleetscan.errors import TransportError
from fleetscan.model.reasons import Reason
from fleetscan.transports.winrm_link import Link, Progress

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

ANSWER_LIMIT = 1024 * 1024
"""Bytes of one HTTP answer. We allow the host envelopes of 150 KiB (MaxEnvelopeSize); sealing adds little."""
_BLOCK = 65_536
_PASSING_STATUS = frozenset({425, 429, 503})
SEALED = ("multipart/encrypted", "multipart/x-multi-encrypted")
"""How the content types of messages begin that WinRM itself has encrypted."""


class _Connection(HTTPConnection):
    """An HTTP connection over a socket of the link, plain or TLS alike. Head and body of a request go out together."""

    link: Link
    unsent = b""

    @property
    def is_connected(self) -> bool:
        # Where no other connection would do, a late TLS ticket must not make this one look closed.
        return self.sock is not None and (self.link.progress.bound or super().is_connected)

    def connect(self) -> None:
        self.sock = self.link.take()

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.unsent += data

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # so does urllib3: it is not http.client's answer
        data, self.unsent = self.unsent, b""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(data)  # who has heard enough hangs up, and may have said why before
        del data  # it may be large, and the wait for the answer long
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
        if status >= 400 and not _may_be_fault(kind, sealed=progress.sealed):
            return http_trouble(progress, status)
        if progress.sealed and progress.logged_on and not kind.startswith(SEALED):
            return progress.trouble(Reason.PROTOCOL_GARBLED, "the host answered in clear to an encrypted message")
        return None

    def _judge_401(self, answer: Response) -> TransportError | None:
        progress = self._progress
        challenges = answer.headers.get("WWW-Authenticate", "")
        progress.offered |= {part.split()[0].lower() for part in challenges.split(",") if part.strip()}
        if progress.logged_on:
            text = "the host does not accept the logon any more in the middle of the session"
            hint = (
                "was the account locked or its password changed just now, or does something on the way mix connections?"
            )
            return progress.trouble(Reason.AUTH_REJECTED, text, hint=hint)
        return None


def _may_be_fault(kind: str, *, sealed: bool) -> bool:
    """Whether an error's content is worth reading. Windows says what it is; others call a fault any kind of XML."""
    return kind.startswith(("application/soap+xml", *SEALED)) or (not sealed and (not kind or "xml" in kind))


def http_trouble(progress: Progress, status: int) -> TransportError:
    """The trouble of an HTTP status that is neither success nor a WS-Management fault."""
    between = "a gateway or load balancer answered for the host: set address to the host's own"
    hints = {
        400: "HTTP.sys takes no such request: the Kerberos ticket of an account in many groups needs MaxFieldLength",
        403: "a filter forbids it: look at the rules of the listener, or of the gateway before it, for this machine",
        404: "check winrm.path: WinRM listens on /wsman",
        405: "the port belongs to a web server, not to WinRM",
        407: "a proxy answered, although none is used: check the address",
        413: "MaxEnvelopeSizekb of the host, and a gateway on the way if there is one, must allow 150 KiB",
        502: between,
        503: "the WinRM service is starting, stopping or out of its limits",
        504: between,
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
