"""Diagnoses: from the symptoms of one virtual machine to the causes that a scan has seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """A check whose failure explains the symptom. `because` completes the sentence "…, because …"."""

    check: str
    because: str


@dataclass(frozen=True, slots=True)
class DiagnosisRule:
    """A symptom with its possible causes, likeliest first. `says` names the symptom."""

    id: str
    says: str
    symptoms: tuple[str, ...]
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCause:
    """A cause that was found: by which check, of which item of the article, on which host, in which finding."""

    check_id: str
    article: tuple[str, ...]
    host: str
    because: str
    remedy: str
    finding_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is wrong with one virtual machine and why. Without causes, `unseen` says what could not be looked at.

    `hosts` are those that the machine was seen on; more than one means that it moved, or that it is a replica.
    """

    rule: str
    vm_id: str
    vm_name: str
    hosts: tuple[str, ...]
    says: str
    symptoms: tuple[str, ...]
    causes: tuple[SeenCause, ...]
    unseen: tuple[str, ...]

    @property
    def text(self) -> str:
        """One sentence: the machine, the symptom, and the causes, or that they are not known and why."""
        symptom = f"{self.vm_name}: {self.says}"
        if self.causes:
            reasons = "; ".join(f"{cause.because} ({cause.host}, {', '.join(cause.article)})" for cause in self.causes)
            return f"{symptom}, because {reasons}"
        if self.unseen:
            return f"{symptom}; the cause is not known: {', '.join(self.unseen)} could not be looked at"
        return f"{symptom}; the cause is not known: every check that could explain it passes"
