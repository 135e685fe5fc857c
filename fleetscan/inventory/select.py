"""Host patterns, as Ansible has them: `paris:&hyperv:!hv07`, globs, slices, `@file`, `-`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from fleetscan import yamlfile
from fleetscan.errors import InputError, Problem
from fleetscan.inventory.lookup import Lookup, NoMatchError
from fleetscan.inventory.pattern import Term, split
from fleetscan.model.host import Host, Inventory
from fleetscan.model.text import one_line

PATTERN = "pattern"
"""What a host pattern is called in messages."""


def select(inventory: Inventory, pattern: str | None, stdin: TextIO | None = None) -> tuple[Host, ...]:
    """The hosts that a pattern means, in the order of the inventory; None means all.

    As in Ansible, plain terms are united first, then `&` and `!` narrow the result. Raises InputError with every
    term that matches nothing, and for a pattern that leaves no host. `@file` is looked for in the working folder,
    then next to the first source of the inventory; `-` is `stdin`, or standard input.
    """
    if pattern is None:
        return inventory.hosts
    terms = split(pattern)
    if not any(term.text for term in terms):
        raise InputError.of(PATTERN, "the pattern is empty", "write `all` for every host")
    chosen = _chosen(terms, _Finder(inventory, stdin or sys.stdin).find(terms), len(inventory.hosts))
    if not chosen:
        raise InputError.of(PATTERN, f'"{one_line(pattern, 200)}" leaves no host', "loosen the pattern")
    return tuple(inventory.hosts[index] for index in sorted(chosen))


def _chosen(terms: list[Term], found: list[set[int]], count: int) -> set[int]:
    plain = [members for term, members in zip(terms, found, strict=True) if not term.operator]
    chosen = set().union(*plain) if plain else set(range(count))
    for term, members in zip(terms, found, strict=True):
        if term.operator == "&":
            chosen &= members
        elif term.operator == "!":
            chosen -= members
    return chosen


class _Finder:
    def __init__(self, inventory: Inventory, stdin: TextIO) -> None:
        self._inventory = inventory
        self._lookup = Lookup(inventory.hosts)
        self._stdin = stdin
        self._problems: list[Problem] = []

    def find(self, terms: list[Term]) -> list[set[int]]:
        """The hosts of each term; raises InputError with all terms that mean none."""
        found = [self._term(term.text) for term in terms]
        if self._problems:
            raise InputError(self._problems)
        return found

    def _term(self, text: str) -> set[int]:
        if text == "-" or text.startswith("@"):
            return self._listed(text.removeprefix("@"))
        return self._found(text, PATTERN, 0)

    def _listed(self, path: str) -> set[int]:
        """The hosts that the lines of a file name."""
        try:
            lines = self._read(path).splitlines()
        except InputError as error:
            self._problems += error.problems
            return set()
        source = yamlfile.STDIN if path == "-" else path
        texts = [(number, line.partition("#")[0].strip()) for number, line in enumerate(lines, 1)]
        found = [self._found(text, source, number) for number, text in texts if text]
        if not found:
            self._problems.append(Problem(source, "there are no names", "write one a line"))
        return set().union(*found)

    def _found(self, text: str, source: str, line: int) -> set[int]:
        try:
            return self._lookup.find(text)
        except NoMatchError as error:
            self._problems.append(Problem(source, error.message, error.cure, line, min(line, 1)))
            return set()

    def _read(self, path: str) -> str:
        if path == "-":
            if yamlfile.STDIN in self._inventory.sources:
                cure = "write the names to a file, and give -l @FILE"
                raise InputError.of(PATTERN, "standard input holds the inventory already, not the names", cure)
            return yamlfile.read_stream(self._stdin)
        sources = self._inventory.sources
        beside = Path(sources[0]).parent / path if sources else Path(path)
        return yamlfile.read_text(path if Path(path).exists() or not beside.exists() else beside)
