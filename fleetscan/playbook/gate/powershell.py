"""The gate for PowerShell: refuses a probe unless every piece of its syntax tree is known to read only.

tree-sitter's grammar is not PowerShell's own parser, so the gate does not trust it with what it cannot see: every
character must belong to a token of a known form, tokens whose reading is in doubt are refused (here-strings, backticks,
block comments, text that is not ASCII), and a bare word may not stand where PowerShell could begin a command with it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

from fleetscan.errors import Problem
from fleetscan.model.playbook import Language
from fleetscan.playbook.gate import allowed, cmdlets, tokens
from fleetscan.playbook.gate.commands import CommandRules
from fleetscan.playbook.gate.made import Origins
from fleetscan.playbook.gate.syntax import Node, Script, short
from fleetscan.playbook.gate.texts import TextRules
from fleetscan.suggest import did_you_mean

_WORD = re.compile(r"[A-Za-z0-9_.*?-]+")
_LOOPS = {"foreach_statement", "for_statement", "while_statement", "do_statement", "switch_statement"}
_BORDERS = {"script_block_expression", "function_statement", "program"}


class PowerShellGate:
    """One look at one script. `commands`, `methods` and `types` are what was seen, for a comparison with PowerShell."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.problems: list[Problem] = []
        self.methods: list[str] = []
        self.types: list[str] = []
        functions = {script.text_of(node).casefold() for node in script.nodes if node.kind == "function_name"}
        self._texts = TextRules(script, self.refuse)
        self._origins = Origins(script, self.refuse)
        self._commands = CommandRules(script, self.refuse, functions, self._origins)
        self._rules: dict[str, Callable[[Node], None]] = {
            "command": self._commands.check,
            "invokation_expression": self._method,
            "member_access": self._member,
            "member_name": self._member_name,
            "expandable_string_literal": self._texts.expandable,
            "type_literal": self._type,
            "script_block_expression": self._block,
            "variable": self._variable,
            "comparison_operator": self._operator,
            "attribute": self._attribute,
            "function_statement": self._function,
            "flow_control_statement": self._flow,
        }

    @property
    def commands(self) -> list[str]:
        """The names of all commands that were seen, as written."""
        return self._commands.seen

    def run(self) -> None:
        """Look at everything."""
        for comment in self.script.comments:
            self._texts.comment(comment)
        self._visit(self.script.root)
        self._origins.finish()

    def refuse(self, where: Node | int, message: str, cure: str = "") -> None:
        """Note a mistake."""
        self.problems.append(self.script.problem(where, message, cure))

    def _visit(self, node: Node) -> None:
        if self._passes(node) and node.children and node.kind not in tokens.LEAVES:
            self._texts.gaps(node)
            for child in node.children:
                self._visit(child)

    def _passes(self, node: Node) -> bool:
        """Whether the node itself is harmless, so that what is in it has to be looked at."""
        kind = node.kind
        pattern = tokens.LEAVES.get(kind)
        if pattern is not None and not self._leaf(node, pattern):
            return False
        if kind in tokens.KEYWORDS and not self._texts.stands_alone(node):
            return False
        rule = self._rules.get(kind)
        if rule is not None:
            rule(node)
        elif kind in tokens.REFUSED:
            self.refuse(node, *tokens.REFUSED[kind])
            return False
        elif kind in tokens.PLAIN:
            return bool(node.children) or self._spelled(node)
        elif pattern is None and kind not in ("command_name", "command_name_expr"):
            self.refuse(node, f"`{short(self.script.text_of(node))}` is not allowed in a probe ({kind})")
            return False
        return True

    def _spelled(self, node: Node) -> bool:
        """A piece with nothing in it is the word that it is called by; only cases of a switch are free words."""
        text = self.script.text_of(node)
        if text.strip().casefold() in ("", node.kind) or (
            node.kind == "switch_clause_condition" and _WORD.fullmatch(text)
        ):
            return True
        self.refuse(node, f"`{short(text)}` cannot be read with certainty", "quote it")
        return False

    def _leaf(self, node: Node, pattern: re.Pattern[str]) -> bool:
        text = self.script.text_of(node)
        if node.kind == "generic_token" and tokens.TO_NULL.fullmatch(text):
            return True
        if not pattern.fullmatch(text):
            self.refuse(node, *_odd(node.kind, text))
            return False
        if node.kind in ("generic_token", "simple_name", "command_parameter") and self.script.starts_line(node):
            parent = node.parent.kind if node.parent else ""
            if parent not in ("key_expression", "switch_clause_condition"):
                self.refuse(
                    node, f"`{short(text)}` begins a line", "write the command on one line, or fill a variable first"
                )
                return False
        if node.kind in ("verbatim_string_characters", "generic_token"):
            self._texts.words(node, text.strip("'"))
        return True

    def _operator(self, node: Node) -> None:
        operator = self.script.text_of(node).casefold()
        right = _after(node)
        if operator in ("-as", "-is", "-isnot") and (right is None or right.kind != "type_literal"):
            self.refuse(
                node, f"{operator} needs a type: a text could name any type, and make one", "write [int], [datetime] …"
            )

    def _type(self, node: Node) -> None:
        name = self.script.text_of(node)[1:-1]
        self.types.append(name)
        if node.inside("catch_type_list") and name.casefold().endswith("exception"):
            return
        if name.casefold() not in allowed.TYPES:
            near = did_you_mean(name, allowed.TYPES) if "." not in name else ""
            cure = near or "use [string], [int], [long], [bool], [datetime] …"
            self.refuse(node, f"the type [{name}] is not allowed in a probe", cure)

    def _attribute(self, node: Node) -> None:
        if node.child("attribute_name"):
            self.refuse(node, "an attribute is not allowed in a probe", "write only types before parameters")

    def _method(self, node: Node) -> None:
        name = node.child("member_name")
        if name is None:
            return  # a kind of its own, refused as such
        word = name.child("simple_name")
        if word is None:
            self.refuse(name, "the name of a method must be written out")
            return
        method = self.script.text_of(word)
        self.methods.append(method)
        if method.casefold() not in allowed.METHODS and node.child("::") is None:
            cure = allowed.METHOD_CURES.get(method.casefold(), "")
            self.refuse(word, f"the method {method}() is not known to be read-only", cure)
        self._touching(node, node.children[:3])
        arguments = node.child("argument_list")
        if arguments is None or arguments.start != name.end:
            self.refuse(node, "a blank before the arguments of a method", "write them together")

    def _member(self, node: Node) -> None:
        self._touching(node, node.children)

    def _touching(self, node: Node, pieces: list[Node]) -> None:
        if any(left.end != right.start for left, right in itertools.pairwise(pieces)):
            self.refuse(node, "a blank beside the dot", "write `object.member` together, and `, ` between values")

    def _member_name(self, node: Node) -> None:
        if node.children and node.children[0].kind not in (
            "simple_name",
            "verbatim_string_characters",
            "expandable_string_literal",
            "variable",
        ):
            self.refuse(node, "a computed member", "put the name into a variable first")

    def _block(self, node: Node) -> None:
        """A block of code is only allowed where a command of the list runs it at once, or as a case of a switch."""
        parent = node.parent.kind if node.parent else ""
        if parent != "switch_clause_condition" and not self._commands.takes_block(node):
            self.refuse(node, "a block of code is not allowed here", "write it where it is used: Where-Object { … }")

    def _variable(self, node: Node) -> None:
        self._origins.reads(node)

    def _function(self, node: Node) -> None:
        if self.script.text_of(node.children[0]).casefold() != "function":
            self.refuse(node, "only `function` is allowed", "use a function")
        name = node.child("function_name")
        word = self.script.text_of(name).casefold() if name is not None else ""
        if cmdlets.command(word) is not None or word in allowed.INSTEAD:
            self.refuse(name or node, "a function must not have the name of a cmdlet", "choose another name")
        elif "fleetscan" in word:
            # What a probe calls of fleetscan would find the probe's functions before its own.
            self.refuse(name or node, "a function must not be named as those of fleetscan", "choose another name")

    def _flow(self, node: Node) -> None:
        word = self.script.text_of(node.children[0]).casefold()
        if word in ("break", "continue") and not _in_loop(node):
            self.refuse(node, f"`{word}` outside of a loop would end the scan of the host", "use if, or a foreach loop")


