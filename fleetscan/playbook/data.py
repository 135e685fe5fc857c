"""The dated data of a playbook: versions and limits that checks compare with, each list with its day and its source.

A folder of the user's may hold files of the same names: such a file takes the place of the playbook's own as a whole,
so that no list mixes numbers of two dates. It must have the shape that the playbook's own has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleetscan.errors import Problem
from fleetscan.model.playbook import JSON, DataSource
from fleetscan.playbook.folder import Folder
from fleetscan.playbook.place import Source
from fleetscan.playbook.schema import DataFile
from fleetscan.playbook.shape import Kind, Object, Scalar, Shape
from fleetscan.playbook.values import Look, typed
from fleetscan.suggest import did_you_mean
from fleetscan.validate import Places

VARIABLE = "data"
"""What expressions call all lists together."""

_STAND_INS = {"title": "?", "as_of": "2026-01", "source": "?"}
"""For values that are mistakes, so that the data are read, too."""

_ABOUT: Mapping[str, Shape] = dict.fromkeys(("as_of", "source"), Scalar(Kind.STRING))
"""What every list says of itself, beside its own keys."""


@dataclass(frozen=True, slots=True)
class Data:
    """All lists of a playbook. `values` is the variable `data`; `shape` its shape, None if a file cannot be read."""

    sources: Mapping[str, DataSource] = field(default_factory=dict)
    values: Mapping[str, JSON] = field(default_factory=dict)
    shape: Object | None = field(default_factory=Object)
    places: Mapping[str, Places] = field(default_factory=dict)
    """Where the values of each list stand."""


def read_data(folder: Folder, own: Folder | None = None) -> Data:
    """The data of a playbook, with the user's `own` files instead of those of the same id.

    What is wrong with them is added to the problems of `folder`.
    """
    reader = _Reader(folder.problems)
    if (folder.path / VARIABLE).is_dir():
        for path in folder.files(VARIABLE, (".yaml",)):
            reader.builtin(folder, path)
    if own is not None:
        for path in own.files("", (".yaml",)):
            reader.own(own, path)
        folder.problems += own.problems
    return reader.data()


class _Reader:
    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems
        self._sources: dict[str, DataSource] = {}
        self._values: dict[str, JSON] = {}
        self._shapes: dict[str, Object] = {}
        self._places: dict[str, Places] = {}
        self._unreadable: set[str] = set()

    def builtin(self, folder: Folder, path: Path) -> None:
        """A file of the playbook: its values say what shape they have."""
        entry = folder.read(path, DataFile, _STAND_INS)
        if entry is None:
            self._unreadable.add(path.stem)
            return
        file, source = entry
        look = Look(source.document)
        for key in _ABOUT:
            if key in file.data:
                look.add(("data", key), f'"{key}" stands at the top of the file', "choose another name", key=True)
        shape = look.shape(file.data, ("data",))
        assert isinstance(shape, Object)  # noqa: S101 # a DataFile holds a mapping
        self._shapes[path.stem] = shape
        if look.problems:
            self._problems += look.problems
            self._unreadable.add(path.stem)
        self._keep(path.stem, file, source)

    def own(self, folder: Folder, path: Path) -> None:
        """A file of the user's: it must be like the one that it replaces."""
        if path.stem in self._unreadable:
            return
        if path.stem not in self._shapes:
            cure = did_you_mean(path.stem, self._shapes, "it has") or "remove the file"
            folder.add(path, f'the playbook has no data "{path.stem}"', cure)
            return
        entry = folder.read(path, DataFile, _STAND_INS)
        if entry is None:
            return
        file, source = entry
        look = Look(source.document)
        look.compare(file.data, self._shapes[path.stem], ("data",))
        self._problems += look.problems
        if not look.problems:
            self._keep(path.stem, file, source)

    def _keep(self, name: str, file: DataFile, source: Source) -> None:
        about = DataSource(id=name, as_of=file.as_of, source=file.source, origin=source.document.source)
        self._sources[name] = about
        self._places[name] = source.document
        values = typed(file.data, self._shapes[name])
        assert isinstance(values, dict)  # noqa: S101 # a DataFile holds a mapping
        self._values[about.variable] = {"as_of": file.as_of, "source": file.source, **values}

    def data(self) -> Data:
        """All that was read."""
        shapes = {self._sources[name].variable: Object({**_ABOUT, **s.fields}) for name, s in self._shapes.items()}
        return Data(self._sources, self._values, None if self._unreadable else Object(shapes), self._places)
