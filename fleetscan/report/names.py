"""Many names in few characters: `hv[01-02,04-06].paris.corp.example`. No name is ever cut; names that do not fit are
counted.
"""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NUMBER = re.compile("(?<![0-9])[0-9]{1,9}(?![0-9])")
"""Longer runs of digits are serial numbers, which follow no order that a range could show."""

_Slot = tuple[str, str, int]
"""What stands before a number and after it, and its width if it is padded with zeros (else 0)."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Names that differ in one number only. A name on its own has no ranges."""

    before: str
    after: str = ""
    ranges: tuple[tuple[str, str], ...] = ()

    @property
    def count(self) -> int:
        """How many names these are."""
        return sum(int(last) - int(first) + 1 for first, last in self.ranges) or 1

    def __str__(self) -> str:
        if not self.ranges:
            return self.before + self.after
        return f"{self.before}[{','.join(map(_range_text, self.ranges))}]{self.after}"

    def cut(self, width: int) -> str:
        """As many of the names as fit, and the number of the others: `hv[01,03,+38 more].corp.example`, or nothing."""
        best, inside, left = "", "", self.count
        for first, last in self.ranges[:-1]:
            inside += ("," if inside else "") + _range_text((first, last))
            left -= int(last) - int(first) + 1
            text = f"{self.before}[{inside},+{left:,} more]{self.after}"
            if len(text) > width:
                break
            best = text
        return best


def fold(names: Iterable[str]) -> list[Fold]:
    """Fold the names, most of them at once, in the order of their first appearance. The same name counts once."""
    left = {name: index for index, name in enumerate(dict.fromkeys(names))}
    found: list[tuple[int, Fold]] = []
    for slot, members in _largest_first(tuple(left)):
        found.append((min(left[name] for name in members), Fold(slot[0], slot[1], _ranges(members.values()))))
        for name in members:
            del left[name]
    found += [(index, Fold(name)) for name, index in left.items()]
    return [folded for _, folded in sorted(found, key=lambda pair: pair[0])]


def pattern_of(names: Iterable[str]) -> str:
    """A host pattern for these names and no others: `hv[01:02].corp.example,hv[04:06].corp.example`."""
    terms: list[str] = []
    for folded in fold(names):
        for first, last in folded.ranges or (("", ""),):
            number = first if first == last else f"[{first}:{last}]"
            terms.append(f"{folded.before}{number}{folded.after}")
    return ",".join(terms)


def fold_text(names: Sequence[str], width: int | None = None) -> str:
    """The folded names, comma-separated: as many as fit in `width`, but at least one, then `+12 more`."""
    folds = fold(names)
    text = ", ".join(map(str, folds))
    if width is None or len(text) <= width:
        return text
    total = sum(folded.count for folded in folds)
    shown, count = "", 0
    for folded in folds:
        longer = f"{shown}, {folded}" if shown else str(folded)
        if len(longer) + len(_more(total - count - folded.count)) > width:
            break
        shown, count = longer, count + folded.count
    if shown:
        return shown + _more(total - count)
    return _first_of(folds[0], total, width)


def _first_of(first: Fold, total: int, width: int) -> str:
    rest = _more(total - first.count)
    some = first.cut(width - len(rest))
    if some:
        return some + rest
    name = f"{first.before}{first.ranges[0][0]}{first.after}" if first.ranges else str(first)
    return name + _more(total - 1)


def _more(count: int) -> str:
    return f", +{count:,} more" if count else ""


def _largest_first(names: Iterable[str]) -> Iterable[tuple[_Slot, dict[str, str]]]:
    """The slots with the names that fill them and their numbers there, those with the most names not yet yielded first.

    Of equals the slot that stands furthest left in the name comes first, but a later number of the same label wins:
    in `rack2-hv07.dc1` the 07 counts, then the 2, then the 1.
    """
    slots = _slots(names)
    taken: set[str] = set()
    heap = [(-len(members), _distance(slot), slot) for slot, members in slots.items() if len(members) > 1]
    heapq.heapify(heap)
    while heap:
        negative, distance, slot = heapq.heappop(heap)
        members = {name: number for name, number in slots[slot].items() if name not in taken}
        if len(members) < -negative:
            if len(members) > 1:
                heapq.heappush(heap, (-len(members), distance, slot))
            continue
        taken.update(members)
        yield slot, members


def _distance(slot: _Slot) -> tuple[int, int]:
    before = slot[0]
    return before.count("."), -len(before)


def _slots(names: Iterable[str]) -> dict[_Slot, dict[str, str]]:
    raw: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for name in names:
        for match in _NUMBER.finditer(name):
            raw[name[: match.start()], name[match.end() :]][name] = match[0]
    slots: dict[_Slot, dict[str, str]] = defaultdict(dict)
    for (before, after), members in raw.items():
        padded = {len(number) for number in members.values() if number[0] == "0" and len(number) > 1}
        for name, number in members.items():
            slots[before, after, len(number) if len(number) in padded else 0][name] = number
    return slots


def _ranges(numbers: Iterable[str]) -> tuple[tuple[str, str], ...]:
    ranges: list[tuple[str, str]] = []
    for number in sorted(numbers, key=int):
        if ranges and int(number) == int(ranges[-1][1]) + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)


def _range_text(ends: tuple[str, str]) -> str:
    first, last = ends
    return first if first == last else f"{first}-{last}"