def prove(text: str, source: str) -> list[Problem]:
    """The reasons why a PowerShell script is not proven to be read-only; none means that it is."""
    bad = tokens.NOT_ASCII.search(text)
    if bad is not None:
        script = Script("\n".join("" for _ in text.split("\n")), Language.POWERSHELL, source)
        line, column = text.count("\n", 0, bad.start()) + 1, bad.start() - text.rfind("\n", 0, bad.start())
        message = f"the character U+{ord(bad[0]):04X}: PowerShell takes some of its like for quotes and dashes"
        return [
            Problem(
                script.source, message, "write the probe in ASCII; a text may hold \\u escapes for -match", line, column
            )
        ]
    script = Script(text, Language.POWERSHELL, source)
    broken = script.broken()
    if broken is not None:
        return [_unreadable(script, broken)]
    gate = PowerShellGate(script)
    gate.run()
    return gate.problems


def _unreadable(script: Script, node: Node) -> Problem:
    """A syntax error, or what the grammar does not know: say how to write it."""
    line = script.line_text(node.start)
    cure = "check brackets and quotes; or write it in a simpler way, as docs/read-only.md shows"
    if re.search(r"[A-Za-z]\w*,\s*[A-Za-z@]", line):
        cure = "write lists of words as @('Name', 'Status')"
    elif re.search(r"\bswitch\b", line, re.IGNORECASE):
        cure = "put each clause of the switch on a line of its own"
    elif "param" in line:
        cure = "put param( ) and what follows it on lines of their own"
    return script.problem(node, "PowerShell code that this gate cannot read", cure)


def _after(node: Node) -> Node | None:
    siblings: Iterator[Node] = iter(node.parent.children if node.parent else ())
    for sibling in siblings:
        if sibling is node:
            return next(siblings, None)
    return None


def _in_loop(node: Node) -> bool:
    parent = node.parent
    while parent is not None and parent.kind not in _BORDERS:
        if parent.kind in _LOOPS:
            return True
        parent = parent.parent
    return False


def _odd(kind: str, text: str) -> tuple[str, str]:
    shown = f"`{short(text)}`"
    if kind == "variable":
        return f"the variable {shown} is not allowed in a probe", "use plain names: $name, or $env:NAME to read"
    if ">" in text or kind in ("redirected_file_name", "file_redirection_operator"):
        return "a probe must not write to a file", "only 2>$null and its like are allowed"
    if "\n" in text:
        return "a text over several lines", "write it on one line, or join several"
    if kind == "type_literal":
        return f"the type {shown} is not allowed in a probe", "use [string], [int], [long], [bool], [datetime] …"
    return f"{shown} cannot be read with certainty", "quote it"
