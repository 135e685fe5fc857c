"""From a host to an open TCP connection, in bounded time.

The system's resolver cannot be interrupted, so a look-up runs in a daemon thread: whoever waits for it gives up at
the deadline, and the thread keeps its place in a small limit until the resolver lets go of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.lowlevel import RunVar

from fleetscan.model.host import Host
from fleetscan.model.reasons import Stage
from fleetscan.transports.troubles import network_trouble, unresolved

_LOOK_UPS = 64
_MOST_ADDRESSES = 4
_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?")

_look_ups: RunVar[anyio.CapacityLimiter] = RunVar("fleetscan.transports.resolve")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect to, as the socket module wants it."""

    family: int
    place: tuple[Any, ...]

    @property
    def ip(self) -> str:
        """The IP address as text."""
        return str(self.place[0])


def identity(host: Host) -> str:
    """The name that a host must prove to have: its address, or its name where the address is a bare IP address."""
    if _numeric(host.address, 0) and _HOST_NAME.fullmatch(host.name):
        return host.name
    return host.address


async def resolve(name: str, port: int, *, timeout: float) -> tuple[Address, ...]:
    """The addresses of a name, in the system's order of preference; raises TransportError."""
    if literal := _numeric(name, port):
        return literal
    answer: Sequence[Address] | Exception = TimeoutError(f"no answer within {timeout:g} s")
    with anyio.move_on_after(timeout):
        answer = await _look_up(name, port)
    if isinstance(answer, Exception) or not answer:
        raise unresolved(name, answer if isinstance(answer, Exception) else None)
    return tuple(answer[:_MOST_ADDRESSES])


async def dial(host: Host, addresses: Sequence[Address], *, timeout: float) -> tuple[Address, socket.socket]:
    """Connect to the first address that answers; `timeout` is shared between all. Raises TransportError."""
    deadline = anyio.current_time() + timeout
    failures: list[OSError] = []
    for index, address in enumerate(addresses):
        share = (deadline - anyio.current_time()) / (len(addresses) - index)
        try:
            with anyio.fail_after(share):
                return address, await _connect(address)
        except OSError as error:
            failures.append(error)
    place = f"port {addresses[-1].place[1]} of {host.address}"
    if addresses[-1].ip != host.address:
        place = f"{place} ({addresses[-1].ip})"
    raise network_trouble(max(failures, key=_telling), Stage.CONNECT, place)


async def _connect(address: Address) -> socket.socket:
    connection = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connection, address.place)
    except BaseException:
        connection.close()
        raise
    return connection


def _telling(error: OSError) -> int:
    """How much a failure says about the host: that it refuses says more than that one route is missing."""
    if isinstance(error, ConnectionRefusedError):
        return 2
    return 1 if isinstance(error, TimeoutError) else 0


def _numeric(name: str, port: int) -> tuple[Address, ...]:
    try:
        return _addresses(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    except (OSError, UnicodeError):
        return ()


def _addresses(found: Sequence[tuple[Any, ...]]) -> tuple[Address, ...]:
    known = (socket.AF_INET, socket.AF_INET6)
    return tuple(dict.fromkeys(Address(entry[0], entry[4]) for entry in found if entry[0] in known))


async def _look_up(name: str, port: int) -> Sequence[Address] | Exception:
    loop = asyncio.get_running_loop()
    limiter = _limiter()
    place = object()
    await limiter.acquire_on_behalf_of(place)
    answered: asyncio.Future[Sequence[Address] | Exception] = loop.create_future()

    def hand_over(answer: Sequence[Address] | Exception) -> None:
        limiter.release_on_behalf_of(place)
        if not answered.done():
            answered.set_result(answer)

    def work() -> None:
        answer: Sequence[Address] | Exception
        try:
            answer = _addresses(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(hand_over, answer)

    threading.Thread(target=work, name=f"look-up of {name}", daemon=True).start()
    return await answered


def _limiter() -> anyio.CapacityLimiter:
    try:
        return _look_ups.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_LOOK_UPS)
        _look_ups.set(limiter)
        return limiter
