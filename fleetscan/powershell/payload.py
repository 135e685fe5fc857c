"""From a playbook's probes to the one script that a host runs.

The script depends on the playbook and on the roles of a host, on nothing else: hosts with the same roles get the same
bytes, whose hash a security team can allow. What differs per visit (nonce, deadline, questions to skip) goes in as
parameters. Windows runs it through a bootstrap in the command line that reads the script from standard input, since a
command line ends at 8,191 characters; nothing is written to the host's disk.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from fleetscan.model.facts import LATER
from fleetscan.model.host import Role
from fleetscan.model.playbook import JSON, Language, Playbook, Probe

COMMAND_LIMIT = 8191
ANSWER_LIMIT = 8_000_000
"""Characters of JSON that one probe may answer with."""

PROBE_LINE = "# fleetscan-probe: "
END_LINE = "# fleetscan-end: "


@dataclass(frozen=True, slots=True)
class Payload:
    """The script for hosts with certain roles. `probes` are the questions in it, in order."""

    language: Language
    text: str
    probes: tuple[Probe, ...]

    @property
    def sha256(self) -> str:
        """The hash of the exact bytes that are sent, parameters apart."""
        return hashlib.sha256(self.text.encode("ascii")).hexdigest()

    def names(self, probe: Probe) -> tuple[str, ...]:
        """Under which names a probe answers: its id, and one more for a second reading of its totals."""
        return (probe.id, probe.id + LATER) if probe.totals else (probe.id,)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One use of a payload: what a transport must run and feed, and the nonce that marks the answer."""

    command: str
    stdin: bytes = field(repr=False)
    nonce: str


def build(playbook: Playbook, roles: Iterable[Role]) -> Payload:
    """Make the payload with all probes of the playbook that any of these roles can answer.

    A machine is asked in one language: `sh` if it is a Linux guest, PowerShell otherwise.
    """
    wanted = set(roles)
    language = Language.SH if Role.LINUX_GUEST in wanted else Language.POWERSHELL
    probes = tuple(
        sorted(
            (p for p in playbook.probes.values() if p.language is language and wanted & set(p.roles)),
            key=lambda probe: (probe.order, probe.id),
        )
    )
    template = script("payload.sh" if language is Language.SH else "payload.ps1")
    if language is Language.SH:
        return Payload(language, template.replace("#<probes>", _sh_section(probes)), probes)
    tools = script("endpoints.ps1") + "\n\n" if any(probe.connects for probe in probes) else ""
    text = template.replace("#<tools>\n", tools).replace("#<probes>", _powershell_section(probes, wanted))
    return Payload(language, text, probes)


def invoke(payload: Payload, *, seconds: float, skip: Iterable[str] = (), sample: float = 0) -> Invocation:
    """Prepare one use: it ends itself after `seconds`, and leaves out the probes named in `skip`.

    With `sample`, it asks the probes that have totals once more, that many seconds after the first time; these answers
    have the names of the probes with LATER behind them, and are left out by these names.
    """
    told = parameters(payload, seconds=seconds, skip=skip, sample=sample)
    nonce = str(told["nonce"])
    if payload.language is Language.SH:
        command = " ".join(["sh -s --", nonce, str(told["deadline"]), *skip])
        return Invocation(command, payload.text.encode("ascii") + b"\n", nonce)
    # The bootstrap finds the nonce by its text, even where it cannot read JSON: no blanks in this line.
    head = json.dumps(told, separators=(",", ":"))
    return Invocation(bootstrap_command(), f"{head}\n{payload.text}\n".encode("ascii"), nonce)


def parameters(payload: Payload, *, seconds: float, skip: Iterable[str], sample: float) -> dict[str, JSON]:
    """What a payload is told for one use, with a fresh nonce."""
    return {
        "nonce": secrets.token_hex(12),
        "deadline": max(int(seconds), 1),
        "limit": ANSWER_LIMIT,
        "length": len(payload.text),
        "skip": [*sorted(skip)],
        "sample": sample,
    }


@cache
def bootstrap_command() -> str:
    """The command line that every Windows host gets: the same for cmd, PowerShell and WinRM."""
    encoded = base64.b64encode(script("bootstrap.ps1").encode("utf-16-le")).decode()
    command = f"powershell.exe -NoProfile -NonInteractive -EncodedCommand {encoded}"
    assert len(command) < COMMAND_LIMIT, "the bootstrap outgrew the command line"  # noqa: S101 - a fact of our own files
    return command


def _powershell_section(probes: Iterable[Probe], roles: AbstractSet[Role]) -> str:
    entries = [
        f"{PROBE_LINE}{probe.id}\n"
        f"@{{ Id = '{probe.id}'; Timeout = {probe.timeout}; Totals = ${str(probe.totals).lower()};"
        f"{_endpoints(probe, roles)} Script = {{\n"
        f"{_lines(probe.text)}\n}} }}\n"
        f"{END_LINE}{probe.id}"
        for probe in probes
    ]
    return "\n".join(entries)


def _endpoints(probe: Probe, roles: AbstractSet[Role]) -> str:
    """The names that a probe may reach on a host with these roles: letters, digits and `*.:-_`, so nothing to quote."""
    if not probe.connects:
        return ""
    names = dict.fromkeys(name for role, listed in probe.connects.items() if role in roles for name in listed)
    quoted = ", ".join(f"'{name}'" for name in names)
    return f" Endpoints = @({quoted}); Tried = $false;"


def _sh_section(probes: Iterable[Probe]) -> str:
    entries = [
        f"{PROBE_LINE}{probe.id}\n"
        f"{probe.variable}() {{\n{_lines(probe.text)}\n}}\nask {probe.id} {probe.variable}\n"
        f"{END_LINE}{probe.id}"
        for probe in probes
    ]
    return "\n".join(entries)


@cache
def script(name: str) -> str:
    """A script of this room, by the name of its file."""
    return _lines(files("fleetscan.powershell").joinpath(name).read_text(encoding="ascii"))


def _lines(text: str) -> str:
    """The text with line feeds only and none at its end: its length must mean the same on both sides."""
    return text.replace("\r\n", "\n").rstrip("\n")
