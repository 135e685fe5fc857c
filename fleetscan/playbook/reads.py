"""What the expressions of a check read, so that no more than that is made ready for them.

CEL takes a variable as a whole: it converts every key and every text of it, for each object anew. What a host answers
about a machine has a hundred of those, a check reads three.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from fleetscan.model.playbook import JSON, ObjectType

Path: TypeAlias = tuple[str, ...]
"""The fields that lead to what is read; the empty path stands for all there is."""
_Parts: TypeAlias = "dict[str, _Parts] | None"
"""Field → the parts of it that are read; None stands for all of them."""


HOSTS = "hosts"
"""The variable of checks across hosts."""
_OBJECTS = {"host", *(kind.value for kind in ObjectType)}
_IDENTITY: set[Path] = {(), ("id",), ("name",)}


class Reads:
    """The parts of each variable that some expressions of a check read. Compared by identity."""

    __slots__ = ("_parts", "common")

    def __init__(self, used: Mapping[str, Iterable[Path]]) -> None:
        self._parts = {name: _tree(paths) for name, paths in sorted(used.items())}
        self.common = not any(_names_one(name, path) for name, paths in used.items() for path in paths)
        """Whether it may be the same on several objects."""

    def of(self, variables: Mapping[str, JSON]) -> dict[str, JSON]:
        """These parts of the variables. What is no object, where fields of one are read, stays as it is."""
        return {name: _part(variables[name], parts) for name, parts in self._parts.items() if name in variables}


def _names_one(variable: str, path: Path) -> bool:
    """Whether this is an object as a whole, its identity, or what other hosts said."""
    return variable == HOSTS or (variable in _OBJECTS and path in _IDENTITY)


def _tree(paths: Iterable[Path]) -> _Parts:
    tree: dict[str, _Parts] = {}
    below: dict[str, list[Path]] = {}
    for path in paths:
        if not path:
            return None
        below.setdefault(path[0], []).append(path[1:])
    for name, rest in below.items():
        tree[name] = _tree(rest)
    return tree


def _part(value: JSON, parts: _Parts) -> JSON:
    if parts is None or not isinstance(value, dict):
        return value
    return {name: _part(value[name], inner) for name, inner in parts.items() if name in value}
