"""The folder of a playbook: its files by name, and all that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleetscan import yamlfile
from fleetscan.errors import InputError, Problem
from fleetscan.playbook.place import Source
from fleetscan.validate import T, check, usable

_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LOOSE = {"README.md", ".gitkeep"}
"""Files that may lie beside the others."""


@dataclass(slots=True)
class Folder:
    """A folder; `shown` is how messages name it. Mistakes are collected, so that all are reported at once."""

    path: Path
    shown: str
    problems: list[Problem] = field(default_factory=list)

    def name(self, path: Path) -> str:
        """How messages name a file, which is relative to the folder."""
        return f"{self.shown}/{path.as_posix()}"

    def add(self, path: Path, message: str, cure: str = "") -> None:
        """Note a mistake of a whole file."""
        self.problems.append(Problem(self.name(path), message, cure))

    def files(self, part: str, suffixes: tuple[str, ...]) -> Iterator[Path]:
        """The files of a part of the playbook, relative to its folder, by name."""
        try:
            entries = sorted((self.path / part).iterdir())
        except OSError as error:
            message = f"the folder cannot be read: {error.strerror or error}"
            self.add(Path(part), message, "a playbook has the folders checks and probes")
            return
        for entry in entries:
            path = Path(part) / entry.name
            if entry.name in _LOOSE:
                continue
            if entry.suffix not in suffixes or not entry.is_file():
                kinds = ", ".join(suffixes)
                self.add(path, f"is not a file of a playbook: only {kinds} is read here", "remove or rename it")
            elif not _ID.fullmatch(entry.stem):
                cure = "name the file with small letters, digits and -, as disk-free-space"
                self.add(path, f'"{entry.stem}" cannot be an id', cure)
            else:
                yield path

    def read(self, path: Path, kind: type[T], instead: Mapping[str, object] | None = None) -> tuple[T, Source] | None:
        """A YAML file as a `kind`, and where things stand in it; None if it cannot be used.

        With `instead`, values for keys whose own are mistakes, it can be used in more cases: to find further mistakes.
        """
        text = self.text(path)
        if text is None:
            return None
        try:
            document = yamlfile.read(self.name(path), text, mistakes=self.problems)
        except InputError as error:
            self.problems += error.problems
            return None
        value, problems = check(kind, document.data, document)
        self.problems += [_with_id_hint(problem) for problem in problems]
        if value is None and instead is not None:
            value = usable(kind, document.data, document, instead)
        return None if value is None else (value, Source(document, document.text))

    def text(self, path: Path) -> str | None:
        """The text of a file with line feeds only; None if it cannot be read."""
        try:
            text = yamlfile.decode(self.name(path), (self.path / path).read_bytes())
        except OSError as error:
            self.add(path, f"cannot be read: {error.strerror or error}")
            return None
        except InputError as error:
            self.problems += error.problems
            return None
        return text.replace("\r\n", "\n")


def _with_id_hint(problem: Problem) -> Problem:
    if not problem.message.endswith('unknown key "id"'):
        return problem
    cure = "remove it: the id is the name of the file"
    return Problem(problem.source, problem.message, cure, problem.line, problem.column)
