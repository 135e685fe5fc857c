"""Cancellation at every step: within about a second nothing blocks, nothing is open, no shell is left."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import anyio
import pytest

from fleetscan.lab import Fault
from fleetscan.model.host import Host, SSHSettings, TransportName, WinRMAuth, WinRMSettings
from fleetscan.model.login import Login, Secret
from fleetscan.model.reasons import Stage
from fleetscan.transports import Output, connector, resolve

from .conftest import NAME, VARIANTS, busy_threads, faulty, open_files, prepare, settled
from .test_winrm_wire import peer

LOGIN = Login(username="CORP\\svc-audit", password=Secret("x"))
DELAY = 0.2


async def cancelled_visit(host: Host, login: Login) -> tuple[Stage, float]:
    """Where a visit was when it was cancelled after DELAY, and the seconds until it was over."""
    stages: list[Stage] = []
    connect = connector(host.transport)
    began = anyio.current_time()
    with anyio.move_on_after(DELAY) as scope:
        connection = await connect(host, login, connect_timeout=20.0, on_stage=stages.append, showing=nullcontext)
        try:
            await connection.run("sort lines", b"x" * 10_000, Output())
        finally:
            await connection.aclose()
    assert scope.cancelled_caught
    return stages[-1], anyio.current_time() - began - DELAY


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("variant", "fault", "stage"),
    [
        ("winrm-https-ntlm", Fault.HANG, Stage.TLS),
        ("winrm-http-ntlm", Fault.HANG, Stage.LOGON),
        ("ssh-linux", Fault.HANG, Stage.LOGON),
        ("winrm-http-ntlm", Fault.LOGON_HANG, Stage.LOGON),
        ("winrm-https-ntlm", Fault.LOGON_HANG, Stage.LOGON),
        ("ssh-linux", Fault.LOGON_HANG, Stage.LOGON),
        ("winrm-http-ntlm", Fault.CREATE_HANG, Stage.SHELL),
        ("winrm-https-ntlm", Fault.CREATE_HANG, Stage.SHELL),
        ("winrm-https-basic", Fault.CREATE_HANG, Stage.LOGON),
        ("winrm-http-ntlm", Fault.DRIP, Stage.SHELL),
        ("winrm-https-ntlm", Fault.DRIP, Stage.SHELL),
        ("winrm-http-ntlm", Fault.COMMAND_HANG, Stage.COMMAND),
        ("winrm-http-ntlm", Fault.SEND_HANG, Stage.COMMAND),
        ("winrm-https-ntlm", Fault.RECEIVE_HANG, Stage.OUTPUT),
        ("winrm-http-ntlm", Fault.NEVER_ENDS, Stage.OUTPUT),
        ("ssh-windows-cmd", Fault.NEVER_ENDS, Stage.OUTPUT),
    ],
)
async def test_every_step_ends_at_once(variant: str, fault: Fault, stage: Stage) -> None:
    async with prepare(faulty(variant, fault)) as ground:
        files = open_files()
        reached, late = await cancelled_visit(ground.host, ground.login)
        assert reached is stage
        assert late < 1.0
        assert busy_threads() == 0
        nameless = fault is Fault.DRIP  # its Create was acted on, but the shell's id was still on its way
        assert nameless or ground.counters.shells_open == 0
        assert await settled(lambda: open_files() <= files)


@pytest.fixture
def full_listener() -> Iterator[int]:
    """A port whose queue is full: on Linux a new connection is not answered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for each in waiting:
            each.close()


@pytest.mark.anyio
@pytest.mark.parametrize("transport", [TransportName.WINRM, TransportName.SSH])
async def test_a_connect_that_hangs(full_listener: int, transport: TransportName) -> None:
    host = Host(
        name=NAME,
        address="127.0.0.1",
        roles=(),
        transport=transport,
        winrm=WinRMSettings(port=full_listener, auth=WinRMAuth.NTLM),
        ssh=SSHSettings(port=full_listener),
    )
    files = open_files()
    stage, late = await cancelled_visit(host, LOGIN)
    assert stage is Stage.CONNECT
    assert late < 1.0
    assert open_files() <= files


@pytest.mark.anyio
async def test_the_second_connection_of_a_logon_can_be_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener may close after its first 401: the worker thread itself then connects, and must not block either."""
    only_ntlm = b"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    async with peer(lambda *_: only_ntlm) as listener:
        monkeypatch.setattr(
            "fleetscan.transports.winrm_link.selectors", SimpleNamespace(DefaultSelector=_Stuck, EVENT_WRITE=2)
        )
        _, late = await cancelled_visit(listener.host(), LOGIN)
        assert listener.requests == 1
        assert late < 1.0
        assert busy_threads() == 0


class _Stuck:
    """A selector whose socket never becomes ready."""

    def __enter__(self) -> _Stuck:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def register(self, *_: object) -> None:
        pass

    def select(self, timeout: float) -> list[object]:
        threading.Event().wait(timeout)
        return []


@pytest.mark.anyio
async def test_a_look_up_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    numeric = socket.getaddrinfo

    def hang(name: str, port: int, **options: int) -> object:
        if options.get("flags"):
            return numeric(name, port, **options)
        release.wait(10)
        return []

    monkeypatch.setattr("fleetscan.transports.resolve.socket.getaddrinfo", hang)
    host = Host(name=NAME, address="slow.example", roles=(), winrm=WinRMSettings(auth=WinRMAuth.NTLM))
    stage, late = await cancelled_visit(host, LOGIN)
    assert stage is Stage.RESOLVE
    assert late < 0.5
    assert resolve._limiter().borrowed_tokens == 1
    release.set()
    assert await settled(lambda: resolve._limiter().borrowed_tokens == 0)


def test_no_thread_outlives_the_loop() -> None:
    async def visits() -> None:
        for variant in ("winrm-http-ntlm", "winrm-https-ntlm"):
            async with prepare(replace(VARIANTS[variant], fault=Fault.NEVER_ENDS)) as ground:
                await cancelled_visit(ground.host, ground.login)

    before = set(threading.enumerate())
    anyio.run(visits)
    for thread in set(threading.enumerate()) - before:
        thread.join(1.0)
        assert not thread.is_alive()


@pytest.mark.anyio
@pytest.mark.parametrize("variant", ["winrm-http-ntlm", "winrm-https-basic"])
async def test_a_create_that_is_cancelled_half_way_leaves_no_shell(variant: str) -> None:
    """On a slow line the answer with the shell's name is still on its way when the cancellation comes."""
    async with prepare(replace(VARIANTS[variant], latency=0.15)) as ground:
        reached = anyio.Event()

        def on_stage(stage: Stage) -> None:
            if stage is (Stage.LOGON if "basic" in variant else Stage.SHELL):
                reached.set()

        async def visit() -> None:
            connect = connector(ground.host.transport)
            connection = await connect(
                ground.host, ground.login, connect_timeout=20.0, on_stage=on_stage, showing=nullcontext
            )
            try:
                await connection.run("sort lines", b"x", Output())
            finally:
                await connection.aclose()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(visit)
            await reached.wait()
            await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()
        counters = ground.lab.counters(NAME)
        assert counters.shells_opened == 1
        assert counters.shells_open == 0
