"""Reads the folder of a playbook, and refuses anything unclear: all mistakes of all files at once."""

from __future__ import annotations

from pathlib import Path

from fleetscan.errors import InputError
from fleetscan.model.playbook import Check, ObjectType, Playbook, Relation, Severity
from fleetscan.playbook.compiler import OBJECT_LISTS, OBJECTS, CheckCompiler, lists_objects
from fleetscan.playbook.data import VARIABLE, read_data
from fleetscan.playbook.diagnoses import read_diagnoses
from fleetscan.playbook.expression import Engine
from fleetscan.playbook.folder import Folder
from fleetscan.playbook.place import Source
from fleetscan.playbook.probes import identifies, read_probes
from fleetscan.playbook.reads import HOSTS
from fleetscan.playbook.schema import CheckFile, PlaybookFile
from fleetscan.suggest import did_you_mean

_STAND_INS: dict[str, object] = {
    "title": "?",
    "why": "?",
    "severity": Severity.LOW,
    "pass": "true",
    "remedy": {"text": "?"},
    "reference": "https://example.com",
    "tags": (),
    **dict.fromkeys(("when", "warn", "fail", "observed", "expected", "message")),
}
"""For values of a check that are mistakes, so that its other expressions are read, too: they read nothing of these."""


def load_folder(path: Path, shown: str, own_data: Folder | None = None) -> Playbook:
    """The playbook in a folder; `shown` is how messages name it. Raises InputError with all mistakes.

    `own_data` is a folder of the user's with data files that take the place of those of the same names.
    """
    loader = _Loader(Folder(path, shown), own_data)
    playbook = loader.load()
    if loader.folder.problems or playbook is None:
        problems = set(loader.folder.problems)
        raise InputError(sorted(problems, key=lambda found: (found.source, found.line, found.column, found.message)))
    return playbook


