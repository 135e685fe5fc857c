"""Where values come from: what a probe made itself it may change, what it got from Windows it may not.

Setting a property of an object from Windows can write: `(Get-Item x).IsReadOnly = $true` changes a file. So every
value is followed, without regard to the order of the statements: two variables that may hold parts of the same
structure are in one group, and a group is *foreign* as soon as anything from a command may be in it. Elements and
properties may be set in variables of groups that are not foreign, and, one level deep, in variables that are only
ever filled with a table or a list written in the probe, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Callable

from fleetscan.playbook.gate import allowed
from fleetscan.playbook.gate.flow import FOREIGN, NOTHING, Flow, Flows
from fleetscan.playbook.gate.syntax import Node, Script
from fleetscan.suggest import did_you_mean

Refuse = Callable[..., None]

_FILLED = {
    "get-scvmmserver": (
        "a server must not be named: a probe asks only the host that it runs on",
        "Get-SCVMMServer -ComputerName 'localhost'",
    ),
    "get-obmachinesetting": (
        "a proxy must not be named: it is the one that the agent's own settings name",
        "Get-OBMachineSetting",
    ),
}
"""Commands that alone may fill certain variables: what is wrong with anything else, and what to write."""
_WRITTEN = {"hash_literal_expression", "array_expression"}


class Origins:
    """Follows the variables of one script."""

    def __init__(self, script: Script, refuse: Refuse) -> None:
        self._script = script
        self._refuse = refuse
        self._flows = Flows(script)
        self._groups: dict[str, str] = {}
        self._foreign: set[str] = set()
        self._sources: dict[str, list[Node | None]] = {}
        self._reads: list[tuple[str, Node]] = []
        self._changes: list[tuple[str, int, Node]] = []
        self._demands: list[tuple[str, str, Node]] = []
        self._written: set[int] = set()
        for node in script.nodes:
            self._statement(node)

    def fill(self, name: str, node: Node) -> None:
        """A command fills the variable, which `node` names, with things of its own."""
        self._assignable(name.casefold(), node)
        self._assign(name.casefold(), None, FOREIGN)

    def reads(self, node: Node) -> None:
        """The variable at `node` is used (or is the target of an assignment)."""
        if id(node) not in self._written:
            self._reads.append((self._script.variable(node), node))

    def must_come_from(self, node: Node, command: str) -> None:
        """The value at `node` must be a variable that only `command` fills."""
        if node.kind != "variable":
            self._refuse(node, _FILLED[command][0], f"use a variable filled by {command}")
        else:
            self._demands.append((self._script.variable(node), command, node))

    def finish(self) -> None:
        """Judge, once all is seen."""
        for name, node in self._reads:
            known = name in self._sources or name in allowed.READABLE or name.startswith("env:")
            if not known and name not in allowed.ASSIGNABLE_PREFERENCES:
                cure = did_you_mean(name, self._sources) or "a probe reads nothing from outside: fill it first"
                self._refuse(node, f"the variable ${name} is never filled", cure)
        for name, depth, node in self._changes:
            if not self._may_change(name, depth):
                self._refuse(
                    node,
                    f"`{self._script.text_of(node)[:60]}` may change something that is not the probe's own",
                    "put what you need from Windows into a new table as text, number or truth, and change that",
                )
        for name, command, node in self._demands:
            if not self._comes_from(name, command):
                self._refuse(
                    node,
                    f"${name} is not only filled by {command}",
                    f"write ${name} = {_FILLED[command][1]}",
                )

    def _statement(self, node: Node) -> None:
        if node.kind == "assignment_expression":
            target, value = node.children[0].children[0], node.children[-1]
            self._target(target, value)
        elif node.kind == "foreach_statement":
            pieces = [child for child in node.children if child.kind not in ("foreach", "(", ")", "in")]
            self._target(pieces[0], None, self._flows.of(pieces[1]))
        elif node.kind == "script_parameter":
            variable = node.child("variable")
            if variable is not None:
                self._target(variable, None, FOREIGN)
        elif node.kind.endswith(("crement_expression",)):
            operand = next(child for child in node.children if child.kind not in ("++", "--"))
            self._target(operand, None, NOTHING)

    def _target(self, node: Node, value: Node | None, flow: Flow | None = None) -> None:
        flow = self._flows.of(value) if flow is None and value is not None else flow or NOTHING
        if node.kind == "expression_with_unary_operator" and node.children[0].kind == "cast_expression":
            node = node.children[0].children[1]
        if node.kind == "array_literal_expression":
            for child in node.children:
                if child.kind != ",":
                    self._target(child, None, flow)
            return
        base, depth = node, 0
        while base.kind in ("member_access", "element_access"):
            base, depth = base.children[0], depth + 1
        if base.kind != "variable":
            self._refuse(
                node, "only variables, and parts of variables, can be assigned", "put the value into a variable first"
            )
            return
        name = self._script.variable(base)
        if depth == 0:
            self._written.add(id(base))
            self._assignable(name, base)
            self._assign(name, value, flow)
        else:
            self._changes.append((name, depth, node))
            self._join(name, flow)

    def _assignable(self, name: str, node: Node) -> None:
        special = name in allowed.RESERVED or name.startswith(("ps", "fleetscan")) or name.endswith("preference")
        if (special and name not in allowed.ASSIGNABLE_PREFERENCES and name != "null") or ":" in name:
            text = self._script.text_of(node)
            self._refuse(node, f"{text} must not be assigned: it is not the probe's own", "choose another name")

    def _assign(self, name: str, value: Node | None, flow: Flow) -> None:
        self._sources.setdefault(name, []).append(value)
        self._join(name, flow)

    def _join(self, name: str, flow: Flow) -> None:
        group = self._group(name)
        for other in flow.variables:
            joined = self._group(other)
            self._groups[joined] = group
            if joined in self._foreign:
                self._foreign.add(group)
        if flow.foreign:
            self._foreign.add(group)

    def _group(self, name: str) -> str:
        while self._groups.setdefault(name, name) != name:
            name = self._groups[name]
        return name

    def _may_change(self, name: str, depth: int) -> bool:
        sources = self._sources.get(name, [])
        if not sources:
            return False
        if self._group(name) not in self._foreign:
            return True
        return depth == 1 and all(source is not None and _is_written(source) for source in sources)

    def _comes_from(self, name: str, command: str) -> bool:
        sources = self._sources.get(name, [])
        return bool(sources) and all(
            source is not None and source.kind == "command" and self._script.command(source) == command
            for source in sources
        )


def _is_written(node: Node) -> bool:
    """Whether the value is a table or a list that is written in the probe."""
    if node.kind == "expression_with_unary_operator" and node.children[0].kind == "cast_expression":
        node = node.children[0].children[1]
    return node.kind in _WRITTEN
