"""Plain values as YAML."""

from __future__ import annotations

import re

import yaml

from fleetscan.model.playbook import JSON
from fleetscan.yamlfile.values import FLOAT, INT

_TAG = "tag:yaml.org,2002:"
_LINE_END = re.compile("[\r\n\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.1 would convert, and what we do: `1e3` and `0o17` are texts to PyYAML."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Writes ends of lines as escapes: not all of them may stand in a document, and a text stays on its line."""
    return dumper.represent_scalar(_TAG + "str", text, style='"' if _LINE_END.search(text) else None)


_Dumper.add_representer(str, _text)
for kind, pattern in (("int", INT), ("float", FLOAT)):
    _Dumper.add_implicit_resolver(_TAG + kind, re.compile(rf"(?:{pattern.pattern})\Z"), list("-0123456789"))


def dump(data: JSON) -> str:
    """Plain values as YAML that `read` reads back."""
    return yaml.dump(data, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, sort_keys=False)
