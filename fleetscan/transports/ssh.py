"""SSH: asyncssh on the event loop, with every option said outright.

Left to its defaults asyncssh would read ~/.ssh/config (where ProxyCommand starts programs and an empty
UserKnownHostsFile switches the checks of host keys off), ask the agent, and try one way to log on after the other, each
of them a failed logon in the eyes of the host. Here one key or one password is shown, once: a password as the answer to
a question where that is the only way in which a host takes one.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence

import anyio
import asyncssh
from anyio.lowlevel import RunVar

from fleetscan.errors import TransportError
from fleetscan.model.host import Host
from fleetscan.model.login import Login
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.text import one_line
from fleetscan.transports.base import OnStage, Output, Showing
from fleetscan.transports.resolve import dial, identity, resolve
from fleetscan.transports.ssh_errors import FOREIGN, SSHProgress, translate
from fleetscan.transports.ssh_keys import Trust, private_key, trust
from fleetscan.transports.troubles import silence

MAX_HANDSHAKES = 50
"""Key exchanges at once: they are CPU on one loop, and hundreds of them time each other out."""
LOGON_TIMEOUT = 30.0
_CLOSING_TIME = 5.0
_KEY, _PASSWORD, _QUESTIONS = "publickey", "password", "keyboard-interactive"
_KEEPALIVE_INTERVAL = 15
_KEEPALIVE_COUNT = 3

_handshakes: RunVar[anyio.CapacityLimiter] = RunVar("fleetscan.transports.ssh")

silence("asyncssh")


async def connect(
    host: Host, login: Login, *, connect_timeout: float, on_stage: OnStage, showing: Showing
) -> SSHConnection:
    """Log on to an SSH server. Raises TransportError; see the Connect protocol."""
    key = private_key(login) if login.private_key else None
    if key is None and login.password is None:
        raise TransportError(Reason.AUTH_SECRET, Stage.CREDENTIAL, "SSH needs a password or a private key")
    on_stage(Stage.RESOLVE)
    addresses = await resolve(host.address, host.ssh.port, timeout=connect_timeout)
    on_stage(Stage.CONNECT)
    address, connected = await dial(host, addresses, timeout=connect_timeout)
    progress = SSHProgress(f"{host.address}:{host.ssh.port}")
    try:
        trusted = trust(host, address)
        on_stage(Stage.LOGON)
        client = _Client(login, key, progress)
        async with showing(), _limiter():
            line = await _log_on(host, login, connected, trusted, client)
    except BaseException:
        connected.close()
        raise
    return SSHConnection(line, progress, on_stage)


async def _log_on(
    host: Host, login: Login, connected: socket.socket, trusted: Trust, client: _Client
) -> asyncssh.SSHClientConnection:
    try:
        with anyio.fail_after(LOGON_TIMEOUT):
            return await asyncssh.connect(
                identity(host),
                host.ssh.port,
                sock=connected,
                config=None,
                client_factory=lambda: client,
                username=login.username,
                known_hosts=([*trusted.host_keys], [*trusted.authorities], [*trusted.revoked]),
                server_host_key_algs=trusted.algorithms(),
                x509_trusted_certs=None,
                client_keys=None,
                agent_path=None,
                agent_forwarding=False,
                gss_host=None,
                gss_kex=False,
                gss_auth=False,
                preferred_auth=client.methods,
                kbdint_auth=True,
                host_based_auth=False,
                keepalive_interval=_KEEPALIVE_INTERVAL,
                keepalive_count_max=_KEEPALIVE_COUNT,
            )
    except asyncssh.HostKeyNotVerifiable as error:
        raise trusted.trouble(host, client.shown) from error
    except FOREIGN as error:
        client.progress.greeted = client.greeted
        raise translate(error, client.progress) from error


class _Client(asyncssh.SSHClient):
    """Our side of a logon: remembers the key of a stranger, and gives the proof once."""

    def __init__(self, login: Login, key: asyncssh.SSHKey | None, progress: SSHProgress) -> None:
        self.key = key
        self.progress = progress
        self.shown: asyncssh.SSHKey | None = None
        self._login = login

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """The connection stands; nothing was said yet."""
        self._line = conn

    @property
    def greeted(self) -> bool:
        """Whether the host has said that it speaks SSH."""
        return bool(self._line.get_extra_info("server_version"))

    def validate_host_public_key(self, _host: str, _addr: str, _port: int, key: asyncssh.SSHKey) -> bool:
        """Asked for keys that are not trusted: look, and stay with no."""
        self.shown = key
        return False

    @property
    def methods(self) -> list[str]:
        """Ours first; of the others it is only seen whether the host offers them."""
        ours = [_KEY] if self.key is not None else [_PASSWORD, _QUESTIONS]
        return [*ours, *(method for method in (_KEY, _PASSWORD, _QUESTIONS) if method not in ours)]

    def public_key_auth_requested(self) -> asyncssh.SSHKey | None:
        """Our key, once."""
        if not self.progress.may_prove(_KEY) or self.key is None:
            return None
        self.progress.proof_sent = _KEY
        return self.key

    def password_auth_requested(self) -> str | None:
        """Our password, once, unless we have a key."""
        if not self.progress.may_prove(_PASSWORD) or self.key is not None or self._login.password is None:
            return None
        self.progress.proof_sent = _PASSWORD
        return self._login.password.reveal()

    def kbdint_auth_requested(self) -> str | None:
        """Let the host ask its questions, if a password is what we have and it takes none directly."""
        return "" if self.progress.may_prove(_QUESTIONS) and self.key is None else None

    def kbdint_challenge_received(
        self, _name: str, _instructions: str, _lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Our password, once, to a single question whose answer is not to be seen: its text is in any language."""
        if not prompts:
            return []
        self.progress.asked = " ".join(one_line(text, 60) for text, _ in prompts[:2])
        hidden = len(prompts) == 1 and not prompts[0][1]
        if not hidden or self._login.password is None:
            self.progress.wants_more = True
            return None
        if self.progress.proof_sent:  # for the password once more, or for a code: it counts as a rejection
            return None
        self.progress.proof_sent = _QUESTIONS
        return [self._login.password.reveal()]

    def password_change_requested(self, _prompt: str, _lang: str) -> tuple[str, str]:
        """The password has expired; nobody is there to choose another one."""
        self.progress.expired = True
        return NotImplemented  # type: ignore[no-any-return] # so says asyncssh that there is none

    def auth_completed(self) -> None:
        """The proof was accepted."""
        self.progress.proof_sent = ""


