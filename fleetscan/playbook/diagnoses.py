"""`diagnoses.yaml`: from a symptom of a virtual machine to the checks that can explain it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from fleetscan.model.diagnosis import Cause, DiagnosisRule
from fleetscan.model.playbook import Check, ObjectType
from fleetscan.playbook.folder import Folder
from fleetscan.playbook.place import Source
from fleetscan.playbook.schema import Line, Word, Words, some
from fleetscan.suggest import did_you_mean
from fleetscan.validate import Strict

FILE = Path("diagnoses.yaml")


class CauseEntry(Strict):
    """One possible cause."""

    check: Word
    because: Line = Field(description="completes the sentence: <machine>: <says>, because …")


class DiagnosisEntry(Strict):
    """One symptom with its possible causes, in the order in which they are told."""

    says: Line = Field(description="names the symptom, after the name of the machine")
    symptoms: Annotated[Words, AfterValidator(some)] = Field(description="checks of virtual machines")
    causes: Annotated[tuple[CauseEntry, ...], AfterValidator(some)]


class DiagnosesFile(Strict):
    """`diagnoses.yaml`."""

    diagnoses: dict[Word, DiagnosisEntry]


def read_diagnoses(folder: Folder, checks: Mapping[str, Check]) -> tuple[DiagnosisRule, ...]:
    """The rules of a playbook; none if it has no such file. Mistakes are added to the folder's problems."""
    if not (folder.path / FILE).exists():
        return ()
    entry = folder.read(FILE, DiagnosesFile)
    if entry is None:
        return ()
    file, source = entry
    for name, rule in file.diagnoses.items():
        _check_names(folder, source, name, rule, checks)
    return tuple(
        DiagnosisRule(name, rule.says, rule.symptoms, tuple(Cause(c.check, c.because) for c in rule.causes))
        for name, rule in file.diagnoses.items()
    )


def _check_names(folder: Folder, source: Source, name: str, rule: DiagnosisEntry, checks: Mapping[str, Check]) -> None:
    symptoms = [(("diagnoses", name, "symptoms", index), check) for index, check in enumerate(rule.symptoms)]
    causes = [(("diagnoses", name, "causes", index, "check"), c.check) for index, c in enumerate(rule.causes)]
    for loc, check_id in [*symptoms, *causes]:
        if check_id not in checks:
            cure = did_you_mean(check_id, checks, "known are")
            folder.problems.append(source.document.problem(loc, f'unknown check "{check_id}"', cure))
    for loc, check_id in symptoms:
        if check_id in checks and checks[check_id].object is not ObjectType.VM:
            message = f'"{check_id}" is no check of virtual machines'
            folder.problems.append(source.document.problem(loc, message, "name one with object: vm"))
