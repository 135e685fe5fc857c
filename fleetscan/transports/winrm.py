"""WinRM: pywinrm in worker threads, one thread a message, cut off by a socket shutdown when the time is over.

The worker call is never abandoned: an abandoned thread would give its place in the limiter back at once, and dead hosts
would pile up threads without bound. Instead a sibling task waits beside it and cuts the connection, so that the thread
ends by itself within milliseconds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import to_thread
from anyio.lowlevel import RunVar, checkpoint_if_cancelled

from fleetscan.errors import TransportError
from fleetscan.model.host import Host
from fleetscan.model.login import Login
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports.base import OnStage, Output, Showing
from fleetscan.transports.resolve import dial, identity, resolve
from fleetscan.transports.troubles import silence
from fleetscan.transports.winrm_link import Link
from fleetscan.transports.winrm_login import check, tls_context
from fleetscan.transports.winrm_protocol import PATIENCE, READ_TIMEOUT
from fleetscan.transports.winrm_shell import BOUND, CHUNK, Shell

MAX_THREADS = 1024
"""Worker threads of one process. A visit holds at most one at a time, so this also bounds the useful concurrency."""
_CLOSING_TIME = 4.0
_GRACE = 0.7
"""Seconds that a cancelled Create may still take: without its answer it takes another logon to delete the shell."""
_PROBE_TIME = 1.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
_FULL = 64 * 1024
"""An answer of at least this many bytes was cut by the envelope's size: the rest is ready, no pause is due."""
_LIKE_TLS = frozenset({Reason.UNREACHABLE_RESET, Reason.PROTOCOL_CLOSED, Reason.PROTOCOL_GARBLED})
"""What comes of speaking HTTP to a port that expects TLS."""
_OTHER_PORT = {5985: 5986, 5986: 5985}

T = TypeVar("T")
_threads: RunVar[anyio.CapacityLimiter] = RunVar("fleetscan.transports.winrm")

silence("urllib3", "requests", "requests_ntlm", "requests_credssp", "spnego", "winrm", "winrm.vendor")


async def connect(
    host: Host, login: Login, *, connect_timeout: float, on_stage: OnStage, showing: Showing
) -> WinRMConnection:
    """Log on to a WinRM listener. Raises TransportError; see the Connect protocol."""
    check(host.winrm, login)
    connection = WinRMConnection(host, login, connect_timeout, on_stage)
    try:
        await connection.open(showing)
    except BaseException:
        await connection.aclose()
        raise
    return connection


class WinRMConnection:
    """A logon to one listener, and the shell in it."""

    def __init__(self, host: Host, login: Login, connect_timeout: float, on_stage: OnStage) -> None:
        self._host = host
        self._login = login
        self._connect_timeout = connect_timeout
        self._on_stage = on_stage
        self._line: _Line | None = None
        self._unfinished = False
        self._rejected = False

    async def open(self, showing: Showing) -> None:
        """Connect, secure, log on, open a shell. Basic and certificate have no handshake: their logon is the shell.

        The shell belongs to this step, since what keeps a host from opening one may pass, and nothing was started yet.
        """
        line = self._line = await _open_line(self._host, self._login, self._connect_timeout, self._on_stage)
        bound = self._host.winrm.auth in BOUND
        try:
            line.enter(Stage.LOGON, self._on_stage)
            await line.call(line.shell.greet)
            async with showing():
                await line.call(line.shell.logon)
                if not bound:
                    await line.call(line.shell.open, grace=_GRACE)
            if bound:
                line.enter(Stage.SHELL, self._on_stage)
                await line.call(line.shell.open, grace=_GRACE)
        except TransportError as error:
            self._rejected = error.reason.family == "auth"
            silent = error.stage is Stage.LOGON and not line.answered
            if self._host.winrm.scheme == "http" and silent and error.reason in _LIKE_TLS:
                error.hint = error.hint or "is it an https listener? Then set winrm.scheme to https"
            raise

    async def run(self, command: str, stdin: bytes, output: Output) -> int | None:
        """Run a command line in the shell; see the Connection protocol."""
        assert self._line is not None  # noqa: S101 # connect gives no connection away before it is open
        try:
            await self._start(self._line, command, stdin)
            del stdin  # the wait for the answer is long, and there are many who wait
            self._line.enter(Stage.OUTPUT, self._on_stage)
            status = await _collect(self._line, output)
        except TransportError as error:
            self._rejected = error.reason.family == "auth"
            raise
        self._unfinished = False
        return status

    async def _start(self, line: _Line, command: str, stdin: bytes) -> None:
        line.enter(Stage.COMMAND, self._on_stage)
        self._unfinished = True
        messages = 2 + len(stdin) // CHUNK
        await line.call(line.shell.start, command, stdin, timeout=messages * READ_TIMEOUT)

    async def aclose(self) -> None:
        """Delete the shell; terminate the command in it first if it may still run. Never raises."""
        line, self._line = self._line, None
        if line is None:
            return
        with anyio.move_on_after(_CLOSING_TIME, shield=True):
            if line.shell.shell_id and not self._rejected:
                await self._clean_up(line)
        line.shell.close()

    async def _clean_up(self, line: _Line) -> None:
        """On the line as it is; on a new one if that is cut. A new line means a new logon, so it is tried once."""
        shell_id, command_id = line.shell.shell_id, line.shell.command_id
        if line.alive and await self._delete(line, shell_id, command_id):
            return
        with contextlib.suppress(TransportError):
            line = await _open_line(self._host, self._login, _CLOSING_TIME, _nobody)
            try:
                line.enter(Stage.LOGON, _nobody)
                await line.call(line.shell.greet)
                await line.call(line.shell.logon)
                await self._delete(line, shell_id, command_id)
            finally:
                line.shell.close()

    async def _delete(self, line: _Line, shell_id: str, command_id: str) -> bool:
        with contextlib.suppress(TransportError):
            if self._unfinished and command_id:
                await line.call(line.shell.signal, shell_id, command_id)
            await line.call(line.shell.delete, shell_id)
            return True
        return False


