"""The WS-Management service of a simulated host: one method for each action that remote shells need."""

from __future__ import annotations

import base64
import binascii
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from fleetscan.lab.soap import (
    CFG,
    RSP,
    Message,
    X,
    attribute,
    new_id,
    seconds,
    shell_envelope,
    transfer_envelope,
)
from fleetscan.lab.soapfault import (
    ACCESS_DENIED,
    ACTION_UNKNOWN,
    BAD_PARAMETER,
    FILE_NOT_FOUND,
    NOT_FOUND,
    QUOTA_SHELLS,
    TOO_LONG,
    WSManFault,
)
from fleetscan.lab.winrs import Command, Received, Shell, Shells

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

CMD = f"{RSP}/cmd"
LONGEST_COMMAND = 8191
"""Characters that cmd.exe takes."""
Program = Callable[[Command], Coroutine[None, None, None]]
_OVERHEAD = 4096
"""Bytes of an answer's envelope beside its streams."""
_CONFIG = (
    f'<cfg:Config xmlns:cfg="{CFG}" xml:lang="en-US"><cfg:MaxEnvelopeSizekb>{{envelope}}</cfg:MaxEnvelopeSizekb>'
    "<cfg:MaxTimeoutms>60000</cfg:MaxTimeoutms><cfg:MaxBatchItems>32000</cfg:MaxBatchItems>"
    "<cfg:MaxProviderRequests>4294967295</cfg:MaxProviderRequests></cfg:Config>"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and where from."""

    user: str
    address: str
    endpoint: str


class Service:
    """The shells of one host, and what may be asked of them. `run` starts a command's program."""

    def __init__(
        self, run: Callable[[Command], Coroutine[None, None, None]], *, max_shells: int, max_envelope: int
    ) -> None:
        self.shells = Shells()
        self._run = run
        self._max_shells = max_shells
        self._max_envelope = max_envelope
        self._actions: dict[str, Callable[[Message, Caller], Awaitable[bytes]]] = {
            f"{X}/Create": self._create,
            f"{X}/Get": self._get,
            f"{X}/Delete": self._delete,
            f"{RSP}/Command": self._command,
            f"{RSP}/Send": self._send,
            f"{RSP}/Receive": self._receive,
            f"{RSP}/Signal": self._signal,
        }

    async def answer(self, message: Message, caller: Caller) -> bytes:
        """The answer to a request; raises WSManFault."""
        action = self._actions.get(message.action)
        if action is None:
            raise WSManFault(ACTION_UNKNOWN)
        return await action(message, caller)

    async def _create(self, message: Message, caller: Caller) -> bytes:
        if message.resource != CMD:
            raise WSManFault(NOT_FOUND)
        if self.shells.open(caller.user) >= self._max_shells:
            raise WSManFault(QUOTA_SHELLS, subject=str(self._max_shells))
        shell = _shell(message, caller)
        self.shells.add(shell)
        body = (
            f"<x:ResourceCreated><a:Address>{escape(caller.endpoint)}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{CMD}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{shell.id}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            f"</x:ResourceCreated>{_describe(shell)}"
        )
        return transfer_envelope("Create", message.message_id, body)

    async def _get(self, message: Message, caller: Caller) -> bytes:
        if message.resource.casefold() == CFG:
            body = _CONFIG.format(envelope=self._max_envelope // 1024)
        elif message.resource in (RSP, CMD):
            body = _describe(self._shell_of(message, caller))
        else:
            raise WSManFault(NOT_FOUND)
        return transfer_envelope("Get", message.message_id, body)

    async def _delete(self, message: Message, caller: Caller) -> bytes:
        self.shells.close(self._shell_of(message, caller).id)
        return transfer_envelope("Delete", message.message_id, "")

    async def _command(self, message: Message, caller: Caller) -> bytes:
        shell = self._shell_of(message, caller)
        if message.body is None or message.body.tag != f"{{{RSP}}}CommandLine":
            raise WSManFault(BAD_PARAMETER)
        words = [element.text or "" for element in message.body if element.tag != f"{{{RSP}}}CommandId"]
        line = " ".join(words)
        if message.option("WINRS_SKIP_CMD_SHELL") == "TRUE" and "\\" not in words[0]:
            raise WSManFault(FILE_NOT_FOUND)
        if len(line) > LONGEST_COMMAND:
            raise WSManFault(TOO_LONG)
        command = Command(line, caller.user, message.body.get("CommandId", "").upper())
        shell.commands[command.id] = command
        command.start(self._run)
        body = f"<rsp:CommandResponse><rsp:CommandId>{command.id}</rsp:CommandId></rsp:CommandResponse>"
        return shell_envelope("Command", message.message_id, body)

    async def _send(self, message: Message, caller: Caller) -> bytes:
        shell = self._shell_of(message, caller)
        for stream in message.body if message.body is not None else ():
            command = shell.command(stream.get("CommandId", ""))
            try:
                data = base64.b64decode(stream.text or "", validate=True)
            except binascii.Error:
                raise WSManFault(BAD_PARAMETER) from None
            command.feed(data, end=stream.get("End", "").lower() in ("true", "1"))
        return shell_envelope("Send", message.message_id, "<rsp:SendResponse/>")

    async def _receive(self, message: Message, caller: Caller) -> bytes:
        shell = self._shell_of(message, caller)
        desired = message.body.find(f"{{{RSP}}}DesiredStream") if message.body is not None else None
        if desired is None:
            raise WSManFault(BAD_PARAMETER)
        command = shell.command(desired.get("CommandId", ""))
        limit = (min(message.max_envelope, self._max_envelope) - _OVERHEAD) * 3 // 4
        if limit < 1:
            raise WSManFault(BAD_PARAMETER)
        shell.waiting += 1
        try:
            received = await command.receive(limit, message.timeout)
        finally:
            shell.waiting -= 1
            shell.used = time.monotonic()
        return shell_envelope("Receive", message.message_id, _streams(command.id, received))

    async def _signal(self, message: Message, caller: Caller) -> bytes:
        shell = self._shell_of(message, caller)
        code = message.body.find(f"{{{RSP}}}Code") if message.body is not None else None
        if message.body is None or code is None:
            raise WSManFault(BAD_PARAMETER)
        command = shell.command(message.body.get("CommandId", ""))
        command.stop()
        if (code.text or "").casefold().endswith("/terminate"):
            del shell.commands[command.id]
        elif command.exit_code is None:
            command.exit(-1073741510)  # STATUS_CONTROL_C_EXIT
        return shell_envelope("Signal", message.message_id, "<rsp:SignalResponse/>")

    def _shell_of(self, message: Message, caller: Caller) -> Shell:
        shell = self.shells.get(message.shell_id)
        if shell.owner != caller.user:
            raise WSManFault(ACCESS_DENIED)
        return shell


def _shell(message: Message, caller: Caller) -> Shell:
    """A shell as Create wants it."""
    asked = {} if message.body is None else {child.tag.rpartition("}")[2]: child for child in message.body}

    def text(name: str, default: str = "") -> str:
        return (asked[name].text or "").strip() if name in asked else default

    try:
        idle = seconds(text("IdleTimeOut", "PT7200S"))
        codepage = int(message.option("WINRS_CODEPAGE") or 437)
    except ValueError:
        raise WSManFault(BAD_PARAMETER) from None
    return Shell(
        id=_shell_id(message.body),
        owner=caller.user,
        client=caller.address,
        idle_timeout=idle,
        name=text("Name"),
        working_directory=text("WorkingDirectory"),
        input_streams=text("InputStreams"),
        output_streams=text("OutputStreams"),
        codepage=codepage,
        environment=_variables(asked.get("Environment")),
    )


def _shell_id(body: Element | None) -> str:
    """The id that the client wants for its shell, or a new one."""
    wanted = body.get("ShellId", "") if body is not None else ""
    try:
        return str(uuid.UUID(wanted)).upper() if wanted else new_id()
    except ValueError:
        raise WSManFault(BAD_PARAMETER) from None


def _variables(environment: Element | None) -> dict[str, str]:
    if environment is None:
        return {}
    return {variable.get("Name", ""): variable.text or "" for variable in environment}


def _describe(shell: Shell) -> str:
    """The properties of a shell, in Windows' order."""
    properties = (
        ("ShellId", shell.id),
        ("Name", shell.name),
        ("ResourceUri", CMD),
        ("Owner", shell.owner),
        ("ClientIP", shell.client),
        ("WorkingDirectory", shell.working_directory),
        ("IdleTimeOut", f"PT{shell.idle_timeout:.3f}S"),
        ("InputStreams", shell.input_streams),
        ("OutputStreams", shell.output_streams),
        ("ShellRunTime", _elapsed(shell.born)),
        ("ShellInactivity", _elapsed(shell.used)),
    )
    inner = "".join(f"<rsp:{name}>{escape(value)}</rsp:{name}>" for name, value in properties if value)
    return f'<rsp:Shell xmlns:rsp="{RSP}">{inner}</rsp:Shell>'


def _elapsed(since: float) -> str:
    minutes, rest = divmod(int(time.monotonic() - since), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"P{days}DT{hours}H{minutes}M{rest}S"


def _streams(command_id: str, received: Received) -> str:
    """The body of a ReceiveResponse."""
    parts = ["<rsp:ReceiveResponse>"]
    for name, data in received.pieces:
        text = base64.b64encode(data).decode()
        parts.append(f'<rsp:Stream Name="{name}" CommandId="{command_id}">{text}</rsp:Stream>')
    state = "Running" if received.exit_code is None else "Done"
    head = f'<rsp:CommandState CommandId={attribute(command_id)} State="{RSP}/CommandState/{state}">'
    if received.exit_code is not None:
        parts += [
            f'<rsp:Stream Name="{name}" CommandId="{command_id}" End="true"></rsp:Stream>'
            for name in ("stdout", "stderr")
        ]
        head += f"<rsp:ExitCode>{received.exit_code}</rsp:ExitCode>"
    parts.append(f"{head}</rsp:CommandState></rsp:ReceiveResponse>")
    return "".join(parts)
