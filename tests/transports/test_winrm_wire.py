"""What WinRM puts on the wire, and what it never does: requests, connections, encryption, environment."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from requests_ntlm import HttpNtlmAuth
from winrm.encryption import Encryption

from fleetscan.errors import TransportError
from fleetscan.model.host import Host, WinRMAuth, WinRMSettings
from fleetscan.model.login import Login, Secret
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports import Output, not_installed, winrm
from fleetscan.transports.resolve import Address
from fleetscan.transports.winrm_http import ANSWER_LIMIT
from fleetscan.transports.winrm_link import Link
from fleetscan.transports.winrm_messages import Received
from fleetscan.transports.winrm_shell import Shell

from .conftest import NAME, VARIANTS, Ground, busy_threads, prepare

pytestmark = pytest.mark.anyio
LOGIN = Login(username="CORP\\svc-audit", password=Secret("correct horse battery staple"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
Answer = Callable[[int, bytes], bytes | None]


@dataclass
class Peer:
    """A raw TCP server that answers by rote, and remembers what it was sent."""

    port: int = 0
    connections: int = 0
    received: bytearray = field(default_factory=bytearray)
    requests: int = 0
    certificate: dict[str, object] = field(default_factory=dict)

    def host(self, **winrm: object) -> Host:
        settings = WinRMSettings(scheme="http", port=self.port, auth=WinRMAuth.NTLM)
        return Host(name=NAME, address="127.0.0.1", roles=(), winrm=replace(settings, **winrm))  # type: ignore[arg-type] # the test knows

    def shell(self) -> Shell:
        link = Link(None, NAME, 2.0)
        connected = socket.create_connection(("127.0.0.1", self.port))
        link.begin(Address(socket.AF_INET, ("127.0.0.1", self.port)), connected)
        return Shell(link, self.host().winrm, LOGIN, name=NAME, place="here")


@asynccontextmanager
async def peer(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """Serve: `answer` is given the number of the request and its bytes; None closes the connection."""
    state = Peer()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.connections += 1
        state.certificate = writer.get_extra_info("peercert") or state.certificate
        writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
                )
                body = await reader.readexactly(length)
                state.received += head + body
                state.requests += 1
                reply = answer(state.requests, head + body)
                if reply is None:
                    return
                writer.write(reply)
                await writer.drain()
                if b"Connection: close" in reply:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0.01)


async def reason_of(host: Host, *, login: Login = LOGIN) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await winrm.connect(host, login, connect_timeout=2.0, on_stage=lambda _: None, showing=nullcontext)
    assert busy_threads() == 0
    return caught.value


async def whole_visit(ground: Ground) -> None:
    async with ground.connected() as connection:
        assert await connection.run("sort lines", b"x" * 6000, Output()) == 0


@pytest.mark.parametrize(
    ("variant", "requests_", "connections"),
    [("winrm-http-ntlm", 7, 1), ("winrm-https-ntlm", 7, 1), ("winrm-https-basic", 5, 1)],
)
async def test_a_visit_costs_few_requests(variant: str, requests_: int, connections: int) -> None:
    """NTLM: two of the logon, then Create, Command, Send, Receive, Delete."""
    async with prepare(VARIANTS[variant]) as ground:
        await whole_visit(ground)
        assert (ground.counters.requests, ground.counters.connections) == (requests_, connections)
        assert ground.counters.shells_open == 0


async def test_a_chatty_command_costs_few_requests() -> None:
    async with prepare(replace(VARIANTS["winrm-http-ntlm"])) as ground, ground.connected() as connection:
        await connection.run("sort slow", b"", Output())
        assert ground.counters.requests <= 8


async def test_pauses_grow_while_a_command_writes_little(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [Received(b"x")] * 7 + [Received(b"x" * 100_000)] * 2 + [Received(done=True, status=0)]
    pauses: list[float] = []

    class Line:
        shell = SimpleNamespace(receive=None)

        async def call(self, _: object, **_limits: float) -> Received:
            return parts.pop(0)

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("fleetscan.transports.winrm.anyio.sleep", pause)
    assert await winrm._collect(Line(), Output()) == 0
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


async def test_proxies_and_netrc_of_the_environment_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login mallory password x\ndefault login mallory password x\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    for variant in ("winrm-http-ntlm", "winrm-https-basic"):
        async with peer(lambda *_: OK) as proxy, prepare(VARIANTS[variant]) as ground:
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            await whole_visit(ground)
            assert proxy.connections == 0
            assert ground.counters.failed_logons == {}


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Temporary Redirect", b"308 Permanent Redirect"])
async def test_a_redirect_is_not_followed(status: bytes) -> None:
    async with peer(lambda *_: OK) as elsewhere:
        target = b"http://127.0.0.1:%d/wsman" % elsewhere.port
        reply = b"HTTP/1.1 %s\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, target)
        async with peer(lambda *_: reply) as here:
            error = await reason_of(here.host())
            assert (error.reason, error.retryable) == (Reason.PROTOCOL_REDIRECT, False)
            assert here.requests == 1
        assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "reply",
    [
        None,
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n",
        OK,
    ],
)
async def test_after_a_failed_logon_nothing_goes_out_in_clear(reply: bytes | None) -> None:
    """pywinrm keeps a session whose encryption was never set up; its next message would be readable."""
    async with peer(lambda *_: reply) as listener:
        shell = listener.shell()
        for attempt in (shell.greet, shell.logon, shell.open, shell.greet, lambda: shell.start("hostname", b"")):
            with pytest.raises(TransportError):
                await anyio.to_thread.run_sync(attempt)
        shell.close()
        assert b"Envelope" not in listener.received
        assert listener.connections == 1
        assert b"correct horse" not in listener.received


async def test_a_message_in_clear_is_refused_even_on_a_living_link() -> None:
    async with peer(lambda *_: OK) as listener:
        shell = listener.shell()
        shell._protocol.transport.session = requests.Session()  # as pywinrm leaves it behind
        with pytest.raises(TransportError, match="in clear"):
            await anyio.to_thread.run_sync(shell.open)
        shell.close()
        assert listener.requests == 0


async def test_an_answer_in_clear_is_not_believed() -> None:
    """Somebody between us and the host must not be able to answer in the host's name."""
    forged = b"<s:Envelope/>"
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n%s"
    async with peer(lambda *_: reply % (len(forged), forged)) as listener:
        shell = listener.shell()
        shell._link.progress.logged_on = True
        shell._protocol.transport.encryption = Seal()
        with pytest.raises(TransportError) as caught:
            await anyio.to_thread.run_sync(shell.open)
        shell.close()
        assert caught.value.reason is Reason.PROTOCOL_GARBLED
        assert "in clear" in caught.value.message


