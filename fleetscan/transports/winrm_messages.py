"""The messages of a shell's life but for the start of a command, which pywinrm writes.

pywinrm cannot name a shell, its reader loses the output that comes with a Done without exit code and wants answers to
a Delete that not every listener gives, and its writer turns a script into XML at the cost of several copies, which many
visits at once would wait with.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

_RSP = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
_WSMAN = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
_ACTIONS = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/"
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
<a:Action env:mustUnderstand="true">{action}</a:Action>
{target}</env:Header>
<env:Body>{body}</env:Body>
</env:Envelope>"""
_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
_OPTIONS = """<w:OptionSet><w:Option Name="WINRS_NOPROFILE">FALSE</w:Option>
<w:Option Name="WINRS_CODEPAGE">{codepage}</w:Option></w:OptionSet>"""
_SHELL = """<rsp:Shell{name}><rsp:InputStreams>stdin</rsp:InputStreams>
<rsp:OutputStreams>stdout stderr</rsp:OutputStreams><rsp:IdleTimeOut>PT{seconds}S</rsp:IdleTimeOut></rsp:Shell>"""
_SELECTOR = '<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>'
_RECEIVE = "<rsp:Receive><rsp:DesiredStream CommandId={command}>stdout stderr</rsp:DesiredStream></rsp:Receive>"
_SEND = '<rsp:Send><rsp:Stream Name="stdin" CommandId={command} End="{end}">{input}</rsp:Stream></rsp:Send>'
_SIGNAL = "<rsp:Signal CommandId={command}><rsp:Code>{actions}signal/terminate</rsp:Code></rsp:Signal>"


@dataclass(frozen=True, slots=True)
class Received:
    """What one Receive brought. `status` is None while the command runs, and where the host tells none."""

    stdout: bytes = b""
    stderr: bytes = b""
    done: bool = False
    status: int | None = None

    def __len__(self) -> int:
        return len(self.stdout) + len(self.stderr)


def create_message(shell_id: str, seconds: int, *, idle_seconds: int, codepage: int) -> bytes:
    """Open a shell, of that id where one is given; it is gone after `idle_seconds` without a message to it."""
    name = f" ShellId={quoteattr(shell_id)}" if shell_id else ""
    body = _SHELL.format(name=name, seconds=idle_seconds)
    return _message(f"{_TRANSFER}Create", _OPTIONS.format(codepage=codepage), seconds, body)


def created(answer: bytes) -> str:
    """The id of the new shell, out of its address or else its description; "" for none. Raises ParseError."""
    root = ElementTree.fromstring(answer)  # noqa: S314 # its size is capped and a document type was refused
    selectors = (part.text for part in root.iter(f"{_WSMAN}Selector") if part.get("Name") == "ShellId")
    return (next(selectors, None) or root.findtext(f".//{_RSP}ShellId") or "").strip()


def receive_message(shell_id: str, command_id: str, seconds: int) -> bytes:
    """Ask for the output of a command; the host waits up to `seconds` for some."""
    body = _RECEIVE.format(command=quoteattr(command_id))
    return _message(f"{_ACTIONS}Receive", _selector(shell_id), seconds, body)


def send_message(shell_id: str, command_id: str, seconds: int, data: bytes, *, end: bool) -> bytes:
    """Feed a command; `end` says that nothing follows."""
    told = base64.b64encode(data).decode("ascii")
    last = "true" if end else "false"
    body = _SEND.format(command=quoteattr(command_id), end=last, input=told)
    return _message(f"{_ACTIONS}Send", _selector(shell_id), seconds, body)


def signal_message(shell_id: str, command_id: str, seconds: int) -> bytes:
    """Terminate a command."""
    body = _SIGNAL.format(command=quoteattr(command_id), actions=_ACTIONS)
    return _message(f"{_ACTIONS}Signal", _selector(shell_id), seconds, body)


def delete_message(shell_id: str, seconds: int) -> bytes:
    """Close a shell."""
    return _message(f"{_TRANSFER}Delete", _selector(shell_id), seconds, "")


def _selector(shell_id: str) -> str:
    return _SELECTOR.format(shell=escape(shell_id))


def _message(action: str, target: str, seconds: int, body: str) -> bytes:
    return _ENVELOPE.format(action=action, message=uuid.uuid4(), seconds=seconds, target=target, body=body).encode()


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
