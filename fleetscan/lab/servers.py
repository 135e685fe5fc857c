"""The TCP side of simulated hosts: WinRM listeners, closed ports, and ports that misbehave before any protocol."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Protocol

from fleetscan.lab.faults import Fault
from fleetscan.lab.host import Runtime
from fleetscan.lab.http import Connections, HTTPConnection, TCPConnection
from fleetscan.lab.tls import Authority, Flavor, Identity
from fleetscan.lab.winrm import Endpoint, Listener
from fleetscan.lab.winrs import Command
from fleetscan.lab.wsman import Service

_FLAVORS = {
    Fault.TLS_EXPIRED: Flavor.EXPIRED,
    Fault.TLS_NAME: Flavor.WRONG_NAME,
    Fault.TLS_SELF_SIGNED: Flavor.SELF_SIGNED,
}


class Server(Protocol):
    """One simulated host on the network."""

    known_key: str
    """What the known-hosts file says of it, "" where it says nothing."""

    async def start(self, address: str) -> int:
        """Listen on that address; the port."""
        ...

    def refresh(self) -> None:
        """Bring the host's counters up to date."""
        ...

    async def aclose(self) -> None:
        """Close the port, all connections and all commands."""
        ...


class ClosedPort:
    """A port that refuses connections: bound, so that nobody else gets it, but not listening."""

    known_key = ""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

    async def start(self, address: str) -> int:
        """Take a free port."""
        self._socket.bind((address, 0))
        port = self._socket.getsockname()[1]
        assert isinstance(port, int)  # noqa: S101 # it is one for AF_INET
        return port

    def refresh(self) -> None:
        """Nothing can have happened."""

    async def aclose(self) -> None:
        """Give the port back."""
        self._socket.close()


_HANDSHAKE_FAILURE = b"\x15\x03\x03\x00\x02\x02\x28"  # a TLS record: alert, fatal, handshake_failure


class DeafPort:
    """A port that speaks no protocol: it never writes, or it ends each connection at the first byte.

    The host's fault says how: HANG, RESET, or TLS_HANDSHAKE with the alert that a server sends without a common cipher.
    """

    known_key = ""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._connections = Connections()
        self._server: asyncio.Server | None = None

    async def start(self, address: str) -> int:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, address, 0)
        return _port(self._server)

    def refresh(self) -> None:
        """Count the connections."""
        self._runtime.counters.connections = self._connections.ever

    async def aclose(self) -> None:
        """Stop listening, drop everybody."""
        if self._server is not None:
            self._server.close()
        await self._connections.aclose()

    def _accept(self) -> asyncio.Protocol:
        return _Deaf(self._connections, self._runtime.spec.fault)


class _Deaf(TCPConnection):
    """A connection that reads into the void."""

    def __init__(self, connections: Connections, fault: Fault | None) -> None:
        super().__init__(connections)
        self._fault = fault

    def data_received(self, _: bytes) -> None:
        """Take no notice, or end it."""
        if self._fault is Fault.RESET:
            self.abort()
        elif self._fault is Fault.TLS_HANDSHAKE:
            self._transport.write(_HANDSHAKE_FAILURE)
            self._transport.close()


class WinRMServer:
    """The WinRM listener of one host."""

    known_key = ""

    def __init__(self, runtime: Runtime, authority: Authority) -> None:
        self._runtime = runtime
        self._authority = authority
        self._connections = Connections()
        self._server: asyncio.Server | None = None
        spec = runtime.spec
        self._service = Service(self._program, max_shells=spec.max_shells, max_envelope=spec.max_envelope)

    async def start(self, address: str) -> int:
        """Listen, with a certificate where TLS is asked for."""
        identity = self._identity(address)
        endpoint = self._endpoint(identity)
        context: ssl.SSLContext | None = identity.context if identity is not None else None

        def accept() -> asyncio.Protocol:
            return HTTPConnection(endpoint.handle, self._connections, self._runtime.on_crash)

        self._server = await asyncio.get_running_loop().create_server(accept, address, 0, ssl=context)
        return _port(self._server)

    def refresh(self) -> None:
        """Count connections and shells."""
        counters = self._runtime.counters
        counters.connections = self._connections.ever
        counters.shells_opened = self._service.shells.ever
        counters.shells_open = self._service.shells.open()

    async def aclose(self) -> None:
        """Stop listening, drop everybody, end all commands."""
        if self._server is not None:
            self._server.close()
        await self._connections.aclose()
        await self._service.shells.aclose()

    def _identity(self, address: str) -> Identity | None:
        spec = self._runtime.spec
        if not spec.tls or spec.fault is Fault.TLS_ABSENT:
            return None
        flavor = _FLAVORS.get(spec.fault, Flavor.GOOD) if spec.fault is not None else Flavor.GOOD
        certificates = spec.auth == "certificate"
        return self._authority.identity(spec.name, address, flavor, client_certificates=certificates)

    def _endpoint(self, identity: Identity | None) -> Endpoint:
        spec = self._runtime.spec
        other = spec.fault is Fault.NO_COMMON_AUTH
        listener = Listener(
            tls=identity is not None,
            certificate_hash=identity.certificate_hash if identity is not None else None,
            basic=spec.auth == "basic" and not other,
            negotiate=(spec.auth in ("ntlm", "kerberos")) != other,
            certificate=spec.auth == "certificate" and not other,
            strict_channel_binding=spec.strict_channel_binding,
            max_envelope=spec.max_envelope,
            latency=spec.latency,
        )
        return Endpoint(spec.machine.computer, self._service, self._runtime, listener)

    async def _program(self, command: Command) -> None:
        async def write(stream: str, data: bytes) -> None:
            command.write(stream, data)

        try:
            code = await self._runtime.perform(command.line, command.user, command.input, write)
        except Exception as error:  # noqa: BLE001 # a crash of the lab must show in the test that met it
            self._runtime.on_crash(error)
            code = 1
        command.exit(code)


def _port(server: asyncio.Server) -> int:
    port = server.sockets[0].getsockname()[1]
    assert isinstance(port, int)  # noqa: S101 # it is one for AF_INET
    return port
