"""Texts with parts that are computed: `Enable the backup service of {vm.name}.` (`{{` and `}}` are literal braces.)"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from fleetscan.errors import ExpressionError
from fleetscan.model.playbook import JSON, Bound, Expression

UNKNOWN = "?"
"""Stands where a part cannot be computed."""


@dataclass(frozen=True, slots=True)
class Part:
    """An expression in a text, and the offset at which it begins."""

    source: str
    offset: int


class TemplateError(Exception):
    """The braces of a text do not fit; `offset` is where."""

    def __init__(self, message: str, cure: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.offset = offset


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A text, cut into literal pieces and compiled expressions."""

    source: str
    pieces: tuple[str | Expression, ...]

    def render(self, bound: Bound) -> str:
        """The text with its parts filled in; a part that cannot be computed shows as `?`."""
        return "".join(piece if isinstance(piece, str) else _filled(piece, bound) for piece in self.pieces)


def split(text: str) -> list[str | Part]:
    """The literal pieces and the expressions of a text; raises TemplateError."""
    pieces: list[str | Part] = []
    literal = ""
    at = 0
    while at < len(text):
        if text[at : at + 2] in ("{{", "}}"):
            literal += text[at]
            at += 2
        elif text[at] == "{":
            end = _end(text, at + 1)
            pieces += [literal, Part(text[at + 1 : end], at + 1)]
            literal = ""
            at = end + 1
        elif text[at] == "}":
            raise TemplateError("a `}` without `{` before it", "write }} for a literal brace", at)
        else:
            literal += text[at]
            at += 1
    return [piece for piece in [*pieces, literal] if piece]


def show(value: JSON) -> str:
    """A value as people read it: lists with commas, at most two decimals."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return ", ".join(show(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def _filled(expression: Expression, bound: Bound) -> str:
    try:
        return show(expression.evaluate(bound))
    except ExpressionError:
        return UNKNOWN


def _end(text: str, start: int) -> int:
    """The index of the `}` that ends the expression which begins at `start`."""
    depth = 0
    quote = ""
    at = start
    while at < len(text):
        char = text[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "}" and depth == 0:
            if not text[start:at].strip():
                raise TemplateError("`{}` holds no expression", "write {{}} for literal braces", start - 1)
            return at
        else:
            depth += (char in "{[(") - (char in "}])")
        at += 1
    raise TemplateError("a `{` without `}` behind it", "write {{ for a literal brace", start - 1)


def sources(pieces: Sequence[str | Part]) -> list[Part]:
    """The expressions among the pieces."""
    return [piece for piece in pieces if isinstance(piece, Part)]
