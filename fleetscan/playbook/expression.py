"""Expressions in CEL, by cel-expr-python: compiled once when a playbook is loaded, evaluated for each object.

cel-expr-python 0.1.3 gives a value of type ERROR where CEL fails; only a broken budget (10,000 loop steps) raises. A
loop over whole answers is therefore bounded. https://github.com/google/cel-spec has the language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cel_expr_python import cel

from fleetscan.errors import ExpressionError
from fleetscan.model.playbook import JSON, Bound
from fleetscan.playbook.celtree import Tree, decode
from fleetscan.playbook.gate.words import words
from fleetscan.playbook.reads import Reads
from fleetscan.suggest import did_you_mean

RESERVED = words(
    """true false null in as break const continue else for function if import let loop package namespace return var
    void while cel math optional strings int uint double bool string bytes list map type"""
)
"""Words that cannot be the name of a variable."""

# Named so, the extensions are those that the runtime holds already: `cel_expr_python.ext` would load each once more,
# from a library of its own, for 10 MB of memory.
_EXTENSIONS = """
name: fleetscan
extensions: [{name: optional}, {name: strings}, {name: bindings}, {name: math}]
"""

_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_EXPECTING = re.compile(r" expecting \{.*\}")
_UNDECLARED = re.compile(r"undeclared reference to '([^'.]+)[^']*' \(in container ''\)")
_NO_OVERLOAD = re.compile(r"found no matching overload for '(.*)' applied to '(.*)'")
_TYPE_NAMES = (("google.protobuf.", ""), ("optional_type", "optional"), ("dyn", "any"))


MOST_KNOWN, LONGEST_KNOWN = 64, 1000
"""How many values of an expression are remembered, and for how long a text of what it reads: that takes memory."""

_NUMBERS = cel.Type.List(cel.Type.DYN)


def _sum(numbers: list[Any]) -> float:
    """What CEL lacks: the sum of a list of numbers."""
    return float(sum(numbers))


class CompileError(Exception):
    """CEL refuses an expression. `line` (from 1) and `column` (from 1) count in its text."""

    def __init__(self, message: str, cure: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.line = line
        self.column = column


class Part:
    """A part of the variables of one object. `constants` are those of all objects."""

    __slots__ = ("_activation", "_constants", "_env", "_values", "text")

    def __init__(self, env: Any, constants: Mapping[str, JSON], values: Mapping[str, JSON], common: bool) -> None:
        self.text = repr(values) if common else ""
        """Equal for equal values of the same types, which `==` would not tell apart: 1, 1.0 and true."""
        self._env = env
        self._constants = constants
        self._values = values
        self._activation: Any = None

    @property
    def activation(self) -> Any:
        """CEL's form of it, made when it is first asked for."""
        if self._activation is None:
            self._activation = self._env.Activation({**self._constants, **self._values})
        return self._activation


class Variables:
    """The variables of one object, ready for expressions; `constants` has those of all objects by what is read."""

    def __init__(self, env: Any, constants: Callable[[Reads], Mapping[str, JSON]], values: Mapping[str, JSON]) -> None:
        self._env = env
        self._constants = constants
        self._values = values
        self._parts: dict[Reads, Part] = {}

    def part(self, reads: Reads) -> Part:
        """What is read of them."""
        part = self._parts.get(reads)
        if part is None:
            constants, values = self._constants(reads), reads.of(self._values)
            part = self._parts[reads] = Part(self._env, constants, values, reads.common)
        return part


class Program:
    """An expression that CEL has accepted, and compiles again when it is first evaluated: most messages never are.

    What CEL makes of an expression takes 20 KB.
    """

    __slots__ = ("_compiled", "_env", "_text", "returns")

    def __init__(self, env: Any, text: str, returns: Any) -> None:
        self.returns = returns
        """The type that CEL knows it to have."""
        self._env = env
        self._text = text
        self._compiled: Any = None

    def eval(self, activation: Any) -> Any:
        """Its value, as CEL gives it."""
        if self._compiled is None:
            self._compiled = self._env.compile(self._text)
        return self._compiled.eval(activation)


