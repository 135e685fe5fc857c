"""What is not as it was: a run against an earlier one, for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from fleetscan.model.finding import Finding
from fleetscan.model.history import Change, ChangeKind, History, Move
from fleetscan.model.playbook import ObjectType
from fleetscan.report import words
from fleetscan.report.grid import Grid
from fleetscan.report.layout import NARROWEST, pack
from fleetscan.report.names import fold_text
from fleetscan.report.screen import Screen

LINES = 12
"""Changes of one kind that a screen has a line for."""
NAMES = 60
"""Columns of the hosts or objects that share a change."""

_TITLES = {
    ChangeKind.NEW: ("new", "New failures"),
    ChangeKind.FIXED: ("fixed", "Fixed"),
    ChangeKind.STILL_FAILING: ("still failing", "Still failing"),
    ChangeKind.NO_LONGER_ASSESSED: ("no longer assessed", "No longer assessed"),
    ChangeKind.NEWLY_ASSESSED: ("newly assessed", "Newly assessed"),
}


def summary(history: History) -> str:
    """`2 new, 1 fixed, 3 still failing, 1 VM moved`, without zeros."""
    kinds = by_kind(history)
    parts = [f"{len(kinds[kind]):,} {word}" for kind, (word, _) in _TITLES.items() if kinds[kind]]
    parts += [f"{words.number(len(history.moves), ObjectType.VM)} moved"] if history.moves else []
    return ", ".join(parts) or "nothing changed"


def render(history: History, *, width: int, color: bool = False, everything: bool = False) -> str:
    """All changes for a terminal of `width` columns."""
    screen = Screen(Grid(color), max(width, NARROWEST))
    lines = [text for part in section(screen, history, everything=everything) for text in (*part, "")][:-1]
    if screen.shortened:
        lines += ["", "Shown in short: --all shows each change."]
    return "\n".join(screen.grid.develop(text).rstrip() for text in lines)


def by_kind(history: History) -> defaultdict[ChangeKind, list[Change]]:
    """The changes of each kind, in their order."""
    kinds: defaultdict[ChangeKind, list[Change]] = defaultdict(list)
    for change in history.changes:
        kinds[change.kind].append(change)
    return kinds


def line(screen: Screen, history: History) -> list[str]:
    """One sentence: since which run, and how many changes of which kind."""
    began = f"{history.previous_started_at:%Y-%m-%d %H:%MZ}"
    return pack(
        [f"Since {history.previous_run} ({began}):", summary(history)], screen.width, indent="  ", separator=" "
    )


def section(screen: Screen, history: History, *, everything: bool = False) -> list[list[str]]:
    """All changes: what is new first, what fails still last; of many alike ones the hosts together."""
    kinds = by_kind(history)
    parts = [line(screen, history)]
    for kind, (_, title) in _TITLES.items():
        if kinds[kind]:
            parts.append(_kind(screen, title, kinds[kind], everything=everything))
    if history.moves:
        parts.append(["Moved", *(text for move in history.moves for text in _move(screen, move))])
    return parts


def _kind(screen: Screen, title: str, changes: Sequence[Change], *, everything: bool) -> list[str]:
    alike: defaultdict[tuple[str, str, str], list[Change]] = defaultdict(list)
    for change in changes:
        told = _finding(change)
        alike[told.check_id, _told(change), since(change)].append(change)
    groups = sorted(alike.values(), key=lambda members: _finding(members[0]).severity.rank)
    shown = groups if everything else groups[:LINES]
    lines = [f"{title}: {len(changes):,}"]
    for members in shown:
        lines += screen.sentence(_sentence(screen, members), rest="    ")
    hidden = len(groups) - len(shown)
    screen.shortened = screen.shortened or hidden > 0
    return [*lines, f"  … and {words.plural(hidden, 'more line')}"] if hidden else lines


def _sentence(screen: Screen, members: Sequence[Change]) -> str:
    """`critical backup-service-enabled on hv07: sql01, web03: disabled; was: enabled`"""
    first, lay = _finding(members[0]), screen.grid.lay
    hosts = fold_text(list(dict.fromkeys(lay(_finding(change).host) for change in members)), NAMES)
    objects = [
        lay(told.object_name or told.object_id)
        for told in map(_finding, members)
        if told.object_type is not ObjectType.HOST
    ]
    names = f" ({fold_text(list(dict.fromkeys(objects)), NAMES)})" if any(objects) else ""
    told, began = lay(_told(members[0])), since(members[0])
    return f"{first.severity} {lay(first.check_id)}: {hosts}{names}: {told}" + (
        f"; open since {began}" if began else ""
    )


def _told(change: Change) -> str:
    """What was found before, and what is found now."""
    before, after = change.before, change.after
    if after is None:
        return "its object is gone"
    now = after.observed or words.status_words(after.status)
    if change.kind is ChangeKind.NO_LONGER_ASSESSED:
        now = after.reason.value if after.reason else now
    if before is None or change.kind is ChangeKind.STILL_FAILING:
        return now
    was = before.observed or words.status_words(before.status)
    return now if was == now else f"{now} (was {was})"


def since(change: Change) -> str:
    """The day from which a failure has been open, that still is; else nothing."""
    still = change.kind in (ChangeKind.STILL_FAILING, ChangeKind.NO_LONGER_ASSESSED)
    return f"{change.open_since:%Y-%m-%d}" if still and change.open_since else ""


def _finding(change: Change) -> Finding:
    """The finding that speaks for a change; there is always one."""
    found = change.after or change.before
    assert found is not None  # noqa: S101 - a change is made of at least one
    return found


def _move(screen: Screen, move: Move) -> list[str]:
    before, after = (", ".join(map(screen.grid.lay, hosts)) for hosts in (move.before, move.after))
    return screen.sentence(f"{screen.grid.lay(move.vm_name)}: from {before} to {after}", rest="    ")
