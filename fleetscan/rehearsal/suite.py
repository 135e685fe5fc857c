"""Reads the `tests` folder of a playbook: bases and cases, and all mistakes of all files at once.

tests/<check-id>.yaml, tests/<check-id>/<name>.yaml    cases
tests/bases/<name>.yaml                                hosts that cases start from
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetscan.errors import InputError, Problem
from fleetscan.factfile import Fact
from fleetscan.model.playbook import Check, Playbook
from fleetscan.model.text import one_line
from fleetscan.playbook.folder import Folder
from fleetscan.rehearsal.schema import BaseFile, Case, CaseFile, OtherEntry
from fleetscan.rehearsal.situation import Situation, Sketch, Stage
from fleetscan.suggest import did_you_mean
from fleetscan.yamlfile import Document

_Loc = tuple[str | int, ...]

TESTS = "tests"
BASES = "bases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """One case of one check, ready to be judged."""

    check: Check
    case: Case
    situation: Situation
    document: Document
    index: int
    others: tuple[Situation, ...] = ()
    """The other hosts of the run."""

    def problem(self, *loc: str, message: str, cure: str = "", key: bool = False) -> Problem:
        """A mistake in the case."""
        return self.document.problem(("cases", self.index, *loc), message, cure, key)

    @property
    def origin(self) -> str:
        """`file:line:column` of the case."""
        return self.document.origin(("cases", self.index))


@dataclass(frozen=True, slots=True)
class Suite:
    """All cases of a playbook, in its order, and the bases by name."""

    playbook: Playbook
    rehearsals: tuple[Rehearsal, ...]
    bases: Mapping[str, Situation]


def load(playbook: Playbook, folder: Path) -> Suite:
    """The tests of the playbook in that folder; none is no mistake. Raises InputError with every other mistake."""
    reader = _Reader(playbook, Folder(folder, playbook.origin))
    suite = reader.suite()
    problems = set(reader.problems)
    if problems:
        raise InputError(sorted(problems, key=lambda problem: (problem.source, problem.line, problem.column)))
    return suite


class _Reader:
    def __init__(self, playbook: Playbook, folder: Folder) -> None:
        self.problems = folder.problems
        self._playbook = playbook
        self._folder = folder
        self._stage = Stage(playbook)
        self._checks = {check.id: check for check in playbook.checks}
        self._bases: dict[str, tuple[BaseFile, Document]] = {}
        self._sketches: dict[str, Sketch | None] = {}

    def suite(self) -> Suite:
        """What the folder holds; the problems say what is wrong with it."""
        files = list(self._files())
        for name, path in files:
            entry = self._folder.read(path, BaseFile) if name == BASES else None
            if entry is not None:
                self._bases[path.stem] = entry[0], entry[1].document
        bases = {name: self._base(name) for name in self._bases}
        found = [case for name, path in files if name != BASES for case in self._cases(self._checks[name], path)]
        order = list(self._checks)
        found.sort(key=lambda rehearsal: order.index(rehearsal.check.id))
        return Suite(self._playbook, tuple(found), {name: base for name, base in bases.items() if base is not None})

    def _files(self) -> Iterator[tuple[str, Path]]:
        """The id of the check (or `bases`) and the path of each file."""
        if not (self._folder.path / TESTS).is_dir():
            return
        for entry in sorted((self._folder.path / TESTS).iterdir()):
            path = Path(TESTS) / entry.name
            if entry.is_dir() and self._is_known(entry.name, path):
                yield from ((entry.name, inner) for inner in self._folder.files(path.as_posix(), (".yaml",)))
            elif entry.suffix == ".yaml" and self._is_known(entry.stem, path):
                yield entry.stem, path
            elif not entry.is_dir() and entry.suffix != ".yaml" and entry.name != "README.md":
                self._folder.add(path, "is no file of a test: only .yaml is read here", "remove or rename it")

    def _is_known(self, name: str, path: Path) -> bool:
        if name in self._checks or (name == BASES and not path.suffix):
            return True
        cure = did_you_mean(name, self._checks, "it has") or "name the file after a check"
        self._folder.add(path, f'the playbook has no check "{name}"', cure)
        return False

    def _base(self, name: str) -> Situation | None:
        """The base as a host of its own: its answers must be whole."""
        sketch = self._sketch(name, ())
        return None if sketch is None else self._stage.situation(sketch, (), self.problems)

    def _sketch(self, name: str, seen: tuple[str, ...]) -> Sketch | None:
        """What a base comes to with those that it is based on; None if that cannot be said."""
        if name not in self._sketches:
            file, document = self._bases[name]
            below: Sketch | None = Sketch()
            if file.based_on is not None:
                below = self._below(file.based_on, (*seen, name), document, ("based_on",))
            facts = Fact(file.facts, document, ("facts",))
            self._sketches[name] = below and below.changed(file.host, facts, self.problems)
        return self._sketches[name]

    def _below(self, name: str, seen: tuple[str, ...], document: Document, loc: tuple[str | int, ...]) -> Sketch | None:
        if name in seen:
            self.problems.append(document.problem(loc, "the base is based on itself", "break the circle"))
            return None
        if name not in self._bases:
            if not (self._folder.path / TESTS / BASES / f"{name}.yaml").exists():
                cure = did_you_mean(name, self._bases, "there are") or f"write {TESTS}/{BASES}/{name}.yaml"
                self.problems.append(document.problem(loc, f'there is no base "{name}"', cure))
            return None
        return self._sketch(name, seen)

    def _cases(self, check: Check, path: Path) -> Iterator[Rehearsal]:
        entry = self._folder.read(path, CaseFile)
        if entry is None:
            return
        file, document = entry[0], entry[1].document
        names: set[str] = set()
        for index, case in enumerate(file.cases):
            if case.name in names:
                message = f'another case is called "{case.name}", too'
                self.problems.append(document.problem(("cases", index, "name"), message, "choose another name"))
            names.add(case.name)
            loc = ("cases", index)
            based_on = case.based_on or file.based_on
            origin = (*loc, "based_on") if case.based_on is not None else ("based_on",)
            situation = self._situation(check, case, based_on, document, loc, origin)
            others = self._others(check, case, document, loc)
            if situation is None or None in others:
                continue
            self._names_differ([situation, *filter(None, others)], document, loc)
            yield Rehearsal(
                check=check,
                case=case,
                situation=situation,
                document=document,
                index=index,
                others=tuple(filter(None, others)),
            )

    def _others(self, check: Check, case: Case, document: Document, loc: _Loc) -> list[Situation | None]:
        return [
            self._situation(check, entry, entry.based_on, document, place, (*place, "based_on"))
            for place, entry in (((*loc, "others", number), entry) for number, entry in enumerate(case.others))
        ]

    def _names_differ(self, situations: list[Situation], document: Document, loc: _Loc) -> None:
        names = [situation.host.name for situation in situations]
        for number, name in enumerate(names[1:]):
            if name in names[: number + 1]:
                message = f'two hosts of the case are called "{one_line(name, 80)}"'
                self.problems.append(document.problem((*loc, "others", number), message, "give each `host: {name: …}`"))

    def _situation(
        self, check: Check, entry: Case | OtherEntry, based_on: str | None, document: Document, loc: _Loc, origin: _Loc
    ) -> Situation | None:
        """What a part of a file says of one host, laid over the base that it names at `origin`."""
        below: Sketch | None = Sketch()
        if based_on is not None:
            below = self._below(based_on, (), document, origin)
        if below is None:
            return None
        sketch = below.changed(entry.host, Fact(entry.facts, document, (*loc, "facts")), self.problems)
        return self._stage.situation(sketch, check.roles[:1], self.problems)
