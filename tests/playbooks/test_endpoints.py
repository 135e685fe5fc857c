"""The probe that tries to reach names, run by a real PowerShell against real sockets on this machine."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from typing import Any

import pytest

from fleetscan.lab import Machine, PowerShellEngine
from fleetscan.model.facts import ProbeAnswer
from fleetscan.model.host import Role
from fleetscan.model.playbook import Playbook
from fleetscan.model.reasons import Reason
from tests.playbooks.support import builtin, healthy, simulated, speaking, visit
from tests.playbooks.test_causes import diagnosed

pytestmark = [pytest.mark.anyio, pytest.mark.powershell]

PROBE = "azure-endpoints"
PATIENCE_MS = 6000
SLACK_MS = 1500
"""What a busy machine may add to the patience of the probe."""

ANSWERS = {
    "passed": b"HTTP/1.1 200 Connection established\r\n\r\n",
    "refused": b"HTTP/1.0 403 Forbidden\r\n\r\n",
    "logon": b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n\r\n",
    "beyond": b"HTTP/1.1 504 Gateway Timeout\r\n\r\n",
    "garbled": b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n",
    "closed": b"",
}
"""What the proxy says, by the first label of the name that it is asked for. For any other name it says nothing."""


class Listener:
    """A server on a loopback port: keeps what it is sent, and answers as a proxy does if it is one."""

    def __init__(self, *, proxy: bool = False, pieces: int = 1) -> None:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=50)
        self._proxy, self._pieces = proxy, pieces
        self.port: int = self._server.getsockname()[1]
        self.heard: list[bytes] = []
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._serve)

    def _start(self, work: Callable[..., None], *about: object) -> None:
        thread = threading.Thread(target=work, args=about, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._open.append(client)
            self._start(self._hear, client)

    def _hear(self, client: socket.socket) -> None:
        client.settimeout(10)
        data = b""
        try:
            while b"\r\n\r\n" not in data and (more := client.recv(4096)):
                data += more
            if self._proxy and data:
                self._answer(client, data)
            while more := client.recv(4096):
                data += more
        except OSError:
            pass
        self.heard.append(data)

    def _answer(self, client: socket.socket, data: bytes) -> None:
        answer = ANSWERS.get(data.removeprefix(b"CONNECT ").partition(b".")[0].decode())
        if answer is None:
            return
        size = len(answer) // self._pieces + 1
        for start in range(0, len(answer), size):
            client.sendall(answer[start : start + size])
            time.sleep(0.05)
        if not answer:
            client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up, and hear the rest."""
        for each in (self._server, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)


@pytest.fixture
def resources() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def _refused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _black_hole(resources: ExitStack) -> int:
    """A port whose queue is full: what knocks there next hears nothing, as behind a firewall that drops packets."""
    server = resources.enter_context(closing(socket.socket()))
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    port: int = server.getsockname()[1]
    for _ in range(20):
        filler = resources.enter_context(closing(socket.socket()))
        filler.settimeout(0.2)
        try:
            filler.connect(("127.0.0.1", port))
        except TimeoutError:
            return port
    pytest.skip("this system takes every connection: no black hole can be made")


def _book(names: Iterable[str]) -> Playbook:
    """The built-in playbook with another list."""
    probe = replace(builtin().probes[PROBE], connects={Role.HYPERV: tuple(names)})
    return replace(builtin(), probes={PROBE: probe})


def _machine(**extra: Any) -> Machine:
    machine = simulated(healthy(), "hv-one.example").machine
    return Machine(**{**machine.model_dump(exclude={"guests"}), "network": "real", **extra})


async def _ask(engine: PowerShellEngine, book: Playbook, machine: Machine) -> ProbeAnswer:
    return (await visit(engine, machine, [Role.HYPERV], only=PROBE, book=book)).answers[PROBE]


def _ends(answer: ProbeAnswer) -> dict[str, tuple[Any, ...]]:
    assert answer.data is not None, answer.message
    names: Any = answer.data["names"]
    return {each["name"]: (each["reached"], each["step"], each["status"] or each["error"]) for each in names}


