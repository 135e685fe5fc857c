"""Every exception that the libraries export is mapped to something that a reader can act on."""

from __future__ import annotations

import errno
import http.client
import inspect
import socket
import ssl
import struct
from types import ModuleType
from typing import Any
from xml.etree.ElementTree import ParseError

import asyncssh
import pytest
import requests
import spnego
import spnego.exceptions
import urllib3.exceptions
import winrm.exceptions

from fleetscan.errors import TransportError
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports import ssh_errors, winrm_errors
from fleetscan.transports.ssh_errors import SSHProgress
from fleetscan.transports.winrm_link import Progress

NETWORK = {"unreachable", "tls", "auth", "protocol", "quota", "permission", "hostkey"}


# What a command of a server is told, never a client; a stub that is never raised; the builtin.
NEVER_MET = {
    asyncssh.BreakReceived,
    asyncssh.SignalReceived,
    asyncssh.misc.SoftEOFReceived,
    asyncssh.TerminalSizeChanged,
    spnego.exceptions.NativeError,
    Exception,
}


def exceptions(module: ModuleType) -> list[type[BaseException]]:
    found = [value for value in vars(module).values() if inspect.isclass(value) and issubclass(value, Exception)]
    return sorted(set(found) - NEVER_MET, key=lambda kind: kind.__name__)


def subclasses(kind: type[BaseException]) -> list[type[BaseException]]:
    return [kind, *(each for child in kind.__subclasses__() for each in subclasses(child))]


ASYNCSSH = [kind for kind in exceptions(asyncssh) if not issubclass(kind, Warning)]
ASYNCSSH += [kind for kind in subclasses(asyncssh.Error) if kind not in ASYNCSSH]


def made(kind: type[BaseException]) -> BaseException:
    """An instance, with whatever its constructor wants."""
    special: dict[type[BaseException], tuple[Any, ...]] = {
        winrm.exceptions.WinRMTransportError: ("http", 500, ""),
        winrm.exceptions.WSManFaultError: (500, "", "", "reason"),
        spnego.exceptions.SpnegoError: (13,),
        spnego.exceptions.FeatureMissingError: (spnego.NegotiateOptions.wrapping_iov,),
    }
    if kind in special:
        return kind(*special[kind])
    if isinstance(kind, type(spnego.exceptions.SpnegoError)):
        return kind(error_code=kind.ERROR_CODE)
    wanted = [
        parameter
        for parameter in inspect.signature(kind.__init__).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ][1:]
    try:
        return kind(*(7 if parameter.name in ("code", "length", "msec") else "text" for parameter in wanted))
    except (TypeError, AttributeError):
        return kind.__new__(kind)


def assert_plain(trouble: TransportError, kind: type[BaseException]) -> None:
    """In words of the user's, not of Python's; a hint says what to do, it asks nothing."""
    assert trouble.message
    assert kind.__name__ not in trouble.message
    assert "?" not in trouble.message + trouble.hint


@pytest.mark.parametrize("stage", [Stage.LOGON, Stage.OUTPUT])
@pytest.mark.parametrize(
    "kind",
    [
        *exceptions(winrm.exceptions),
        *exceptions(requests.exceptions),
        *exceptions(urllib3.exceptions),
        *exceptions(spnego.exceptions),
        *(kind for kind in exceptions(http.client) if issubclass(kind, http.client.HTTPException)),
        ParseError,
        struct.error,
        StopIteration,
        KeyError,
        IndexError,
        AssertionError,
        UnicodeDecodeError,
    ],
    ids=lambda kind: kind.__name__,
)
def test_errors_of_winrm_are_mapped(kind: type[BaseException], stage: Stage) -> None:
    progress = Progress(stage=stage, started=stage is Stage.OUTPUT)
    trouble = winrm_errors.translate(made(kind), progress, "host:5986")
    assert trouble.reason.family in NETWORK, trouble.reason
    assert not (progress.started and trouble.retryable)
    assert_plain(trouble, kind)


@pytest.mark.parametrize("stage", [Stage.LOGON, Stage.OUTPUT])
@pytest.mark.parametrize("kind", ASYNCSSH, ids=lambda kind: kind.__name__)
def test_errors_of_asyncssh_are_mapped(kind: type[BaseException], stage: Stage) -> None:
    progress = SSHProgress("host:22", stage=stage, started=stage is Stage.OUTPUT)
    trouble = ssh_errors.translate(made(kind), progress)
    assert trouble.reason.family in NETWORK, trouble.reason
    assert not (progress.started and trouble.retryable)
    assert_plain(trouble, kind)
    assert trouble.hint