class Seal:
    """Message encryption that does nothing, to get past it."""

    def prepare_encrypted_request(
        self, session: requests.Session, endpoint: str, message: bytes
    ) -> requests.PreparedRequest:
        return session.prepare_request(requests.Request("POST", endpoint, data=message))

    def parse_encrypted_response(self, response: requests.Response) -> bytes:
        return response.content


class Context:
    """The keys of a logon that never took place."""

    def wrap(self, message: bytes) -> tuple[bytes, bytes]:
        return message[::-1], b"signature"

    def unwrap(self, message: bytes, _: bytes) -> bytes:
        return message


def fault(code: int) -> bytes:
    space = 'xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    detail = f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{code}"/>'
    return (
        f"<s:Envelope {space}><s:Body><s:Fault><s:Detail>{detail}</s:Detail></s:Fault></s:Body></s:Envelope>".encode()
    )


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (b"text/xml; charset=utf-8", Reason.QUOTA_SHELLS),
        (b"Application/SOAP+XML", Reason.QUOTA_SHELLS),
        (b"", Reason.QUOTA_SHELLS),
        (b"text/html", Reason.PROTOCOL_HTTP),
    ],
)
async def test_a_fault_is_read_whatever_kind_of_xml_it_is_called(kind: bytes, reason: Reason) -> None:
    """Where TLS seals the messages: in clear, an error is never believed beyond its status."""
    text = fault(2150859173)
    head = b"HTTP/1.1 500 \r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(text))
    async with peer(lambda *_: head + text) as listener:
        shell = logged_on(listener)
        shell._link.progress.sealed, shell._protocol.transport.encryption = False, None
        with pytest.raises(TransportError) as caught:
            await anyio.to_thread.run_sync(shell.open)
        shell.close()
    assert caught.value.reason is reason