async def test_direct(powershell: PowerShellEngine, resources: ExitStack) -> None:
    """Each way to fail has its own name, all are tried at once, and the deadline holds."""
    listener = resources.enter_context(closing(Listener()))
    hole = _black_hole(resources)
    ways = {
        f"127.0.0.1:{listener.port}": (True, "connect", None),
        f"127.0.0.2:{_refused_port()}": (False, "connect", "ConnectionRefused"),
        f"127.0.0.1:{hole}": (False, "connect", "TimedOut"),
    }
    book = _book([*ways, "no-such-name.invalid", *(f"127.0.0.1:{hole}" for _ in range(3))])
    since = time.monotonic()
    answer = await _ask(powershell, book, _machine())
    elapsed = time.monotonic() - since
    assert answer.data is not None, answer.message
    names: Any = answer.data["names"]
    found = {each["entry"]: (each["reached"], each["step"], each["error"]) for each in names}
    unknown = found.pop("no-such-name.invalid")
    assert found == ways
    assert unknown[:2] == (False, "resolve")
    assert unknown[2] in ("HostNotFound", "NoData", "TryAgain", "TimedOut"), "what DNS says depends on the network here"
    by_entry = {each["entry"]: each for each in names}
    assert PATIENCE_MS <= by_entry[f"127.0.0.1:{hole}"]["ms"] < PATIENCE_MS + SLACK_MS
    assert by_entry[f"127.0.0.1:{listener.port}"]["ms"] < 2000
    assert answer.ms < PATIENCE_MS + 2 * SLACK_MS
    assert elapsed < 20
    listener.close()
    assert b"".join(listener.heard) == b"", "no byte may be sent to a name"


async def test_through_the_proxy_of_the_agent(powershell: PowerShellEngine, resources: ExitStack) -> None:
    """One line a name and nothing else, whatever the proxy says; one that is silent costs the patience once."""
    proxy = resources.enter_context(closing(Listener(proxy=True, pieces=3)))
    names = [f"{word}.example.com" for word in (*ANSWERS, "silent", "mute")]
    agent = {"server": "http://127.0.0.1/", "port": proxy.port, "user": "CORP\\svc-proxy"}
    answer = await _ask(powershell, _book(names), _machine(agent_proxy=agent))
    assert _ends(answer) == {
        "passed.example.com": (True, "ask", 200),
        "refused.example.com": (False, "ask", 403),
        "logon.example.com": (False, "ask", 407),
        "beyond.example.com": (False, "ask", 504),
        "garbled.example.com": (False, "ask", "NoHttp"),
        "closed.example.com": (False, "ask", "Closed"),
        "silent.example.com": (False, "ask", "TimedOut"),
        "mute.example.com": (False, "ask", "TimedOut"),
    }
    assert answer.data is not None
    assert answer.data["proxy"] == {
        "source": "agent", "address": f"127.0.0.1:{proxy.port}", "logon": True, "unread": False
    }  # fmt: skip
    assert answer.ms < PATIENCE_MS + 2 * SLACK_MS
    proxy.close()
    asked = [f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode() for name in names]
    assert sorted(proxy.heard) == sorted(asked)


def _winhttp(proxy: str, bypass: str = "") -> list[int]:
    """The registry value, as netsh writes it."""
    texts = b"".join(struct.pack("<i", len(text)) + text.encode() for text in (proxy, bypass))
    return list(struct.pack("<iii", 0x28, 0, 3) + texts)


async def test_through_the_proxy_of_windows(powershell: PowerShellEngine, resources: ExitStack) -> None:
    """The proxy for https of several, and no proxy for the names that need none."""
    proxy = resources.enter_context(closing(Listener(proxy=True)))
    direct = resources.enter_context(closing(Listener()))
    setting = _winhttp(f"http=127.0.0.9:1;https=127.0.0.1:{proxy.port}", "<local>;*.corp.example;127.*")
    book = _book(["passed.example.com", f"127.0.0.1:{direct.port}"])
    answer = await _ask(powershell, book, _machine(winhttp=setting))
    assert _ends(answer) == {"passed.example.com": (True, "ask", 200), "127.0.0.1": (True, "connect", None)}
    assert answer.data is not None
    names: Any = answer.data["names"]
    assert [each["by_proxy"] for each in names] == [True, False]
    assert answer.data["proxy"]["source"] == "machine"  # type: ignore[index,call-overload] # has the declared shape


DIRECT = "1800000000000000010000000000000000000000"
BROKEN = ["", "28000000", "280000000000000003000000ffffff7f61", "28000000000000000300000005000000613a38"]


