"""What the errors of sockets, resolver and TLS mean: the part of the translation that both transports share."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
from collections.abc import Iterator

from fleetscan.errors import TransportError
from fleetscan.model.reasons import Reason, Stage

_NO_MORE_FILES = frozenset({errno.EMFILE, errno.ENFILE})
_CERTIFICATE_REASONS = {
    9: Reason.TLS_EXPIRED,  # X509_V_ERR_CERT_NOT_YET_VALID
    10: Reason.TLS_EXPIRED,  # X509_V_ERR_CERT_HAS_EXPIRED
    62: Reason.TLS_NAME,  # X509_V_ERR_HOSTNAME_MISMATCH
    64: Reason.TLS_NAME,  # X509_V_ERR_IP_ADDRESS_MISMATCH
}
_CERTIFICATE_HINTS = {
    Reason.TLS_EXPIRED: "renew the certificate of the listener; check the clocks of both machines",
    Reason.TLS_NAME: "set winrm.tls_name to a name that the certificate holds, or connect by that name",
    Reason.TLS_UNTRUSTED: "set winrm.ca_file to the PEM file of the authority that signed the certificate",
}
_PLAIN_TEXT = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})
_TOO_OLD = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"})
_CERTIFICATE_ALERTS = frozenset(
    {
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "TLSV1_ALERT_ACCESS_DENIED",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    }
)
"""With TLS 1.3 they come after the handshake, with the first answer."""
_TLS_CUT = "UNEXPECTED_EOF_WHILE_READING"
_TLS_CUT_HINT = "bind a certificate to the https listener there, and switch TLS 1.2 on; Windows hangs up without a word"
_CONNECT_HINTS = {
    Reason.UNREACHABLE_REFUSED: "start the service on the host, or set the port that it listens on",
    Reason.UNREACHABLE_TIMEOUT: "switch the machine on, correct its address, or open the port in the firewalls between",
    Reason.UNREACHABLE_NETWORK: "give this machine a route to that network, or correct the address",
}
REPORT = "run again with --debug and report what it prints"
"""The cure of what only fleetscan's authors can put right."""
_BEFORE_LOGON = frozenset({Stage.RESOLVE, Stage.CONNECT, Stage.TLS})
_TEMPORARY_DNS = frozenset({socket.EAI_AGAIN})


def silence(*names: str) -> None:
    """Keep the loggers of foreign libraries quiet: some write whole messages, tokens or tracebacks."""
    for name in names:
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that is wrapped in it: causes, contexts, reasons, exceptions among the arguments."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [*current.args, getattr(current, "reason", None), current.__cause__, current.__context__]


def unresolved(name: str, error: Exception | None) -> TransportError:
    """The trouble of a name that came to no address."""
    number = error.errno if isinstance(error, socket.gaierror) else None
    passing = isinstance(error, TimeoutError) or number in _TEMPORARY_DNS
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error or "it has no address")
    return TransportError(
        Reason.UNREACHABLE_DNS,
        Stage.RESOLVE,
        f"{name}: the name cannot be resolved: {text}",
        hint="check the name, the DNS servers and search domains of this machine, or set `address` in the inventory",
        retryable=passing,
    )


def network_trouble(error: OSError, stage: Stage, place: str, *, started: bool = False) -> TransportError:
    """The trouble of a socket. `started`: work was begun on the host, so that a new attempt must not be made."""

    def trouble(reason: Reason, text: str, *, hint: str = "", passing: bool = False) -> TransportError:
        hint = hint or (_CONNECT_HINTS.get(reason, "") if stage is Stage.CONNECT else "")
        if stage is Stage.TLS and reason is Reason.UNREACHABLE_RESET:
            hint = _TLS_CUT_HINT
        return TransportError(reason, stage, f"{place}: {text}", hint=hint, retryable=passing and not started)

    if isinstance(error, ConnectionRefusedError):
        return trouble(Reason.UNREACHABLE_REFUSED, "the connection is refused", passing=True)
    if isinstance(error, TimeoutError):
        return trouble(Reason.UNREACHABLE_TIMEOUT, "no answer in time", passing=stage in _BEFORE_LOGON)
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return trouble(Reason.UNREACHABLE_RESET, "the host cut the connection", passing=True)
    if isinstance(error, socket.gaierror):
        return trouble(Reason.UNREACHABLE_DNS, "the name cannot be resolved", passing=error.errno in _TEMPORARY_DNS)
    if error.errno in _NO_MORE_FILES:
        return trouble(
            Reason.INTERNAL,
            "this machine has no file descriptor left",
            hint="raise the limit of open files (ulimit -n) or lower --concurrency",
        )
    return trouble(Reason.UNREACHABLE_NETWORK, error.strerror or str(error) or "the network failed")


def tls_trouble(error: ssl.SSLError, stage: Stage, place: str, *, started: bool = False) -> TransportError:
    """The trouble of TLS: by the verification code or OpenSSL's reason, never by its text."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = _CERTIFICATE_REASONS.get(error.verify_code, Reason.TLS_UNTRUSTED)
        text = f"{place}: the certificate is not accepted: {error.verify_message}"
        return TransportError(reason, Stage.TLS, text, hint=_CERTIFICATE_HINTS[reason])
    alert = getattr(error, "reason", None)  # an error that is not OpenSSL's own has none
    if alert in _CERTIFICATE_ALERTS:
        text = f"{place}: the host does not accept our client certificate ({alert})"
        hint = "have the host trust the authority of the certificate, and map it to an account there (certmapping)"
        return TransportError(Reason.AUTH_REJECTED, Stage.LOGON, text, hint=hint)
    if stage is not Stage.TLS:
        text = f"{place}: the encrypted connection was cut"
        return TransportError(Reason.UNREACHABLE_RESET, stage, text, retryable=not started)
    hint = ""
    if alert in _PLAIN_TEXT:
        hint = "the port speaks no TLS: for an http listener, set winrm.scheme: http and winrm.port: 5985"
    elif alert in _TOO_OLD:
        hint = "the host speaks only TLS older than 1.2, which is not accepted: switch TLS 1.2 on there"
    elif alert == _TLS_CUT or isinstance(error, ssl.SSLEOFError):
        hint = _TLS_CUT_HINT
    text = f"{place}: the TLS handshake failed: {alert or error.strerror or 'no reason is known'}"
    return TransportError(Reason.TLS_HANDSHAKE, Stage.TLS, text, hint=hint)
