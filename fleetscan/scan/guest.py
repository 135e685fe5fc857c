"""The visit to a guest that is asked from its Hyper-V host: two logons, each guarded with its own credential."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace

import anyio
import anyio.to_thread

from fleetscan.errors import TransportError
from fleetscan.model.host import Credential, Host
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import Trouble
from fleetscan.powershell import answers, envelope
from fleetscan.powershell.guest import OPENED, invoke_guest, wire_form
from fleetscan.powershell.payload import Invocation
from fleetscan.scan.visit import Visit, named
from fleetscan.transports import Connection, Output

PER_HOST = 4
"""Guests that one Hyper-V host is asked for at once: each costs it a shell and a PowerShell, as its own visit does."""
GLANCE_SECONDS = 0.1
"""How often the output is looked at for the sign that the guest has accepted the logon."""


@dataclass(slots=True)
class _Command:
    """A command under way on the Hyper-V host."""

    invocation: Invocation
    output: Output = field(default_factory=Output)
    ended: anyio.Event = field(default_factory=anyio.Event)
    status: int | None = None
    error: TransportError | None = None

    async def run(self, connection: Connection) -> None:
        try:
            self.status = await connection.run(self.invocation.command, self.invocation.stdin, self.output)
        except TransportError as error:
            self.error = error
        finally:
            self.ended.set()

    async def until_opened(self) -> bool:
        """Wait for the sign that the guest lets us in; False when the command ended without it."""
        sign = f"{envelope.MARKER} {self.invocation.nonce} {OPENED} ".encode()
        while not self.ended.is_set() and sign not in self.output.stdout:
            with anyio.move_on_after(GLANCE_SECONDS):
                await self.ended.wait()
        return sign in self.output.stdout


@dataclass(slots=True, kw_only=True)
class GuestVisit(Visit):
    """A visit through PowerShell Direct. `host` and `credential` are the guest's own."""

    ways: tuple[tuple[Host, Credential], ...]
    """The Hyper-V hosts that can have the guest's VM, with what each is logged on with."""

    async def _ask(self) -> Trouble | None:
        """Ask one host after the other, until one has the VM; each guest begins with another of them."""
        first = zlib.crc32(self.host.name.encode()) % len(self.ways)
        missed: list[TransportError] = []
        for way, credential in (*self.ways[first:], *self.ways[:first]):
            try:
                trouble = await self._ask_through(way, credential)
            except TransportError as error:
                missed.append(_through(way, error))
                if not _elsewhere(error):
                    break
            else:
                return replace(trouble, message=f"via {way.name}: {trouble.message}") if trouble else None
        raise _summary(missed)

    async def _run_once(self, connection: Connection, done: set[str]) -> tuple[Output, int | None]:
        login = await anyio.to_thread.run_sync(self.vault.login, self.credential.name)
        if login.password is not None:
            self.vault.redactor.add(wire_form(login.password.reveal()))
        self._enter(Stage.LOGON)
        failure: TransportError | None = None
        command = None
        # Errors stay in here: a task group would wrap them.
        async with anyio.create_task_group() as group:
            try:
                async with self._showing(self.host, self.credential):
                    seconds = self._remaining()
                    machines = self.host.vm_names
                    invocation = invoke_guest(
                        self.payload, login, machines, seconds=seconds, skip=sorted(done), sample=self.budget.sample
                    )
                    command = _Command(invocation)
                    self._nonce = invocation.nonce
                    self._output = command.output
                    group.start_soon(command.run, connection)
                    if not await command.until_opened():
                        raise self._refused(command)
                self._enter(Stage.COMMAND)
            except TransportError as error:
                failure = error
        if failure is not None or command is None:
            self._output = None
            raise failure or AssertionError("a logon is allowed or refused")
        if command.error is not None:
            raise command.error
        self._enter(Stage.ANSWER)
        self._hear(command.output)
        return command.output, command.status

    def _refused(self, command: _Command) -> TransportError:
        """Why a command ended before the guest had let us in."""
        if command.error is not None:
            return command.error
        output = command.output
        reading = envelope.decode(output.stdout, command.invocation.nonce)
        trouble = answers.explain_silence(reading, output.stdout, output.stderr, command.status)
        if trouble is None:  # an end without a beginning: nothing that this payload can write
            trouble = Trouble(reason=Reason.ANSWER_FOREIGN, stage=Stage.ANSWER, message="the answer has no beginning")
        sought = f"; looked for {' or '.join(self.host.vm_names)}" if trouble.reason is Reason.UNREACHABLE_VM else ""
        error = TransportError(trouble.reason, trouble.stage, trouble.message + sought, hint=trouble.hint)
        return named(error, self.credential)


def _elsewhere(error: TransportError) -> bool:
    """Whether another host may still have the VM: this one does not have it, or could not be asked."""
    if error.reason in (Reason.UNREACHABLE_OFF, Reason.UNREACHABLE_DIRECT):
        return False
    return error.reason.family in ("unreachable", "tls", "hostkey", "quota")


def _through(way: Host, error: TransportError) -> TransportError:
    return TransportError(error.reason, error.stage, f"via {way.name}: {error.message}", hint=error.hint)


def _summary(missed: list[TransportError]) -> TransportError:
    """What all attempts come to: the one that found the VM, or else the first host that could not be asked."""
    last = missed[-1]
    if not _elsewhere(last) or len(missed) == 1:
        return last if last.hint else _with_hint(last)
    unasked = [error for error in missed if error.reason is not Reason.UNREACHABLE_VM]
    cause = unasked[0] if unasked else missed[0]
    text = "; ".join(error.message for error in missed)
    return _with_hint(TransportError(cause.reason, cause.stage, text, hint=cause.hint))


def _with_hint(error: TransportError) -> TransportError:
    if error.hint or error.reason is not Reason.UNREACHABLE_VM:
        return error
    hint = "set vm: to its name or GUID as Get-VM shows it, or via: to the host, or to all nodes, that can run it"
    return TransportError(error.reason, error.stage, error.message, hint=hint)
