"""From a command's output to facts: every probe of the payload gets an answer, or the reason why there is none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from fleetscan.errors import ProbeError
from fleetscan.model.facts import HostFacts, ProbeAnswer
from fleetscan.model.playbook import JSON, Probe
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import Trouble
from fleetscan.model.text import clean, one_line
from fleetscan.powershell import guest
from fleetscan.powershell.clixml import error_text
from fleetscan.powershell.envelope import HOST, REFUSED, Envelope, Reading
from fleetscan.powershell.payload import Payload

_STATUS = {
    "failed": Reason.PROBE_FAILED,
    "denied": Reason.PERMISSION_DENIED,
    "missing": Reason.PROBE_COMMAND_MISSING,
    "timeout": Reason.TIMEOUT_PROBE,
    "too_large": Reason.PROBE_TOO_LARGE,
}
_NO_MEMORY = frozenset(
    {
        0x8007000E,  # E_OUTOFMEMORY
        0x800705AA,  # ERROR_NO_SYSTEM_RESOURCES
        0x800705AF,  # ERROR_COMMITMENT_LIMIT
        0xC0000017,  # STATUS_NO_MEMORY
        0xC000009A,  # STATUS_INSUFFICIENT_RESOURCES
        0xC000012D,  # STATUS_COMMITMENT_LIMIT
    }
)
"""Exit statuses of a process that could not start or go on for want of memory."""


def merge(payload: Payload, readings: list[Reading]) -> HostFacts:
    """The facts of one visit, from the outputs of its commands in order; a later one only fills what is missing."""
    envelopes: dict[str, Envelope] = {}
    for reading in readings:
        for name, envelope in reading.envelopes.items():
            envelopes.setdefault(name, envelope)
    asked = {name: probe for probe in payload.probes for name in payload.names(probe)}
    answers = {name: _answer(name, probe, envelopes[name]) for name, probe in asked.items() if name in envelopes}
    return HostFacts(meta=_meta(envelopes.get(HOST)), answers=answers, payload_sha256=payload.sha256)


def explain_silence(
    reading: Reading, stdout: bytes | bytearray, stderr: bytes | bytearray, exit_status: int | None
) -> Trouble | None:
    """Why a command that ended did not bring the end of its payload; None if it did."""
    if reading.complete:
        return None
    errors = error_text(stderr)
    refused = reading.envelopes.get(REFUSED)
    if refused is not None:
        return _refusal(refused)
    if "ScriptContainedMaliciousContent" in errors:
        return _trouble(
            Reason.BLOCKED_ANTIMALWARE,
            "the host's antimalware refused the script",
            "show the security team `fleetscan playbook payload` and its SHA-256, and have it allowed",
        )
    ended = _ended(exit_status)
    if "OutOfMemory" in errors or (exit_status is not None and exit_status & 0xFFFFFFFF in _NO_MEMORY):
        return _trouble(
            Reason.QUOTA_MEMORY,
            f"PowerShell ran out of memory: {ended}, {one_line(errors, 300) or 'without a word'}",
            "raise MaxMemoryPerShellMB in the host's WinRM configuration",
        )
    if reading.foreign and not reading.envelopes:
        return _trouble(
            Reason.ANSWER_FOREIGN,
            "the answer belongs to another run",
            "something on the way replays old answers, or the host imitates them: look at it before trusting it",
        )
    seen = f"{ended}; standard output: {_excerpt(stdout)}; standard error: {errors[:500] or 'empty'}"
    if reading.envelopes:
        return _trouble(Reason.ANSWER_TRUNCATED, f"the answer stops in the middle ({one_line(seen)})")
    return _trouble(
        Reason.ANSWER_MISSING,
        f"the host ran the script but sent no answer ({one_line(seen)})",
        "start a shell there as this account: a policy, a logon script or antimalware ends it before it answers",
    )


def _ended(exit_status: int | None) -> str:
    """How a command ended; a code of Windows is looked for by its hexadecimal form."""
    if exit_status is None:
        return "no exit status"
    code = exit_status & 0xFFFFFFFF
    return f"exit status {exit_status}" if code < 0x80000000 else f"exit status 0x{code:08X}"


def _refusal(envelope: Envelope) -> Trouble:
    value = envelope.value if isinstance(envelope.value, dict) else {}
    detail = one_line(str(value.get("detail", "")), 400)
    by_guest = guest.refusal(str(value.get("reason")), detail)
    if by_guest is not None:
        return by_guest
    if value.get("reason") == "truncated":
        return _trouble(Reason.ANSWER_TRUNCATED, f"the script did not arrive whole: {detail}")
    return _trouble(
        Reason.BLOCKED_POWERSHELL,
        f"the host has only {detail}",
        "install Windows Management Framework 5.1 on it",
    )


def _trouble(reason: Reason, message: str, hint: str = "") -> Trouble:
    return Trouble(reason=reason, stage=Stage.ANSWER, message=message, hint=hint)


def _excerpt(stdout: bytes | bytearray) -> str:
    text = one_line(clean(stdout[:600].decode("utf-8", "replace")), 300)
    return text or "empty"


def _meta(envelope: Envelope | None) -> Mapping[str, JSON]:
    value = envelope.value if envelope is not None and isinstance(envelope.value, dict) else {}
    return {
        one_line(key, 40): one_line(item, 200) if isinstance(item, str) else item
        for key, item in value.items()
        if isinstance(item, str | int | bool) or item is None
    }


def _answer(name: str, probe: Probe, envelope: Envelope) -> ProbeAnswer:
    if envelope.reason is not None:
        return ProbeAnswer(probe=name, data=None, reason=envelope.reason, message=envelope.message)
    value = _unflatten(envelope.value)
    ms = value.get("ms")
    milliseconds = ms if isinstance(ms, int) else 0
    if value.get("status") != "ok":
        reason, message = failure(probe, value)
        return ProbeAnswer(probe=name, data=None, reason=reason, message=message, ms=milliseconds)
    try:
        data = probe.validate(value.get("data"))
    except ProbeError as error:
        return ProbeAnswer(probe=name, data=None, reason=error.reason, message=error.message, ms=milliseconds)
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
    return ProbeAnswer(probe=name, data=data, ms=milliseconds, sha256=hashlib.sha256(canonical).hexdigest())


def _unflatten(value: JSON) -> dict[str, JSON]:
    """An `sh` answer names its facts `data.<path>`; both languages look alike after this."""
    if not isinstance(value, dict):
        return {}
    if "data" in value or not any(key.startswith("data.") for key in value):
        return value
    data: JSON = {key.removeprefix("data."): item for key, item in value.items() if key.startswith("data.")}
    return {**{key: item for key, item in value.items() if not key.startswith("data.")}, "data": data}


def failure(probe: Probe, value: Mapping[str, JSON]) -> tuple[Reason, str]:
    """Why a probe has no answer, from the `status` and the `error` that it ended with, and what people are told."""
    error = one_line(str(value.get("error") or ""), 500)
    status = str(value.get("status"))
    if status == "blocked":
        antimalware = "Malicious" in str(value.get("error_id", ""))
        reason = Reason.BLOCKED_ANTIMALWARE if antimalware else Reason.BLOCKED_LANGUAGE_MODE
        return reason, error or "the host does not let this question run"
    if status == "denied":
        said = f"; the host said: {error}" if error else ""
        return Reason.PERMISSION_DENIED, f"the account may not ask this; needed: {probe.needs}{said}"
    if status == "timeout":
        return Reason.TIMEOUT_PROBE, f"no answer within {probe.timeout} s"
    return _STATUS.get(status, Reason.PROBE_BAD_SHAPE), error or f"the probe ended with status {status!r:.40}"
