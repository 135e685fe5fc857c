"""Remote shells and their commands, as the WinRM service keeps them (MS-WSMV 3.1.4)."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field

from fleetscan.lab.soap import new_id
from fleetscan.lab.soapfault import BAD_PARAMETER, COMMAND_GONE_MESSAGE, SHELL_GONE, TIMED_OUT, WSManFault

Piece = tuple[str, "bytes | memoryview"]
"""The name of a stream, and some bytes of it."""


@dataclass(frozen=True, slots=True)
class Received:
    """What one Receive carries. `exit_code` is None while the command runs."""

    pieces: tuple[Piece, ...]
    exit_code: int | None


class Command:
    """A command in a shell: bytes go in by Send, come out by Receive."""

    def __init__(self, line: str, user: str, command_id: str = "") -> None:
        self.id = command_id or new_id()
        self.line = line
        self.user = user
        self.stdin = bytearray()
        self.exit_code: int | None = None
        self._stdin_ended = asyncio.Event()
        self._pieces: deque[Piece] = deque()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, run: Callable[[Command], Coroutine[None, None, None]]) -> None:
        """Run it in the background."""
        self._task = asyncio.get_running_loop().create_task(run(self))

    async def input(self) -> bytes:
        """All of standard input, once its end has come."""
        await self._stdin_ended.wait()
        return bytes(self.stdin)

    def feed(self, data: bytes, *, end: bool) -> None:
        """Take what a Send brought."""
        self.stdin += data
        if end:
            self._stdin_ended.set()

    def write(self, stream: str, data: bytes | memoryview) -> None:
        """Let the command write."""
        if data:
            self._pieces.append((stream, data))
            self._changed.set()

    def exit(self, code: int) -> None:
        """Let the command end."""
        self.exit_code = code
        self._changed.set()

    async def receive(self, limit: int, timeout: float) -> Received:
        """Wait for output or the end; raises WSManFault when the time is over."""
        while not self._pieces and self.exit_code is None:
            self._changed.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._changed.wait()
            except TimeoutError:
                raise WSManFault(TIMED_OUT) from None
        pieces = tuple(self._take(limit))
        return Received(pieces, None if self._pieces else self.exit_code)

    def _take(self, limit: int) -> Iterable[Piece]:
        while self._pieces and limit > 0:
            stream, data = self._pieces.popleft()
            if len(data) > limit:
                view = memoryview(data)
                self._pieces.appendleft((stream, view[limit:]))
                data = view[:limit]
            limit -= len(data)
            yield stream, data

    def stop(self) -> asyncio.Task[None] | None:
        """End it now; its task, if it still ran."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            return self._task
        return None


@dataclass(slots=True)
class Shell:
    """A shell with the properties that Create gave it."""

    owner: str
    client: str
    idle_timeout: float
    id: str = field(default_factory=new_id)
    resource: str = ""
    name: str = ""
    working_directory: str = ""
    input_streams: str = "stdin"
    output_streams: str = "stdout stderr"
    codepage: int = 437
    environment: dict[str, str] = field(default_factory=dict)
    born: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.monotonic)
    waiting: int = 0
    """Requests that are waiting in this shell: it is not idle then."""
    commands: dict[str, Command] = field(default_factory=dict)

    def command(self, command_id: str) -> Command:
        """The command of that id; raises WSManFault."""
        try:
            return self.commands[command_id.upper()]
        except KeyError:
            raise WSManFault(SHELL_GONE, message=COMMAND_GONE_MESSAGE) from None

    @property
    def expired(self) -> bool:
        """Whether the idle timeout has passed."""
        return not self.waiting and time.monotonic() - self.used > self.idle_timeout

    def stop(self) -> list[asyncio.Task[None]]:
        """End all commands; the tasks that have still to finish."""
        return [task for command in self.commands.values() if (task := command.stop()) is not None]


class Shells:
    """The shells of one host."""

    def __init__(self) -> None:
        self._shells: dict[str, Shell] = {}
        self.ever = 0

    def add(self, shell: Shell) -> None:
        """Open a shell; raises WSManFault where one of that id is open."""
        self._expire()
        if shell.id in self._shells:
            raise WSManFault(BAD_PARAMETER)
        self._shells[shell.id] = shell
        self.ever += 1

    def open(self, owner: str | None = None) -> int:
        """How many shells are open now, of one user or of all."""
        self._expire()
        return sum(1 for shell in self._shells.values() if owner is None or shell.owner == owner)

    def get(self, shell_id: str) -> Shell:
        """The open shell of that id; raises WSManFault."""
        self._expire()
        shell = self._shells.get(shell_id)
        if shell is None:
            raise WSManFault(SHELL_GONE, subject=shell_id)
        shell.used = time.monotonic()
        return shell

    def close(self, shell_id: str) -> None:
        """Delete a shell and end its commands; raises WSManFault."""
        self.get(shell_id).stop()
        del self._shells[shell_id]

    async def aclose(self) -> None:
        """End everything."""
        tasks = [task for shell in self._shells.values() for task in shell.stop()]
        self._shells.clear()
        if tasks:
            await asyncio.wait(tasks)

    def _expire(self) -> None:
        for shell_id in [shell_id for shell_id, shell in self._shells.items() if shell.expired]:
            self._shells.pop(shell_id).stop()