@pytest.mark.parametrize("setting", [DIRECT, *BROKEN])
async def test_no_proxy_of_windows(powershell: PowerShellEngine, resources: ExitStack, setting: str) -> None:
    """The value for no proxy, and values that are cut or lie about their lengths."""
    direct = resources.enter_context(closing(Listener()))
    book = _book([f"127.0.0.1:{direct.port}"])
    answer = await _ask(powershell, book, _machine(winhttp=list(bytes.fromhex(setting))))
    assert _ends(answer) == {"127.0.0.1": (True, "connect", None)}


async def test_a_proxy_that_is_down_or_cannot_be_read(powershell: PowerShellEngine) -> None:
    book = _book(["passed.example.com"])
    down = await _ask(powershell, book, _machine(winhttp=_winhttp(f"127.0.0.1:{_refused_port()}")))
    assert _ends(down) == {"passed.example.com": (False, "connect", "ConnectionRefused")}
    odd = await _ask(powershell, book, _machine(winhttp=_winhttp("proxy!corp:80")))
    assert _ends(odd) == {"passed.example.com": (False, "resolve", "UnknownProxy")}


async def test_only_names_that_the_host_has_met_stand_for_a_wildcard(
    powershell: PowerShellEngine, resources: ExitStack
) -> None:
    """At most three, below the wildcard and nowhere else, looked up with success; odd ones are left out."""
    proxy = resources.enter_context(closing(Listener(proxy=True)))
    met = {
        "passed.a.blob.example.com": (1, 0),
        "passed.b.blob.example.com.": (5, 0),
        "PASSED.c.blob.example.com": (28, 0),
        "passed.d.blob.example.com": (1, 0),
        "blob.example.com": (1, 0),
        "passed.evilblob.example.com": (1, 0),
        "passed.blob.example.com.evil.example": (1, 0),
        "passed.0.blob.example.com": (1, 9003),
        "passed.1.blob.example.com": (12, 0),
        "pas sed.blob.example.com": (1, 0),
        "passed\r\nX: y.blob.example.com": (1, 0),
    }
    cache = [{"entry": name, "type": kind, "status": status} for name, (kind, status) in met.items()]
    agent = {"server": "127.0.0.1", "port": proxy.port, "user": ""}
    book = _book(["*.blob.example.com", "*.nothing.example.com"])
    answer = await _ask(powershell, book, _machine(agent_proxy=agent, dns_cache=cache))
    assert set(_ends(answer)) == {f"passed.{letter}.blob.example.com" for letter in "abc"}
    assert set(_ends(answer).values()) == {(True, "ask", 200)}


async def test_nothing_is_tried_where_site_recovery_is_not_installed(
    powershell: PowerShellEngine, resources: ExitStack
) -> None:
    direct = resources.enter_context(closing(Listener()))
    machine = _machine()
    agents: Any = machine.probes["azure-agents"]
    agents["recovery_services"]["installed"] = agents["site_recovery"]["installed"] = False
    del machine.probes["host-services"]["services"]["dra"]  # type: ignore[index,call-overload,union-attr] # known facts
    answer = await _ask(powershell, _book([f"127.0.0.1:{direct.port}"]), machine)
    assert _ends(answer) == {}
    assert answer.data is not None
    assert (answer.data["agent"], answer.data["provider"]) == (False, False)


async def test_constrained_language(powershell: PowerShellEngine, resources: ExitStack) -> None:
    """The engine refuses the calls: the finding says so, and nothing was sent."""
    direct = resources.enter_context(closing(Listener()))
    machine = speaking(_machine(), "de-DE", language_mode="ConstrainedLanguage")
    answer = await _ask(powershell, _book([f"127.0.0.1:{direct.port}"]), machine)
    assert answer.reason is Reason.BLOCKED_LANGUAGE_MODE, answer.message
    assert direct.heard == []


def test_it_explains_why_a_machine_does_not_replicate() -> None:
    health = ("hv-one.example", ("vm-replication", "vms", 0, "replication", "health_code"), 3)
    name = ("hv-one.example", (PROBE, "names", 0, "reached"), False)
    [diagnosis] = diagnosed(health, name)
    assert diagnosis.rule == "no-replication"
    assert [cause.check_id for cause in diagnosis.causes] == ["azure-urls-reachable"]
