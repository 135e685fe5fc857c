"""What the errors of pywinrm, requests, urllib3 and their relatives mean: one table, by types and attributes.

The order of the questions matters: requests' errors are OSErrors, SSLError and ConnectTimeout are ConnectionErrors, and
two of pywinrm's three errors do not derive from WinRMError.
"""

from __future__ import annotations

import http.client
import re
import ssl
import struct
from xml.etree.ElementTree import ParseError

import requests.exceptions as rq
import spnego.exceptions as sp
import urllib3.exceptions as u3
from winrm.exceptions import (
    AuthenticationError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)

from fleetscan.errors import TransportError
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.text import one_line
from fleetscan.transports.troubles import REPORT, causes, network_trouble, tls_trouble
from fleetscan.transports.winrm_http import http_trouble
from fleetscan.transports.winrm_link import Progress

STILL_RUNNING = 2150858793
"""ERROR_WSMAN_OPERATION_TIMEDOUT: to a Receive it says that there is no output yet."""

# wsmerror.h and winerror.h; HRESULTs of Win32 errors are 0x80070000 + code.
_FAULTS: dict[int, tuple[Reason, bool, str]] = {
    STILL_RUNNING: (Reason.PROTOCOL_FAULT, True, "the host is overloaded: it did not finish the request in time"),
    2150859173: (Reason.QUOTA_SHELLS, True, "the host allows this user no further shell (MaxShellsPerUser)"),
    2150859236: (Reason.QUOTA_SHELLS, True, "the host allows no further shell"),
    2150859237: (Reason.QUOTA_SHELLS, True, "the host allows no further user (MaxConcurrentUsers)"),
    2150859238: (Reason.QUOTA_SHELLS, True, "the host allows no further shell"),
    2150859179: (Reason.QUOTA_SHELLS, True, "the host allows no further user (MaxConcurrentUsers)"),
    2150859174: (Reason.QUOTA_OPERATIONS, True, "the host allows this user no further operation"),
    2150859175: (Reason.QUOTA_OPERATIONS, True, "the host allows this user no further request for a while"),
    2150859176: (Reason.QUOTA_OPERATIONS, True, "the host allows no further request for a while"),
    2150859239: (Reason.QUOTA_OPERATIONS, True, "the host allows no further operation"),
    2150859240: (Reason.QUOTA_OPERATIONS, True, "the host allows this user no further operation"),
    2150859241: (Reason.QUOTA_OPERATIONS, True, "the host allows no further command in the shell"),
    2150859180: (
        Reason.PERMISSION_DENIED,
        False,
        "remote shells are switched off on the host (AllowRemoteShellAccess)",
    ),
    2150858843: (Reason.PROTOCOL_CLOSED, True, "the shell is gone on the host"),
    5: (Reason.PERMISSION_DENIED, False, "access to the shell is denied"),
    2147942405: (Reason.PERMISSION_DENIED, False, "access to the shell is denied"),
    8: (Reason.QUOTA_MEMORY, True, "the host has no memory left"),
    14: (Reason.QUOTA_MEMORY, True, "the host has no memory left"),
    2147942414: (Reason.QUOTA_MEMORY, True, "the host has no memory left"),
    2147943855: (Reason.QUOTA_MEMORY, True, "the host has no memory left"),
    1450: (Reason.QUOTA_MEMORY, True, "the host has no system resources left"),
    2147943850: (Reason.QUOTA_MEMORY, True, "the host has no system resources left"),
    170: (Reason.PROTOCOL_FAULT, True, "the host is busy"),
    995: (Reason.PROTOCOL_CLOSED, True, "the host aborted the operation"),
    2147943395: (Reason.PROTOCOL_CLOSED, True, "the host aborted the operation"),
    2147943418: (Reason.PROTOCOL_FAULT, True, "the user's profile was being unloaded on the host"),
    2148007941: (Reason.PROTOCOL_FAULT, True, "the host could not start the process of the shell"),
    2147942402: (Reason.PROTOCOL_FAULT, False, "the host did not find the program"),
    2147942606: (Reason.PROTOCOL_FAULT, False, "the command line is too long for the host"),
}
_FAULT_HINTS = {
    Reason.QUOTA_SHELLS: "close forgotten shells, raise the quota in winrm/config/winrs, or scan again later",
    Reason.QUOTA_OPERATIONS: "raise MaxConcurrentOperationsPerUser in winrm/config/service, or scan again later",
    Reason.QUOTA_MEMORY: "raise MaxMemoryPerShellMB in winrm/config/winrs, or scan again later",
    Reason.PERMISSION_DENIED: "the account needs the right to remote shells: Administrators, or RootSDDL of WinRM",
}
# Asked in this order of an error and of all that is wrapped in it.
_WRAPPED: tuple[tuple[tuple[type[Exception], ...], Reason, str, bool], ...] = (
    ((rq.TooManyRedirects,), Reason.PROTOCOL_REDIRECT, "the listener redirects", False),
    ((rq.SSLError, u3.SSLError), Reason.TLS_HANDSHAKE, "the TLS connection failed", False),
    ((u3.NameResolutionError,), Reason.UNREACHABLE_DNS, "the name cannot be resolved", True),
    ((u3.NewConnectionError,), Reason.UNREACHABLE_NETWORK, "no connection can be made", False),
    ((rq.Timeout, u3.TimeoutError), Reason.UNREACHABLE_TIMEOUT, "no answer in time", False),
    (
        (http.client.BadStatusLine, http.client.LineTooLong, http.client.UnknownProtocol),
        Reason.PROTOCOL_GARBLED,
        "the answer is not HTTP",
        False,
    ),
    (
        (http.client.IncompleteRead, u3.ProtocolError, rq.ChunkedEncodingError),
        Reason.PROTOCOL_CLOSED,
        "the answer was cut off",
        True,
    ),
    ((rq.ConnectionError,), Reason.UNREACHABLE_RESET, "the connection failed", True),
)
_WRONG_PORT = "set winrm.port to the port of WinRM, and winrm.scheme to what it speaks"
_MANGLED = "look for a proxy or an inspecting firewall on the way, and scan again"
_WRAPPED_HINTS = {
    Reason.PROTOCOL_GARBLED: _WRONG_PORT,
    Reason.PROTOCOL_REDIRECT: "set address and winrm.port to where the listener itself is",
    Reason.PROTOCOL_CLOSED: _MANGLED,
}
# Garbage comes out of the libraries as whatever their parsers stumble over.
_GARBLED = (
    ParseError,
    WinRMError,
    http.client.HTTPException,
    rq.RequestException,
    rq.RequestsWarning,
    u3.HTTPError,
    u3.HTTPWarning,
    sp.SpnegoError,
    sp.FeatureMissingError,
    struct.error,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    StopIteration,
)
_CLASS = re.compile(r"^SpnegoError \(-?\d+\): ")
_TELLING = (ParseError, WinRMError, sp.SpnegoError)
"""What these say of garbage is worth reading; the others tell where a parser stumbled."""


