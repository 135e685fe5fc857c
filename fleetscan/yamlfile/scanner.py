"""PyYAML's own parser, in Python: it says more about a mistake than libyaml does, and works without it."""

from __future__ import annotations

from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError
from yaml.tokens import (
    AliasToken,
    AnchorToken,
    FlowEntryToken,
    FlowMappingStartToken,
    FlowSequenceStartToken,
    KeyToken,
    ScalarToken,
    ValueToken,
)

_BREAKS = "\r\n\x85\u2028\u2029"
_BLANKS = "\0 \t" + _BREAKS
_FLOW = ",[]{}"
_NO_KEY = FlowSequenceStartToken | FlowMappingStartToken | FlowEntryToken | KeyToken | ValueToken
"""After these nothing is there that could be a key."""


class PythonParser(Reader, Scanner, Parser):
    """The events of a document. Where PyYAML is stricter than YAML 1.2 for no good, it is overruled."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def scan_to_next_token(self) -> None:
        """Also passes over tabs between brackets: JSON is often indented by them."""
        super().scan_to_next_token()
        while self.flow_level and self.peek() == "\t":
            self.forward()
            super().scan_to_next_token()

    def check_value(self) -> bool:
        """Between brackets, a colon before a text is a part of it where there is no key: `[::1]`, but `{"a":1}`."""
        if self.flow_level and self.peek(1) not in _BLANKS + _FLOW:
            return bool(self.tokens) and not isinstance(self.tokens[-1], _NO_KEY)
        return super().check_value()

    def check_plain(self) -> bool:
        """See `check_value`: what is no sign of a value begins a text."""
        return super().check_plain() or bool(self.flow_level and self.peek() == ":")

    def scan_anchor(self, TokenClass: type[AliasToken | AnchorToken]) -> AliasToken | AnchorToken:  # noqa: N803
        """The name of an anchor ends where YAML says, so that `&défaut` and `&hv.paris` are names."""
        start = self.get_mark()
        self.forward()
        length = 0
        while self.peek(length) not in _BLANKS + _FLOW:
            length += 1
        if not length:
            problem = f"expected a name, but found {self.peek()!r}"
            raise ScannerError("while scanning an anchor or an alias", start, problem, self.get_mark())
        name = self.prefix(length)
        self.forward(length)
        return TokenClass(name, start, self.get_mark())

    def scan_flow_scalar(self, style: str) -> ScalarToken:
        """Joins the two escapes that JSON writes for a character above U+FFFF; half of one is no text."""
        start = place = self.get_mark()
        try:
            token = super().scan_flow_scalar(style)
            token.value = token.value.encode("utf-16", "surrogatepass").decode("utf-16")
        except (ValueError, OverflowError) as error:
            if not isinstance(error, UnicodeDecodeError):
                place = self.get_mark()  # of the escape: chr() refused it
            problem = "found an escape that stands for no character"
            raise ScannerError("while scanning a double-quoted scalar", start, problem, place) from error
        return token

    def scan_plain(self) -> ScalarToken:
        """Between brackets, too, a colon ends a text only before a blank, and a `?` does not: `[C:, http://a/b?c]`."""
        start = end = self.get_mark()
        parts: list[str] = []
        spaces: list[str] = []
        while self.peek() != "#" and (length := self._plain_length()):
            self.allow_simple_key = False
            parts += [*spaces, self.prefix(length)]
            self.forward(length)
            end = self.get_mark()
            spaces = self.scan_plain_spaces(self.indent + 1, start) or []
            if not spaces or (not self.flow_level and self.column < self.indent + 1):
                break
        return ScalarToken("".join(parts), True, start, end)

    def _plain_length(self) -> int:
        ends = _BLANKS + _FLOW if self.flow_level else _BLANKS
        length = 0
        while (character := self.peek(length)) not in ends:
            if character == ":" and self.peek(length + 1) in _BLANKS:
                break
            length += 1
        return length
