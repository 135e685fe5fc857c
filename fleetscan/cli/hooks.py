"""Commands that the user wants to be run after a scan, for mail and webhooks: without a shell, within a time limit."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fleetscan.errors import InputError
from fleetscan.suggest import did_you_mean

SECONDS = 120
"""How long a command may take: the next night must not wait for a mail server."""

PLACEHOLDERS = ("report", "run", "status", "new", "fixed")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Hook:
    """A command, word by word, with placeholders in it. `option` is how the user calls it."""

    option: str
    words: tuple[str, ...]

    def run(self, values: Mapping[str, str], hidden: Collection[str]) -> str:
        """Run it to its end; returns what is to be told if it failed. The variables `hidden` hold secrets: not for it.

        What it writes goes to standard error: standard output belongs to the report.
        """
        words = [_PLACEHOLDER.sub(lambda match: values[match[1]], word) for word in self.words]
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return f"the command of {self.option} did not end within {SECONDS} s, and was ended"
        except (OSError, ValueError) as error:
            return f"the command of {self.option} cannot be started: {error}"
        return f"the command of {self.option} failed with exit status {done.returncode}" if done.returncode else ""


def parse(option: str, line: str, *, reports: bool) -> Hook:
    """Split a command into words as a shell would. Raises InputError for what could not be run later.

    `reports`: whether there will be a report in a file, which `{report}` names.
    """
    try:
        words = _split(line)
    except ValueError as error:
        raise InputError.of(option, f"the command cannot be understood: {error}", "close its quotes") from error
    if not words:
        raise InputError.of(option, "the command is empty", "name a program")
    for name in (name for word in words for name in _PLACEHOLDER.findall(word)):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
            cure = did_you_mean(name, PLACEHOLDERS) or f"there are {known}"
            raise InputError.of(option, f"{{{name}}} is not known", cure)
        if name == "report" and not reports:
            raise InputError.of(option, "{report} needs a report", "write one with -o FILE")
    if shutil.which(words[0]) is None:
        raise InputError.of(option, f'there is no program "{words[0]}"', "give its path")
    return Hook(option, tuple(words))


def _split(line: str) -> list[str]:
    if os.name == "posix":
        return shlex.split(line)
    # A backslash is part of a path there, and quotes stand around whole words.
    return [word[1:-1] if word[:1] == word[-1:] == '"' else word for word in shlex.split(line, posix=False)]