def translate(error: BaseException, progress: Progress, place: str) -> TransportError:
    """The TransportError that an exception of the libraries stands for. `place` names the listener in messages."""
    if isinstance(error, TransportError):
        return error
    for question in (_from_winrm, _from_http, _from_logon, _from_network, _from_wrapped, _from_garbage):
        trouble = question(error, progress, place)
        if trouble is not None:
            return trouble
    said = f"fleetscan does not know this error: {type(error).__name__}: {one_line(str(error), 500)}"
    return progress.trouble(Reason.INTERNAL, said, hint=REPORT)


def _from_winrm(error: BaseException, progress: Progress, _: str) -> TransportError | None:
    if isinstance(error, WSManFaultError | WinRMOperationTimeoutError) and progress.stage is Stage.LOGON:
        progress.stage = Stage.SHELL  # a fault is for those who are logged on: what was refused is the shell
    if isinstance(error, WSManFaultError):
        return _fault(error, progress)
    if isinstance(error, WinRMOperationTimeoutError):
        reason, passing, text = _FAULTS[STILL_RUNNING]
        return progress.trouble(reason, text, passing=passing)
    if isinstance(error, WinRMTransportError):
        status = error.args[1] if len(error.args) > 1 else 0
        return http_trouble(progress, status)
    return None


def is_known(error: WSManFaultError) -> bool:
    """Whether a fault says something that is understood here: a quota, a missing right."""
    return not {error.wmierror_code, error.wsman_fault_code}.isdisjoint(_FAULTS)


def _fault(error: WSManFaultError, progress: Progress) -> TransportError:
    codes = [code for code in (error.wmierror_code, error.wsman_fault_code) if code is not None]
    known = next((code for code in codes if code in _FAULTS), None)
    number = known if known is not None else next(iter(codes), None)
    said = one_line(error.reason or "", 500)
    label = f"fault {number}" if number is not None else f"fault {error.fault_subcode or error.fault_code}"
    if known is None:
        return progress.trouble(Reason.PROTOCOL_FAULT, f"the host answered with {label}: {said}")
    reason, passing, text = _FAULTS[known]
    hint = _FAULT_HINTS.get(reason, "")
    return progress.trouble(reason, f"{text} ({label}: {said})", hint=hint, passing=passing)


