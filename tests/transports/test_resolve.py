"""Names, addresses and connections, within their time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

import anyio
import pytest

from fleetscan.errors import TransportError
from fleetscan.model.host import Host
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports import resolve as module
from fleetscan.transports.resolve import Address, dial, identity, resolve

from .conftest import settled

pytestmark = pytest.mark.anyio


def host(name: str = "hv01", address: str = "127.0.0.1") -> Host:
    return Host(name=name, address=address, roles=())


@pytest.mark.parametrize(
    ("name", "address", "wanted"),
    [
        ("hv01", "hv01", "hv01"),
        ("hv01", "hv01.corp.example", "hv01.corp.example"),
        ("hv01.corp.example", "10.1.2.3", "hv01.corp.example"),
        ("hv01.corp.example", "fe80::1", "hv01.corp.example"),
        ("10.1.2.3", "10.1.2.3", "10.1.2.3"),
        ("front desk", "10.1.2.3", "10.1.2.3"),
        ("evil.example/x", "10.1.2.3", "10.1.2.3"),
    ],
)
def test_identity_is_a_name_where_there_is_one(name: str, address: str, wanted: str) -> None:
    assert identity(host(name, address)) == wanted


async def test_literals_need_no_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_look_up", None)
    assert await resolve("127.0.0.1", 5986, timeout=1) == (Address(socket.AF_INET, ("127.0.0.1", 5986)),)
    (six,) = await resolve("::1", 5986, timeout=1)
    assert (six.family, six.ip) == (socket.AF_INET6, "::1")


async def test_names_are_resolved() -> None:
    assert "127.0.0.1" in [address.ip for address in await resolve("localhost", 80, timeout=5)]


@pytest.mark.parametrize("name", ["a" * 70 + ".example", "nowhere.invalid", "a..b"])
async def test_names_without_an_address(name: str) -> None:
    with pytest.raises(TransportError) as caught:
        await resolve(name, 80, timeout=10)
    assert (caught.value.reason, caught.value.stage) == (Reason.UNREACHABLE_DNS, Stage.RESOLVE)


async def test_hanging_look_ups_are_bounded_in_time_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    running: list[threading.Thread] = []

    def hang(*_: object, **options: object) -> list[object]:
        if options.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "no number")
        running.append(threading.current_thread())
        release.wait(10)
        return []

    monkeypatch.setattr(module.socket, "getaddrinfo", hang)
    monkeypatch.setattr(module, "_LOOK_UPS", 3)
    began = anyio.current_time()
    caught: list[TransportError] = []

    async def look_up(number: int) -> None:
        try:
            await resolve(f"h{number}.example", 80, timeout=0.2)
        except TransportError as error:
            caught.append(error)

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(look_up, number)
    assert anyio.current_time() - began < 1.0
    assert {(error.reason, error.retryable) for error in caught} == {(Reason.UNREACHABLE_DNS, True)}
    assert len(caught) == 20
    assert len(running) == 3
    assert all(thread.daemon for thread in running)
    release.set()
    assert await settled(lambda: module._limiter().borrowed_tokens == 0)


async def test_the_second_address_is_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as closed:
        closed.bind(("127.0.0.2", 0))
        refusing = Address(socket.AF_INET, closed.getsockname())
        answering = Address(socket.AF_INET, server.getsockname())
        address, connected = await dial(host(), [refusing, answering], timeout=2)
        connected.close()
        assert address == answering
        with pytest.raises(TransportError) as caught:
            await dial(host(), [refusing, refusing], timeout=2)
        assert (caught.value.reason, caught.value.stage) == (Reason.UNREACHABLE_REFUSED, Stage.CONNECT)


async def test_dead_addresses_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never, raising=False)
    dead = [Address(socket.AF_INET, ("127.0.0.1", port)) for port in (1, 2)]
    began = anyio.current_time()
    with contextlib.suppress(TransportError):
        await dial(host(), dead, timeout=0.4)
        pytest.fail("nothing can have answered")
    assert 0.35 < anyio.current_time() - began < 0.8