@pytest.mark.parametrize(("code", "may_be_open"), [(2150858793, True), (2150859173, False)])
async def test_a_shell_that_was_not_open_in_time_is_deleted_all_the_same(code: int, may_be_open: bool) -> None:
    space = 'xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    detail = f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{code}"/>'
    text = (
        f"<s:Envelope {space}><s:Body><s:Fault><s:Detail>{detail}</s:Detail></s:Fault></s:Body></s:Envelope>".encode()
    )
    body = AS_WINDOWS.replace(b"LENGTH", b"%d" % len(text)).replace(b"DATA", b"\0\0\0\0" + text)
    head = b"HTTP/1.1 500 \r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (SEALED, len(body))
    async with peer(lambda *_: head + body) as listener:
        shell = logged_on(listener)
        with pytest.raises(TransportError) as caught:
            await anyio.to_thread.run_sync(shell.open)
        shell.close()
    assert caught.value.retryable
    assert bool(shell.shell_id) is may_be_open


async def test_an_answer_need_not_say_what_it_answers() -> None:
    """Windows always does; other listeners leave it out. Another message's answer is refused: Fault.RELATES_TO."""

    def answer(number: int, request: bytes) -> bytes:
        reply = sealed_shell(request, SEALED, AS_WINDOWS)
        return reply.replace(b"RelatesTo", b"SentAfter") if number == 1 else reply.replace(b"uuid:", b"     ")

    async with peer(answer) as listener:
        shell = logged_on(listener)
        await anyio.to_thread.run_sync(shell.open)
        with pytest.raises(TransportError, match="not WinRM"):
            await anyio.to_thread.run_sync(shell.delete, shell.shell_id)
        shell.close()


OPENING = b"--Encrypted Boundary\r\n"
DATA = b"\tContent-Type: application/octet-stream\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--Encrypted Boundary\r\n",
        b"--Encrypted Boundary\r\n\tOriginalContent: type=application/soap+xml;Length=5\r\n",
        b"\tLength=1\r\n\tContent-Type: application/octet-stream\r\n\x01--Encrypted Boundary--\r\n",
        OPENING + b"\tLength=5\r\n--Encrypted Boundary\r\n" + DATA + b"\x01",
        OPENING + b"\tLength=5\r\n--Encrypted Boundary\r\n" + DATA + b"\x01--Encrypted Boundary--\r\n",
        OPENING + b"\tLength=3\r\n--Encrypted Boundary\r\n" + DATA + b"\0\0\0\0<a/>--Encrypted Boundary--\r\n",
        OPENING + b"\tLength=x\r\n--Encrypted Boundary\r\n" + DATA + b"\0\0\0\0<a/>--Encrypted Boundary--\r\n",
        OPENING + DATA + b"\0\0\0\0<a/>--Encrypted Boundary--\r\n",
        OPENING + b"--Encrypted Boundary--\r\n",
    ],
)
async def test_a_cut_or_crooked_seal_is_garbled(body: bytes) -> None:
    protocol = b"application/HTTP-SPNEGO-session-encrypted"
    head = b'HTTP/1.1 200 OK\r\nContent-Type: multipart/encrypted;protocol="%s"\r\nContent-Length: %d\r\n\r\n'
    async with peer(lambda *_: head % (protocol, len(body)) + body) as listener:
        shell = logged_on(listener)
        with pytest.raises(TransportError) as caught:
            await anyio.to_thread.run_sync(shell.open)
        shell.close()
        assert caught.value.reason is Reason.PROTOCOL_GARBLED, caught.value.message
        assert listener.requests == 1
        assert b"Envelope" not in listener.received


