"""The gate for POSIX sh: refuses a probe unless every piece of its syntax tree is known to read only.

The grammar is that of bash; what bash has and sh lacks is refused, and so is what some shells evaluate a second time
(arithmetic, subscripts, `test -v`, `printf -v`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fleetscan.errors import Problem
from fleetscan.model.playbook import Language
from fleetscan.playbook.gate.syntax import Node, Script, short
from fleetscan.playbook.gate.tools import TOOLS
from fleetscan.playbook.gate.words import words
from fleetscan.suggest import did_you_mean

_PLAIN = words(
    """program command pipeline list negated_command redirected_statement compound_statement do_group if_statement
    elif_clause else_clause for_statement while_statement case_statement case_item test_command binary_expression
    unary_expression parenthesized_expression command_substitution string simple_expansion expansion concatenation
    variable_assignment variable_assignments subshell ( ) { } [ ] ; ;; | || && ! $( $ ${ " = != < - + # ## % %% :-
    :+ - if then elif else fi for in do done while until case esac -eq -ne -gt -ge -lt -le -nt -ot -ef"""
)
_LEAVES = {
    "word": re.compile(r"[A-Za-z0-9_./:=,@%+*?~^!\[\]-]+"),
    "extglob_pattern": re.compile(r"[A-Za-z0-9_./:=,@%+*?-]+"),
    "regex": re.compile(r"[A-Za-z0-9_./:=,@%+*? -]*"),
    "number": re.compile(r"-?[0-9]+"),
    "raw_string": re.compile(r"'[^']*'"),
    "string_content": re.compile(r"(?:[^\\\"`$]|\\[\\\"$n])*"),
    "variable_name": re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]"),
    "special_variable_name": re.compile(r"[?#@*0]"),
    "file_descriptor": re.compile(r"[12]"),
    "test_operator": re.compile(r"-[bcdefhLnpSrstxz]"),
}
_ASSIGNABLE = re.compile(r"[a-z_][a-z0-9_]*|IFS|LC_ALL|LANG")
_ASCII = re.compile(r"[^\x20-\x7e\n\t]")
_REFUSED = {
    "arithmetic_expansion": ("arithmetic: some shells run what is in the values", "leave sums to the checks"),
    "heredoc_redirect": ("a here-document", "use printf"),
    "herestring_redirect": ("a here-string", "use printf and a pipe"),
    "process_substitution": ("process substitution, which sh does not know", "use a pipe"),
    "declaration_command": ("declaring variables", "write name=value"),
    "subscript": ("arrays, which sh does not know", "use plain variables"),
    "ansi_c_string": ("$'…', which sh does not know", "use printf"),
    "translated_string": ('$"…", which sh does not know', "use plain quotes"),
}


class _Gate:
    def __init__(self, script: Script) -> None:
        self.script = script
        self.problems: list[Problem] = []
        self._functions = {
            script.text_of(node.children[0])
            for node in script.nodes
            if node.kind == "function_definition" and node.children[0].kind == "word"
        }
        self._rules: dict[str, Callable[[Node], None]] = {
            "command": self._command,
            "file_redirect": self._redirect,
            "function_definition": self._function,
            "variable_assignment": self._assignment,
            "command_substitution": self._substitution,
            "test_command": self._test,
            "declaration_command": self._local,
        }

    def run(self) -> None:
        for comment in self.script.comments:
            if self.script.text[comment.start - 1 : comment.start].strip():
                self._refuse(
                    comment,
                    "a `#` that the shell may not read as a comment",
                    "put a blank before it, or quote the text",
                )
        self._visit(self.script.root)

    def _refuse(self, where: Node | int, message: str, cure: str = "") -> None:
        self.problems.append(self.script.problem(where, message, cure))

    def _visit(self, node: Node) -> None:
        if self._passes(node) and node.children and node.kind not in ("file_redirect", "declaration_command"):
            self._gaps(node)
            for child in node.children:
                self._visit(child)

    def _passes(self, node: Node) -> bool:
        """Whether the node itself is harmless, so that what is in it has to be looked at."""
        kind, text = node.kind, self.script.text_of(node)
        rule = self._rules.get(kind)
        if kind in _LEAVES:
            return self._leaf(node, text)
        if rule is not None:
            rule(node)
        elif kind in _REFUSED:
            message, cure = _REFUSED[kind]
            self._refuse(node, f"{message} is not allowed in a probe", cure)
            return False
        elif kind not in _PLAIN and kind != "command_name":
            self._refuse(node, f"`{short(text)}` is not allowed in a probe ({kind})")
            return False
        elif not node.children and text not in ("", kind):
            self._refuse(node, f"`{short(text)}` cannot be read with certainty", "quote it")
            return False
        return True

    def _leaf(self, node: Node, text: str) -> bool:
        if not _LEAVES[node.kind].fullmatch(text):
            self._refuse(node, f"`{short(text)}` cannot be read with certainty", "quote it")
        elif text.strip("\"'").startswith("/dev/") and text != "/dev/null" and not node.inside("test_command"):
            self._refuse(node, "to open a device can do something", "ask only whether it exists: [ -e /dev/… ]")
        else:
            return True
        return False

    def _gaps(self, node: Node) -> None:
        at, end = (node.start, node.end) if node.parent else (0, len(self.script.text))
        inside_text = node.kind == "string"
        for child in [*node.children, Node("", end, end)]:
            gap = self.script.text[at : child.start]
            if gap.strip() and not inside_text and not self._comment_only(at, child.start):
                self._refuse(at, f"`{short(gap.strip())}` cannot be read with certainty", "write it in a simpler way")
            elif inside_text and not _LEAVES["string_content"].fullmatch(gap):
                self._refuse(at, "a text in double quotes that cannot be read with certainty", "use single quotes")
            at = child.end

    def _comment_only(self, start: int, end: int) -> bool:
        rest = self.script.text[start:end]
        return all(not line.strip() or line.lstrip().startswith("#") for line in rest.split("\n"))

    def _command(self, node: Node) -> None:
        name_node = node.child("command_name")
        if name_node is None or len(name_node.children) != 1 or name_node.children[0].kind != "word":
            self._refuse(node, "the name of a command must be written out")
            return
        name = self.script.text_of(name_node)
        arguments = [
            (self._static(child), self.script.text_of(child)) for child in node.children if self._is_argument(child)
        ]
        if name in self._functions:
            return
        tool = TOOLS.get(name)
        if tool is None:
            self._refuse(
                name_node, f"the command `{short(name)}` is not known to be read-only", did_you_mean(name, TOOLS)
            )
        elif not tool.fits(arguments):
            self._refuse(
                node, f"`{name}` with these arguments is not known to be read-only", f"write {tool.usage or name}"
            )

    @staticmethod
    def _is_argument(node: Node) -> bool:
        return node.kind not in ("command_name", "variable_assignment", "file_redirect")

    def _static(self, node: Node) -> str | None:
        """The text of an argument, or None when the shell fills it in."""
        text = self.script.text_of(node)
        if node.kind in ("word", "number"):
            return text
        if node.kind == "raw_string":
            return text[1:-1]
        if node.kind == "string" and "$" not in text and "\\" not in text:
            return text[1:-1]
        if node.kind == "concatenation":
            parts = [self._static(child) for child in node.children]
            return None if None in parts else "".join(part or "" for part in parts)
        return None

    def _redirect(self, node: Node) -> None:
        operator = next((child for child in node.children if child.kind != "file_descriptor"), None)
        target = node.children[-1]
        text = self.script.text_of(target)
        kind = operator.kind if operator else ""
        if kind == "<":
            self._visit(target)
        elif not ((kind == ">" and text == "/dev/null") or (kind == ">&" and text in ("1", "2"))):
            self._refuse(
                node, "a probe must not write to a file", "only >/dev/null, 2>/dev/null, 2>&1 and >&2 are allowed"
            )

    def _function(self, node: Node) -> None:
        if node.children[0].kind != "word":
            self._refuse(node, "`function` is not sh", "write name() { … }")
        elif self.script.text_of(node.children[0]) in TOOLS:
            self._refuse(node, "a function must not have the name of a command", "choose another name")

    def _assignment(self, node: Node) -> None:
        name = self.script.text_of(node.children[0])
        if not _ASSIGNABLE.fullmatch(name):
            self._refuse(node, f"the variable {short(name)} must not be assigned", "use a name in small letters")

    def _local(self, node: Node) -> None:
        if self.script.text_of(node.children[0]) != "local":
            self._refuse(node, "declaring variables is not allowed in a probe", "write name=value")
            return
        for child in node.children[1:]:
            self._visit(child)

    def _substitution(self, node: Node) -> None:
        if not self.script.text_of(node).startswith("$("):
            self._refuse(node, "backquotes are not allowed in a probe", "write $(…)")

    def _test(self, node: Node) -> None:
        if node.children[0].kind != "[":
            self._refuse(node, "`[[` is not sh", "write [ … ] with texts in double quotes")
        for part in node.walk():
            if part.kind in ("simple_expansion", "expansion") and not (part.parent and part.parent.kind == "string"):
                self._refuse(
                    part, "a value without quotes in a test could be an operator", 'put it into double quotes: "$name"'
                )


def prove(text: str, source: str) -> list[Problem]:
    """The reasons why a shell script is not proven to be read-only; none means that it is."""
    bad = _ASCII.search(text)
    if bad is not None:
        line, column = text.count("\n", 0, bad.start()) + 1, bad.start() - text.rfind("\n", 0, bad.start())
        message = f"the character U+{ord(bad[0]):04X} is not allowed in a probe"
        return [Problem(source, message, "write the probe in ASCII, with line feeds", line, column)]
    script = Script(text, Language.SH, source)
    broken = script.broken()
    if broken is not None:
        return [
            script.problem(
                broken, "shell code that this gate cannot read", "check quotes, and that every if, for and case ends"
            )
        ]
    gate = _Gate(script)
    gate.run()
    return gate.problems
