"""A YAML document as it was written: values, tags and places, before anything is converted.

Named tuples: a playbook has twenty thousand nodes, and a frozen dataclass takes four times as long to make.
"""

from __future__ import annotations

from typing import NamedTuple


class Scalar(NamedTuple):
    """A text; `plain` says that it stands without quotes and without a tag."""

    line: int
    column: int
    tag: str | None
    text: str
    plain: bool


class Sequence(NamedTuple):
    """A list. An item may be one of the lists around it, by an alias."""

    line: int
    column: int
    tag: str | None
    items: list[Node]


class Mapping(NamedTuple):
    """Keys and values in their order, equal keys included."""

    line: int
    column: int
    tag: str | None
    pairs: list[tuple[Node, Node]]


Node = Scalar | Sequence | Mapping
"""Lines and columns count from 1, columns in characters; a node begins at its anchor or tag if it has one."""