async def test_a_401_in_the_middle_is_not_answered_with_another_logon() -> None:
    reply = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n"
    async with peer(lambda *_: reply) as listener:
        shell = logged_on(listener)
        with pytest.raises(TransportError) as caught:
            await anyio.to_thread.run_sync(shell.open)
        shell.close()
        assert (caught.value.reason, caught.value.retryable) == (Reason.AUTH_REJECTED, False)
        assert listener.requests == 1
        assert b"Authorization" not in listener.received


def closing_after_create(_: int, request: bytes) -> bytes:
    return sealed_shell(request, SEALED, AS_WINDOWS).replace(b"200 OK", b"200 OK\r\nConnection: close", 1)


SEALED = b'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
AS_WINDOWS = (
    b"--Encrypted Boundary\r\n"
    b"\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
    b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=LENGTH\r\n"
    b"--Encrypted Boundary\r\n"
    b"\tContent-Type: application/octet-stream\r\n"
    b"DATA--Encrypted Boundary--\r\n"
)


def sealed_shell(request: bytes, kind: bytes, frame: bytes) -> bytes:
    """The answer to a Create, in that frame."""
    related = re.search(rb"MessageID>(uuid:[^<]+)<", request[::-1])  # see Context.wrap
    assert related is not None
    # Sealed bytes may look like a delimiter.
    text = b"<e><a:RelatesTo xmlns:a='x'>%s</a:RelatesTo>%s<![CDATA[--Encrypted Boundary--\r\n]]></e>" % (
        related[1],
        SHELL,
    )
    body = frame.replace(b"LENGTH", b"%d" % len(text)).replace(b"DATA", b"\0\0\0\0" + text)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (kind, len(body)) + body


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        (SEALED, AS_WINDOWS),
        (SEALED, AS_WINDOWS.replace(b"--Enc", b"-- Enc")),
        (SEALED, AS_WINDOWS.replace(b"\t", b"")),
        (
            SEALED,
            AS_WINDOWS.replace(b"\t", b"  ")
            .lower()
            .replace(b"length=length", b"length=LENGTH")
            .replace(b"data", b"DATA"),
        ),
        (SEALED, AS_WINDOWS.removesuffix(b"\r\n")),
        (SEALED, AS_WINDOWS.replace(b"type=", b"Length=LENGTH;type=").replace(b";Length=LENGTH\r", b"\r")),
        (SEALED.replace(b'"', b"").replace(b";", b"; "), AS_WINDOWS),
        (SEALED.replace(b"Encrypted Boundary", b"x(1)"), AS_WINDOWS.replace(b"Encrypted Boundary", b"x(1)")),
        (SEALED.partition(b";")[0].title(), AS_WINDOWS),
    ],
    ids=["windows", "exchange", "no tab", "blanks", "no last line end", "length first", "unquoted", "boundary", "bare"],
)
async def test_sealed_answers_are_opened_in_whatever_frame_they_come(kind: bytes, frame: bytes) -> None:
    async with peer(lambda _, request: sealed_shell(request, kind, frame)) as listener:
        shell = logged_on(listener)
        await anyio.to_thread.run_sync(shell.open)
        shell.close()
    assert shell.shell_id.startswith("11111111-")


async def test_a_connection_that_ends_after_the_logon_is_not_replaced() -> None:
    """Another one is not logged on, and the keys of the first do not open what the host would say on it."""
    async with peer(closing_after_create) as listener:
        shell = logged_on(listener)
        await anyio.to_thread.run_sync(shell.open)
        with pytest.raises(TransportError) as caught:
            await anyio.to_thread.run_sync(shell.start, "hostname", b"")
        shell.close()
        assert caught.value.reason is Reason.PROTOCOL_CLOSED
        assert (listener.requests, listener.connections) == (1, 1)


