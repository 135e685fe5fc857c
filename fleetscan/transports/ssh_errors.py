"""What the errors of asyncssh mean: one table, by types, codes and how far the logon had come."""

from __future__ import annotations

from dataclasses import dataclass, field

import asyncssh

from fleetscan.errors import TransportError
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.text import one_line
from fleetscan.transports.troubles import REPORT, network_trouble


@dataclass(slots=True)
class SSHProgress:
    """How far a connection has come."""

    place: str
    stage: Stage = Stage.LOGON
    proof_sent: str = ""
    """The method by which our password or key was given to the host, which has not let us in yet."""
    offered: set[str] = field(default_factory=set)
    """The methods that the host has offered."""
    refused: bool = False
    """The host did not accept the proof: it offers its method again."""
    wants_more: bool = False
    """The host asks for something that we do not have, or for something else after it accepted our proof."""
    greeted: bool = False
    """The host has said that it speaks SSH."""
    started: bool = False
    """The command was sent."""
    hung_up: bool = False
    """The host has ended the connection."""
    asked: str = ""
    """The text of the last question that the host asked."""
    expired: bool = False
    """The host wants another password first."""

    def may_prove(self, method: str) -> bool:
        """Whether a proof may be given by a method that the host offers now.

        After a proof the host offers its method again if it has refused it, and only others if it wants more.
        """
        self.offered.add(method)
        if not self.proof_sent:
            return True
        self.refused = self.refused or method == self.proof_sent
        self.wants_more = self.wants_more or not self.refused
        return False


# The first that fits. `True`: it may pass, so that a new attempt is worth it if nothing was started.
_TABLE: tuple[tuple[tuple[type[BaseException], ...], Reason, bool, str], ...] = (
    ((asyncssh.HostKeyNotVerifiable,), Reason.HOSTKEY_CHANGED, False, "the host's key is not the known one"),
    ((asyncssh.IllegalUserName,), Reason.AUTH_SECRET, False, "the user name has characters that SSH does not allow"),
    ((asyncssh.PasswordChangeRequired,), Reason.AUTH_REJECTED, False, "the password has expired"),
    ((asyncssh.ConnectionLost,), Reason.UNREACHABLE_RESET, True, "the host cut the connection"),
    ((asyncssh.KeyExchangeFailed,), Reason.PROTOCOL_FAULT, False, "host and scanner have no algorithm in common"),
    ((asyncssh.ServiceNotAvailable,), Reason.PROTOCOL_FAULT, True, "the service is not available on the host"),
    ((asyncssh.ProcessError,), Reason.PROTOCOL_CLOSED, False, "the command ended early"),
    (
        (asyncssh.MACError, asyncssh.CompressionError, asyncssh.ProtocolError, asyncssh.ProtocolNotSupported),
        Reason.PROTOCOL_GARBLED,
        False,
        "the answer is not SSH as it should be",
    ),
    ((asyncssh.DisconnectError,), Reason.PROTOCOL_CLOSED, True, "the host ended the connection"),
    (
        (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, asyncssh.KeyExportError, asyncssh.KeyGenerationError),
        Reason.AUTH_SECRET,
        False,
        "the private key cannot be used",
    ),
    ((asyncssh.Error, asyncssh.ChannelListenError), Reason.PROTOCOL_FAULT, False, "the host refuses"),
    (
        (ValueError, LookupError, AssertionError, ArithmeticError),
        Reason.PROTOCOL_GARBLED,
        False,
        "the answer is not SSH",
    ),
)
_CHANNELS: dict[int, tuple[Reason, bool, str]] = {
    1: (Reason.PERMISSION_DENIED, False, "the account may open no session"),  # SSH_OPEN_ADMINISTRATIVELY_PROHIBITED
    2: (Reason.QUOTA_SHELLS, True, "the host opens no further session"),  # SSH_OPEN_CONNECT_FAILED: MaxSessions
    4: (Reason.QUOTA_SHELLS, True, "the host has no resources for a session"),  # SSH_OPEN_RESOURCE_SHORTAGE
}
_HINTS = {
    Reason.HOSTKEY_CHANGED: "the host was set up anew, or somebody is in between: ask its owner first",
    Reason.AUTH_METHOD: "let sshd_config take one key or one password of the account, or use a credential it takes",
    Reason.AUTH_REJECTED: "give the account a new password",
    Reason.AUTH_SECRET: "correct the user name or the private key of the credential",
    Reason.PERMISSION_DENIED: "let the account log on and run commands: AllowUsers, ForceCommand, its shell",
    Reason.PROTOCOL_FAULT: "see the log of sshd on the host for the reason",
    Reason.PROTOCOL_CLOSED: "see the log of sshd on the host for the reason",
    Reason.PROTOCOL_GARBLED: "set ssh.port to the port of sshd",
    Reason.QUOTA_SHELLS: "close forgotten sessions, raise MaxSessions in sshd_config, or scan again later",
    Reason.UNREACHABLE_RESET: "see the log of sshd on the host: MaxStartups, deny lists, a restart",
    Reason.INTERNAL: REPORT,
}
_NO_KEYS = "see the log of sshd on the host: no algorithm in common with fleetscan, deny lists, a restart"

