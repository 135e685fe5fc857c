"""Everything that fleetscan raises on purpose, sorted by what it ends.

FleetscanError
├── InputError         the run: a file, option or secret is wrong; nothing was contacted (exit 2)
├── BusyError          the run: another one is under way; nothing was contacted (exit 2)
├── TransportError     one host: unreachable, rejected, cut off
├── ProbeError         one probe: its answer cannot be used
├── StoreError         the store: it went away, is full or is damaged while it was in use (exit 1)
└── ExpressionError    one check on one object: CEL could not compute it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from fleetscan.model.reasons import Reason, Stage


class ExitStatus(IntEnum):
    """What the process says to its caller. The help, the documents and the tests read this table."""

    def __new__(cls, value: int, meaning: str) -> ExitStatus:
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    meaning: str

    COMPLIANT = (0, "compliant, or every failure is waived")
    INTERNAL = (1, "fleetscan itself failed")
    BAD_INPUT = (2, "an option, inventory, playbook or waiver is wrong: nothing was contacted")
    FINDINGS = (3, "findings at or above --fail-on")
    INCOMPLETE = (4, "no such findings, but hosts or checks were not assessed")
    INTERRUPTED = (130, "interrupted; what was finished is reported")


class FleetscanError(Exception):
    """The root: `message` says what happened, `hint` what to do about it (may be empty)."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in something that a user wrote. `line` and `column` count from 1; 0 means unknown."""

    source: str
    message: str
    cure: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        position = f":{self.line}:{self.column}" if self.line else ""
        cure = f"; {self.cure}" if self.cure else ""
        return f"{self.source}{position}: {self.message}{cure}"


class InputError(FleetscanError):
    """What the user wrote cannot be used. Holds every mistake that was found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def of(cls, source: str, message: str, cure: str = "", line: int = 0, column: int = 0) -> InputError:
        """Make the error for a single mistake."""
        return cls([Problem(source, message, cure, line, column)])


class Mistakes:
    """Goes on over an InputError, so that what is wrong with several inputs is told at once.

    Each `with` block reads one of them, and `settle` comes before anything of them is used.
    """

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, InputError):
            return False
        self._problems |= dict.fromkeys(error.problems)
        return True

    def settle(self) -> None:
        """Raise one InputError with all mistakes, if there are any."""
        if self._problems:
            raise InputError(tuple(self._problems))


class BusyError(FleetscanError):
    """Another run is under way that this one must not overlap with; nothing was contacted."""


class TransportError(FleetscanError):
    """The visit to one host ends. `retryable` means: nothing was started there, and the fault may pass."""

    def __init__(self, reason: Reason, stage: Stage, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.stage = stage
        self.retryable = retryable


class ProbeError(FleetscanError):
    """The answer of one probe cannot be used."""

    def __init__(self, reason: Reason, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class StoreError(FleetscanError):
    """The store cannot be read or written any more. Nothing of what it had confirmed is lost."""


class ExpressionError(FleetscanError):
    """CEL gave an error, or a value of the wrong type, where a check needs a verdict."""
