"""Command lines that simulated hosts understand without PowerShell, and how to tell ours among them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fleetscan.lab.engine import Outcome
from fleetscan.lab.facts import Machine
from fleetscan.model.facts import LATER
from fleetscan.model.playbook import JSON

_POWERSHELL = re.compile(
    r"^\s*\"?(?:[^\s\"]*[\\/])?(?:powershell|pwsh)(?:\.exe)?\"?(?P<rest>\s.*|)$", re.IGNORECASE | re.DOTALL
)
_ENCODED = re.compile(r"\s-(?:e|ec|en\w*)\s+\"?(?P<base64>[A-Za-z0-9+/=]+)\"?", re.IGNORECASE)
_COMMAND = re.compile(r"\s-(?:c|command)\s+(?P<text>.+)$", re.IGNORECASE | re.DOTALL)
_SWITCHES = re.compile(r"^(?:\s+-(?:nop\w*|noni\w*|nol\w*))*\s*", re.IGNORECASE)
_STDIN = re.compile(r"\$input\b|\[(?:System\.)?Console\]::(?:In|OpenStandardInput|Read)", re.IGNORECASE)
_PROBE = re.compile(r"^# fleetscan-probe: ([a-z0-9_-]+)$", re.MULTILINE)
_TOTALS = re.compile(r"^@{ Id = '([a-z0-9_-]+)'; Timeout = \d+; Totals = \$true;", re.MULTILINE)
_SH = re.compile(r"^\s*sh -s -- (?P<nonce>[0-9a-f]+) (?P<deadline>\d+)(?P<skip>(?: [a-z0-9-]+)*)\s*$")


@dataclass(frozen=True, slots=True)
class Payload:
    """One use of a fleetscan payload, as it arrived. `whole` is False when its text is not as long as announced."""

    nonce: str
    probes: tuple[str, ...]
    later: tuple[str, ...] = ()
    """The probes that are asked once more, `sample` seconds later."""
    sample: float = 0.0
    whole: bool = True
    arrived: int = 0
    announced: int = 0


def powershell_script(command: str) -> str | None:
    """The script of a PowerShell command line, however it is given; None for other programs."""
    match = _POWERSHELL.match(command)
    if match is None:
        return None
    rest = match["rest"]
    encoded = _ENCODED.search(rest)
    if encoded is not None:
        try:
            return base64.b64decode(encoded["base64"], validate=True).decode("utf-16-le")
        except (binascii.Error, UnicodeDecodeError):
            return None
    plain = _COMMAND.search(rest)
    return (
        plain["text"]
        if plain is not None
        else re.sub(r"^(?:\s+-(?:nop\w*|noni\w*|nol\w*))*\s*", "", rest, flags=re.IGNORECASE)
    )


def is_encoded(command: str) -> bool:
    """Whether a PowerShell command line uses -EncodedCommand: its errors are CLIXML then."""
    match = _POWERSHELL.match(command)
    return match is not None and _ENCODED.search(match["rest"]) is not None


def reads_stdin(command: str) -> bool:
    """Whether a command line waits for the end of its standard input before it does anything."""
    if command.split(maxsplit=1)[:1] in (["more"], ["sort"]) or _SH.match(command):
        return True
    script = powershell_script(command)
    return script is not None and _STDIN.search(script) is not None


def payload(command: str, stdin: bytes) -> Payload | None:
    """The fleetscan payload in an invocation; None when it is something else."""
    text = stdin.decode("utf-8", "replace").replace("\r\n", "\n")
    shell = _SH.match(command)
    if shell is not None:
        skip = shell["skip"].split()
        return Payload(shell["nonce"], tuple(probe for probe in _PROBE.findall(text) if probe not in skip))
    if powershell_script(command) is None:
        return None
    head, _, body = text.partition("\n")
    parameters = _parameters(head)
    if parameters is None:
        return None
    skipped = parameters.get("skip")
    skip = [str(probe) for probe in skipped] if isinstance(skipped, list) else []
    probes = tuple(probe for probe in _PROBE.findall(body) if probe not in skip)
    announced, arrived = parameters.get("length"), len(body.removesuffix("\n"))
    if not isinstance(announced, int):
        return None
    sample = parameters.get("sample")
    seconds = float(sample) if isinstance(sample, int | float) else 0.0
    again = [probe for probe in _TOTALS.findall(body) if probe + LATER not in skip] if seconds else []
    return Payload(
        nonce=str(parameters["nonce"]),
        probes=probes,
        later=tuple(again),
        sample=seconds if again else 0.0,
        whole=announced == arrived,
        arrived=arrived,
        announced=announced,
    )


def _parameters(line: str) -> Mapping[str, JSON] | None:
    try:
        value = json.loads(line[line.find("{") :])
    except ValueError:
        return None
    return value if isinstance(value, dict) and "nonce" in value else None


def _unquoted(line: str) -> str:
    """What is left of `cmd.exe /c …`, without its quotes."""
    match = re.match(r"^\s*cmd(?:\.exe)?\s+(?:/\w\s+)*(.*)$", line, re.IGNORECASE | re.DOTALL)
    text = match[1] if match else line
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def run_builtin(machine: Machine, user: str, command: str, stdin: bytes) -> Outcome:
    """Run what cmd.exe itself or a tiny program would; anything else is not recognized, as cmd says it.

    A PowerShell script that is such a command is taken for it: clients that know only PowerShell get an answer, too.
    """
    script = powershell_script(command)
    name, _, rest = _unquoted(command if script is None else script).partition(" ")
    builtin = _BUILTINS.get(name.strip('"').rpartition("\\")[2].casefold().removesuffix(".exe"))
    if builtin is None:
        message = (
            f"'{name}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"
        )
        return Outcome(stderr=message.encode("ascii", "replace"), exit_code=1)
    return builtin(machine, user, rest, stdin)


def _line(text: str) -> Outcome:
    return Outcome(stdout=f"{text}\r\n".encode())


def _exit(_machine: Machine, _user: str, rest: str, _stdin: bytes) -> Outcome:
    words = rest.replace("/b", "").split()
    return Outcome(exit_code=int(words[0]) if words and words[0].lstrip("-").isdigit() else 0)


_BUILTINS: dict[str, Callable[[Machine, str, str, bytes], Outcome]] = {
    "echo": lambda _machine, _user, rest, _stdin: _line(rest),
    "write-output": lambda _machine, _user, rest, _stdin: _line(rest.strip("'\"")),
    "hostname": lambda machine, _user, _rest, _stdin: _line(machine.computer),
    "whoami": lambda _machine, user, _rest, _stdin: _line(user.lower()),
    "ver": lambda machine, _user, _rest, _stdin: _line(f"\r\nMicrosoft Windows [Version 10.0.{machine.os.build}]"),
    "exit": _exit,
    "more": lambda _machine, _user, _rest, stdin: Outcome(stdout=stdin),
}