def wrapped(inner: BaseException) -> BaseException:
    """As requests delivers what urllib3 met."""
    return requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", inner))


@pytest.mark.parametrize(
    ("error", "reason", "retryable"),
    [
        (wrapped(ConnectionResetError(errno.ECONNRESET, "reset")), Reason.UNREACHABLE_RESET, True),
        (wrapped(http.client.RemoteDisconnected()), Reason.UNREACHABLE_RESET, True),
        (wrapped(http.client.BadStatusLine("x")), Reason.PROTOCOL_GARBLED, False),
        (wrapped(TimeoutError()), Reason.UNREACHABLE_TIMEOUT, False),
        (ConnectionRefusedError(), Reason.UNREACHABLE_REFUSED, True),
        (OSError(errno.EHOSTUNREACH, "no route"), Reason.UNREACHABLE_NETWORK, False),
        (OSError(errno.EMFILE, "too many"), Reason.INTERNAL, False),
        (socket.gaierror(socket.EAI_AGAIN, "later"), Reason.UNREACHABLE_DNS, True),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), Reason.UNREACHABLE_DNS, False),
        (ssl.SSLEOFError(8, "EOF"), Reason.UNREACHABLE_RESET, True),
        (PermissionError("Server did not respond with NTLM challenge"), Reason.AUTH_METHOD, False),
        (PermissionError(errno.EACCES, "firewall"), Reason.UNREACHABLE_NETWORK, False),
        (winrm.exceptions.InvalidCredentialsError(), Reason.AUTH_REJECTED, False),
        (winrm.exceptions.WinRMOperationTimeoutError(), Reason.PROTOCOL_FAULT, True),
        (ZeroDivisionError(), Reason.INTERNAL, False),
    ],
)
def test_what_single_errors_come_to(error: BaseException, reason: Reason, retryable: bool) -> None:
    trouble = winrm_errors.translate(error, Progress(stage=Stage.LOGON), "host")
    assert (trouble.reason, trouble.retryable) == (reason, retryable), trouble.message
    started = winrm_errors.translate(error, Progress(stage=Stage.COMMAND, started=True), "host")
    assert not started.retryable


@pytest.mark.parametrize(
    ("codes", "reason", "retryable"),
    [
        ({"wsman_fault_code": 2150859173}, Reason.QUOTA_SHELLS, True),
        ({"wmierror_code": 2150859174}, Reason.QUOTA_OPERATIONS, True),
        ({"wmierror_code": 4711, "wsman_fault_code": 2150859179}, Reason.QUOTA_SHELLS, True),
        ({"wsman_fault_code": 170}, Reason.PROTOCOL_FAULT, True),
        ({"wsman_fault_code": 5}, Reason.PERMISSION_DENIED, False),
        ({"wsman_fault_code": 2147942405}, Reason.PERMISSION_DENIED, False),
        ({"wsman_fault_code": 2147942414}, Reason.QUOTA_MEMORY, True),
        ({"wsman_fault_code": 0x800705AA}, Reason.QUOTA_MEMORY, True),
        ({"wsman_fault_code": 4711}, Reason.PROTOCOL_FAULT, False),
        ({"fault_subcode": "w:SchemaValidationError"}, Reason.PROTOCOL_FAULT, False),
    ],
)
def test_faults_go_by_their_codes(codes: dict[str, Any], reason: Reason, retryable: bool) -> None:
    error = winrm.exceptions.WSManFaultError(500, "", "", "Der Zugriff\x1b[2J wurde\nverweigert", **codes)
    trouble = winrm_errors.translate(error, Progress(stage=Stage.SHELL), "host")
    assert (trouble.reason, trouble.retryable) == (reason, retryable)
    assert "\x1b" not in trouble.message
    assert "\n" not in trouble.message
    assert str(next(iter(codes.values()))) in trouble.message or len(codes) > 1


