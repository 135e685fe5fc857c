"""Lines that fit: cutting, wrapping, and tables whose columns shrink by importance. All text is laid on the grid."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tabulate import tabulate

ELLIPSIS = "…"
GAP = 2
"""Spaces between two columns: what tabulate's plain format puts there."""
NARROWEST = 40
"""Columns below which nothing is laid out any more; a narrower terminal wraps."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. It shrinks to its first floor, and only when that is not enough to the next one."""

    title: str
    floors: tuple[int, int, int] = (0, 0, 0)
    """Widths that are generous, comfortable, and the least; 0: the column is never narrower than its widest cell."""
    right: bool = False
    middle: bool = False
    """Cut in the middle: the end of the text tells as much as its beginning."""
    always: bool = False
    """Shown even if all its cells are empty."""


def cut(text: str, width: int) -> str:
    """The text, or as much of its beginning as fits, with an ellipsis."""
    return text if len(text) <= width else text[: max(width - 1, 0)].rstrip() + ELLIPSIS[:width]


def cut_middle(text: str, width: int) -> str:
    """The text, or its beginning and its end with an ellipsis between them."""
    if len(text) <= width or width < 3:
        return cut(text, width)
    head = width // 2
    return text[:head] + ELLIPSIS + text[head + 1 - width :]


def pack(items: Iterable[str], width: int, *, indent: str = "", separator: str = " · ") -> list[str]:
    """Items on as few lines as they need; the lines after the first are indented. An item too long is wrapped."""
    lines: list[str] = []
    for item in items:
        longer = f"{lines[-1]}{separator}{item}" if lines else item
        if len(longer) <= width:
            lines[-1:] = [longer]
        else:
            lines += wrap(item, width, first=indent if lines else "", rest=indent)
    return lines


def wrap(text: str, width: int, *, first: str = "", rest: str = "", lines: int | None = None) -> list[str]:
    """Words on lines, at most so many; a word longer than a line is broken, never lost.

    A text with an address for a browser keeps its words whole: half an address leads nowhere.
    """
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words="://" not in text,
        max_lines=lines,
        placeholder=f" {ELLIPSIS}",
    )


def command(label: str, text: str, width: int, *, indent: str = "") -> list[str]:
    """A command that can be copied from the screen: beside its label, or below it on lines that end in `\\`.

    A word that is longer than the line stays whole: broken, it would be two.
    """
    line = f"{indent}{label} {text}"
    if len(line) <= width:
        return [line]
    indent += "  "
    lines = textwrap.wrap(
        text,
        width - 2,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [indent[2:] + label, *(f"{line} \\" for line in lines[:-1]), *lines[-1:]]


@dataclass(frozen=True, slots=True)
class Importance:
    """Which columns of a table make room for the others, by index, the least important first."""

    shrink: Sequence[int] = ()
    spare: Sequence[int] = ()
    """These go before the others become uncomfortable."""
    drop: Sequence[int] = ()
    """These go when even the least widths are too much."""


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, importance: Importance = Importance()
) -> list[str]:
    """A table without rules. It is wider than `width` only if there is nothing left to shrink or to drop."""
    widths = _fit(columns, rows, width, importance)
    shown = [index for index, wide in enumerate(widths) if wide]
    titles = [columns[index].title for index in shown]
    cells = [[_cell(columns[index], row[index], widths[index]) for index in shown] for row in rows]
    text = tabulate(
        [titles, *cells],
        tablefmt="plain",
        disable_numparse=True,
        colalign=["right" if columns[index].right else "left" for index in shown],
    )
    return [line.rstrip() for line in text.split("\n")]


def _cell(column: Column, text: str, width: int) -> str:
    return cut_middle(text, width) if column.middle else cut(text, width)


def _fit(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, importance: Importance) -> list[int]:
    """The width of each column, 0 for those that are left out: also those that are empty in all rows."""
    natural = [max((len(row[index]) for row in rows), default=0) for index in range(len(columns))]
    natural = [
        max(wide, len(column.title)) if wide or column.always else 0
        for wide, column in zip(natural, columns, strict=True)
    ]
    spare, drop = importance.spare, importance.drop
    attempts: list[tuple[Sequence[int], int]] = [((), 0)]
    attempts += [(spare[:count], 1) for count in range(len(spare) + 1)]
    attempts += [((*spare, *drop[:count]), 2) for count in range(len(drop) + 1)]
    widths = natural
    for gone, deepest in attempts:
        widths = [0 if index in gone else wide for index, wide in enumerate(natural)]
        # A column far beyond what is generous gives first, however important it is.
        _shrink(widths, width, [2 * column.floors[0] for column in columns], importance)
        for level in range(deepest + 1):
            _shrink(widths, width, [column.floors[level] for column in columns], importance)
        if _total(widths) <= width:
            break
    return widths


def _shrink(widths: list[int], width: int, floors: Sequence[int], importance: Importance) -> None:
    for index in importance.shrink:
        excess = _total(widths) - width
        if excess > 0 and widths[index] > floors[index] > 0:
            widths[index] = max(widths[index] - excess, floors[index])


def _total(widths: Sequence[int]) -> int:
    shown = [wide for wide in widths if wide]
    return sum(shown) + GAP * (len(shown) - 1)
