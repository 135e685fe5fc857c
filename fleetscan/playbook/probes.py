"""The probes of a playbook: their descriptions, their scripts, the proof that they only read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleetscan.errors import Problem
from fleetscan.model.host import Role
from fleetscan.model.playbook import JSON, Check, Language, ObjectType, Probe
from fleetscan.playbook.answer import validator
from fleetscan.playbook.compiler import OBJECT_LISTS, OBJECTS
from fleetscan.playbook.data import VARIABLE, Data
from fleetscan.playbook.endpoints import read_endpoints
from fleetscan.playbook.expression import RESERVED
from fleetscan.playbook.folder import Folder
from fleetscan.playbook.place import Source
from fleetscan.playbook.readonly import prove
from fleetscan.playbook.reads import HOSTS
from fleetscan.playbook.schema import ProbeFile
from fleetscan.playbook.shape import CLOCK, SAMPLE, Kind, List, Object, Scalar, expressed, parse

_STAND_INS = {"title": "?", "needs": "?", "timeout": 60, "order": 50, "connects": None}
"""For values that are mistakes, so that the answer is read, too."""
_LANGUAGES = {".ps1": Language.POWERSHELL, ".sh": Language.SH}


@dataclass(frozen=True, slots=True)
class Probes:
    """What was read. A probe whose answer is declared wrongly has no shape."""

    by_id: Mapping[str, Probe] = field(default_factory=dict)
    shapes: Mapping[str, Object] = field(default_factory=dict)


def read_probes(folder: Folder, data: Data) -> Probes:
    """All probes of a folder, and what they reach of `data`; what is wrong with them is added to its problems."""
    found: dict[str, Probe] = {}
    shapes: dict[str, Object] = {}
    for path in folder.files("probes", (".yaml", *_LANGUAGES)):
        if path.suffix == ".yaml":
            _read(folder, path, data, found, shapes)
        elif not (folder.path / path.with_suffix(".yaml")).exists():
            folder.add(path, "the script has no description", f"write {path.with_suffix('.yaml').as_posix()} beside it")
    return Probes(found, shapes)


def identifies(probe: Probe, checks: Iterable[Check]) -> bool:
    """Whether a probe tells which virtual machine a guest is, for checks about guests that do not list it."""
    return "guest" in probe.shape and any(
        found.object is ObjectType.GUEST and set(found.roles) & set(probe.roles) for found in checks
    )


def _read(folder: Folder, path: Path, data: Data, found: dict[str, Probe], shapes: dict[str, Object]) -> None:
    entry = folder.read(path, ProbeFile, _STAND_INS)
    script = _script(folder, path)
    if script is None:
        return
    language, text, script_path = script
    folder.problems += _proof(text, language, folder.name(script_path))
    if entry is None:
        return
    file, source = entry
    if path.stem in RESERVED or path.stem in ("host", HOSTS, VARIABLE, *OBJECTS):
        folder.add(path, f'"{path.stem}" means something else in expressions', "choose another name")
        return
    shape, problems = parse(file.answer, source.document, ("answer",))
    if not isinstance(shape, Object):
        cure = "put the map under a key of its own"
        problems.append(source.document.problem(("answer",), "the answer needs fixed keys", cure))
    elif not problems:
        shapes[path.stem] = expressed(shape)
        problems += _conventions(source, shape, file.answer)
    connects, reach_problems = read_endpoints(source, file, text, data)
    problems += [*_roles(source, file, language), *reach_problems]
    folder.problems += problems
    found[path.stem] = Probe(
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
        totals=isinstance(shape, Object) and expressed(shape) != shape,
        connects=connects,
        origin=source.document.source,
    )


def _script(folder: Folder, path: Path) -> tuple[Language, str, Path] | None:
    scripts = [path.with_suffix(suffix) for suffix in _LANGUAGES if (folder.path / path.with_suffix(suffix)).exists()]
    if len(scripts) != 1:
        count = "two scripts" if scripts else "no script"
        folder.add(path, f"the probe has {count}", f"keep one of {path.stem}.ps1 and {path.stem}.sh beside it")
        return None
    text = folder.text(scripts[0])
    return None if text is None else (_LANGUAGES[scripts[0].suffix], text, scripts[0])


def _proof(text: str, language: Language, source: str) -> list[Problem]:
    if not text.strip():
        return [Problem(source, "the script is empty", "write what the probe reports")]
    return prove(text, language, source)


def _conventions(source: Source, shape: Object, answer: Mapping[str, JSON]) -> list[Problem]:
    """Lists of objects must say which object each entry is, totals by which clock they were read."""
    problems: list[Problem] = []
    if expressed(shape) != shape and answer.get(SAMPLE) != CLOCK:
        clock = ", ".join(f"{key}: {word}" for key, word in CLOCK.items())
        message = "an answer with totals must say by which clock they were read"
        problems.append(source.document.problem(("answer",), message, f"add `{SAMPLE}: {{{clock}}}`"))
    for kind, key in OBJECT_LISTS.items():
        listed = shape.fields.get(key)
        wanted = Kind.GUID if kind is ObjectType.VM else Kind.STRING
        entry = listed.item if isinstance(listed, List) else None
        fields = entry.fields if isinstance(entry, Object) else {}
        if listed is not None and (fields.get("id"), fields.get("name")) != (Scalar(wanted), Scalar(Kind.STRING)):
            message = f'"{key}" lists objects of type {kind.value}: each needs `id: {wanted}` and `name: string`'
            problems.append(source.document.problem(("answer", key), message, "add them, or use another key"))
    return problems


def _roles(source: Source, file: ProbeFile, language: Language) -> list[Problem]:
    return [
        source.document.problem(
            ("roles", index),
            f"{role.value} is asked in another language",
            f"write the probe as {'.sh' if role is Role.LINUX_GUEST else '.ps1'}",
        )
        for index, role in enumerate(file.roles)
        if (role is Role.LINUX_GUEST) != (language is Language.SH)
    ]
