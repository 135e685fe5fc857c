"""Finds mistakes in expressions that CEL itself cannot see: its variables are open, the declared shapes are not.

A typo in a path, a comparison that can never hold, a probe that is not listed: all are found when a playbook is loaded,
not on the night when the value first comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fleetscan.playbook.celtree import Call, Constant, Entries, Ident, Items, Loop, Node, Select, Tree
from fleetscan.playbook.kinds import (
    BOOL,
    DURATION,
    EMPTY,
    INT,
    NULL,
    NUMBER,
    STRING,
    TIMESTAMP,
    Optional,
    Plain,
    Type,
    category,
    is_number,
    is_time,
    is_version,
    item,
    join,
)
from fleetscan.playbook.reads import Path
from fleetscan.playbook.shape import List, Map, Object, Scalar
from fleetscan.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake at a character of an expression."""

    offset: int
    message: str
    cure: str = ""


@dataclass(slots=True)
class Reading:
    """What an expression reads and comes to."""

    kind: Type = None
    faults: list[Fault] = field(default_factory=list)
    used: dict[str, set[Path]] = field(default_factory=dict)
    """Variable → what is read of it."""


def read(tree: Tree, variables: Mapping[str, Type], refused: Mapping[str, tuple[str, str]]) -> Reading:
    """Walk an expression. `refused` are variables that exist but may not be used here, each with message and cure."""
    reader = _Reader(tree, variables, refused)
    reader.reading.kind = reader.kind(tree.root, {})
    faults = reader.reading.faults
    reader.reading.faults = sorted(set(faults), key=lambda fault: fault.offset)
    return reader.reading


_Scope = Mapping[str, Type]
_RESULTS: dict[str, Type] = {
    **dict.fromkeys(("size", "int", "indexOf", "lastIndexOf"), INT),
    **dict.fromkeys(("string", "lowerAscii", "upperAscii", "replace", "substring", "trim", "join"), STRING),
    **dict.fromkeys(("charAt", "format", "strings.quote", "reverse"), STRING),
    **dict.fromkeys(
        ("matches", "startsWith", "endsWith", "contains", "bool", "hasValue", "math.isNaN", "math.isInf"), BOOL
    ),
    **dict.fromkeys(("@not_strictly_false", "math.isFinite"), BOOL),
    **dict.fromkeys(("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"), INT),
    **dict.fromkeys(("getHours", "getMinutes", "getSeconds", "getMilliseconds"), INT),
    **dict.fromkeys(("double", "sum"), NUMBER),
    "split": List(STRING),
    "timestamp": TIMESTAMP,
    "duration": DURATION,
}
_LITERALS: dict[str, Type] = {
    "null_value": NULL,
    "bool_value": BOOL,
    "int64_value": INT,
    "double_value": NUMBER,
    "string_value": STRING,
}
_PARTS = {"_?._", "_[_]", "_[?_]"}
_TEXT_METHODS = {"matches", "startsWith", "endsWith", "contains"}
_SIGNS = {
    "_==_": "==",
    "_!=_": "!=",
    "_<_": "<",
    "_<=_": "<=",
    "_>_": ">",
    "_>=_": ">=",
    "_&&_": "&&",
    "_||_": "||",
    "!_": "!",
}
_SIGNS |= {"_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%"}


