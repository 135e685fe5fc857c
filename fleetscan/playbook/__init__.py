"""Playbooks: loaded, validated, compiled, and proven to be read-only."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetscan.errors import InputError, Problem
from fleetscan.model.playbook import Check, Playbook
from fleetscan.playbook.diagnoses import DiagnosesFile
from fleetscan.playbook.folder import Folder
from fleetscan.playbook.loader import load_folder
from fleetscan.playbook.probes import identifies
from fleetscan.playbook.schema import CheckFile, DataFile, PlaybookFile, ProbeFile
from fleetscan.playbook.shape import shape_schema
from fleetscan.suggest import did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["DEFAULT", "builtin_names", "json_schemas", "load", "locate", "select"]

DEFAULT = "asr-hyperv"


def load(path_or_name: str | None = None, data: str | None = None) -> Playbook:
    """The built-in playbook of that name, or the one in that folder; None means asr-hyperv.

    `data` is a folder with dated lists that take the place of the playbook's own of the same names.
    Raises InputError with every mistake of every file: what loads is complete, compiled, and proven to be read-only.
    """
    folder, shown = locate(path_or_name)
    return load_folder(folder, shown, _own_data(data))


def locate(path_or_name: str | None = None) -> tuple[Path, str]:
    """The folder of a playbook, and how messages name it; raises InputError where there is none."""
    name = DEFAULT if path_or_name is None else path_or_name
    if name in builtin_names():
        return _builtin_folder() / name, f"playbooks/{name}"
    folder = Path(name)
    if not folder.is_dir():
        cure = did_you_mean(name, builtin_names(), "built in are") or "name a folder that holds playbook.yaml"
        raise InputError.of(name, "there is no such playbook", cure)
    if not (folder / "playbook.yaml").is_file():
        raise InputError.of(name, "the folder holds no playbook.yaml", "see docs/writing-a-check.md")
    return folder.resolve(), _shown(folder)


def builtin_names() -> tuple[str, ...]:
    """The names of the playbooks that come with fleetscan."""
    folder = _builtin_folder()
    if not folder.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in folder.iterdir() if (entry / "playbook.yaml").is_file()))


def select(playbook: Playbook, checks: Sequence[str] = (), tags: Sequence[str] = ()) -> Playbook:
    """The playbook with only the checks that have one of these ids (or globs) and one of these tags, and their probes.

    A check across hosts brings the checks along whose findings it compares.
    Raises InputError for an id, a glob or a tag that fits no check, and when nothing is left.
    """
    problems = [_unknown("--check", "check", pattern, playbook) for pattern in checks if not _any(playbook, pattern)]
    known_tags = {tag for check in playbook.checks for tag in check.tags}
    problems += [
        Problem("--tag", f'the playbook has no tag "{tag}"', did_you_mean(tag, known_tags, "") or _listed(known_tags))
        for tag in tags
        if tag not in known_tags
    ]
    if problems:
        raise InputError(problems)
    kept = tuple(check for check in playbook.checks if _wanted(check, checks, tags))
    if not kept:
        raise InputError.of(
            "--check, --tag", "no check has one of these ids and one of these tags", "use one of the two"
        )
    compared = {name for check in kept if check.across is not None for name in check.across.checks}
    kept = tuple(check for check in playbook.checks if check in kept or check.id in compared)
    needed = {probe for check in kept for probe in check.probes}
    probes = {name: probe for name, probe in playbook.probes.items() if name in needed or identifies(probe, kept)}
    read = {name for check in kept for name in check.data}
    lists = tuple(source for source in playbook.data if source.id in read)
    return replace(playbook, checks=kept, probes=probes, data=lists)


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas of the files of a playbook: `playbook`, `check`, `probe`, `data`, `diagnoses`."""
    models: dict[str, type[BaseModel]] = {
        "playbook": PlaybookFile,
        "check": CheckFile,
        "probe": ProbeFile,
        "data": DataFile,
        "diagnoses": DiagnosesFile,
    }
    schemas = {
        name: {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(by_alias=True)}
        for name, model in models.items()
    }
    schemas["probe"]["$defs"]["JsonValue"] = shape_schema("#/$defs/JsonValue")
    return schemas


def _builtin_folder() -> Path:
    """In a wheel the playbooks are in the package; in a checkout they lie beside it."""
    packed = Path(str(files("fleetscan"))) / "_data" / "playbooks"
    return packed if packed.is_dir() else Path(str(files("fleetscan"))).parent / "playbooks"


def _own_data(data: str | None) -> Folder | None:
    if data is None:
        return None
    folder = Path(data)
    if not folder.is_dir():
        raise InputError.of(f"--data {data}", "there is no such folder", "name a folder that holds data files")
    return Folder(folder.resolve(), _shown(folder))


def _shown(folder: Path) -> str:
    text = os.path.normpath(folder)
    return Path(text).as_posix()


def _any(playbook: Playbook, pattern: str) -> bool:
    return any(fnmatchcase(check.id, pattern) for check in playbook.checks)


def _unknown(source: str, what: str, pattern: str, playbook: Playbook) -> Problem:
    known: Iterable[str] = (check.id for check in playbook.checks)
    cure = did_you_mean(pattern, known, "it has") or f"`fleetscan playbook show {playbook.origin}` lists them"
    return Problem(source, f'the playbook has no {what} "{pattern}"', cure)


def _listed(tags: set[str]) -> str:
    return f"there are {', '.join(sorted(tags))}" if tags else "no check has a tag"


def _wanted(check: Check, checks: Sequence[str], tags: Sequence[str]) -> bool:
    by_id = not checks or any(fnmatchcase(check.id, pattern) for pattern in checks)
    return by_id and (not tags or bool(set(tags) & set(check.tags)))