@dataclass(frozen=True, slots=True)
class CelExpression:
    """A compiled expression. `reads` is what is handed to CEL: what it reads, and others beside it.

    What is read decides the value, and is the same on many hosts and machines: their values are remembered.
    """

    source: str
    position: str
    program: Program | None
    """None: it could not be compiled, and stands in for what is told of as a mistake."""
    reads: Reads
    must_judge: bool = False
    """Only true and false are accepted."""
    _known: dict[str, JSON] = field(default_factory=dict, compare=False, repr=False)

    def evaluate(self, bound: Bound) -> JSON:
        """The value; raises ExpressionError for what CEL calls an error, and for what is no JSON."""
        assert isinstance(bound, Variables)  # noqa: S101 - of one engine, which took it
        part = bound.part(self.reads)
        if part.text in self._known:
            return self._known[part.text]
        value = self._computed(part)
        if 0 < len(part.text) <= LONGEST_KNOWN:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[part.text] = value
        return value

    def _computed(self, part: Part) -> JSON:
        assert self.program is not None  # noqa: S101 - it compiled, or its playbook was refused
        try:
            value = self.program.eval(part.activation)
            result = value.plain_value()
        except RuntimeError as error:  # the budget of 10,000 steps is used up
            raise self._error(_plain(str(error))) from error
        except TypeError as error:  # the library has no Python form for an optional
            raise self._error("it gave an optional value: end it with .orValue(…)") from error
        if result is True or result is False:
            return bool(result)
        if value.type() == cel.Type.ERROR:
            raise self._error(_plain(str(result)))
        if self.must_judge:
            raise self._error(f"it gave {str(result)[:60]!r}, not true or false")
        return self._json(result)

    def _json(self, value: Any) -> JSON:
        if isinstance(value, datetime):
            return value.isoformat().replace("+00:00", "Z")
        if isinstance(value, timedelta):
            return f"{value.total_seconds():g} s"
        if isinstance(value, dict):
            return {str(key): self._json(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._json(item) for item in value]
        if value is None or isinstance(value, str | int | float):
            return value
        raise self._error(f"it gave a value of type {type(value).__name__}")

    def _error(self, reason: str) -> ExpressionError:
        return ExpressionError(f"{self.position}: {self.source.strip()[:120]}: {reason}")


class Engine:
    """Compiles the expressions of one playbook, whose variables are `names`; `constants` are those of every object."""

    def __init__(self, names: Iterable[str], constants: Mapping[str, JSON] | None = None) -> None:
        fixed = dict(constants or {})
        self._read_constants: Callable[[Reads], Mapping[str, JSON]] = cache(lambda reads: reads.of(fixed))
        self._names = frozenset(names) | fixed.keys()
        self._programs: dict[str, Program] = {}
        self._env = cel.NewEnv(
            config=cel.NewEnvConfigFromYaml(_EXTENSIONS),
            variables=dict.fromkeys(self._names, cel.Type.DYN),
            functions=[cel.FunctionDecl("sum", [cel.Overload("sum_list", cel.Type.DOUBLE, [_NUMBERS], False, _sum)])],
        )

    def compile(self, text: str) -> tuple[Program, Tree]:
        """The program and its syntax tree; raises CompileError. Equal texts, which are many, share a program."""
        try:
            compiled = self._env.compile(text)
            tree = decode(compiled.serialize(), text)
        except RuntimeError as error:
            raise self._compile_error(text, str(error)) from error
        except ValueError as error:
            raise CompileError(str(error), "split it, with cel.bind(name, part, rest)", 1, 1) from error
        return self._programs.setdefault(text, Program(self._env, text, compiled.return_type())), tree

    def bind(self, variables: Mapping[str, JSON]) -> Variables:
        """Make variables ready for all expressions of the playbook."""
        return Variables(self._env, self._read_constants, variables)

    def _compile_error(self, source: str, text: str) -> CompileError:
        match = _ERROR.search(text)
        if match is None:
            return CompileError(_plain(text), "", 1, 1)
        message = match[3].removesuffix("[INVALID_ARGUMENT]").strip()
        line, column = int(match[1]), int(match[2])
        unknown, unfit = _UNDECLARED.search(message), _NO_OVERLOAD.search(message)
        if unknown is not None:
            return self._unknown_name(source, unknown[1], line, column)
        if unfit is not None:
            message = f"{unfit[1].strip('_')} does not take {_readable_types(unfit[2])}"
            return CompileError(message, "end it with .orValue(…)" if "optional" in message else "", line, column)
        message = _EXPECTING.sub("", message).removeprefix("Syntax error: ")
        return CompileError(message.replace("'<EOF>'", "end of the expression"), "", line, column)

    def _unknown_name(self, source: str, name: str, line: int, column: int) -> CompileError:
        """CEL points behind the name where a field of it is read."""
        first = re.search(rf"(?<![\w.]){re.escape(name)}\b", source.split("\n")[line - 1])
        column = first.start() + 1 if first is not None else column
        cure = did_you_mean(name, self._names)
        return CompileError(f'there is no variable or function "{name}"', cure, line, column)


def statically_boolean(program: Program) -> bool:
    """Whether CEL itself knows of no other type than true and false."""
    return program.returns in (cel.Type.BOOL, cel.Type.DYN)


def _readable_types(text: str) -> str:
    for name, readable in _TYPE_NAMES:
        text = text.replace(name, readable)
    return text.lower()


def _plain(text: str) -> str:
    """CEL's message without the name of its status code."""
    return re.sub(r"^[A-Z_]+: | \[[A-Z_]+\]$", "", text.strip().partition("\n")[0])
