"""From a check's file to a compiled check: expressions, templates, and what they may read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from fleetscan.errors import Problem
from fleetscan.model.playbook import Across, Check, DataSource, Expression, ObjectType, Probe, Remedy, Template
from fleetscan.playbook import template
from fleetscan.playbook.celtree import Tree
from fleetscan.playbook.data import VARIABLE, Data
from fleetscan.playbook.expression import CelExpression, CompileError, Engine, statically_boolean
from fleetscan.playbook.fields import Fault, Reading, read
from fleetscan.playbook.kinds import STRING, Optional, category
from fleetscan.playbook.place import Source
from fleetscan.playbook.reads import HOSTS, Path, Reads
from fleetscan.playbook.schema import CheckFile
from fleetscan.playbook.shape import Kind, List, Object, Scalar, Shape, merged
from fleetscan.yamlfile import Step

OBJECT_LISTS = {ObjectType.VM: "vms", ObjectType.DISK: "disks"}
"""The key of an answer under which the objects of a type are listed."""
OBJECTS = (ObjectType.VM, ObjectType.DISK, ObjectType.GUEST, ObjectType.FLEET)

_STRINGS = ("name", "zone", "cluster", "vmm_server", "computer", "culture", "ui_culture", "language_mode", "powershell")
HOST = Object(
    dict.fromkeys((*_STRINGS, "os_build"), STRING)
    | {"now": Scalar(Kind.TIME), "elevated": Scalar(Kind.BOOL, nullable=True)}
    | {"roles": List(STRING), "groups": List(STRING)}
)
"""The variable `host`: what the inventory and the payload say of the machine itself."""
_IDENTITY = {"id": STRING, "name": STRING}
_BOOL = Scalar(Kind.BOOL)
_PEERS = List(
    Object(
        {"name": STRING, "here": _BOOL, "known": _BOOL, "assessed": _BOOL}
        | {"findings": List(Object(dict.fromkeys(("check", "title", "status", "observed", "expected"), STRING)))}
    )
)


@dataclass(slots=True)
class _Draft:
    """An expression that is compiled, but not yet told which variables its check reads."""

    loc: tuple[Step, ...]
    text: str
    offset: int
    source: str
    program: Any
    must_judge: bool
    used: Mapping[str, Collection[Path]] = field(default_factory=dict)
    reads: Reads = field(default_factory=lambda: Reads({}))


_Drafted: TypeAlias = "str | _Draft | None"
"""A draft, a literal piece of a text, or nothing."""


class KnownProbes(Protocol):
    """The probes of a playbook, and the shapes of their answers as far as they are declared rightly."""

    @property
    def by_id(self) -> Mapping[str, Probe]: ...

    @property
    def shapes(self) -> Mapping[str, Object]: ...


@dataclass(slots=True)
class CheckCompiler:
    """Compiles one check. All mistakes are in `problems` afterwards."""

    engine: Engine
    source: Source
    file: CheckFile
    known: KnownProbes
    """All probes of the playbook."""
    data: Data = field(default_factory=Data)
    problems: list[Problem] = field(default_factory=list)
    _used: dict[str, set[Path]] = field(default_factory=dict)
    _known_variables: Mapping[str, Shape | None] = field(init=False)
    _refused_variables: Mapping[str, tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self._known_variables = self._variables()
        self._refused_variables = self._refused()

    def compile(self, check_id: str) -> Check:
        """The check; what cannot be compiled is left out of it, and in `problems`."""
        file = self.file
        named = self._named()
        conditions = {
            key: self._draft((key,), text, must_judge=True)
            for key, text in (("when", file.when), ("pass", file.passes), ("warn", file.warn), ("fail", file.fail))
        }
        observed = self._draft(("observed",), file.observed)
        expected = self._pieces(("expected",), file.expected)
        message = self._pieces(("message",), file.message)
        remedy = self._pieces(("remedy", "text"), file.remedy.text)
        self._unused()
        _share(conditions.values(), [observed, *expected], [*message, *remedy])
        placeholder = CelExpression("true", "", None, Reads({}))
        return Check(
            id=check_id,
            title=file.title,
            why=file.why.strip(),
            article=file.article,
            roles=file.roles,
            object=file.object,
            severity=file.severity,
            probes=file.probes,
            when=self._finished(conditions["when"]),
            passes=self._finished(conditions["pass"]) or placeholder,
            warns=self._finished(conditions["warn"]),
            fails=self._finished(conditions["fail"]),
            observed=self._finished(observed),
            expected=self._template(file.expected, expected),
            message=self._template(file.message, message),
            remedy=Remedy(text=self._text(file.remedy.text, remedy), action=file.remedy.action or ""),
            reference=file.reference,
            tags=file.tags,
            data=tuple(name for name, source in self.data.sources.items() if self._names(source)),
            across=self._across(named),
            origin=self.source.document.source,
        )

    def _across(self, named: _Draft | None) -> Across | None:
        entry = self.file.across
        if entry is None:
            return None
        return Across(hosts=entry.hosts, checks=entry.checks, named=self._finished(named))

    def _named(self) -> _Draft | None:
        """The expression that names further hosts; it is asked before there are `hosts`."""
        entry = self.file.across
        if entry is None or entry.named is None:
            return None
        loc = ("across", "named")
        draft = self._draft(loc, entry.named)
        if draft is not None and HOSTS in self._used:
            self._fault(draft, Fault(0, "it is asked to find the hosts", "use what the probes of this host report"))
        return draft

    def _draft(
        self, loc: tuple[Step, ...], source: str | None, offset: int = 0, text: str = "", *, must_judge: bool = False
    ) -> _Draft | None:
        """Compile `source`, which begins at `offset` of `text` at `loc`; None if there is none, or a mistake in it."""
        if source is None:
            return None
        draft = _Draft(loc, text or source, offset, source, None, must_judge)
        try:
            draft.program, tree = self.engine.compile(source)
        except CompileError as error:
            lines = source.split("\n")
            at = sum(len(line) + 1 for line in lines[: error.line - 1]) + error.column - 1
            self._fault(draft, Fault(min(at, len(source.rstrip())), error.message, error.cure))
            return None
        return draft if self._readable(draft, tree) else None

    def _readable(self, draft: _Draft, tree: Tree) -> bool:
        reading = read(tree, self._known_variables, self._refused_variables)
        draft.used, draft.reads = reading.used, Reads(reading.used)
        for name, fields in reading.used.items():
            self._used.setdefault(name, set()).update(fields)
        faults = reading.faults + self._type_faults(draft, reading)
        for fault in faults:
            self._fault(draft, fault)
        return not faults

    def _type_faults(self, draft: _Draft, reading: Reading) -> list[Fault]:
        if reading.faults:
            return []
        if isinstance(reading.kind, Optional):
            return [Fault(0, "the expression gives an optional value", "end it with .orValue(…)")]
        found = category(reading.kind)
        if draft.must_judge and found not in ("", "true or false"):
            return [Fault(0, f"the expression gives {found}, not true or false", "compare it with something")]
        if draft.must_judge and not statically_boolean(draft.program):
            name = str(draft.program.returns.name()).lower()
            return [Fault(0, f"the expression gives a {name}, not true or false", "compare it with something")]
        return []

    def _fault(self, draft: _Draft, fault: Fault) -> None:
        place = ".".join(str(step) for step in draft.loc)
        message = f"{place}: {fault.message}"
        self.problems.append(
            self.source.problem(draft.loc, draft.text, draft.offset + fault.offset, message, fault.cure)
        )

    def _variables(self) -> dict[str, Shape | None]:
        """What the expressions may read; None where a mistake elsewhere leaves it unknown."""
        shapes = {name: self.known.shapes.get(name) for name in self.file.probes}
        listed = {probe.variable: shapes[name] for name in shapes if (probe := self.known.by_id.get(name)) is not None}
        variables: dict[str, Shape | None] = {"host": HOST, VARIABLE: self.data.shape, **listed}
        if self.file.across is not None:
            variables[HOSTS] = _PEERS
        if self.file.object in OBJECTS:
            found = [_object_shape(shape, self.file.object) for shape in shapes.values() if shape is not None]
            whole = merged([Object(_IDENTITY), *(shape for shape in found if shape is not None)])
            variables[self.file.object.value] = None if None in shapes.values() else whole
        return variables

    def _names(self, source: DataSource) -> bool:
        return any(path[:1] in ((), (source.variable,)) for path in self._used.get(VARIABLE, ()))

    def _refused(self) -> dict[str, tuple[str, str]]:
        refused = {
            probe.variable: (
                f'the probe "{probe_id}" is not among the probes of this check',
                f"add {probe_id} to `probes`",
            )
            for probe_id, probe in self.known.by_id.items()
            if probe_id not in self.file.probes
        }
        if self.file.across is None:
            refused[HOSTS] = ("only a check across hosts has `hosts`", "add across: {hosts: [cluster]}")
        for kind in OBJECTS:
            if kind is not self.file.object:
                cure = (
                    f"write object: {kind.value}"
                    if self.file.object is ObjectType.HOST
                    else "use the variables of its own object"
                )
                refused[kind.value] = (f"a check with object: {self.file.object.value} has no `{kind.value}`", cure)
        return refused

    def _unused(self) -> None:
        """Probes that are listed and give neither a value nor the objects."""
        if self.problems:
            return  # what does not compile may be what reads them
        for index, probe_id in enumerate(self.file.probes):
            probe, shape = self.known.by_id.get(probe_id), self.known.shapes.get(probe_id)
            if probe is None or shape is None or probe.variable in self._used:
                continue
            if self.file.object not in OBJECTS or _object_shape(shape, self.file.object) is None:
                self.problems.append(
                    self.source.document.problem(
                        ("probes", index), f'nothing of the probe "{probe_id}" is read', "remove it"
                    )
                )

    def _finished(self, draft: _Draft | None) -> Expression | None:
        if draft is None:
            return None
        line, _ = self.source.position(draft.loc, draft.text, draft.offset)
        position = f"{self.source.document.source}:{line}"
        return CelExpression(draft.source.strip(), position, draft.program, draft.reads, draft.must_judge)

    def _pieces(self, loc: tuple[Step, ...], text: str | None) -> list[_Drafted]:
        if text is None:
            return []
        try:
            pieces = template.split(text)
        except template.TemplateError as error:
            place = ".".join(str(step) for step in loc)
            self.problems.append(self.source.problem(loc, text, error.offset, f"{place}: {error.message}", error.cure))
            return []
        drafts = [
            self._draft(loc, piece.source, piece.offset, text) if isinstance(piece, template.Part) else piece
            for piece in pieces
        ]
        return [draft for draft in drafts if draft is not None]

    def _template(self, text: str | None, pieces: list[_Drafted]) -> Template | None:
        return None if text is None else self._text(text, pieces)

    def _text(self, text: str, pieces: list[_Drafted]) -> Template:
        finished = (piece if isinstance(piece, str) else self._finished(piece) for piece in pieces)
        return template.CompiledTemplate(text, tuple(piece for piece in finished if piece is not None))


def _share(*groups: Iterable[_Drafted]) -> None:
    """Let expressions that are evaluated one after the other have what they read in common.

    What may be the same for many objects is judged once and then known, so it is not mixed with what names one.
    """
    alone: list[_Draft] = []
    for group in groups:
        drafts = [draft for draft in group if isinstance(draft, _Draft)]
        common = [draft for draft in drafts if draft.reads.common]
        alone += [draft for draft in drafts if not draft.reads.common]
        _read_together(common)
    _read_together(alone)


def _read_together(drafts: Sequence[_Draft]) -> None:
    used: dict[str, set[Path]] = {}
    for draft in drafts:
        for name, paths in draft.used.items():
            used.setdefault(name, set()).update(paths)
    reads = Reads(used)
    for draft in drafts:
        draft.reads = reads


def _object_shape(shape: Object, kind: ObjectType) -> Object | None:
    """What an answer says of one object of a type; None if it does not list such objects."""
    if kind is ObjectType.GUEST:
        guest = shape.fields.get("guest")
        return guest if isinstance(guest, Object) else None
    listed = shape.fields.get(OBJECT_LISTS.get(kind, ""))
    return listed.item if isinstance(listed, List) and isinstance(listed.item, Object) else None


def lists_objects(shape: Object, kind: ObjectType) -> bool:
    """Whether an answer says which objects of a type there are."""
    return _object_shape(shape, kind) is not None
