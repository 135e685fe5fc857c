"""From files to waivers. Each entry is checked apart, so that one mistake does not hide the next."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatchcase

from fleetscan import yamlfile
from fleetscan.errors import InputError, Problem
from fleetscan.model.playbook import JSON, Playbook
from fleetscan.model.text import one_line
from fleetscan.model.waiver import Waiver
from fleetscan.suggest import did_you_mean
from fleetscan.validate import check
from fleetscan.waivers.rule import Rule
from fleetscan.waivers.schema import UTC, WaiverEntry, WaiverFile
from fleetscan.yamlfile import Step


def load(paths: Sequence[str], playbook: Playbook) -> tuple[Rule, ...]:
    """The waivers of all files, in their order. Raises InputError with every mistake of every file.

    A check that the playbook does not have is a mistake, and so are two waivers of one id.
    """
    problems: list[Problem] = []
    rules: list[Rule] = []
    for index, path in enumerate(paths):
        if path in paths[:index]:
            problems.append(Problem(path, "is given twice", "remove one"))
            continue
        try:
            document = yamlfile.read(path, mistakes=problems)
        except InputError as error:
            problems += error.problems
            continue
        rules += _Reader(document, playbook, problems, rules).rules()
    if problems:
        order = {path: index for index, path in enumerate(paths)}
        raise InputError(sorted(problems, key=lambda found: (order[found.source], found.line, found.column)))
    return tuple(rules)


class _Reader:
    def __init__(
        self, document: yamlfile.Document, playbook: Playbook, problems: list[Problem], before: Sequence[Rule]
    ) -> None:
        self._document = document
        self._checks = [check.id for check in playbook.checks]
        self._playbook = playbook.name
        self._problems = problems
        self._places = {rule.waiver.id: rule.origin for rule in before}

    def rules(self) -> list[Rule]:
        """What the document says, as far as it is right."""
        data = self._document.data
        entries, timezone = (data, UTC) if isinstance(data, list) else self._top(data)
        # In a bare list the first step leads nowhere, and is passed over where a place is looked for.
        found = [self._rule(raw, ("waivers", index), timezone) for index, raw in enumerate(entries)]
        return [rule for rule in found if rule is not None]

    def _top(self, data: JSON) -> tuple[list[JSON], str]:
        """The entries, still unchecked, and the time zone."""
        bare, entries = data, None
        if isinstance(data, dict):
            entries = data.get("waivers")
            bare = {**data, "waivers": []} if isinstance(entries, list) else data
        elif data is None:
            bare = {}
        file, problems = check(WaiverFile, bare, self._document)
        self._problems += problems
        return entries if isinstance(entries, list) else [], file.timezone if file else UTC

    def _rule(self, raw: JSON, loc: tuple[Step, ...], timezone: str) -> Rule | None:
        entry, problems = check(WaiverEntry, raw, self._document, loc)
        self._problems += problems
        named = raw.get("check") if isinstance(raw, dict) else None
        if isinstance(named, str) and not any(fnmatchcase(known, named) for known in self._checks):
            cure = did_you_mean(named, self._checks) or f"`fleetscan playbook show {self._playbook}` lists them"
            message = f'the playbook {self._playbook} has no check "{one_line(named, 80)}"'
            self._problems.append(self._document.problem((*loc, "check"), message, cure))
        if entry is None:
            return None
        identity = entry.id or _identity(entry)
        origin = self._document.origin(loc)
        if identity in self._places:
            message = f'"{identity}" is here twice' if entry.id else "waives the same as another one"
            cure = f"{self._places[identity]} has it already"
            self._problems.append(self._document.problem((*loc, "id") if entry.id else loc, message, cure))
        self._places.setdefault(identity, origin)
        waiver = Waiver(
            id=identity,
            owner=entry.owner,
            ticket=entry.ticket,
            reason=entry.reason.strip(),
            expires=date.fromisoformat(entry.expires),
        )
        return Rule(
            waiver=waiver,
            check=entry.check,
            host=entry.host,
            object=entry.object,
            timezone=timezone,
            origin=origin,
        )


def _identity(entry: WaiverEntry) -> str:
    """The same as long as the same is waived: a longer term does not make another waiver of it."""
    text = f"{entry.check}\x1f{entry.host}\x1f{entry.object}".casefold()
    return f"w-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
