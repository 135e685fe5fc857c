"""The engine that needs no PowerShell: it answers a payload's probes from the machine's facts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta

from fleetscan.factfile import is_outcome
from fleetscan.lab import guests
from fleetscan.lab.commands import Payload, payload, run_builtin
from fleetscan.lab.engine import Outcome
from fleetscan.lab.facts import Machine
from fleetscan.lab.moments import at, clock
from fleetscan.model.facts import LATER
from fleetscan.model.playbook import JSON
from fleetscan.powershell.envelope import CHUNK, END, HOST, MARKER, REFUSED, encode


class DirectEngine:
    """Answers what the payload would answer, without running it; other commands are a few of cmd's own."""

    async def run(self, machine: Machine, command: str, stdin: bytes, *, user: str = "") -> Outcome:
        """Answer a payload from the machine's facts, or run a built-in command."""
        wanted = guests.asked(command, stdin)
        if wanted is not None:
            return guests.answer(at(machine, clock(machine)), wanted, answer)
        asked = payload(command, stdin)
        if asked is None:
            return run_builtin(machine, user, command, stdin)
        return answer(machine, asked)

    async def aclose(self) -> None:
        """There is nothing to close."""


def answer(machine: Machine, asked: Payload) -> Outcome:
    """All envelopes of one visit. A probe that hangs ends the payload, as its watchdog does."""
    now = clock(machine)
    there = at(machine, now)
    refusal = _refusal(there, asked)
    if refusal is not None:
        return _written(there, encode(asked.nonce, REFUSED, refusal))
    write = _lines if there.os.family == "linux" else encode
    lines = write(asked.nonce, HOST, meta(there))
    seconds = 0.0
    entries = [(probe, outcome_of(there, probe)) for probe in asked.probes]
    if asked.later:
        seconds = asked.sample
        after = at(machine, now + timedelta(seconds=asked.sample))
        entries += [(probe + LATER, outcome_of(after, probe)) for probe in asked.later]
    for name, entry in entries:
        seconds += float(str(entry.pop("seconds", 0)))
        lines += write(asked.nonce, name, entry)
        if entry["status"] == "timeout":
            return _written(there, lines, seconds, exit_code=-1)
    lines += write(asked.nonce, END, {"status": "ok"} if write is _lines else {})
    return _written(there, lines, seconds)


def meta(machine: Machine) -> dict[str, JSON]:
    """What the payload says of the machine itself."""
    system = machine.os
    linux = system.family == "linux"
    return {
        "computer": machine.computer,
        "now": clock(machine).isoformat(),
        "culture": system.language,
        "ui_culture": system.language,
        "language_mode": "sh" if linux else system.language_mode,
        "powershell": "" if linux else system.powershell,
        "os_build": system.build,
        "elevated": None if linux or system.language_mode != "FullLanguage" else system.elevated,
    }


def outcome_of(machine: Machine, probe: str) -> dict[str, JSON]:
    """What a probe reports: the machine's facts as a success, or the outcome that they name."""
    entry = machine.probes.get(probe)
    if entry is None:
        return {"status": "failed", "ms": 1, "data": None, "error": f"{machine.name} has no facts for {probe}"}
    if is_outcome(entry):
        assert isinstance(entry, dict)  # noqa: S101 # is_outcome has looked
        return {"ms": 1, "data": None, "error": "", **entry}
    return {"status": "ok", "ms": 1, "data": entry}


def _refusal(machine: Machine, asked: Payload) -> dict[str, JSON] | None:
    if machine.os.family == "linux":
        return None
    if int(machine.os.powershell.partition(".")[0]) < 3:
        return {"reason": "powershell", "detail": f"PowerShell {machine.os.powershell}"}
    if not asked.whole:
        return {"reason": "truncated", "detail": f"{asked.arrived} of {asked.announced} characters arrived"}
    return None


def _written(machine: Machine, lines: list[str], seconds: float = 0.0, *, exit_code: int = 0) -> Outcome:
    end = "\n" if machine.os.family == "linux" else "\r\n"
    return Outcome(stdout="".join(line + end for line in lines).encode("ascii"), exit_code=exit_code, seconds=seconds)


def _lines(nonce: str, name: str, value: Mapping[str, JSON]) -> list[str]:
    """An answer as sh writes it: base64 of `dotted.name=value` lines."""
    raw = "\n".join(f"{key}={text}" for key, text in _flat(value)).encode()
    body = base64.b64encode(raw).decode()
    chunks = [body[start : start + CHUNK] for start in range(0, len(body), CHUNK)]
    head = f"{MARKER} {nonce} {name} lines {len(raw)} {hashlib.sha256(raw).hexdigest()}"
    return [f"{head} {index}/{len(chunks)} {chunk}" for index, chunk in enumerate(chunks, 1)]


def _flat(value: Mapping[str, JSON], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        elif isinstance(item, list):
            yield from _flat({str(index): member for index, member in enumerate(item)}, f"{prefix}{key}.")
        elif item is not None:
            yield prefix + key, str(item).lower() if isinstance(item, bool) else str(item)