class _Session(asyncssh.SSHClientSession[bytes]):
    """A command: what it writes goes straight to the caller's Output, whatever happens to us."""

    def __init__(self, output: Output, progress: SSHProgress) -> None:
        self.ended = anyio.Event()
        self.error: Exception | None = None
        self._output = output
        self._progress = progress

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The channel is open, the command goes out next."""
        self._channel = chan
        self._progress.started = True

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Keep it, up to the limit."""
        if self.error is not None:
            return
        try:
            if datatype == asyncssh.EXTENDED_DATA_STDERR:
                self._output.add(stderr=data)
            else:
                self._output.add(stdout=data)
        except TransportError as error:
            self.error = error
            self._channel.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The command has ended, or the connection."""
        self.error = self.error or exc
        self.ended.set()


class SSHConnection:
    """A logon to one SSH server. Each command has a channel of its own."""

    def __init__(self, line: asyncssh.SSHClientConnection, progress: SSHProgress, on_stage: OnStage) -> None:
        self._line = line
        self._progress = progress
        self._on_stage = on_stage

    async def run(self, command: str, stdin: bytes, output: Output) -> int | None:
        """Run a command line without a terminal; see the Connection protocol."""
        self._enter(Stage.COMMAND)
        try:
            return await self._run(command, stdin, _Session(output, self._progress))
        except FOREIGN as error:
            self._progress.hung_up = self._line.is_closed()
            raise translate(error, self._progress) from error

    async def _run(self, command: str, stdin: bytes, session: _Session) -> int | None:
        channel, _ = await self._line.create_session(
            lambda: session, command, encoding=None, request_pty=False, env=(), send_env=()
        )
        try:
            channel.write(stdin)
            channel.write_eof()
            self._enter(Stage.OUTPUT)
            await session.ended.wait()
        except BaseException:
            channel.abort()
            raise
        if session.error is not None:
            raise session.error
        return None if channel.get_exit_signal() is not None else channel.get_exit_status()

    async def aclose(self) -> None:
        """Hang up. Never raises."""
        with anyio.move_on_after(_CLOSING_TIME, shield=True), contextlib.suppress(asyncssh.Error, OSError):
            self._line.close()
            await self._line.wait_closed()
            return
        self._line.abort()

    def _enter(self, stage: Stage) -> None:
        self._progress.stage = stage
        self._on_stage(stage)


def _limiter() -> anyio.CapacityLimiter:
    try:
        return _handshakes.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(MAX_HANDSHAKES)
        _handshakes.set(limiter)
        return limiter
