"""What the values of a document are, as JSON knows them, and what is wrong with the others."""

from __future__ import annotations

import math
import re

from fleetscan.errors import InputError, Problem
from fleetscan.model.playbook import JSON
from fleetscan.model.text import one_line
from fleetscan.yamlfile.compose import MAX_DEPTH, too_deep
from fleetscan.yamlfile.tree import Mapping, Node, Scalar, Sequence

MAX_REPEATS = 10_000
"""Values that aliases may add to a document. A few nested aliases multiply into billions otherwise."""

_TAG = "tag:yaml.org,2002:"
_CONVERTED = {_TAG + kind for kind in ("null", "bool", "int", "float", "timestamp", "value")}
_MERGE = _TAG + "merge"
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INT = re.compile(r"-?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+")
FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_MAX_DIGITS = 100


class Reader:
    """Turns the tree of a document into plain values and collects what is wrong with it."""

    def __init__(self, source: str) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._seen: set[int] = set()
        self._repeats = 0
        self._depth = 0

    def value(self, node: Node) -> JSON:
        """The value of a node; raises InputError where going on is pointless: alias bombs, endless depth."""
        self._count(node)
        self._depth += 1
        if self._depth > MAX_DEPTH:  # an alias to one of its own parents ends here
            raise too_deep(self._source, node.line, node.column)
        value: JSON
        if isinstance(node, Scalar):
            value = self._scalar(node)
        elif isinstance(node, Sequence):
            self._check_tag(node, "seq")
            value = [self.value(item) for item in node.items]
        else:
            self._check_tag(node, "map")
            value = self._mapping(node)
        self._depth -= 1
        return value

    def _count(self, node: Node) -> None:
        if id(node) in self._seen:
            self._repeats += 1
            if self._repeats > MAX_REPEATS:
                self._add(
                    node,
                    f"aliases repeat more than {MAX_REPEATS} values",
                    "write them out, or use fewer aliases",
                )
                raise InputError(self.problems)
        self._seen.add(id(node))

    def _mapping(self, node: Mapping) -> JSON:
        result: dict[str, JSON] = {}
        lines: dict[str, int] = {}
        for name, item in node.pairs:
            key = self._key(name)
            if key is None:
                self.value(item)  # for what else is wrong
            elif key in lines:
                self._add(name, f'the key "{one_line(key)}" is here twice', f"line {lines[key]} has it already")
            else:
                lines[key] = name.line
                result[key] = self.value(item)
        return result

    def _key(self, node: Node) -> str | None:
        if not isinstance(node, Scalar):
            self._add(node, "a list or a mapping cannot be a key", "use a text as key, or quote the value")
        elif node.tag == _MERGE or (node.plain and node.text == "<<"):
            self._add(
                node,
                "merge keys (`<<`) are not read",
                "write the keys out, or repeat whole values by aliases",
            )
        else:
            return node.text
        return None

    def _scalar(self, node: Scalar) -> JSON:
        if node.plain or node.tag in _CONVERTED:
            return self._converted(node)
        self._check_tag(node, "str")
        return node.text

    def _converted(self, node: Scalar) -> JSON:
        text = node.text
        if text in _WORDS:
            return _WORDS[text]
        integer, number = INT.fullmatch(text), FLOAT.fullmatch(text)
        if (integer or number) and len(text) > _MAX_DIGITS:
            self._add(node, f"a number of {len(text)} characters", "quote it if it is a text")
            return None
        if integer:
            return int(text, 0)
        if number and math.isfinite(value := float(text)):
            return value
        return node.text

    def _check_tag(self, node: Node, kind: str) -> None:
        if node.tag not in {None, _TAG + kind}:
            self._add(node, f"the tag {one_line(str(node.tag))} is not known", "remove the tag")

    def _add(self, node: Node, message: str, cure: str) -> None:
        self.problems.append(Problem(self._source, message, cure, node.line, node.column))
