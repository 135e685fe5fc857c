"""Hosts, payloads and small clients for the tests of the lab."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from winrm.protocol import Protocol

from fleetscan.lab import OS, Fleet, Lab, Machine, SimulatedHost
from fleetscan.lab.fleet import DEFAULT_ACCOUNT
from fleetscan.powershell.payload import bootstrap_command

NAME = "hv01.lab.example"
NONCE = "ab12cd34"
BASIC = "Basic " + base64.b64encode(f"{DEFAULT_ACCOUNT.username}:{DEFAULT_ACCOUNT.password}".encode()).decode()
PROBES: dict[str, Any] = {"first": {"x": 1}, "second": {"name": "Zürich"}}


def machine(name: str = NAME, *, probes: dict[str, Any] | None = None, **system: Any) -> Machine:
    """A machine with two probes, unless said otherwise."""
    return Machine(name=name, os=OS(**system), probes=PROBES if probes is None else probes)


def host(name: str = NAME, **settings: Any) -> SimulatedHost:
    """One host with that machine."""
    return SimulatedHost(machine=machine(name), **settings)


def fleet(*hosts: SimulatedHost) -> Fleet:
    """A fleet of these hosts, or of one."""
    return Fleet(hosts=hosts or (host(),))


def stdin(*probes: str, nonce: str = NONCE, skip: tuple[str, ...] = (), cut: int = 0) -> bytes:
    """What a payload with these probes brings on standard input."""
    text = "\n".join(f"# fleetscan-probe: {probe}\n@{{}}\n# fleetscan-end: {probe}" for probe in probes)
    head = {"nonce": nonce, "deadline": 30, "length": len(text), "skip": list(skip)}
    return f"{json.dumps(head, separators=(',', ':'))}\n{text[: len(text) - cut]}\n".encode()


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    stdout: bytes
    stderr: bytes
    code: int


class Client:
    """pywinrm against one host of a lab."""

    def __init__(self, lab: Lab, name: str = NAME, **changes: Any) -> None:
        spec = next(each for each in lab.fleet.hosts if each.name == name)
        place = lab.place(name)
        scheme = changes.pop("scheme", spec.scheme)
        arguments: dict[str, Any] = {
            "transport": spec.auth,
            "username": DEFAULT_ACCOUNT.username,
            "password": DEFAULT_ACCOUNT.password,
            "ca_trust_path": str(lab.ca_file),
            "proxy": None,
            "operation_timeout_sec": 5,
            "read_timeout_sec": 8,
            "message_encryption": "always" if scheme == "http" and spec.auth == "ntlm" else "auto",
            **changes,
        }
        self.protocol = Protocol(f"{scheme}://{place.address}:{place.port}/wsman", **arguments)

    def run(self, command: str | None = None, data: bytes | None = None) -> Done:
        """The whole exchange: Create, Command, Send, Receive until Done, Signal, Delete."""
        shell = self.protocol.open_shell(codepage=65001)
        line = bootstrap_command() if command is None else command
        command_id = self.protocol.run_command(shell, line, console_mode_stdin=data is None)
        if data is not None:
            self.protocol.send_command_input(shell, command_id, data, end=True)
        stdout, stderr, code = self.protocol.get_command_output(shell, command_id)
        self.protocol.cleanup_command(shell, command_id)
        self.protocol.close_shell(shell)
        return Done(stdout, stderr, code)


def envelope(action: str, body: str = "", *, header: str = "", timeout: str = "PT1S", size: int = 153600) -> bytes:
    """A request in its smallest form."""
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
        'xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"><s:Header>'
        f"<a:Action>{action}</a:Action><a:MessageID>uuid:1234</a:MessageID>"
        f"<w:MaxEnvelopeSize>{size}</w:MaxEnvelopeSize><w:OperationTimeout>{timeout}</w:OperationTimeout>"
        f"{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def create() -> bytes:
    """A request for a shell."""
    resource = "<w:ResourceURI>http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd</w:ResourceURI>"
    return envelope("http://schemas.xmlsoap.org/ws/2004/09/transfer/Create", header=resource)


async def visit(lab: Lab, name: str = NAME, **changes: Any) -> Done:
    """Run the two probes on a host through pywinrm."""
    return await asyncio.to_thread(lambda: Client(lab, name, **changes).run(data=stdin("first", "second")))


async def ask(lab: Lab, request: bytes, name: str = NAME) -> tuple[int, dict[str, list[str]], bytes]:
    """Send one raw HTTP request over plain TCP: status, headers in lower case, body."""
    place = lab.place(name)
    reader, writer = await asyncio.open_connection(place.address, place.port)
    try:
        writer.write(request)
        return await answer(reader)
    finally:
        writer.close()
        await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, list[str]], bytes]:
    """Read one HTTP response."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in head[1:]:
        name, _, value = line.partition(":")
        if name:
            headers.setdefault(name.lower(), []).append(value.strip())
    length = int(headers.get("content-length", ["0"])[0])
    return int(head[0].split()[1]), headers, await reader.readexactly(length)


def post(body: bytes = b"", path: str = "/wsman", **headers: str) -> bytes:
    """A raw POST."""
    lines = [f"POST {path} HTTP/1.1", "Host: hv01", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def eventually(condition: Callable[[], bool], seconds: float = 2.0) -> None:
    """Wait until something is so."""
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not become so in time")
