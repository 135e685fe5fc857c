"""HTTP/1.1 as http.sys speaks it: keep-alive, one request at a time, a task for each request.

A client that goes away cancels the task of its request. How an answer is sent may be made to misbehave: `Delivery`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import h11

_LARGEST_BODY = 4 * 1024 * 1024


class Delivery(StrEnum):
    """How an answer goes over the wire."""

    WHOLE = "whole"
    DRIP = "drip"
    """One byte every half second."""
    CUT = "cut"
    """Half of the body, then the connection is reset."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are in lower case."""

    method: str
    target: str
    headers: Mapping[bytes, bytes]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, "" where it is missing."""
        return self.headers.get(name.encode(), b"").decode("latin-1")


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. `close` ends the connection after it."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False
    delivery: Delivery = Delivery.WHOLE


class ResetConnection(Exception):  # noqa: N818 # it is an order to the connection, not an error
    """Raised by a handler to make the connection end with a TCP reset instead of an answer."""


@dataclass(slots=True, eq=False)
class Peer:
    """What a handler may keep about one TCP connection; `state` belongs to the handler."""

    address: str
    certificate_name: str = ""
    """The common name in the certificate that the client showed, "" where it showed none."""
    requests: int = 0
    state: Any = None


Handler = Callable[[Request, Peer], Awaitable[Response]]


@dataclass(slots=True, eq=False)
class Connections:
    """The open connections of one host, so that closing the host closes them all."""

    open: set[TCPConnection] = field(default_factory=set)
    ever: int = 0

    async def aclose(self) -> None:
        """Abort every connection and wait until the tasks of their requests have ended."""
        tasks = [task for connection in self.open if (task := connection.abort()) is not None]
        if tasks:
            await asyncio.wait(tasks)


class TCPConnection(asyncio.Protocol):
    """One TCP connection of a client, counted and closed with its host."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 # asyncio types it too widely
        self._transport = transport
        self._connections.open.add(self)
        self._connections.ever += 1

    def connection_lost(self, _: Exception | None) -> None:
        """Nobody waits for the answer any more."""
        self._connections.open.discard(self)
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> asyncio.Task[None] | None:
        """End the connection with a TCP reset; the task that was answering, if any."""
        raw = self._transport.get_extra_info("socket")
        if raw is not None and raw.fileno() >= 0:
            layout = "hh" if sys.platform == "win32" else "ii"
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(layout, 1, 0))
        self._transport.abort()
        return self._task


class HTTPConnection(TCPConnection):
    """A connection that speaks HTTP."""

    def __init__(self, handler: Handler, connections: Connections, on_crash: Callable[[Exception], None]) -> None:
        super().__init__(connections)
        self._handler = handler
        self._on_crash = on_crash
        self._http = h11.Connection(h11.SERVER)
        self._head: h11.Request | None = None
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Learn who it is."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername") or ("",)
        self._peer = Peer(str(peer[0]), _common_name(transport.get_extra_info("peercert")))

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        self._http.receive_data(data)
        self._advance()

    def _advance(self) -> None:
        while self._task is None and not self._transport.is_closing():
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                self._send(Response(HTTPStatus.BAD_REQUEST, close=True))
                return
            if event is h11.NEED_DATA or event is h11.PAUSED:
                self._continue()
                return
            self._take(event)

    def _continue(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            interim = h11.InformationalResponse(status_code=100, headers=[])
            self._transport.write(self._http.send(interim) or b"")

    def _take(self, event: object) -> None:
        if isinstance(event, h11.Request):
            self._head = event
            self._body.clear()
        elif isinstance(event, h11.Data):
            self._body += event.data
            if len(self._body) > _LARGEST_BODY:
                self._send(Response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, close=True))
        elif isinstance(event, h11.EndOfMessage):
            self._task = asyncio.get_running_loop().create_task(self._answer())
        elif isinstance(event, h11.ConnectionClosed):
            self._transport.close()

    async def _answer(self) -> None:
        try:
            response = await self._handler(self._request(), self._peer)
            await self._deliver(response)
        except ResetConnection:
            self.abort()
        except Exception as error:  # noqa: BLE001 # a crash of the lab must show in the test that met it
            self._on_crash(error)
            self.abort()
        self._task = None
        self._advance()

    def _request(self) -> Request:
        assert self._head is not None  # noqa: S101 # h11 gives the head before the end
        self._peer.requests += 1
        headers = dict(self._head.headers)
        return Request(self._head.method.decode(), self._head.target.decode(), headers, bytes(self._body))

    async def _deliver(self, response: Response) -> None:
        if response.delivery is Delivery.WHOLE:
            self._send(response)
            return
        data = b"".join(self._encode(response))
        if response.delivery is Delivery.CUT:
            self._transport.write(data[: len(data) - max(len(response.body) // 2, 1)])
            await asyncio.sleep(0.2)  # a reset overtakes what the client has not read yet
            raise ResetConnection
        for position in range(len(data)):
            self._transport.write(data[position : position + 1])
            await asyncio.sleep(0.5)

    def _send(self, response: Response) -> None:
        self._transport.write(b"".join(self._encode(response)))
        if self._http.our_state is h11.MUST_CLOSE:
            self._transport.close()
        elif self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()

    def _encode(self, response: Response) -> list[bytes]:
        headers = [
            *response.headers,
            ("Server", "Microsoft-HTTPAPI/2.0"),
            ("Date", formatdate(usegmt=True)),
            ("Content-Length", str(len(response.body))),
        ]
        if response.close:
            headers.append(("Connection", "close"))
        events: list[h11.Event] = [h11.Response(status_code=response.status, headers=headers)]
        if response.body:
            events.append(h11.Data(data=response.body))
        events.append(h11.EndOfMessage())
        return [data for event in events if (data := self._http.send(event)) is not None]


def _common_name(certificate: Mapping[str, Any] | None) -> str:
    """The common name of a certificate in the form of `ssl.SSLSocket.getpeercert`."""
    pairs = (pair for part in (certificate or {}).get("subject", ()) for pair in part)
    return next((str(value) for key, value in pairs if key == "commonName"), "")