def logged_on(listener: Peer) -> Shell:
    """A shell behind a logon that never took place."""
    shell = listener.shell()
    transport = shell._protocol.transport
    transport.session = session = requests.Session()
    session.auth = HttpNtlmAuth("", "")
    transport._take_over(session)
    session.auth.session_security = Context()
    transport.encryption = Encryption(session, "ntlm")
    shell._link.progress.logged_on = True
    return shell


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", Reason.PROTOCOL_GARBLED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<notxml>>", Reason.PROTOCOL_GARBLED),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", Reason.PROTOCOL_GARBLED),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Reason.PROTOCOL_HTTP),
        (b"HTTP/1.1 407 Proxy\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n", Reason.PROTOCOL_HTTP),
        (b"HTTP/1.1 429 Slow Down\r\nContent-Length: 0\r\n\r\n", Reason.PROTOCOL_HTTP),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort", Reason.UNREACHABLE_TIMEOUT),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Reason.PROTOCOL_CLOSED),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000, Reason.PROTOCOL_GARBLED),
        (b"HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate !!!\r\nContent-Length: 0\r\n\r\n", Reason.PROTOCOL_GARBLED),
        (b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest\r\nContent-Length: 0\r\n\r\n", Reason.AUTH_METHOD),
    ],
)
async def test_answers_of_strangers(reply: bytes, reason: Reason, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetscan.transports.winrm.READ_TIMEOUT", 0.3)
    async with peer(lambda *_: reply) as listener:
        error = await reason_of(listener.host())
        assert error.reason is reason, error.message
        assert error.stage is Stage.LOGON
        assert error.retryable is (b"429" in reply or reason is Reason.PROTOCOL_CLOSED)
        assert b"mallory" not in listener.received


async def test_what_a_host_says_before_it_hangs_up_is_heard() -> None:
    """It takes no message of this size, and does not wait for its end."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        shell = logged_on(Peer(port=server.sockets[0].getsockname()[1]))
        with pytest.raises(TransportError) as caught:
            await anyio.to_thread.run_sync(lambda: shell._feed(b"x" * 8_000_000, end=True))
        shell.close()
    assert (caught.value.reason, "413" in caught.value.message) == (Reason.PROTOCOL_HTTP, True)
    assert "150 KiB" in caught.value.hint


async def test_an_endless_answer_is_cut_at_the_limit() -> None:
    head = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\n\r\n"
    async with peer(lambda *_: head + b"x" * (ANSWER_LIMIT + 2_000_000)) as listener:
        error = await reason_of(listener.host())
        assert error.reason is Reason.ANSWER_TOO_LARGE


async def test_refused_https_says_that_http_listens() -> None:
    try:
        listening = socket.create_server(("127.0.0.77", 5985))
    except OSError as error:
        pytest.skip(f"127.0.0.77:5985 is not to be had: {error}")
    with listening:
        host = Host(name=NAME, address="127.0.0.77", roles=(), winrm=WinRMSettings(auth=WinRMAuth.NTLM))
        error = await reason_of(host)
    assert (error.reason, error.retryable) == (Reason.UNREACHABLE_REFUSED, True)
    assert "5985" in error.hint
    assert "https listener" in error.hint


@pytest.mark.parametrize("auth", [WinRMAuth.BASIC, WinRMAuth.CERTIFICATE])
async def test_basic_and_certificate_need_https(auth: WinRMAuth) -> None:
    async with peer(lambda *_: OK) as listener:
        error = await reason_of(listener.host(auth=auth))
        assert (error.reason, error.stage) == (Reason.AUTH_METHOD, Stage.CREDENTIAL)
        assert listener.connections == 0


async def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winrm.transport.HAVE_KERBEROS", False)
    async with peer(lambda *_: OK) as listener:
        error = await reason_of(listener.host(auth=WinRMAuth.KERBEROS))
        assert error.reason is Reason.AUTH_METHOD
        assert 'pip install "fleetscan[kerberos]"' in error.hint


def test_missing_extras_are_known_before_anything_is_contacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winrm.transport.HAVE_KERBEROS", False)
    kerberos, ntlm = (
        [
            Host(
                name=name, address=name, roles=frozenset(), credential="c", winrm=WinRMSettings(auth=auth), origin=name
            )
            for name in (f"{auth}1", f"{auth}2")
        ]
        for auth in (WinRMAuth.KERBEROS, WinRMAuth.NTLM)
    )
    assert not_installed(ntlm) == []
    (problem,) = not_installed([*ntlm, *kerberos])
    assert problem.source == "kerberos1"
    assert problem.message.startswith("kerberos1 and 1 more: kerberos needs")
    assert problem.cure == 'pip install "fleetscan[kerberos]"'


async def test_channel_binding_satisfies_a_strict_host() -> None:
    strict = replace(VARIANTS["winrm-https-ntlm"], strict_channel_binding=True)
    async with prepare(strict) as ground:
        await whole_visit(ground)
    async with prepare(strict, channel_binding=False) as ground:
        with pytest.raises(TransportError) as caught:
            await ground.connect()
        assert caught.value.reason is Reason.AUTH_REJECTED


async def test_the_certificate_may_have_another_name() -> None:
    async with prepare(VARIANTS["winrm-https-basic"], tls_name="127.0.0.1") as ground:
        await whole_visit(ground)
    async with prepare(VARIANTS["winrm-https-basic"], tls_name="other.example") as ground:
        with pytest.raises(TransportError) as caught:
            await ground.connect()
        assert caught.value.reason is Reason.TLS_NAME
        assert ground.counters.failed_logons == {}


async def test_verification_can_be_switched_off() -> None:
    async with prepare(VARIANTS["winrm-https-ntlm"], ca_file=None, insecure_skip_tls_verification=True) as ground:
        await whole_visit(ground)


async def test_an_unreadable_authority_file_contacts_nobody(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "missing.pem"):
        async with prepare(VARIANTS["winrm-https-ntlm"], ca_file=str(tmp_path / name)) as ground:
            with pytest.raises(TransportError, match=name) as caught:
                await ground.connect()
            assert caught.value.stage is Stage.CREDENTIAL
            assert ground.counters.connections == 0


async def test_libraries_log_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with prepare(VARIANTS["winrm-http-ntlm"]) as ground:
            await whole_visit(ground)
    names = {record.name.partition(".")[0] for record in caplog.records}
    assert not names & {"urllib3", "requests", "spnego", "winrm", "asyncssh"}


async def test_the_secret_does_not_stay_with_an_error() -> None:
    async with prepare(VARIANTS["winrm-http-ntlm"]) as ground:
        ground.login = replace(ground.login, password=Secret("swordfish-of-nobody"))
        with pytest.raises(TransportError) as caught:
            await ground.connect()
    frame = caught.value.__cause__.__traceback__ if caught.value.__cause__ is not None else None
    while frame is not None:
        if "fleetscan" not in frame.tb_frame.f_code.co_filename:
            assert "swordfish" not in repr(frame.tb_frame.f_locals)
        frame = frame.tb_next


async def test_http_to_a_tls_port_gets_a_hint() -> None:
    async with prepare(VARIANTS["winrm-https-ntlm"], scheme="http") as ground:
        with pytest.raises(TransportError) as caught:
            await ground.connect()
        assert caught.value.reason in (Reason.UNREACHABLE_RESET, Reason.PROTOCOL_CLOSED, Reason.PROTOCOL_GARBLED)
        assert "https" in caught.value.hint
        assert ground.counters.logons == 0


SHELL = (
    b'<w:Selector xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" Name="ShellId">'
    b"11111111-0000-0000-0000-000000000001</w:Selector>"
)
COMMAND = b'<rsp:CommandId xmlns:rsp="x">22222222-0000-0000-0000-000000000002</rsp:CommandId>'
DONE = (
    b'<rsp:CommandState xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell" '
    b'State="http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done">'
    b"<rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState>"
)


def closing_listener(number: int, request: bytes) -> bytes:
    """Create, Command, Send, Receive, Delete; closes after each, as a load balancer may."""
    related = re.search(rb"MessageID>(uuid:[^<]+)<", request)
    assert related is not None
    inner = [SHELL, COMMAND, b"", DONE, b""][number - 1]
    body = b"<e><h><a:RelatesTo xmlns:a='x'>%s</a:RelatesTo></h><b>%s</b></e>" % (related[1], inner)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nConnection: close\r\n"
    return head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A server with an authority of its own (`server`), and a client certificate whose key has a passphrase."""
    for name, passphrase in (("server", None), ("client", b"open sesame")):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        (tmp_path / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        (tmp_path / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return tmp_path


def certificate_login(folder: Path, passphrase: str) -> Login:
    certificate, key = str(folder / "client.pem"), str(folder / "client.key")
    return Login(username="", certificate=certificate, certificate_key=key, passphrase=Secret(passphrase))


def asking_for_certificates(folder: Path, version: ssl.TLSVersion, authority: str) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = tls.maximum_version = version
    tls.load_cert_chain(folder / "server.pem", folder / "server.key")
    tls.load_verify_locations(folder / authority)
    tls.verify_mode = ssl.CERT_REQUIRED
    return tls


versions = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@versions
async def test_an_unwelcome_client_certificate_is_a_rejected_logon(certificates: Path, version: ssl.TLSVersion) -> None:
    """The alert comes in the handshake with TLS 1.2, after it with TLS 1.3. asyncio would not send it at all."""
    tls = asking_for_certificates(certificates, version, "server.pem")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connected, _ = server.accept()
            with tls.wrap_socket(connected, server_side=True, do_handshake_on_connect=False) as secured:
                with suppress(ssl.SSLError):
                    secured.do_handshake()
                socket.socket.recv(secured, 65_536)  # what is left unread would turn the end into a reset

        thread = threading.Thread(target=refuse)
        thread.start()
        listener = Peer(server.getsockname()[1])
        host = listener.host(auth=WinRMAuth.CERTIFICATE, scheme="https", ca_file=str(certificates / "server.pem"))
        error = await reason_of(host, login=certificate_login(certificates, "open sesame"))
        thread.join()
    assert (error.reason, error.stage, error.retryable) == (Reason.AUTH_REJECTED, Stage.LOGON, False)


@versions
async def test_a_client_certificate_logs_on(
    certificates: Path, version: ssl.TLSVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also: every request may come over a connection of its own, and .netrc does not replace the certificate."""
    (certificates / ".netrc").write_text("default login mallory password x\n")
    monkeypatch.setenv("NETRC", str(certificates / ".netrc"))
    async with peer(closing_listener, asking_for_certificates(certificates, version, "client.pem")) as listener:
        host = listener.host(auth=WinRMAuth.CERTIFICATE, scheme="https", ca_file=str(certificates / "server.pem"))
        login = certificate_login(certificates, "open sesame")
        connection = await winrm.connect(host, login, connect_timeout=2.0, on_stage=lambda _: None, showing=nullcontext)
        assert await connection.run("hostname", b"", Output()) == 0
        await connection.aclose()
        assert (listener.requests, listener.connections) == (5, 5)
        assert listener.certificate["subject"] == ((("commonName", "client"),),)
        assert listener.received.count(b"secprofile/https/mutual") == 5
        assert b"Basic" not in listener.received
        for said in (
            b"<rsp:IdleTimeOut>PT120S<",
            b'Name="WINRS_CODEPAGE">65001<',
            b'Name="WINRS_CONSOLEMODE_STDIN">FALSE<',
            b"<w:OperationTimeout>PT20S<",
            b"Accept-Encoding: identity\r\n",
        ):
            assert said in listener.received, said


@pytest.mark.parametrize("passphrase", ["wrong", ""])
async def test_a_locked_client_certificate_contacts_nobody(certificates: Path, passphrase: str) -> None:
    async with peer(closing_listener) as listener:
        host = listener.host(auth=WinRMAuth.CERTIFICATE, scheme="https", ca_file=str(certificates / "server.pem"))
        error = await reason_of(host, login=certificate_login(certificates, passphrase))
        assert (error.reason, error.stage) == (Reason.AUTH_SECRET, Stage.CREDENTIAL)
        assert listener.connections == 0
