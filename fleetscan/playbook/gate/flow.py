"""What the value of a piece of PowerShell may hold: parts of variables, things from Windows, or neither."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fleetscan.playbook.gate import allowed
from fleetscan.playbook.gate.syntax import Node, Script

_COPIES = {
    *("decimal_integer_literal", "hexadecimal_integer_literal", "real_literal", "verbatim_string_characters"),
    *(
        "expandable_string_literal",
        "invokation_expression",
        "format_expression",
        "range_expression",
        "logical_expression",
    ),
    *("bitwise_expression", "type_literal", "generic_token"),
}
"""Pieces whose value is a text, a number, a time or a truth. (Only methods that give such are allowed.)"""
_COPYING_OPERATORS = re.compile(r"-(?:is|isnot|[ic]?(?:not)?(?:contains|in)|join|[ic]?(?:split|replace)|shl|shr)")
_CONSTANTS = {"null", "true", "false", "pid", "lastexitcode", "psculture", "psuiculture", "?", "matches"}
_STATEMENTS = {"elseif_clauses", "elseif_clause", "else_clause", "switch_body", "switch_clauses", "switch_clause"} | {
    f"{name}_statement" for name in ("if", "switch", "foreach", "for", "while", "do", "try")
}


_BINARY = ("comparison_expression", "additive_expression", "multiplicative_expression")
_LISTS = (
    "array_expression",
    "sub_expression",
    "parenthesized_expression",
    "array_literal_expression",
    "statement_list",
)
_BLOCKS = ("statement_block", "catch_clauses", "catch_clause", "finally_clause")


@dataclass(frozen=True, slots=True)
class Flow:
    """What a value may hold: parts of these variables, and (`foreign`) things from Windows."""

    variables: frozenset[str] = frozenset()
    foreign: bool = False

    def __or__(self, other: Flow) -> Flow:
        return Flow(self.variables | other.variables, self.foreign or other.foreign)


NOTHING = Flow()
FOREIGN = Flow(foreign=True)


class Flows:
    """Says of each piece of one script what its value may hold."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._rules: dict[str, Callable[[Node], Flow]] = {
            "variable": self._variable_flow,
            **dict.fromkeys(("member_access", "element_access"), self._part_flow),
            "expression_with_unary_operator": self._unary_flow,
            **dict.fromkeys(_BINARY, self._binary_flow),
            **dict.fromkeys(("hash_literal_expression", "hash_literal_body", "hash_entry"), self._hash_flow),
            **dict.fromkeys(_LISTS, lambda node: self._union(_values(node))),
            "pipeline_chain": self._pipeline_flow,
            "command": self._command_flow,
            "assignment_expression": self._assigned_flow,
            **dict.fromkeys((*_STATEMENTS, *_BLOCKS), lambda node: self._union(_outputs(node))),
        }

    def of(self, node: Node) -> Flow:
        """What the value of a piece may hold. What is not known here counts as foreign."""
        if node.kind in _COPIES:
            return NOTHING
        rule = self._rules.get(node.kind)
        return rule(node) if rule is not None else FOREIGN

    def _union(self, nodes: Iterable[Node]) -> Flow:
        result = NOTHING
        for node in nodes:
            result |= self.of(node)
        return result

    def _variable_flow(self, node: Node) -> Flow:
        name = self._script.variable(node)
        if name in _CONSTANTS or name.startswith("env:"):
            return NOTHING
        return FOREIGN if name in allowed.READABLE else Flow(frozenset({name}))

    def _part_flow(self, node: Node) -> Flow:
        member = node.child("member_name")
        if member is not None and self._script.text_of(member).casefold() in ("count", "length"):
            return NOTHING
        return self.of(node.children[0])

    def _unary_flow(self, node: Node) -> Flow:
        first = node.children[0]
        if first.kind == "cast_expression":
            type_name = self._script.text_of(first.children[0]).strip("[").removesuffix("]").casefold()
            return NOTHING if type_name in allowed.SCALAR_TYPES else self.of(first.children[1])
        return self.of(node.children[-1]) if first.kind == "," else NOTHING

    def _binary_flow(self, node: Node) -> Flow:
        """`-eq` and its like give the fitting elements of a list; `+` joins two lists."""
        left, operator, right = node.children
        if node.kind == "comparison_expression":
            copies = _COPYING_OPERATORS.fullmatch(self._script.text_of(operator).casefold())
            return NOTHING if copies else self.of(left)
        return self.of(left) | self.of(right) if self._script.text_of(operator) in "+*" else NOTHING

    def _pipeline_flow(self, node: Node) -> Flow:
        stages = [child for child in node.children if child.kind != "|"]
        flow = self.of(stages[0])
        for stage in stages[1:]:
            if self._script.command(stage) not in allowed.PASSING_COMMANDS:
                flow = self.of(stage)
        return flow

    def _command_flow(self, node: Node) -> Flow:
        name = self._script.command(node)
        return NOTHING if name in allowed.DATA_COMMANDS or name in allowed.NATIVE else FOREIGN

    def _hash_flow(self, node: Node) -> Flow:
        return self._union(
            child for child in node.children if child.kind not in ("key_expression", "@{", "}", "=", ";")
        )

    def _assigned_flow(self, node: Node) -> Flow:
        return self.of(node.children[-1]) | self.of(node.children[0].children[0])


def _values(node: Node) -> Iterator[Node]:
    return (child for child in node.children if child.kind not in ("@(", "$(", "(", ")", ",", ";", "empty_statement"))


def _outputs(node: Node) -> Iterator[Node]:
    """The pieces of a statement that give values: its blocks, not its conditions."""
    for child in node.children:
        if child.kind == "statement_block":
            for statement in child.children:
                yield from _statements(statement)
        elif child.kind in _STATEMENTS or child.kind in _BLOCKS:
            yield from _outputs(child)


def _statements(node: Node) -> Iterator[Node]:
    if node.kind == "statement_list":
        for child in node.children:
            yield from _statements(child)
    elif node.kind not in ("{", "}", "empty_statement", "assignment_expression", "flow_control_statement"):
        yield node
