"""Facts as people write them in files: laid over other facts, with times that move with the clock.

`{sql01: {state: Off}}` over a list changes the member of that name (or number), null takes away, any other value
replaces. The texts `now`, `now-4m`, `now+2h` (s, m, h, d) are times. The text `2000000/s` is a total that grows by so
much a second; `2000000/s from 5s` begins anew every five. `{status: denied}` is a question without answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fleetscan.errors import Problem
from fleetscan.model.playbook import JSON
from fleetscan.suggest import did_you_mean
from fleetscan.yamlfile import Document, Step

STATUSES = frozenset(("ok", "failed", "denied", "missing", "blocked", "timeout", "too_large"))
_OUTCOME_KEYS = frozenset(("status", "ms", "data", "error", "error_id", "seconds"))
_MOMENT = re.compile(r"now(?:([+-]\d{1,7})([smhd]))?")
_TOTAL = re.compile(r"(\d{1,12})/s(?: from (\d{1,7})s)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def is_outcome(entry: JSON) -> bool:
    """Whether a probe's entry is a whole outcome (`{status: denied, error: …}`) and not the answer of a success."""
    return isinstance(entry, dict) and entry.get("status") in STATUSES and entry.keys() <= _OUTCOME_KEYS


@dataclass(frozen=True, slots=True)
class Fact:
    """A value, and where it stands. `parts` are those that stand elsewhere than the whole."""

    value: JSON
    document: Document
    loc: tuple[Step, ...] = ()
    parts: Mapping[Step, Fact] = field(default_factory=dict)

    def part(self, step: Step) -> Fact:
        """What stands under a key or at an index; where nothing does, null at the place where it would stand."""
        if step in self.parts:
            return self.parts[step]
        value: JSON = None
        if isinstance(self.value, dict):
            value = self.value.get(str(step))
        elif isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            value = self.value[step]
        return Fact(value, self.document, (*self.loc, step))

    def problem(self, loc: Sequence[Step], message: str, cure: str = "", *, key: bool = False) -> Problem:
        """A mistake in the part at `loc`, where that part stands."""
        fact = self
        for step in loc:
            fact = fact.part(step)
        return fact.document.problem(fact.loc, message, cure, key)


def overlay(base: Fact, top: Fact, problems: list[Problem]) -> Fact:
    """`top` over `base`. Names that the list below does not have are added to `problems`, and change nothing."""
    if is_outcome(base.value) or is_outcome(top.value) or not isinstance(top.value, dict):
        return top
    if isinstance(base.value, list):
        return _over_list(base, top, problems)
    if not isinstance(base.value, dict):
        return top
    value = dict(base.value)
    parts: dict[Step, Fact] = {key: base.part(key) for key in value}
    for key, item in top.value.items():
        part = overlay(parts[key], top.part(key), problems) if key in value else top.part(key)
        parts[key] = part
        if item is None:
            value.pop(key, None)
        else:
            value[key] = part.value
    return Fact(value, top.document, top.loc, parts)


def _over_list(base: Fact, top: Fact, problems: list[Problem]) -> Fact:
    assert isinstance(base.value, list)  # noqa: S101 # the caller has looked
    assert isinstance(top.value, dict)  # noqa: S101
    names = [_name_of(item) for item in base.value]
    known = {*names, *map(str, range(len(names)))} - {""}
    for key in top.value.keys() - known:
        cure = did_you_mean(key, [name for name in names if name], "it has") or "name a member, or its number from 0"
        problems.append(top.problem((key,), f'the list that this changes has no "{key}"', cure, key=True))
    members: list[Fact] = []
    for index, name in enumerate(names):
        key = name if name in top.value else str(index) if str(index) not in names else ""
        if key not in top.value:
            members.append(base.part(index))
        elif top.value[key] is not None:
            members.append(overlay(base.part(index), top.part(key), problems))
    return Fact([member.value for member in members], top.document, top.loc, dict(enumerate(members)))


def _name_of(item: JSON) -> str:
    return str(item.get("name", "")) if isinstance(item, dict) else ""


def resolved(value: JSON, now: datetime, *, totals: bool = True) -> JSON:
    """The value at that time: each `now`, `now-<n>` or `now+<n>` in s, m, h or d as a time in UTC, to the second, and
    each total as a number, unless the text of it is wanted."""
    if isinstance(value, dict):
        return {key: resolved(item, now, totals=totals) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, now, totals=totals) for item in value]
    if not isinstance(value, str):
        return value
    total = _TOTAL.fullmatch(value) if totals else None
    if total is not None:
        return int(int(total[1]) * (now.timestamp() % int(total[2] or 2**40)))
    match = _MOMENT.fullmatch(value)
    return value if match is None else _moment(value, match, now)


def _moment(value: str, match: re.Match[str], now: datetime) -> str:
    distance = timedelta(seconds=int(match[1]) * _SECONDS[match[2]]) if match[1] else timedelta()
    try:
        moment = (now + distance).astimezone(UTC)
    except OverflowError:  # no calendar goes that far: the text stays, and is no time
        return value
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
