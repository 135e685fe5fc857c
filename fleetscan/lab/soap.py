"""WS-Management messages: requests read, answers and faults written as Windows writes them.

The shapes follow recorded exchanges with Windows Server: prefixes, order of headers, two spaces where Windows has two.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape, quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

S = "http://www.w3.org/2003/05/soap-envelope"
A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
X = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
RSP = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
P = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
CFG = "http://schemas.microsoft.com/wbem/wsman/1/config"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


class MalformedError(ValueError):
    """The body of a request is not a SOAP message."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request. `body` is the first element of the SOAP body, None where it is empty."""

    action: str = ""
    message_id: str = ""
    to: str = ""
    resource: str = ""
    timeout: float = 60.0
    """Seconds of OperationTimeout; 60 where the client names none (MaxTimeoutms of a default WinRM)."""
    max_envelope: int = 153600
    selectors: Mapping[str, str] | None = None
    options: Mapping[str, str] | None = None
    body: Element | None = None

    def option(self, name: str) -> str:
        """An option in upper case, "" where it is missing."""
        return (self.options or {}).get(name, "").upper()

    @property
    def shell_id(self) -> str:
        """The shell that the request selects."""
        return (self.selectors or {}).get("ShellId", "").upper()


def seconds(duration: str) -> float:
    """The length of an XML duration such as PT20S or P0DT0H1M0.500S; raises ValueError for anything else."""
    match = _DURATION.fullmatch(duration.strip())
    if match is None or not any(match.groups()):
        raise ValueError(duration)
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def _named(element: Element) -> dict[str, str]:
    return {child.get("Name", ""): child.text or "" for child in element}


def parse(data: bytes) -> Message:
    """Read a request; raises MalformedError. A document type is refused, as WinRM does."""
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise MalformedError(str(error)) from error
    if root.tag != f"{{{S}}}Envelope":
        raise MalformedError("the document is not a SOAP 1.2 envelope")
    header, body = root.find(f"{{{S}}}Header"), root.find(f"{{{S}}}Body")
    parts = {element.tag: element for element in header} if header is not None else {}

    def text(namespace: str, name: str) -> str:
        element = parts.get(f"{{{namespace}}}{name}")
        return (element.text or "").strip() if element is not None else ""

    selectors, options = parts.get(f"{{{W}}}SelectorSet"), parts.get(f"{{{W}}}OptionSet")
    try:
        return Message(
            action=text(A, "Action"),
            message_id=text(A, "MessageID"),
            to=text(A, "To"),
            resource=text(W, "ResourceURI"),
            timeout=min(seconds(text(W, "OperationTimeout") or "PT60S"), 60.0),
            max_envelope=int(text(W, "MaxEnvelopeSize") or 153600),
            selectors=_named(selectors) if selectors is not None else None,
            options=_named(options) if options is not None else None,
            body=next(iter(body), None) if body is not None else None,
        )
    except ValueError as error:
        raise MalformedError(str(error)) from error


def envelope(action: str, relates_to: str, body: str, *, namespaces: str = "") -> bytes:
    """An answer. `relates_to` is left out where it is empty."""
    related = f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>" if relates_to else ""
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{S}" xmlns:a="{A}" {namespaces}xmlns:w="{W}" xmlns:p="{P}">'
        f"<s:Header><a:Action>{action}</a:Action><a:MessageID>{message_id()}</a:MessageID>"
        f"<p:ActivityId>{new_id()}</p:ActivityId>"
        f"<a:To>{ANONYMOUS}</a:To>{related}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def shell_envelope(action: str, relates_to: str, body: str) -> bytes:
    """An answer of the shell resource."""
    return envelope(f"{RSP}/{action}Response", relates_to, body, namespaces=f'xmlns:rsp="{RSP}" ')


def transfer_envelope(action: str, relates_to: str, body: str) -> bytes:
    """An answer of WS-Transfer: Create, Get, Delete."""
    spaces = f'xmlns:x="{X}" xmlns:rsp="{RSP}" '
    return envelope(f"{X}/{action}Response", relates_to, body, namespaces=spaces)


def identity(os_version: str) -> bytes:
    """The answer to Identify. Windows hides its version from strangers: 0.0.0."""
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{S}"><s:Header/><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{IDENTITY}">'
        f"<wsmid:ProtocolVersion>{W}</wsmid:ProtocolVersion>"
        f"<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>OS: {escape(os_version)} SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
        f"</wsmid:IdentifyResponse></s:Body></s:Envelope>"
    ).encode()


def attribute(text: str) -> str:
    """A text as a quoted XML attribute."""
    return quoteattr(text)


def new_id() -> str:
    """A GUID as Windows prints it."""
    return str(uuid.uuid4()).upper()


def message_id() -> str:
    """A fresh MessageID."""
    return f"uuid:{new_id()}"
