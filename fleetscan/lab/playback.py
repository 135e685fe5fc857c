"""What a command's streams carry and when, with the host's fault worked in. The same for WinRM and SSH."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fleetscan.lab.engine import Outcome
from fleetscan.lab.faults import Fault

_MARKED = re.compile(rb"FLEETSCAN1 ([0-9a-f]+) (\S+) (\S+) (\d+) (\S+) (\d+/\d+) ([^\r\n]*)")
_BLOCK = b"0123456789abcdef" * 65536  # 1 MiB
_BANNER = "Zugriff nur für Befugte. Unauthorised use prohibited \u2014 übersicht\r\n".encode("cp850", "replace")
_WARNING = "WARNUNG: Gerät nicht verfügbar\r\n".encode("cp850")
_PROGRESS = (
    b'#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    b'<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T><T>System.Object</T>'
    b'</TN><MS><I64 N="SourceId">1</I64><PR N="Record"><AV>Preparing modules for first use.</AV><AI>0</AI><Nil />'
    b"<PI>-1</PI><PC>-1</PC><T>Completed</T><SR>-1</SR><SD> </SD></PR></MS></Obj></Objs>"
)


@dataclass(frozen=True, slots=True)
class Step:
    """Some bytes of a stream, and the seconds to wait before them."""

    stream: str
    data: bytes
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Playback:
    """A command's output in time. `exit_code` None means that it never ends."""

    steps: tuple[Step, ...]
    exit_code: int | None


def clixml_error(text: str) -> bytes:
    """An error as powershell.exe writes it to standard error."""
    line = text.replace("&", "&amp;").replace("<", "&lt;") + "_x000D__x000A_"
    return (
        '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
        f'<S S="Error">{line}</S></Objs>'
    ).encode()


def play(outcome: Outcome, fault: Fault | None, *, extra_seconds: float = 0.0) -> Playback:
    """An outcome as the host of that fault delivers it."""
    if fault in _SPOILERS:
        return _SPOILERS[fault](outcome)
    wait = outcome.seconds + extra_seconds
    return Playback(_streams(outcome.stdout, outcome.stderr, wait), outcome.exit_code)


def _streams(stdout: bytes, stderr: bytes = b"", wait: float = 0.0) -> tuple[Step, ...]:
    return Step("stdout", stdout, wait), Step("stderr", stderr)


def _half(outcome: Outcome) -> Playback:
    lines = outcome.stdout.splitlines(keepends=True)
    return Playback(_streams(b"".join(lines[: (len(lines) + 1) // 2])), None)


def _truncated(outcome: Outcome) -> Playback:
    return Playback(_streams(outcome.stdout[: len(outcome.stdout) * 6 // 10]), 0)


def _damaged(outcome: Outcome) -> Playback:
    def damage(match: re.Match[bytes]) -> bytes:
        chunk = match[7]
        middle = len(chunk) // 2
        changed = b"B" if chunk[middle : middle + 1] == b"A" else b"A"
        start = match.start(7) - match.start()
        return match[0][: start + middle] + changed + match[0][start + middle + 1 :]

    return Playback(_streams(_MARKED.sub(damage, outcome.stdout), outcome.stderr), outcome.exit_code)


def _foreign(outcome: Outcome) -> Playback:
    stdout = re.sub(rb"FLEETSCAN1 [0-9a-f]+ ", b"FLEETSCAN1 " + b"0badc0de" * 3 + b" ", outcome.stdout)
    return Playback(_streams(stdout, outcome.stderr), outcome.exit_code)


def _forged(outcome: Outcome) -> Playback:
    forgery = _foreign(Outcome(outcome.stdout.replace(b"ok", b"no"))).steps[0].data
    return Playback(_streams(forgery + outcome.stdout, outcome.stderr), outcome.exit_code)


def _noise(outcome: Outcome) -> Playback:
    lines = outcome.stdout.splitlines(keepends=True)
    stdout = _BANNER + b"".join(_WARNING + line for line in lines) + b"\x1b[2J\x07done\xff\xfe"
    return Playback(_streams(stdout, _PROGRESS + outcome.stderr), outcome.exit_code)


def _split(outcome: Outcome) -> Playback:
    size = max(331, len(outcome.stdout) // 12)
    pieces = (outcome.stdout[start : start + size] for start in range(0, len(outcome.stdout), size))
    return Playback(tuple(Step("stdout", piece, 0.005) for piece in pieces), outcome.exit_code)


def _huge(megabytes: int) -> Callable[[Outcome], Playback]:
    return lambda outcome: Playback((Step("stdout", _BLOCK),) * megabytes, outcome.exit_code)


def _ends_with(exit_code: int | None, error: str = "") -> Callable[[Outcome], Playback]:
    return lambda _: Playback(_streams(b"", clixml_error(error) if error else b""), exit_code)


_SPOILERS: dict[Fault | None, Callable[[Outcome], Playback]] = {
    Fault.NEVER_ENDS: _ends_with(None),
    Fault.HALF: _half,
    Fault.SILENT: _ends_with(0),
    Fault.TRUNCATED: _truncated,
    Fault.DAMAGED: _damaged,
    Fault.FOREIGN: _foreign,
    Fault.FORGED: _forged,
    Fault.NOISE: _noise,
    Fault.SPLIT: _split,
    Fault.HUGE_10: _huge(10),
    Fault.HUGE_100: _huge(100),
    Fault.MEMORY: _ends_with(1, "Exception of type 'System.OutOfMemoryException' was thrown."),
    Fault.ANTIMALWARE: _ends_with(
        1,
        "At line:1 char:1\r\nThis script contains malicious content and has been blocked by your antivirus "
        "software.\r\n"
        "    + CategoryInfo          : ParserError: (:) [], ParentContainsErrorRecordException\r\n"
        "    + FullyQualifiedErrorId : ScriptContainedMaliciousContent",
    ),
}
