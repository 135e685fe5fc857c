"""The fleet at a glance: hosts × sections of the article, hosts that look alike in one row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fleetscan.model.run import RunReport
from fleetscan.report.html.findings import STATUSES, FindingTable
from fleetscan.report.names import fold_text

SECTIONS = ("EP", "RP", "PF", "CR", "AC", "VH", "ER", "LG")
"""The sections of the article in its order; those of other playbooks follow."""

LABEL_WIDTH = 80
"""Characters of the folded names of a row; what does not fit is counted."""

_NOTHING = len(STATUSES)
"""Stands for a section in which nothing was asked of a host."""


@dataclass(frozen=True, slots=True)
class Heat:
    """`document` is what the page draws, `rows` says for each host in which row it is."""

    document: dict[str, object]
    rows: list[int]


def heat(report: RunReport, table: FindingTable) -> Heat:
    """Hosts with the same worst status in each section share a row; the most urgent row comes first.

    A cell is the place of its status in STATUSES and the number of findings with that status; `_NOTHING` is a gap.
    """
    sections = _sections(table)
    columns = {section: number for number, section in enumerate(sections)}
    places = [[columns[section] for section in found] for found in table.articles()]
    statuses = table.statuses()
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    counted: list[list[Counter[int]]] = []
    for number, host in enumerate(report.hosts):
        cells: list[Counter[int]] = [Counter() for _ in sections]
        for kind, _, count in table.hosts[number].runs:
            for place in places[kind]:
                cells[place][statuses[kind]] += count
        counted.append(cells)
        groups[STATUSES.index(host.verdict), *(min(cell, default=_NOTHING) for cell in cells)].append(number)
    ordered = sorted(groups.items(), key=lambda item: (*_urgency(item[0]), -len(item[1]), item[1]))
    rows = [0] * len(report.hosts)
    for place, (_, members) in enumerate(ordered):
        for member in members:
            rows[member] = place
    document: dict[str, object] = {
        "sections": list(sections),
        "rows": [_row(report, key, members, counted, table) for key, members in ordered],
    }
    return Heat(document, rows)


def _sections(table: FindingTable) -> tuple[str, ...]:
    present = dict.fromkeys(section for found in table.articles() for section in found)
    return (*SECTIONS, *sorted(set(present) - set(SECTIONS))) if set(present) & set(SECTIONS) else tuple(present)


def _urgency(key: tuple[int, ...]) -> tuple[int, ...]:
    """The verdict, then the most cells with each status, the gravest status first."""
    verdict, *cells = key
    often = Counter(cells)
    return verdict, *(-often[status] for status in range(len(STATUSES)))


def _row(
    report: RunReport,
    key: tuple[int, ...],
    members: Sequence[int],
    counted: Sequence[Sequence[Counter[int]]],
    table: FindingTable,
) -> dict[str, object]:
    verdict, *worst = key
    totals = [
        sum(counted[member][column][status] for member in members) if status < _NOTHING else 0
        for column, status in enumerate(worst)
    ]
    names = [table.strings.clean(report.hosts[member].host.name) for member in members]
    return {
        "label": table.strings.add(fold_text(names, LABEL_WIDTH)),
        "hosts": list(members),
        "verdict": verdict,
        "cells": [number for pair in zip(worst, totals, strict=True) for number in pair],
    }
