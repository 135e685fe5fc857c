"""Which commands a PowerShell probe may call, and with which arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from fleetscan.playbook.gate import allowed, cmdlets
from fleetscan.playbook.gate.cmdlets import Command, Kind
from fleetscan.playbook.gate.made import Origins
from fleetscan.playbook.gate.syntax import Node, Script
from fleetscan.suggest import did_you_mean

Refuse = Callable[..., None]

_NAME = re.compile(r"(?:([A-Za-z.-]+)\\)?([A-Za-z]+-[A-Za-z0-9]+)")
_RANGE = re.compile(r"[0-9]+\.\.[0-9]+")
_READING_VERBS = ("get-", "test-", "measure-", "select-", "where-", "sort-", "group-", "convertto-", "convertfrom-")
_ONLY_READS = "a probe only reads; docs/read-only.md lists the commands that it may call"
_VARIABLE_NAME = re.compile(r"'?\+?([A-Za-z][A-Za-z0-9]*)'?")
_STATIC_KINDS = {
    "generic_token",
    "verbatim_string_characters",
    "decimal_integer_literal",
    "hash_literal_body",
    "hash_entry",
    "key_expression",
    "simple_name",
    "array_literal_expression",
    "array_expression",
    "hash_literal_expression",
    "script_block_expression",
    "parenthesized_expression",
    "statement_list",
    "empty_statement",
    *("@(", "@{", "(", ")", "}", ",", ";", "="),
}


class CommandRules:
    """Looks at each command of one script. `seen` are the names, as written."""

    def __init__(self, script: Script, refuse: Refuse, functions: set[str], origins: Origins) -> None:
        self.seen: list[str] = []
        self._script = script
        self._refuse = refuse
        self._functions = functions
        self._origins = origins
        self._blocks: set[int] = set()

    def takes_block(self, node: Node) -> bool:
        """Whether a block of code stands where a command of the list runs it, as the gate saw before."""
        return id(node) in self._blocks

    def check(self, node: Node) -> None:
        """Look at one command, before what is in it."""
        name_node = node.child("command_name")
        if name_node is None:
            return  # invoked by an operator, which is refused as such
        name = self._script.text_of(name_node)
        elements = node.child("command_elements")
        if _RANGE.fullmatch(name) and elements is None:
            return  # the grammar takes a range of numbers for a command
        self.seen.append(name)
        arguments = elements.children if elements else []
        self._one_line(name_node, arguments)
        piped = node.before is not None and node.before.kind == "|"
        if name.casefold() in allowed.NATIVE:
            self._native(name_node, name, arguments, piped)
        elif name.casefold() in self._functions:
            self._arguments(None, name, arguments)
        else:
            known = self._known(name_node, name)
            if known is not None:
                if piped and not known.piped:
                    self._refuse(
                        node,
                        f"{known.name} must not get its input from a pipe: an object could choose another computer",
                        "hand it over by parameters in a foreach loop",
                    )
                self._arguments(known, name, arguments)
            else:  # refused already: its blocks need no second message, only a look inside
                self._blocks.update(id(argument) for argument in arguments)

    def _one_line(self, name: Node, arguments: list[Node]) -> None:
        last = name
        for node in arguments:
            if self._script.line_of(node.start) != self._script.line_of(last.end):
                self._refuse(
                    node, "a command over several lines", "write it on one line, or put values into variables first"
                )
                return
            last = node

    def _known(self, node: Node, name: str) -> Command | None:
        match = _NAME.fullmatch(name)
        known = cmdlets.command(match[2]) if match else None
        if known is not None and match is not None:
            if match[1] is None or match[1].casefold() == known.module.casefold():
                return known
            self._refuse(node, f"{known.name} is in the module {known.module}", f"write {known.module}\\{known.name}")
            return None
        full = allowed.ALIASES.get(name.casefold())
        if full:
            self._refuse(node, f"the alias `{name}` is not allowed: a host may define its own", f"write {full}")
            return None
        cure = allowed.INSTEAD.get(name.casefold()) or did_you_mean(name, cmdlets.names())
        if name[:1].isdigit() and ".." in name:
            cure = "write a range that ends in a variable as (1)..$last"
        elif not cure or not name.casefold().startswith(_READING_VERBS):
            cure = allowed.INSTEAD.get(name.casefold()) or _ONLY_READS
        self._refuse(node, f"the command `{name[:60]}` is not known to be read-only", cure)
        return None

    def _native(self, node: Node, name: str, arguments: list[Node], piped: bool) -> None:
        words = [self._script.text_of(argument) for argument in arguments if not self._is_redirection(argument)]
        places = allowed.NATIVE[name.casefold()]
        fits = 0 < len(words) <= len(places) and all(
            word.casefold() in place for word, place in zip(words, places, strict=False)
        )
        if not fits or piped:
            usage = " ".join("|".join(sorted(place)) for place in places)
            self._refuse(node, f"{name} is only allowed to read", f"write {name} {usage}")

    def _is_redirection(self, node: Node) -> bool:
        return node.kind == "redirection" or (node.kind == "generic_token" and ">" in self._script.text_of(node))

    def _arguments(self, known: Command | None, name: str, arguments: list[Node]) -> None:
        """`known` is None for a function of the probe itself, which takes any value."""
        positional = list(known.positional) if known else [Kind.ANY] * len(arguments)
        kind: Kind | None = None
        for node in arguments:
            if node.kind == "command_parameter":
                kind = self._parameter(known, node)
            elif self._is_redirection(node) or node.kind == "command_argument_sep":
                continue
            elif kind is not None and kind is not Kind.SWITCH:
                self._argument(name, node, kind)
                kind = None
            elif positional:
                self._argument(name, node, positional.pop(0))
            else:
                self._refuse(node, f"{name} gets a value without a parameter", "write the name of the parameter")

    def _parameter(self, known: Command | None, node: Node) -> Kind:
        text = self._script.text_of(node)[1:]
        if known is None:
            return Kind.ANY
        for parameter, kind in known.parameters.items():
            if parameter.casefold() == text.casefold():
                return kind
        full = [parameter for parameter in known.parameters if parameter.casefold().startswith(text.casefold())]
        if text.casefold() in ("computername", "cimsession", "session", "credential", "cluster", "vmmserver", "server"):
            message, cure = f"-{text}: a probe asks only the host that it runs on", "leave it out"
        elif len(full) == 1:
            message, cure = f"the parameter -{text} is abbreviated", f"write -{full[0]}"
        else:
            message = f"the parameter -{text} of {known.name} is not known to be read-only"
            cure = did_you_mean(text, known.parameters, "known are")
        self._refuse(node, message, cure)
        return Kind.ANY

    def _argument(self, name: str, node: Node, kind: Kind) -> None:
        text = self._script.text_of(node)
        if kind is Kind.BLOCK:
            if node.kind == "script_block_expression":
                self._blocks.add(id(node))
            else:
                self._refuse(node, f"{name} needs a block of code, written in place", f"write {name} {{ … }}")
        elif kind is Kind.STATIC:
            self._static(name, node)
        elif kind is Kind.NAME:
            match = _VARIABLE_NAME.fullmatch(text)
            if match is None:
                self._refuse(node, f"`{text[:40]}` is no name for a variable", "write a plain name, such as 'problems'")
            else:
                self._origins.fill(match[1], node)
        elif kind is Kind.MODULE and text.strip("'\"").casefold() not in cmdlets.MODULES:
            self._refuse(
                node, f"the module {text[:60]} is not known", "leave it out: PowerShell loads the modules of commands"
            )
        elif kind is Kind.HERE and text.strip("'\"").casefold() not in ("localhost", "$env:computername"):
            self._refuse(node, "a probe asks only the host that it runs on", "write 'localhost'")
        elif kind is Kind.WRITTEN and not _is_text(node):
            cure = "write one text in single quotes"
            self._refuse(node, f"{name} sends this out: nothing that the host knows may be in it", cure)
        elif kind in cmdlets.FILLED_BY:
            self._origins.must_come_from(node, cmdlets.FILLED_BY[kind])

    def _static(self, name: str, node: Node) -> None:
        for part in _outside_blocks(node):
            if part.kind == "script_block_expression":
                self._blocks.add(id(part))
            literal = part.kind == "expandable_string_literal" and not part.children
            if part.kind not in _STATIC_KINDS and not literal:
                self._refuse(
                    part,
                    f"{name} needs its properties written out: a block of code from elsewhere would be run",
                    "write texts in single quotes, or @{ Name = '…'; Expression = { … } }",
                )
                return


def _is_text(node: Node) -> bool:
    literal = node.kind == "expandable_string_literal" and not node.children
    return literal or node.kind in ("generic_token", "verbatim_string_characters")


def _outside_blocks(node: Node) -> Iterator[Node]:
    yield node
    if node.kind not in ("script_block_expression", "expandable_string_literal"):
        for child in node.children:
            yield from _outside_blocks(child)
