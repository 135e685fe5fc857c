"""SOAP faults of WinRM: code, subcode and text of each, and their XML."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from fleetscan.lab.soap import FAULT_ACTION, X, attribute, envelope

_SPACES = (
    f'xmlns:x="{X}" xmlns:e="http://schemas.xmlsoap.org/ws/2004/08/eventing" '
    'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
)
_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
_WMI = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"

TIMED_OUT = 2150858793
SHELL_GONE = 2150858843
NOT_FOUND = 2150858752
ACTION_UNKNOWN = 2150858754
QUOTA_SHELLS = 2150859173
QUOTA_OPERATIONS = 2150859174
QUOTA_USERS = 2150859179
ACCESS_DENIED = 5
BAD_PARAMETER = 87
BUSY = 170
ABORTED = 995
FILE_NOT_FOUND = 2147942402
TOO_LONG = 2147942606
OUT_OF_MEMORY = 2147942414


@dataclass(frozen=True, slots=True)
class _Text:
    sender: bool
    subcode: str
    reason: str
    message: str = ""
    detail: str = ""


_TEXTS = {
    TIMED_OUT: _Text(
        False,
        "w:TimedOut",
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
    ),
    SHELL_GONE: _Text(
        True,
        "w:InvalidSelectors",
        "The WS-Management service cannot process the request because the request contained invalid selectors for "
        "the resource. ",
        "The request for the Windows Remote Shell with ShellId {subject} failed because the shell was not found on "
        "the server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the "
        "server. Provide the correct ShellId or create a new shell and retry the operation. ",
        "UnexpectedSelectors",
    ),
    NOT_FOUND: _Text(
        True,
        "a:DestinationUnreachable",
        "The WS-Management service cannot process the request. The resource URI was not found. ",
    ),
    ACTION_UNKNOWN: _Text(True, "a:ActionNotSupported", "The action is not supported by the WS-Management service. "),
    QUOTA_SHELLS: _Text(
        True,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The maximum number of concurrent shells for this "
        "user has been exceeded. Close existing shells or raise the quota for this user. ",
        "The WS-Management service cannot process the request. This user is allowed a maximum number of {subject} "
        "concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user. ",
    ),
    QUOTA_OPERATIONS: _Text(
        True,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The maximum number of concurrent operations for this "
        "user has been exceeded. Close existing operations for this user, or raise the quota for this user. ",
    ),
    QUOTA_USERS: _Text(
        True,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request because this system has exceeded the maximum number of "
        "concurrent shell users. ",
    ),
    ACCESS_DENIED: _Text(True, "w:AccessDenied", "Access is denied. "),
    BAD_PARAMETER: _Text(False, "w:InternalError", "The parameter is incorrect. "),
    BUSY: _Text(False, "w:InternalError", "The requested resource is in use. "),
    ABORTED: _Text(
        False,
        "w:InternalError",
        "The I/O operation has been aborted because of either a thread exit or an application request. ",
    ),
    FILE_NOT_FOUND: _Text(False, "w:InternalError", "The system cannot find the file specified. "),
    TOO_LONG: _Text(False, "w:InternalError", "The filename or extension is too long. "),
    OUT_OF_MEMORY: _Text(
        False, "w:InternalError", "Not enough memory resources are available to complete this operation. "
    ),
}
COMMAND_GONE_MESSAGE = (
    "The Windows Remote Shell received a request to perform an operation on a command identifier that does not exist. "
    "Either the command has completed execution or the client specified an invalid command identifier. "
)


class WSManFault(Exception):  # noqa: N818 # the protocol calls it a fault
    """The answer to a request is a fault with this WSManFault code."""

    def __init__(self, code: int, *, subject: str = "", message: str = "", wmi: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.subject = subject
        self.message = message
        self.wmi = wmi

    def envelope(self, relates_to: str, machine: str) -> bytes:
        """The SOAP fault. A WMI error has no WSManFault element and no RelatesTo, as older hosts send quota faults."""
        text = _TEXTS[self.code]
        message = self.message or (text.message or text.reason).format(subject=self.subject)
        detail = f"<w:FaultDetail>http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/{text.detail}</w:FaultDetail>"
        body = (
            f"<s:Fault><s:Code><s:Value>s:{'Sender' if text.sender else 'Receiver'}</s:Value>"
            f"<s:Subcode><s:Value>{text.subcode}</s:Value></s:Subcode></s:Code>"
            f'<s:Reason><s:Text xml:lang="en-US">{escape(text.reason)}</s:Text></s:Reason>'
            f"<s:Detail>{detail if text.detail else ''}"
            f"{self._wmi(message) if self.wmi else self._wsman(message, machine)}</s:Detail></s:Fault>"
        )
        return envelope(FAULT_ACTION, "" if self.wmi else relates_to, body, namespaces=_SPACES)

    def _wsman(self, message: str, machine: str) -> str:
        return (
            f'<f:WSManFault xmlns:f="{_FAULT}" Code="{self.code}" Machine={attribute(machine)}>'
            f"<f:Message>{escape(message)}</f:Message></f:WSManFault>"
        )

    def _wmi(self, message: str) -> str:
        return (
            f'<p:MSFT_WmiError b:IsCIM_Error="true" xmlns:p="{_WMI}" '
            'xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" '
            'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            '<p:CIMStatusCode xsi:type="cim:cimUnsignedInt">27</p:CIMStatusCode>'
            f'<p:Message xsi:type="cim:cimString">{escape(message)}</p:Message>'
            f'<p:MessageID xsi:type="cim:cimString">HRESULT 0x{self.code:08x}</p:MessageID>'
            '<p:error_Category xsi:type="cim:cimUnsignedInt">30</p:error_Category>'
            f'<p:error_Code xsi:type="cim:cimUnsignedInt">{self.code}</p:error_Code>'
            '<p:error_Type xsi:type="cim:cimString">HRESULT</p:error_Type>'
            f'<p:error_WindowsErrorMessage xsi:type="cim:cimString">{escape(message)}</p:error_WindowsErrorMessage>'
            "</p:MSFT_WmiError>"
        )
