"""The commands that a shell probe may call, and what their arguments must be like."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleetscan.playbook.gate.words import words

_SED_ADDRESS = r"(?:(?:[0-9]+|\$|/[^/\n]*/)(?:,(?:[0-9]+|\$|/[^/\n]*/))?)?"
_SED_SUBSTITUTION = r"s([/|,#])(?:(?!\1)[^\n\\]|\\[^\n])*\1(?:(?!\1)[^\n\\]|\\[^\n])*\1[gpI0-9]*"
_SED = re.compile(rf"{_SED_ADDRESS}(?:[pdq=]|{_SED_SUBSTITUTION}|\{{[npdqDNPhHgGx=; ]*\}})")
"""One command of sed that cannot write (`w`) or run (`e`) anything."""

_SYSTEMCTL_OPTION = re.compile(
    r"--(?:property|type|state)=.*|--(?:value|all|plain|no-pager|no-legend|quiet|full)|-[aqlp]"
)

Arguments = Sequence[tuple[str | None, str]]
"""Each argument: its text, which is None when the shell fills it in, and how it is written."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A command, what its arguments must be like, and how to say so."""

    fits: Callable[[Arguments], bool]
    usage: str = ""


def _any(arguments: Arguments) -> bool:
    return arguments is not None


def _words(*patterns: str) -> Callable[[Arguments], bool]:
    """The first arguments are written out and fit one pattern each; the last pattern holds for all others."""
    compiled = [re.compile(pattern) for pattern in patterns]

    def fits(arguments: Arguments) -> bool:
        places = compiled + [compiled[-1]] * (len(arguments) - len(compiled))
        return all(
            text is not None and place.fullmatch(text) for (text, _), place in zip(arguments, places, strict=False)
        )

    return fits


def _printf(arguments: Arguments) -> bool:
    return bool(arguments) and arguments[0][0] is not None and not arguments[0][0].startswith("-")


def _sed(arguments: Arguments) -> bool:
    rest = list(arguments)
    while rest and rest[0][0] in ("-n", "-E"):
        rest.pop(0)
    script = rest[0][0] if rest else None
    if script is None or not _SED.fullmatch(script):
        return False
    files = [written.strip("\"'") for _, written in rest[1:]]
    return all(file[:1] not in ("-", "$") for file in files)


def _systemctl(arguments: Arguments) -> bool:
    verbs = ("is-active", "is-enabled", "is-failed", "show", "list-units", "list-unit-files")
    texts = [text for text, _ in arguments]
    verb = next((text for text in texts if text is None or not text.startswith("-")), None)
    options = [text for text in texts if text is not None and text.startswith("-")]
    return verb in verbs and all(_SYSTEMCTL_OPTION.fullmatch(option) for option in options)


def _sort(arguments: Arguments) -> bool:
    return all(text is not None and re.fullmatch(r"-[nrufbk0-9,]+", text) for text, _ in arguments)


TOOLS = {
    **dict.fromkeys(
        words("true false : echo cat cut tr head tail wc basename dirname readlink ls ps pgrep"), Tool(_any)
    ),
    **dict.fromkeys(words("id od grep uname lsmod"), Tool(_any)),
    "printf": Tool(_printf, "printf 'format' value …"),
    "sed": Tool(
        _sed, "sed -n 's/…/…/p' file, one command in single quotes; where it depends on a variable, use grep and cut"
    ),
    "command": Tool(_words("-v", r"[A-Za-z0-9_.+-]+"), "command -v name"),
    "systemctl": Tool(_systemctl, "systemctl is-active|is-enabled|is-failed|show|list-units …"),
    "hostname": Tool(_words("-[fsI]"), "hostname -f"),
    "date": Tool(_words(r"-u|\+.*"), "date -u +%Y-%m-%dT%H:%M:%SZ"),
    "sort": Tool(_sort, "sort -n, from a pipe"),
    "uniq": Tool(_words("-[cdu]"), "uniq, from a pipe"),
    "read": Tool(_words("-r|[a-z_][a-z0-9_]*"), "read -r name"),
    "set": Tool(_words("[-+][euf]+"), "set -eu"),
    "shift": Tool(_words("[0-9]")),
    "return": Tool(_any),
    "exit": Tool(_any),
    "break": Tool(_words("[0-9]")),
    "continue": Tool(_words("[0-9]")),
    "dpkg-query": Tool(_words("-W|--show|-f=.*|--showformat=.*|[a-z0-9][a-z0-9.+*-]*"), "dpkg-query -W name"),
    "rpm": Tool(_words("-q|--query|-qa", r"--qf=.*|--queryformat=.*|[A-Za-z0-9][A-Za-z0-9._+*-]*"), "rpm -q name"),
    "modinfo": Tool(_words(r"-F|[a-z0-9_]+"), "modinfo -F version name"),
}
