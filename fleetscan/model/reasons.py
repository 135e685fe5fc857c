"""Why a finding is not a plain pass, and how far a visit to a host came. Both lists are closed."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """The step of a visit, in the order in which a visit goes through them."""

    QUEUED = "queued"
    CREDENTIAL = "credential"
    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    LOGON = "logon"
    SHELL = "shell"
    COMMAND = "command"
    OUTPUT = "output"
    ANSWER = "answer"
    JUDGE = "judge"


class Reason(StrEnum):
    """The reason code of a finding. The part before the dot is the family that people filter by."""

    # The verdict of a check.
    CRITERION_FAIL = "criterion.fail"
    CRITERION_WARN = "criterion.warn"
    # not_applicable: there is nothing to judge.
    ROLE_MISMATCH = "role.mismatch"
    PRECONDITION_ABSENT = "precondition.absent"
    PRECONDITION_UNMEASURED = "precondition.unmeasured"
    OBJECT_NONE = "object.none"
    OBJECT_MOVED = "object.moved"
    # error: facts came, but they do not decide the check.
    CHECK_EXPRESSION = "check.expression"
    CHECK_UNDECIDED = "check.undecided"
    PROBE_FAILED = "probe.failed"
    PROBE_COMMAND_MISSING = "probe.command_missing"
    PROBE_BAD_SHAPE = "probe.bad_shape"
    PROBE_TOO_LARGE = "probe.too_large"
    # not_assessed: the host or the probe was never reached.
    PROBE_NOT_RUN = "probe.not_run"
    ACROSS_PENDING = "across.pending"
    ACROSS_UNKNOWN_HOST = "across.unknown_host"
    ACROSS_NOT_ASSESSED = "across.not_assessed"
    ACROSS_LEFT_OUT = "across.left_out"
    UNREACHABLE_DNS = "unreachable.dns"
    UNREACHABLE_REFUSED = "unreachable.refused"
    UNREACHABLE_TIMEOUT = "unreachable.timeout"
    UNREACHABLE_RESET = "unreachable.reset"
    UNREACHABLE_NETWORK = "unreachable.network"
    UNREACHABLE_VM = "unreachable.vm"
    UNREACHABLE_OFF = "unreachable.off"
    UNREACHABLE_DIRECT = "unreachable.direct"
    TLS_UNTRUSTED = "tls.untrusted"
    TLS_NAME = "tls.name"
    TLS_EXPIRED = "tls.expired"
    TLS_HANDSHAKE = "tls.handshake"
    HOSTKEY_UNKNOWN = "hostkey.unknown"
    HOSTKEY_CHANGED = "hostkey.changed"
    AUTH_REJECTED = "auth.rejected"
    AUTH_METHOD = "auth.method"
    AUTH_TICKET = "auth.ticket"
    AUTH_SECRET = "auth.secret"
    AUTH_STOPPED = "auth.stopped"
    TIMEOUT_HOST = "timeout.host"
    TIMEOUT_RUN = "timeout.run"
    TIMEOUT_PROBE = "timeout.probe"
    QUOTA_SHELLS = "quota.shells"
    QUOTA_OPERATIONS = "quota.operations"
    QUOTA_MEMORY = "quota.memory"
    PERMISSION_DENIED = "permission.denied"
    BLOCKED_LANGUAGE_MODE = "blocked.language_mode"
    BLOCKED_ANTIMALWARE = "blocked.antimalware"
    BLOCKED_POWERSHELL = "blocked.powershell"
    PROTOCOL_HTTP = "protocol.http"
    PROTOCOL_FAULT = "protocol.fault"
    PROTOCOL_REDIRECT = "protocol.redirect"
    PROTOCOL_GARBLED = "protocol.garbled"
    PROTOCOL_CLOSED = "protocol.closed"
    ANSWER_MISSING = "answer.missing"
    ANSWER_TRUNCATED = "answer.truncated"
    ANSWER_DAMAGED = "answer.damaged"
    ANSWER_FOREIGN = "answer.foreign"
    ANSWER_TOO_LARGE = "answer.too_large"
    CANCELLED = "cancelled"
    INTERNAL = "internal"

    @property
    def family(self) -> str:
        """The part before the dot: `unreachable`, `auth`, …"""
        return self.value.partition(".")[0]