class _Reader:
    def __init__(self, tree: Tree, variables: Mapping[str, Type], refused: Mapping[str, tuple[str, str]]) -> None:
        self.reading = Reading()
        self._tree = tree
        self._variables = variables
        self._refused = refused
        self._rules: dict[str, Callable[[Call, list[Type], _Scope], Type]] = {
            **dict.fromkeys(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"), self._comparison),
            **dict.fromkeys(("_+_", "_-_", "_*_", "_/_", "_%_"), self._arithmetic),
            **dict.fromkeys(("_&&_", "_||_", "!_"), self._logic),
            "@in": self._membership,
            "_?_:_": lambda _, kinds, __: join(kinds[1], kinds[2]),
            "orValue": lambda _, kinds, __: join(_inner(kinds[0]), kinds[1]),
            "or": lambda _, kinds, __: join(kinds[0], kinds[1]),
            "value": lambda _, kinds, __: _inner(kinds[0]),
            "optional.of": lambda _, kinds, __: Optional(kinds[0]),
            "optional.ofNonZeroValue": lambda _, kinds, __: Optional(kinds[0]),
            "optional.none": lambda _, __, ___: Optional(None),
            "-_": lambda _, kinds, __: kinds[0],
        }

    def kind(self, node: Node, scope: _Scope) -> Type:
        """What a node comes to; notes what it reads and what is wrong with it."""
        match node:
            case Constant():
                return _LITERALS.get(node.kind)
            case Ident():
                return self._variable(node, scope, ())
            case Select():
                return self._select(node, scope, ())
            case Call():
                return self._call(node, scope)
            case Items():
                return self._list([self.kind(element, scope) for element in node.elements])
            case Entries():
                return self._struct(node, scope)
            case Loop():
                return self._loop(node, scope)

    def _fault(self, node: Node, message: str, cure: str = "", *, word: str = "") -> None:
        """Note a mistake, at a word of the text if there is one."""
        offset = self._tree.offset_of(word, node) if word else self._tree.offset(node)
        self.reading.faults.append(Fault(offset, message, cure))

    def _variable(self, node: Ident, scope: _Scope, used: Path) -> Type:
        name = node.name
        if name in scope:
            return scope[name]
        if name in self._refused:
            self._fault(node, *self._refused[name])
            return None
        if name in self._variables:
            self.reading.used.setdefault(name, set()).add(used)
        return self._variables.get(name)

    def _owner(self, node: Node, scope: _Scope, used: Path) -> Type:
        """What fields are read of, one in the other; a variable is then read in these only."""
        match node:
            case Ident():
                return self._variable(node, scope, used)
            case Select():
                return self._select(node, scope, used)
            case Call(function=function) if function in _PARTS:
                return self._part(node, scope, used)
            case _:
                return self.kind(node, scope)

    def _select(self, node: Select, scope: _Scope, used: Path) -> Type:
        """`a.b` and `has(a.b)`."""
        kind = self._field(node, self._owner(node.operand, scope, (node.field, *used)), node.field)
        return BOOL if node.test_only else kind

    def _field(self, node: Node, owner: Type, name: str) -> Type:
        if isinstance(owner, Optional):
            return Optional(self._field(node, owner.inner, name))
        if isinstance(owner, Object):
            if name not in owner.fields:
                cure = did_you_mean(name, owner.fields, "it has") or "the probe does not report it"
                self._fault(node, f'there is no field "{name}"', cure, word=name)
            return owner.fields.get(name)
        if isinstance(owner, Map):
            return owner.value
        if owner is not None:
            self._fault(node, f'{category(owner)} has no field "{name}"', word=name)
        return None

    def _call(self, node: Call, scope: _Scope) -> Type:
        if node.function in _PARTS:
            return self._part(node, scope, ())
        parts = node.args if node.target is None else (node.target, *node.args)
        kinds = [self.kind(part, scope) for part in parts]
        rule = self._rules.get(node.function)
        if rule is not None:
            return rule(node, kinds, scope)
        if node.function in _TEXT_METHODS and category(kinds[0]) not in ("", "a text"):
            self._fault(node, f"{node.function}() needs a text, this is {category(kinds[0])}", "write string(…)")
        return _RESULTS.get(node.function)

    def _part(self, node: Call, scope: _Scope, used: Path) -> Type:
        """`a.?b`, `a[b]` and `a[?b]`."""
        owner_node, index = node.args
        name = index.text if isinstance(index, Constant) else ""
        owner = self._owner(owner_node, scope, (name, *used) if name else ())
        if not name:
            self.kind(index, scope)
        was_optional = isinstance(owner, Optional)
        owner = _inner(owner)
        if name and not isinstance(owner, List):
            found = self._field(owner_node, owner, name)
        else:
            found = owner.value if isinstance(owner, Map) else owner.item if isinstance(owner, List) else None
        return Optional(found) if was_optional or "?" in node.function else found

    def _list(self, kinds: list[Type]) -> Type:
        if not kinds:
            return EMPTY
        common = kinds[0]
        for kind in kinds[1:]:
            common = join(common, kind)
        return List(common) if isinstance(common, Scalar | Object | Map | List) else None

    def _struct(self, node: Entries, scope: _Scope) -> Type:
        for part in node.parts:
            self.kind(part, scope)
        return None

    def _loop(self, loop: Loop, scope: _Scope) -> Type:
        """`all`, `exists`, `map`, `filter` and `cel.bind` are all loops once CEL has unfolded them."""
        over = self.kind(loop.iter_range, scope)
        if category(over) not in ("", "a list", "an object"):
            self._fault(loop.iter_range, f"a loop needs a list, this is {category(over)}")
        inside = {**scope, loop.iter_var: item(over)}
        start = self.kind(loop.accu_init, scope)
        inside[loop.accu_var] = start
        self.kind(loop.loop_condition, inside)
        step = self.kind(loop.loop_step, inside)
        return self.kind(loop.result, {**scope, loop.accu_var: join(start, step)})

    def _comparison(self, node: Call, kinds: list[Type], _: _Scope) -> Type:
        left, right = kinds
        sign = _SIGNS[node.function]
        categories = {category(left), category(right)} - {""}
        if NULL in kinds:
            self._fault(node, "null is dropped before judging, so this never holds", "use has(a.b), or a.?b.orValue(…)")
        elif Optional in (type(left), type(right)) and len(categories) == 2:
            self._fault(node, f"{sign} compares an optional value", "end it with .orValue(…)")
        elif len(categories) == 2:
            self._fault(node, f"{sign} compares {category(left)} with {category(right)}", _conversion(left, right))
        elif is_time(left) and is_time(right) and sign not in ("==", "!="):
            self._fault(node, f"{sign} compares times as texts", "write timestamp(…) on both sides")
        elif is_version(left) or is_version(right):
            cure = "compare number by number: version.split('.') gives four texts, int(…) a number of each"
            self._fault(node, f"{sign} compares versions as texts", cure)
        return BOOL

    def _arithmetic(self, node: Call, kinds: list[Type], _: _Scope) -> Type:
        left, right = kinds
        sign = _SIGNS[node.function]
        known = "" not in (category(left), category(right))
        times = isinstance(left, Plain) and isinstance(right, Plain)
        if known and not times and category(left) != category(right):
            cure = _conversion(left, right) or "write string(…)"
            self._fault(node, f"{sign} cannot join {category(left)} and {category(right)}", cure)
            return None
        if is_number(left) and is_number(right) and str(left) != str(right):
            self._fault(
                node, f"{sign} cannot mix whole numbers and others", "write double(…) around the whole one, or add .0"
            )
            return NUMBER
        if times:
            return _time_sum(left, right)
        return join(left, right)

    def _logic(self, node: Call, kinds: list[Type], _: _Scope) -> Type:
        for part, kind in zip(node.args, kinds, strict=True):
            if category(kind) not in ("", "true or false"):
                cure = "end it with .orValue(false)" if isinstance(kind, Optional) else "compare it with something"
                self._fault(part, f"{_SIGNS[node.function]} needs true or false, this is {category(kind)}", cure)
        return BOOL

    def _membership(self, node: Call, kinds: list[Type], _: _Scope) -> Type:
        wanted, found = category(kinds[0]), category(item(kinds[1]))
        if wanted and found and wanted != found:
            self._fault(node, f"`in` looks for {wanted} among items that are each {found}")
        return BOOL


def _inner(kind: Type) -> Type:
    return kind.inner if isinstance(kind, Optional) else kind


def _time_sum(left: Type, right: Type) -> Type:
    return DURATION if left == right else TIMESTAMP


def _conversion(left: Type, right: Type) -> str:
    if TIMESTAMP in (left, right) and (is_time(left) or is_time(right)):
        return "write timestamp(…) around the text"
    if DURATION in (left, right):
        return "write duration('24h') for a span of time"
    return ""