@pytest.mark.parametrize(
    ("code", "reason"), [(9, "tls.expired"), (10, "tls.expired"), (18, "tls.untrusted"), (20, "tls.untrusted"),
                         (62, "tls.name"), (64, "tls.name")]
)  # fmt: skip
def test_certificates_go_by_their_codes(code: int, reason: str) -> None:
    error = ssl.SSLCertVerificationError(1, "text")
    error.verify_code, error.verify_message = code, "text"
    trouble = winrm_errors.translate(requests.exceptions.SSLError(error), Progress(stage=Stage.TLS), "host")
    assert (trouble.reason, trouble.stage, trouble.retryable) == (reason, Stage.TLS, False)
    assert trouble.hint


@pytest.mark.parametrize(
    ("offered", "accepted", "reason"),
    [
        ({"negotiate", "kerberos"}, {"ntlm", "negotiate"}, Reason.AUTH_REJECTED),
        ({"basic"}, {"ntlm", "negotiate"}, Reason.AUTH_METHOD),
        (set(), {"basic"}, Reason.AUTH_REJECTED),
        ({"negotiate"}, set(), Reason.AUTH_REJECTED),
    ],
)
def test_a_401_is_a_rejection_only_of_what_was_offered(offered: set[str], accepted: set[str], reason: Reason) -> None:
    progress = Progress(stage=Stage.LOGON, accepted=frozenset(accepted), offered=offered)
    trouble = winrm_errors.translate(winrm.exceptions.InvalidCredentialsError(), progress, "host")
    assert trouble.reason is reason


@pytest.mark.parametrize(
    ("name", "offered", "reason"),
    [
        ("AuthenticationException", {"credssp"}, Reason.AUTH_REJECTED),
        ("AuthenticationException", {"negotiate"}, Reason.AUTH_METHOD),
        ("NTStatusException", {"credssp"}, Reason.AUTH_REJECTED),
        ("KerberosExchangeError", set(), Reason.AUTH_TICKET),
        ("MutualAuthenticationError", set(), Reason.AUTH_METHOD),
    ],
)
def test_errors_of_optional_libraries(name: str, offered: set[str], reason: Reason) -> None:
    progress = Progress(stage=Stage.LOGON, accepted=frozenset({"credssp"}), offered=offered)
    trouble = winrm_errors.translate(type(name, (Exception,), {})("text"), progress, "host")
    assert (trouble.reason, trouble.retryable) == (reason, False)


def test_a_transport_error_stays_what_it_is() -> None:
    error = TransportError(Reason.QUOTA_SHELLS, Stage.SHELL, "text")
    assert winrm_errors.translate(error, Progress(), "host") is error
    assert ssh_errors.translate(error, SSHProgress("host")) is error


@pytest.mark.parametrize(
    ("error", "sent", "started", "reason", "retryable"),
    [
        (asyncssh.PermissionDenied("no"), "password", False, Reason.AUTH_REJECTED, False),
        (asyncssh.PermissionDenied("no"), "", False, Reason.AUTH_METHOD, False),
        (asyncssh.ProtocolError("Too many authentication failures"), "password", False, Reason.AUTH_REJECTED, False),
        (asyncssh.ProtocolError("nonsense"), "", False, Reason.PROTOCOL_GARBLED, False),
        (asyncssh.ConnectionLost("cut"), "", False, Reason.UNREACHABLE_RESET, True),
        (asyncssh.ConnectionLost("cut"), "password", False, Reason.UNREACHABLE_RESET, False),
        (asyncssh.ConnectionLost("cut"), "", True, Reason.UNREACHABLE_RESET, False),
        (asyncssh.ChannelOpenError(2, "MaxSessions"), "", False, Reason.QUOTA_SHELLS, True),
        (asyncssh.ChannelOpenError(1, "prohibited"), "", False, Reason.PERMISSION_DENIED, False),
        (ConnectionResetError(), "", False, Reason.UNREACHABLE_RESET, True),
        (TimeoutError(), "", False, Reason.UNREACHABLE_TIMEOUT, False),
    ],
)
def test_what_errors_of_ssh_come_to(
    error: BaseException, sent: str, started: bool, reason: Reason, retryable: bool
) -> None:
    progress = SSHProgress("host", proof_sent=sent, started=started)
    trouble = ssh_errors.translate(error, progress)
    assert (trouble.reason, trouble.retryable) == (reason, retryable), trouble.message