FOREIGN = (
    asyncssh.Error,
    asyncssh.ChannelListenError,
    OSError,
    ValueError,
    LookupError,
    AssertionError,
    ArithmeticError,
)
"""What asyncssh lets through: its own errors, those of sockets, and whatever a parser stumbles over."""


def translate(error: BaseException, progress: SSHProgress) -> TransportError:
    """The TransportError that an exception stands for."""
    if isinstance(error, TransportError):
        return error
    if isinstance(error, OSError) and not isinstance(error, asyncssh.Error):
        return network_trouble(error, progress.stage, progress.place, started=progress.started)
    if isinstance(error, asyncssh.PermissionDenied) and (progress.wants_more or not progress.proof_sent):
        return _unfitting(progress)
    if progress.proof_sent and isinstance(error, asyncssh.PermissionDenied | asyncssh.ProtocolError):
        # sshd ends the connection with a protocol error when MaxAuthTries is reached: a rejected logon all the same.
        return _rejected(progress)
    if isinstance(error, asyncssh.ConnectionLost) and progress.greeted and not progress.offered:
        # asyncssh finds out that no algorithm fits, and that the host hung up for that reason, in either order.
        text = "the host cut the connection before it asked who we are"
        return _trouble(Reason.UNREACHABLE_RESET, text, error, progress, passing=True, hint=_NO_KEYS)
    if isinstance(error, asyncssh.ChannelOpenError) and progress.hung_up:
        text = "the host ended the connection instead of opening a session"
        return _trouble(Reason.PROTOCOL_CLOSED, text, error, progress, passing=True)
    if isinstance(error, asyncssh.ChannelOpenError):
        unknown = (Reason.PERMISSION_DENIED, False, "the host does not let the account run a command")
        reason, passing, text = _CHANNELS.get(error.code, unknown)
        return _trouble(reason, text, error, progress, passing=passing)
    for types, reason, passing, text in _TABLE:
        if isinstance(error, types):
            # A cut in the middle of a logon may be the answer to it: another try could be the one that locks.
            return _trouble(reason, text, error, progress, passing=passing and not progress.proof_sent)
    return _trouble(Reason.INTERNAL, f"fleetscan does not know this error: {type(error).__name__}", error, progress)


def _rejected(progress: SSHProgress) -> TransportError:
    text = "the host wants a new password first" if progress.expired else "the host rejected the logon"
    text += f" after it asked {progress.asked!r}" if progress.asked else ""
    hint = "check the user name, the password or key, and whether the account is locked"
    return TransportError(Reason.AUTH_REJECTED, Stage.LOGON, f"{progress.place}: {text}", hint=hint)


def _unfitting(progress: SSHProgress) -> TransportError:
    offered = ", ".join(sorted(progress.offered)) or "nothing that is known"
    text = f"the host does not offer this way to log on; it offers {offered}"
    if progress.wants_more:
        text = f"the host wants more than one password or key; it asks for {progress.asked or offered}"
    reason = Reason.AUTH_METHOD
    return TransportError(reason, Stage.LOGON, f"{progress.place}: {text}", hint=_HINTS[reason])


def _trouble(
    reason: Reason, text: str, error: BaseException, progress: SSHProgress, *, passing: bool = False, hint: str = ""
) -> TransportError:
    said = one_line(str(error), 300) if isinstance(error, asyncssh.Error) or reason is Reason.INTERNAL else ""
    message = f"{progress.place}: {text}{f' ({said})' if said else ''}"
    passing = passing and not progress.started
    hint = hint or _HINTS.get(reason, "")
    return TransportError(reason, progress.stage, message, hint=hint, retryable=passing)