class _Loader:
    def __init__(self, folder: Folder, own_data: Folder | None) -> None:
        self.folder = folder
        head = folder.read(Path("playbook.yaml"), PlaybookFile)
        self._head = head[0] if head else None
        if head:
            self._measures(head[1], head[0])
        self._data = read_data(folder, own_data)
        self._probes = read_probes(folder, self._data)
        names = {probe.variable for probe in self._probes.by_id.values()} | {kind.value for kind in OBJECTS}
        self._stand_ins = _STAND_INS | {"article": list(self._head.articles if self._head else ())[:1]}
        self._across: dict[str, Source] = {}
        """The files of the checks that look across hosts."""
        self._engine = Engine({"host", HOSTS, *names}, {VARIABLE: dict(self._data.values)})

    def load(self) -> Playbook | None:
        """The playbook, unless its head cannot be read."""
        found = [self._check(path) for path in self.folder.files("checks", (".yaml",))]
        checks = [check for check in found if check is not None]
        self._compared({check.id: check for check in checks})
        if not self.folder.problems:  # otherwise the check that uses a probe may be one that cannot be read
            self._never_used(checks)
        diagnoses = read_diagnoses(self.folder, {check.id: check for check in checks})
        if self._head is None:
            return None
        order = {item: index for index, item in enumerate(self._head.articles)}
        checks.sort(
            key=lambda check: (min((order.get(item, 0) for item in check.article), default=len(order)), check.id)
        )
        return Playbook(
            name=self.folder.path.name,
            title=self._head.title,
            version=self._head.version,
            checks=tuple(checks),
            probes=self._probes.by_id,
            bind=self._engine.bind,
            articles=self._head.articles,
            measures=self._head.measures,
            diagnoses=diagnoses,
            data=tuple(self._data.sources.values()),
            lists=self._data.values,
            origin=self.folder.shown,
        )

    def _check(self, path: Path) -> Check | None:
        entry = self.folder.read(path, CheckFile, self._stand_ins)
        if entry is None:
            return None
        file, source = entry
        known = [problem for problem in self.folder.problems if problem.source == source.document.source]
        compiler = CheckCompiler(self._engine, source, file, self._probes, self._data, list(known))
        found = compiler.compile(path.stem)
        self.folder.problems += compiler.problems[len(known) :]
        if file.across is not None:
            self._across[path.stem] = source
        self._references(source, file)
        self._listed_probes(source, file)
        self._objects(source, file)
        return found

    def _measures(self, source: Source, file: PlaybookFile) -> None:
        for item in file.measures.keys() - file.articles.keys():
            cure = did_you_mean(item, file.articles, "known are") or "add it to `articles`"
            self._add(source, ("measures", item), f'unknown article item "{item}"', cure)

    def _add(self, source: Source, loc: tuple[str | int, ...], message: str, cure: str) -> None:
        self.folder.problems.append(source.document.problem(loc, message, cure))

    def _references(self, source: Source, file: CheckFile) -> None:
        articles = self._head.articles if self._head else dict.fromkeys(file.article, "")
        for index, item in enumerate(file.article):
            if item not in articles:
                cure = did_you_mean(item, articles, "known are") or "add it to `articles` in playbook.yaml"
                self._add(source, ("article", index), f'unknown article item "{item}"', cure)
        if articles and not file.article:
            self._add(source, (), '"article" is missing', "name the items that the check answers")
        actions = self.folder.path / "actions"
        action = file.remedy.action
        if action and actions.is_dir():
            known = [path.stem for path in actions.iterdir() if path.suffix == ".yaml"]
            if action not in known:
                cure = did_you_mean(action, known, "known are")
                self._add(source, ("remedy", "action"), f'unknown action "{action}"', cure)

    def _listed_probes(self, source: Source, file: CheckFile) -> None:
        for index, name in enumerate(file.probes):
            probe = self._probes.by_id.get(name)
            if probe is None:
                if not (self.folder.path / "probes" / f"{name}.yaml").exists():
                    cure = did_you_mean(name, self._probes.by_id, "known are")
                    self._add(source, ("probes", index), f'unknown probe "{name}"', cure)
                continue
            missing = [role.value for role in file.roles if role not in probe.roles]
            if missing:
                message = f'the probe "{name}" is not asked on hosts with role {" or ".join(missing)}'
                self._add(source, ("probes", index), message, "add the role there, or remove it here")

    def _objects(self, source: Source, file: CheckFile) -> None:
        """Something must list the objects that a check is about."""
        shapes = self._probes.shapes
        if file.object is ObjectType.FLEET and file.across is None:
            cure = "add across: {hosts: [cluster]}, or write host, vm, disk or guest"
            self._add(source, ("object",), "a check of a fleet must say which hosts that is", cure)
        elif file.object in OBJECT_LISTS and all(name in shapes for name in file.probes):
            key = OBJECT_LISTS[file.object]
            if not any(lists_objects(shapes[name], file.object) for name in file.probes):
                message = f'none of the probes lists objects of type {file.object.value} under "{key}"'
                self._add(source, ("probes",), message, f"add a probe whose answer has {key}")

    def _compared(self, checks: dict[str, Check]) -> None:
        """What checks across hosts compare must be findings about hosts."""
        for check_id, source in self._across.items():
            check = checks.get(check_id)
            of_machine = check is not None and check.across is not None and Relation.MACHINE in check.across.hosts
            if check is not None and of_machine and check.object is not ObjectType.GUEST:
                message = "machine is for checks of guests: it means the hosts that run the guest"
                self._add(source, ("across", "hosts"), message, "write seen, or object: guest")
            kinds = {ObjectType.HOST, ObjectType.VM} if of_machine else {ObjectType.HOST}
            for index, name in enumerate(check.across.checks if check is not None and check.across else ()):
                other, loc = checks.get(name), ("across", "checks", index)
                if other is None:
                    cure = did_you_mean(name, checks, "known are")
                    self._add(source, loc, f'unknown check "{name}"', cure)
                elif other.object not in kinds or other.across is not None:
                    self._add(source, loc, f'"{name}" is no check of a single host', "name one with object: host")

    def _never_used(self, checks: list[Check]) -> None:
        used = {probe for found in checks for probe in found.probes}
        for name, probe in self._probes.by_id.items():
            if name not in used and not identifies(probe, checks):
                path = Path("probes") / f"{name}.yaml"
                self.folder.add(path, "no check uses this probe", "add a check, or remove the probe")
        read = {name for found in checks for name in found.data}
        for name in self._data.sources:
            if name not in read:
                path = Path(VARIABLE) / f"{name}.yaml"
                self.folder.add(path, "no check reads this data", "add a check, or remove the file")
