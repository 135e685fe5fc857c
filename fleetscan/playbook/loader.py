"""Reads the folder of a playbook, and refuses anything unclear: all mistakes of all files at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fleetscan import yamlfile
from fleetscan.errors import InputError, Problem
from fleetscan.model.host import Role
from fleetscan.model.playbook import Check, Language, ObjectType, Playbook, Probe
from fleetscan.playbook.answer import validator
from fleetscan.playbook.compiler import OBJECT_LISTS, OBJECTS, CheckCompiler, lists_objects
from fleetscan.playbook.expression import RESERVED, Engine
from fleetscan.playbook.place import Source
from fleetscan.playbook.readonly import prove
from fleetscan.playbook.schema import CheckFile, PlaybookFile, ProbeFile
from fleetscan.playbook.shape import Kind, List, Map, Object, Scalar, parse
from fleetscan.suggest import did_you_mean
from fleetscan.validate import T, check

_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LANGUAGES = {".ps1": Language.POWERSHELL, ".sh": Language.SH}
_LOOSE = {"README.md", ".gitkeep"}
"""Files that may lie beside the others."""


def load_folder(folder: Path, shown: str) -> Playbook:
    """The playbook in a folder; `shown` is how messages name it. Raises InputError with all mistakes."""
    loader = _Loader(folder, shown)
    playbook = loader.load()
    if loader.problems or playbook is None:
        raise InputError(
            sorted(set(loader.problems), key=lambda problem: (problem.source, problem.line, problem.column))
        )
    return playbook


@dataclass(slots=True)
class _Loader:
    folder: Path
    shown: str
    problems: list[Problem] = field(default_factory=list)
    probes: dict[str, Probe] = field(default_factory=dict)
    shapes: dict[str, Object] = field(default_factory=dict)

    def load(self) -> Playbook | None:
        head = self._read(Path("playbook.yaml"), PlaybookFile)
        for path in self._files("probes", (".yaml", *_LANGUAGES)):
            if path.suffix == ".yaml":
                self._probe(path)
            elif not (self.folder / path.with_suffix(".yaml")).exists():
                self._problem(
                    path, "the script has no description", f"write {path.with_suffix('.yaml').as_posix()} beside it"
                )
        variables = {probe.variable for probe in self.probes.values()} | {kind.value for kind in OBJECTS}
        engine = Engine({"host", *variables})
        checks = [
            found
            for path in self._files("checks", (".yaml",))
            if (found := self._check(path, engine, head[0] if head else None)) is not None
        ]
        self._never_used(checks)
        if head is None:
            return None
        order = {item: index for index, item in enumerate(head[0].articles)}
        checks.sort(
            key=lambda check: (
                min((order.get(item, len(order)) for item in check.article), default=len(order)),
                check.id,
            )
        )
        return Playbook(
            name=self.folder.name,
            title=head[0].title,
            version=head[0].version,
            checks=tuple(checks),
            probes=self.probes,
            bind=engine.bind,
            articles=head[0].articles,
            origin=self.shown,
        )

    def _files(self, name: str, suffixes: tuple[str, ...]) -> Iterator[Path]:
        """The files of a part of the playbook, relative to its folder, by name."""
        part = self.folder / name
        if not part.is_dir():
            self._problem(Path(name), "the folder is missing", "a playbook has the folders checks and probes")
            return
        for path in sorted(part.iterdir()):
            relative = Path(name) / path.name
            if path.name in _LOOSE:
                continue
            if path.suffix not in suffixes or not path.is_file():
                self._problem(
                    relative,
                    f"is not a file of a playbook: only {', '.join(suffixes)} is read here",
                    "remove or rename it",
                )
            elif not _ID.fullmatch(path.stem):
                self._problem(
                    relative,
                    f'"{path.stem}" cannot be an id',
                    "name the file with small letters, digits and -, as disk-free-space",
                )
            else:
                yield relative

    def _read(self, path: Path, kind: type[T]) -> tuple[T, Source] | None:
        source = f"{self.shown}/{path.as_posix()}"
        try:
            text = yamlfile.decode(source, (self.folder / path).read_bytes())
            document = yamlfile.read(source, text)
        except OSError as error:
            self._problem(path, f"cannot be read: {error.strerror or error}")
            return None
        except InputError as error:
            self.problems += error.problems
            return None
        value, problems = check(kind, document.data, document)
        self.problems += [_with_id_hint(problem) for problem in problems]
        return None if value is None else (value, Source(document, text))

    def _probe(self, path: Path) -> None:
        entry = self._read(path, ProbeFile)
        script = self._script(path)
        if entry is None or script is None:
            return
        file, source = entry
        language, text = script
        shape, problems = parse(file.answer, source.document, ("answer",))
        self.problems += problems
        if isinstance(shape, Map) or not isinstance(shape, Object):
            self.problems.append(
                source.document.problem(("answer",), "the answer needs fixed keys", "put the map under a key")
            )
            return
        self._conventions(source, shape)
        self._probe_roles(source, file, language)
        if path.stem in RESERVED or path.stem in ("host", *OBJECTS):
            self._problem(path, f'"{path.stem}" means something else in expressions', "choose another name")
        self.problems += prove(text, language, f"{self.shown}/{path.with_suffix(_suffix(language)).as_posix()}")
        self.shapes[path.stem] = shape
        self.probes[path.stem] = Probe(
            id=path.stem,
            title=file.title,
            language=language,
            roles=file.roles,
            needs=file.needs,
            timeout=file.timeout,
            order=file.order,
            text=text,
            shape=file.answer,
            validate=validator(shape, language),
            origin=source.document.source,
        )

    def _script(self, path: Path) -> tuple[Language, str] | None:
        found = [suffix for suffix in _LANGUAGES if (self.folder / path).with_suffix(suffix).exists()]
        if len(found) != 1:
            message = "has two scripts" if found else "has no script"
            self._problem(path, f"the probe {message}", f"keep one of {path.stem}.ps1 and {path.stem}.sh beside it")
            return None
        script = path.with_suffix(found[0])
        try:
            text = yamlfile.decode(f"{self.shown}/{script.as_posix()}", (self.folder / script).read_bytes())
        except InputError as error:
            self.problems += error.problems
            return None
        return _LANGUAGES[found[0]], text.replace("\r\n", "\n")

    def _conventions(self, source: Source, shape: Object) -> None:
        """Lists of objects must say which object each entry is."""
        for kind, key in OBJECT_LISTS.items():
            listed = shape.fields.get(key)
            wanted = Kind.GUID if kind is ObjectType.VM else Kind.STRING
            entry = listed.item if isinstance(listed, List) else None
            fields = entry.fields if isinstance(entry, Object) else {}
            if key in shape.fields and (
                fields.get("id") != Scalar(wanted) or fields.get("name") != Scalar(Kind.STRING)
            ):
                message = f'"{key}" lists objects of type {kind.value}: each needs `id: {wanted}` and `name: string`'
                self.problems.append(source.document.problem(("answer", key), message, "add them, or use another key"))

    def _probe_roles(self, source: Source, file: ProbeFile, language: Language) -> None:
        for index, role in enumerate(file.roles):
            if (role is Role.LINUX_GUEST) != (language is Language.SH):
                cure = "write the probe as .sh" if role is Role.LINUX_GUEST else "write the probe as .ps1"
                self.problems.append(
                    source.document.problem(("roles", index), f"{role.value} is asked in another language", cure)
                )

    def _check(self, path: Path, engine: Engine, head: PlaybookFile | None) -> Check | None:
        entry = self._read(path, CheckFile)
        if entry is None:
            return None
        file, source = entry
        compiler = CheckCompiler(engine, source, file, self.probes, self.shapes)
        found = compiler.compile(path.stem)
        self.problems += compiler.problems
        self._check_references(source, file, head)
        self._check_probes(source, file)
        return found

    def _check_references(self, source: Source, file: CheckFile, head: PlaybookFile | None) -> None:
        articles = head.articles if head else {}
        if head is not None:
            for index, item in enumerate(file.article):
                if item not in articles:
                    cure = did_you_mean(item, articles, "known are") or "add it to `articles` in playbook.yaml"
                    self.problems.append(
                        source.document.problem(("article", index), f'unknown article item "{item}"', cure)
                    )
            if articles and not file.article:
                self.problems.append(
                    source.document.problem((), '"article" is missing', "name the items that the check answers")
                )
        actions = self.folder / "actions"
        action = file.remedy.action
        if action and actions.is_dir():
            known = [path.stem for path in actions.iterdir() if path.suffix == ".yaml"]
            if action not in known:
                message, cure = f'unknown action "{action}"', did_you_mean(action, known, "known are")
                self.problems.append(source.document.problem(("remedy", "action"), message, cure))

    def _check_probes(self, source: Source, file: CheckFile) -> None:
        for index, name in enumerate(file.probes):
            probe = self.probes.get(name)
            if probe is None:
                if not (self.folder / "probes" / f"{name}.yaml").exists():
                    cure = did_you_mean(name, self.probes, "known are")
                    self.problems.append(source.document.problem(("probes", index), f'unknown probe "{name}"', cure))
                continue
            missing = [role.value for role in file.roles if role not in probe.roles]
            if missing:
                message = f'the probe "{name}" is not asked on hosts with role {" or ".join(missing)}'
                self.problems.append(
                    source.document.problem(("probes", index), message, "add the role there, or remove it here")
                )
        if file.object is ObjectType.FLEET:
            self.problems.append(
                source.document.problem(
                    ("object",), "a check in a file looks at one host", "write host, vm, disk or guest"
                )
            )
        elif file.object in OBJECT_LISTS and all(name in self.shapes for name in file.probes):
            key = OBJECT_LISTS[file.object]
            if not any(lists_objects(self.shapes[name], file.object) for name in file.probes):
                message = f'none of the probes lists objects of type {file.object.value} under "{key}"'
                self.problems.append(
                    source.document.problem(("probes",), message, f"add a probe whose answer has {key}")
                )

    def _never_used(self, checks: list[Check]) -> None:
        if self.problems:
            return  # a check that could not be read may be the one that uses it
        used = {probe for found in checks for probe in found.probes}
        for name, probe in self.probes.items():
            if name not in used and not identifies(probe, checks):
                self._problem(
                    Path("probes") / f"{name}.yaml", "no check uses this probe", "add a check, or remove the probe"
                )

    def _problem(self, path: Path, message: str, cure: str = "") -> None:
        self.problems.append(Problem(f"{self.shown}/{path.as_posix()}", message, cure))


def identifies(probe: Probe, checks: Iterable[Check]) -> bool:
    """Whether a probe tells which virtual machine a guest is, for checks about guests that do not list it."""
    return "guest" in probe.shape and any(
        found.object is ObjectType.GUEST and set(found.roles) & set(probe.roles) for found in checks
    )


def _suffix(language: Language) -> str:
    return next(suffix for suffix, known in _LANGUAGES.items() if known is language)


def _with_id_hint(problem: Problem) -> Problem:
    if problem.message.endswith('unknown key "id"'):
        return Problem(
            problem.source, problem.message, "remove it: the id is the name of the file", problem.line, problem.column
        )
    return problem