def _from_http(error: BaseException, progress: Progress, _: str) -> TransportError | None:
    if isinstance(error, rq.HTTPError) and error.response is not None and error.response.status_code != 401:
        return http_trouble(progress, error.response.status_code)
    return None


def _from_logon(error: BaseException, progress: Progress, _: str) -> TransportError | None:
    """401 in the end; or the libraries could not even make an answer to the host's challenge."""
    name = type(error).__name__  # of libraries that are not always installed
    rejected = isinstance(error, AuthenticationError) or getattr(error, "response", None) is not None
    rejected = rejected or name in ("AuthenticationException", "NTStatusException")  # requests_credssp
    unanswered = isinstance(error, PermissionError) and error.errno is None  # requests_ntlm: no challenge came
    if rejected or unanswered or isinstance(error, sp.BadMechanismError):
        return logon_trouble(progress, proven=rejected)
    if name == "GSSError" and progress.stage is not Stage.LOGON:
        return progress.trouble(Reason.PROTOCOL_GARBLED, "a message of the host cannot be unsealed")
    no_ticket = isinstance(error, sp.NoCredentialError | sp.CredentialsExpiredError)
    if no_ticket or name in ("KerberosExchangeError", "GSSError"):
        text = f"no Kerberos ticket for the host: {_said(error)}"
        hint = "run kinit for the account; check winrm.spn_service and that the host is named by its FQDN"
        return progress.trouble(Reason.AUTH_TICKET, text, hint=hint)
    if name == "MutualAuthenticationError":
        hint = "check winrm.spn_service, and that the name leads to this very host"
        return progress.trouble(Reason.AUTH_METHOD, "the host did not prove by Kerberos who it is", hint=hint)
    if progress.stage is Stage.LOGON and isinstance(error, sp.SpnegoError):
        text = f"the logon cannot be made: {_said(error)}"
        return progress.trouble(Reason.AUTH_METHOD, text, hint="check the credential, or set winrm.auth to another way")
    return None


def _said(error: BaseException) -> str:
    """What an error says, without the name of its class, which pyspnego puts before it."""
    return one_line(_CLASS.sub("", str(error)), 500)


def logon_trouble(progress: Progress, *, proven: bool) -> TransportError:
    """A refused logon. Only an answer to our proof counts as rejected; a listener without our method saw none."""
    offered = ", ".join(sorted(progress.offered)) or "nothing"
    fitting = not progress.accepted or not progress.offered or progress.offered & progress.accepted
    if proven and fitting:
        hint = "check the user name (DOMAIN\\user or user@REALM), the password, and whether the account is locked"
        return progress.trouble(Reason.AUTH_REJECTED, "the host rejected the logon", hint=hint)
    text = f"the host does not offer this way to log on; it offers {offered}"
    return progress.trouble(Reason.AUTH_METHOD, text, hint="set winrm.auth to what the listener offers")


def _from_network(error: BaseException, progress: Progress, place: str) -> TransportError | None:
    inside = list(causes(error))
    for cause in inside:
        if isinstance(cause, ssl.SSLError):
            return tls_trouble(cause, progress.stage, place, started=progress.started)
    for cause in inside:
        if isinstance(cause, OSError) and not isinstance(cause, rq.RequestException):
            return network_trouble(cause, progress.stage, place, started=progress.started)
    return None


def _from_wrapped(error: BaseException, progress: Progress, place: str) -> TransportError | None:
    """Errors of requests and urllib3 that hold no socket error any more."""
    inside = list(causes(error))
    for types, reason, text, passing in _WRAPPED:
        if any(isinstance(cause, types) for cause in inside):
            return progress.trouble(reason, f"{place}: {text}", hint=_WRAPPED_HINTS.get(reason, ""), passing=passing)
    return None


def _from_garbage(error: BaseException, progress: Progress, place: str) -> TransportError | None:
    if not isinstance(error, _GARBLED):
        return None
    said = f" ({_said(error)})" if isinstance(error, _TELLING) and str(error) else ""
    text = f"{place}: the host's answer is not WinRM{said}"
    hint = _WRONG_PORT if not progress.logged_on else _MANGLED
    return progress.trouble(Reason.PROTOCOL_GARBLED, text, hint=hint)
