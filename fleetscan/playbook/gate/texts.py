"""What stands between and inside the tokens of a PowerShell probe: blanks, comments, quoted texts."""

from __future__ import annotations

from collections.abc import Callable

from fleetscan.playbook.gate import tokens
from fleetscan.playbook.gate.syntax import Node, Script, short

Refuse = Callable[..., None]


class TextRules:
    """Looks at the characters of one script."""

    def __init__(self, script: Script, refuse: Refuse) -> None:
        self._script = script
        self._refuse = refuse

    def words(self, node: Node, text: str) -> None:
        """What a text may not say: where a path leads cannot be proven, but this can be seen."""
        if tokens.PRODUCT.search(text):
            self._refuse(
                node, "asking for Win32_Product makes Windows repair installed software", "read the registry instead"
            )
        before = node.before
        if tokens.UNC.search(text) and not (before and tokens.TEXT_OPERATORS.fullmatch(self._script.text_of(before))):
            self._refuse(node, "a network path: a probe asks only the host that it runs on", "use a path on the host")

    def gaps(self, node: Node) -> None:
        """Between the pieces there may be only blanks and comments: nothing escapes the gate."""
        if node.kind == "expandable_string_literal":
            return
        at, end = (node.start, node.end) if node.parent else (0, len(self._script.text))
        for child in [*node.children, Node("", end, end)]:
            gap = self._script.text[at : child.start]
            if gap.strip() and not self._only_comments(at, child.start):
                self._refuse(at, f"`{short(gap.strip())}` cannot be read", "write it in a simpler way")
            at = child.end

    def _only_comments(self, start: int, end: int) -> bool:
        text = self._script.text
        for comment in self._script.comments:
            if start <= comment.start and comment.end <= end:
                if text[start : comment.start].strip():
                    return False
                start = comment.end
        return not text[start:end].strip()

    def comment(self, node: Node) -> None:
        """Only a comment of one line, which PowerShell reads as one, too."""
        text = self._script.text_of(node)
        before = self._script.text[node.start - 1 : node.start]
        if text.startswith("<#"):
            self._refuse(node, "a block comment is not allowed in a probe", "begin each line with #")
        elif before.strip() or node.inside("expandable_string_literal"):
            self._refuse(
                node, "a `#` that PowerShell may not read as a comment", "put a blank before it, or quote the text"
            )
        elif text.casefold().startswith("#requires"):
            self._refuse(node, "`#requires` is not allowed in a probe", "write # and a blank")

    def expandable(self, node: Node) -> None:
        """In a text in double quotes, the pieces that PowerShell fills in must be those of the tree."""
        text = self._script.text
        at = node.start + 1
        literal = ""
        for child in [*node.children, Node("", node.end - 1, node.end - 1)]:
            piece = tokens.ESCAPES.sub(" ", text[at : child.start])
            literal += f"{piece}$"
            if child.start < at or tokens.HIDDEN.search(piece):
                self._refuse(
                    at, "a text in double quotes that cannot be read with certainty", "use single quotes, -f or -join"
                )
                return
            at = child.end
        node.children = [child for child in node.children if child.kind != '""']
        self.words(node, literal.removesuffix("$"))

    def stands_alone(self, node: Node) -> bool:
        """PowerShell reads `throw'a'` as the command `throwa`."""
        before, after = self._script.text[node.start - 1 : node.start], self._script.text[node.end : node.end + 1]
        alone = (not before or before in " \t\n;{}()=") and (not after or after in " \t\n;{}()")
        if not alone:
            self._refuse(node, f"`{node.kind}` touches what stands beside it", "put a blank between them")
        return alone
