"""The SSH server of a simulated host, Windows or Linux (asyncssh)."""

from __future__ import annotations

import asyncio

import asyncssh

from fleetscan.lab.faults import Fault
from fleetscan.lab.host import Runtime
from fleetscan.lab.wsman import LONGEST_COMMAND

_WINDOWS = "OpenSSH_for_Windows_8.1"
_LINUX = "OpenSSH_9.2p1 Debian-2+deb12u3"


def new_key() -> asyncssh.SSHKey:
    """A fresh Ed25519 key."""
    return asyncssh.generate_private_key("ssh-ed25519")


def public_text(key: asyncssh.SSHKey) -> str:
    """The public half in OpenSSH format, without a comment."""
    return " ".join(key.export_public_key("openssh").decode().split()[:2])


class SSHServer:
    """sshd on one simulated host."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._commands: set[asyncio.Task[None]] = set()
        self._ever = 0
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._key = new_key()
        known = new_key() if runtime.spec.fault is Fault.HOSTKEY_CHANGED else self._key
        self.known_key = "" if runtime.spec.fault is Fault.HOSTKEY_UNKNOWN else public_text(known)
        """What clients find in the known-hosts file."""

    async def start(self, address: str) -> int:
        """Listen."""
        spec = self._runtime.spec
        refused = spec.fault is Fault.CHANNEL_REFUSED
        self._acceptor = await asyncssh.listen(
            address,
            0,
            server_host_keys=[self._key],
            server_factory=lambda: _Session(self._runtime, self),
            process_factory=None if refused else self._process,
            encoding=None,
            server_version=_LINUX if spec.machine.os.family == "linux" else _WINDOWS,
            gss_host=None,
            allow_pty=False,
            line_editor=False,
            agent_forwarding=False,
        )
        return int(self._acceptor.get_port())

    def refresh(self) -> None:
        """Count the connections."""
        self._runtime.counters.connections = self._ever

    def opened(self, connection: asyncssh.SSHServerConnection) -> None:
        """A client has connected."""
        self._ever += 1
        self._connections.add(connection)

    def closed(self, connection: asyncssh.SSHServerConnection) -> None:
        """A client has gone."""
        self._connections.discard(connection)

    async def aclose(self) -> None:
        """Stop listening, drop everybody, end all commands."""
        if self._acceptor is not None:
            self._acceptor.close()
        connections = list(self._connections)
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.wait_closed()
        if self._commands:
            await asyncio.wait(self._commands)

    async def _process(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Run a command until it ends or the client goes."""
        loop = asyncio.get_running_loop()
        command = loop.create_task(self._command(process))
        self._commands.add(command)
        command.add_done_callback(self._commands.discard)
        gone = loop.create_task(process.channel.wait_closed())
        await asyncio.wait((command, gone), return_when=asyncio.FIRST_COMPLETED)
        command.cancel()
        gone.cancel()

    async def _command(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        runtime = self._runtime
        runtime.counters.request()
        if runtime.spec.latency:
            await asyncio.sleep(2 * runtime.spec.latency)  # opening the channel, starting the command

        async def write(stream: str, data: bytes) -> None:
            writer = process.stdout if stream == "stdout" else process.stderr
            writer.write(data)
            await writer.drain()

        line = process.command or ""
        user = str(process.get_extra_info("username"))
        try:
            if self._windows and len(line) > LONGEST_COMMAND:
                process.stderr.write(b"The command line is too long.\r\n")
                code = 1
            else:
                code = await runtime.perform(line, user, process.stdin.read, write)
        except (asyncssh.Error, ConnectionError):
            return  # the client has gone
        except Exception as error:  # noqa: BLE001 # a crash of the lab must show in the test that met it
            runtime.on_crash(error)
            code = 1
        process.exit(self._status(code))

    def _status(self, code: int) -> int:
        """PowerShell as the shell of sshd keeps only whether a command succeeded."""
        if self._windows and self._runtime.spec.default_shell == "powershell":
            return int(code != 0)
        return code & (0xFFFFFFFF if self._windows else 0xFF)

    @property
    def _windows(self) -> bool:
        return self._runtime.spec.machine.os.family == "windows"


class _Session(asyncssh.SSHServer):
    """One connection, up to the end of its logon."""

    def __init__(self, runtime: Runtime, server: SSHServer) -> None:
        self._runtime = runtime
        self._server = server
        spec = runtime.spec
        has_key = runtime.account is not None and bool(runtime.account.public_key)
        other = spec.fault is Fault.NO_COMMON_AUTH
        self._keys = has_key != other
        self._passwords = has_key == other

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Count it."""
        self._connection = conn
        self._server.opened(conn)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 # asyncssh passes it
        """Forget it."""
        self._server.closed(self._connection)

    async def begin_auth(self, username: str) -> bool:  # noqa: ARG002 # asyncssh passes it
        """Everybody has to log on."""
        if self._runtime.spec.fault is Fault.LOGON_HANG:
            await self._connection.wait_closed()
        await asyncio.sleep(3 * self._runtime.spec.latency)  # TCP, key exchange, logon
        return True

    def password_auth_supported(self) -> bool:
        """Passwords, unless the host's user has a key."""
        return self._passwords

    def public_key_auth_supported(self) -> bool:
        """Keys, where the host's user has one."""
        return self._keys

    def validate_password(self, username: str, password: str) -> bool:
        """Compare with the accounts of the host, and count."""
        return self._counted(username, accepted=self._runtime.accounts.verify(username, password))

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Compare with the key of the user, and count."""
        user = self._runtime.accounts.find(username)
        return self._counted(username, accepted=user is not None and user.public_key == public_text(key))

    def _counted(self, username: str, *, accepted: bool) -> bool:
        if accepted:
            self._runtime.counters.logons += 1
        else:
            self._runtime.counters.refused(username)
        return accepted