class _Line:
    """A link with the shell at its end, and the way to call its blocking parts."""

    def __init__(self, link: Link, shell: Shell) -> None:
        self.shell = shell
        self.alive = True
        self._link = link

    @property
    def answered(self) -> bool:
        """Whether the host has answered as an HTTP listener."""
        return bool(self._link.progress.offered)

    def enter(self, stage: Stage, on_stage: OnStage) -> None:
        """Note the stage, for error messages and for the caller."""
        self._link.progress.stage = stage
        on_stage(stage)

    async def call(
        self, function: Callable[..., T], *args: object, timeout: float | None = None, grace: float = 0.0
    ) -> T:
        """Run a blocking function in a worker thread; `grace` s after a cancellation its connection is cut.

        So it is after `timeout` s (READ_TIMEOUT if there is none). The timeout holds for the whole call, as that of a
        read holds only until the next byte comes.
        """
        limit = READ_TIMEOUT if timeout is None else timeout
        late = False
        returned = anyio.Event()

        async def cut_in_time() -> None:
            nonlocal late
            try:
                await anyio.sleep(limit)
                late = True
            finally:
                if grace and not late:
                    with anyio.move_on_after(grace, shield=True):
                        await returned.wait()
                if not returned.is_set():
                    self.alive = False
                    self._link.kill()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cut_in_time)
            result = await to_thread.run_sync(_attempt, function, args, limiter=_limiter())
            returned.set()
            tasks.cancel_scope.cancel()
        await checkpoint_if_cancelled()
        if isinstance(result, TransportError):
            self.alive = False
            try:
                if late:
                    text = f"no complete answer within {limit:g} s"
                    raise self._link.progress.trouble(Reason.UNREACHABLE_TIMEOUT, text) from result
                raise result
            finally:
                del result  # or the error would hold this frame, which holds the error, and all that the visit holds
        return result


def _attempt(function: Callable[..., T], args: tuple[object, ...]) -> T | TransportError:
    """Bring the error back as a value: raised in a task group it would arrive in an exception group."""
    try:
        return function(*args)
    except TransportError as error:
        return error


async def _open_line(host: Host, login: Login, timeout: float, on_stage: OnStage) -> _Line:
    settings, name = host.winrm, identity(host)
    tls = tls_context(settings, login) if settings.scheme == "https" else None
    link = Link(tls, settings.tls_name or name, timeout)
    line = _Line(link, Shell(link, settings, login, name=name, place=f"{host.address}:{settings.port}"))
    on_stage(Stage.RESOLVE)
    addresses = await resolve(host.address, settings.port, timeout=timeout)
    on_stage(Stage.CONNECT)
    try:
        link.begin(*await dial(host, addresses, timeout=timeout))
    except TransportError as error:
        raise await _explained(error, host, timeout) from error
    if tls is not None:
        line.enter(Stage.TLS, on_stage)
        try:
            await line.call(line.shell.secure, timeout=timeout)
        except BaseException:
            line.shell.close()
            raise
    return line


async def _collect(line: _Line, output: Output) -> int | None:
    """Receive until the command is done. The growing pause makes few requests where it writes little by little."""
    pause = _FIRST_PAUSE
    while True:
        part = await line.call(line.shell.receive, timeout=PATIENCE * READ_TIMEOUT)
        output.add(part.stdout, part.stderr)
        if part.done:
            return part.status
        if len(part) < _FULL:
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


async def _explained(error: TransportError, host: Host, timeout: float) -> TransportError:
    """The error of a refused port, with what the other port of WinRM says about it."""
    other = _OTHER_PORT.get(host.winrm.port)
    if error.reason is not Reason.UNREACHABLE_REFUSED or other is None:
        return error
    limit = min(timeout, _PROBE_TIME)
    hint = "start the WinRM service there (winrm quickconfig), and let no firewall refuse the port"
    with contextlib.suppress(TransportError), anyio.move_on_after(limit):
        _, probe = await dial(host, await resolve(host.address, other, timeout=limit), timeout=limit)
        probe.close()
        scheme = "https" if host.winrm.port == 5986 else "http"
        hint = f"it refuses {host.winrm.port} but listens on {other}: configure its {scheme} listener, or use that port"
    return TransportError(error.reason, error.stage, error.message, hint=hint, retryable=error.retryable)


def _limiter() -> anyio.CapacityLimiter:
    try:
        return _threads.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(MAX_THREADS)
        _threads.set(limiter)
        return limiter


def _nobody(_: Stage) -> None:
    """Nobody watches the stages of a clean-up."""
