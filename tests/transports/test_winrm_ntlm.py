"""The logon by NTLM: what goes out unasked, what only within the time of a logon, and over which connection."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fleetscan.errors import TransportError
from fleetscan.model.reasons import Reason
from fleetscan.transports import Output, connector

from .conftest import VARIANTS, prepare
from .test_winrm_wire import LOGIN, Answer, Peer, peer, reason_of

pytestmark = pytest.mark.anyio
CHALLENGE = base64.b64encode(
    b"NTLMSSP\0\2\0\0\0\0\0\0\0\x38\0\0\0\x05\x82\x8a\xe2ABCDEFGH" + b"\0" * 8 + b"\4\0\4\0\x38\0\0\0" + b"\0" * 12
)


def unauthorized(*challenges: bytes, close: bool = False) -> bytes:
    offers = b"".join(b"WWW-Authenticate: %s\r\n" % challenge for challenge in challenges)
    end = b"Connection: close\r\n" if close else b""
    return b"HTTP/1.1 401 Unauthorized\r\n%s%sContent-Length: 0\r\n\r\n" % (offers, end)


def tokens(listener: Peer) -> list[tuple[str, bytes]]:
    """Scheme and token of each request."""
    found = re.findall(rb"Authorization: (\w+) (\S+)", bytes(listener.received))
    return [(scheme.decode(), base64.b64decode(token)) for scheme, token in found]


def challenging(_: int, request: bytes) -> bytes:
    """Ask for the proof, and reject it."""
    _, token = re.findall(rb"Authorization: (\w+) (\S+)", request)[0]
    kind = base64.b64decode(token)[8]
    return unauthorized(b"Negotiate " + CHALLENGE if kind == 1 else b"Negotiate")


async def test_the_first_token_goes_out_unasked_and_holds_nothing_of_the_account() -> None:
    async with peer(challenging) as listener:
        error = await reason_of(listener.host())
        assert (error.reason, listener.requests, listener.connections) == (Reason.AUTH_REJECTED, 2, 1)
        (scheme, first), (_, proof) = tokens(listener)
    assert scheme == "Negotiate"
    assert first.startswith(b"NTLMSSP\0\1")
    for name in ("svc-audit", "CORP"):
        assert name.encode("utf-16-le") not in first
        assert name.encode() not in first
        assert name.encode("utf-16-le") in proof


@pytest.mark.parametrize(
    ("answer", "shown"),
    [(lambda *_: unauthorized(b"Negotiate"), 0), (lambda *_: None, 0), (challenging, 1)],
    ids=["no challenge", "closed", "challenge"],
)
async def test_only_the_proof_counts_as_a_logon(answer: Answer, shown: int) -> None:
    """A host that never asks for it takes no time in which others must wait."""
    entered = []

    @asynccontextmanager
    async def showing() -> AsyncIterator[None]:
        entered.append(len(tokens(listener)))
        yield

    async with peer(answer) as listener:
        connect = connector(listener.host().transport)
        with pytest.raises(TransportError):
            await connect(listener.host(), LOGIN, connect_timeout=2.0, on_stage=lambda _: None, showing=showing)
    assert entered == [1] * shown


async def test_a_refusal_to_show_it_ends_the_visit_before_the_proof() -> None:
    @asynccontextmanager
    async def showing() -> AsyncIterator[None]:
        raise TransportError(Reason.AUTH_STOPPED, "logon", "not now")
        yield

    async with prepare(VARIANTS["winrm-http-ntlm"]) as ground:
        connect = connector(ground.host.transport)
        with pytest.raises(TransportError, match="not now"):
            await connect(ground.host, ground.login, connect_timeout=2.0, on_stage=lambda _: None, showing=showing)
        assert (ground.counters.requests, ground.counters.failed_logons) == (1, {})
        async with ground.connected() as connection:
            assert await connection.run("sort lines", b"", Output()) == 0


@pytest.mark.parametrize("close", [False, True])
async def test_a_listener_that_knows_only_the_other_name_is_asked_by_it(close: bool) -> None:
    def answer(number: int, request: bytes) -> bytes:
        if b"Authorization: NTLM " not in request:
            return unauthorized(b"NTLM", close=close)
        return unauthorized(b"NTLM " + CHALLENGE if number == 2 else b"NTLM")

    async with peer(answer) as listener:
        error = await reason_of(listener.host())
        assert (error.reason, listener.requests, listener.connections) == (Reason.AUTH_REJECTED, 3, 2 if close else 1)
        assert [scheme for scheme, _ in tokens(listener)] == ["Negotiate", "NTLM", "NTLM"]


@pytest.mark.parametrize("offered", [b"Kerberos", b'Basic realm="WSMAN", Kerberos'])
async def test_a_listener_without_ntlm_sees_no_proof(offered: bytes) -> None:
    async with peer(lambda *_: unauthorized(offered)) as listener:
        error = await reason_of(listener.host())
        assert (error.reason, listener.requests) == (Reason.AUTH_METHOD, 1)
        assert "kerberos" in error.message


async def test_the_proof_goes_over_the_connection_of_the_challenge_or_not_at_all() -> None:
    """On another connection the best password is rejected, and that would count against the account."""
    async with peer(lambda *_: unauthorized(b"Negotiate " + CHALLENGE, close=True)) as listener:
        error = await reason_of(listener.host())
        assert (error.reason, error.retryable) == (Reason.PROTOCOL_CLOSED, True)
        assert (listener.requests, listener.connections) == (1, 1)


@pytest.mark.parametrize(
    "answer",
    [b"Negotiate TlRMTVNTUAAC", b"Negotiate AAAA", b"Negotiate " + CHALLENGE[:30]],
)
async def test_a_crooked_challenge_is_garbled_or_refused_but_no_rejection(answer: bytes) -> None:
    async with peer(lambda *_: unauthorized(answer)) as listener:
        error = await reason_of(listener.host())
        assert error.reason in (Reason.PROTOCOL_GARBLED, Reason.AUTH_METHOD)
        assert listener.requests == 1
