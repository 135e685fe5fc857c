"""The messages that carry input and output.

pywinrm's reader loses the output that comes with a Done without exit code, and its writer turns a script into XML at
the cost of several copies, which many visits at once would wait with.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

_RSP = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
_ENVELOPE = """<?xml version="1.0" encoding="utf-8"?>
<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
 xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
 xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"><env:Header>
<a:To>http://windows-host:5985/wsman</a:To>
<a:ReplyTo><a:Address env:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>
<w:MaxEnvelopeSize env:mustUnderstand="true">153600</w:MaxEnvelopeSize>
<a:MessageID>uuid:{message}</a:MessageID>
<w:Locale env:mustUnderstand="false" xml:lang="en-US"/><p:DataLocale env:mustUnderstand="false" xml:lang="en-US"/>
<w:OperationTimeout>PT{seconds}S</w:OperationTimeout>
<w:ResourceURI env:mustUnderstand="true">http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd</w:ResourceURI>
<a:Action env:mustUnderstand="true">http://schemas.microsoft.com/wbem/wsman/1/windows/shell/{action}</a:Action>
<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet></env:Header>
<env:Body>{body}</env:Body>
</env:Envelope>"""
_RECEIVE = "<rsp:Receive><rsp:DesiredStream CommandId={command}>stdout stderr</rsp:DesiredStream></rsp:Receive>"
_SEND = '<rsp:Send><rsp:Stream Name="stdin" CommandId={command} End="{end}">{input}</rsp:Stream></rsp:Send>'


@dataclass(frozen=True, slots=True)
class Received:
    """What one Receive brought. `status` is None while the command runs, and where the host tells none."""

    stdout: bytes = b""
    stderr: bytes = b""
    done: bool = False
    status: int | None = None

    def __len__(self) -> int:
        return len(self.stdout) + len(self.stderr)


def receive_message(shell_id: str, command_id: str, seconds: int) -> bytes:
    """Ask for the output of a command; the host waits up to `seconds` for some."""
    return _message("Receive", shell_id, seconds, _RECEIVE.format(command=quoteattr(command_id)))


def send_message(shell_id: str, command_id: str, seconds: int, data: bytes, *, end: bool) -> bytes:
    """Feed a command; `end` says that nothing follows."""
    told = base64.b64encode(data).decode("ascii")
    last = "true" if end else "false"
    return _message("Send", shell_id, seconds, _SEND.format(command=quoteattr(command_id), end=last, input=told))


def _message(action: str, shell_id: str, seconds: int, body: str) -> bytes:
    shell = escape(shell_id)
    return _ENVELOPE.format(action=action, message=uuid.uuid4(), seconds=seconds, shell=shell, body=body).encode()


def received(answer: bytes) -> Received:
    """Read the answer to a Receive. Raises the errors of its parsers: ParseError, KeyError, ValueError.

    A stream may come in several elements, each base64 on its own. The state may be missing: then the command still
    runs. So may the exit code, although the command is done.
    """
    root = ElementTree.fromstring(answer)  # noqa: S314 # its size is capped and a document type was refused
    texts: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    for stream in root.iter(f"{_RSP}Stream"):
        texts[stream.attrib["Name"]].append(base64.b64decode((stream.text or "").encode("ascii")))
    state = root.find(f".//{_RSP}CommandState")
    done = state is not None and state.get("State", "").endswith("/Done")
    code = state.find(f"{_RSP}ExitCode") if state is not None and done else None
    status = int(code.text) if code is not None and code.text else None
    return Received(b"".join(texts["stdout"]), b"".join(texts["stderr"]), done, status)
