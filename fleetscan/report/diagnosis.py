"""Why virtual machines do not do well, machine by machine: the first thing that a tired reader wants to know."""

from __future__ import annotations

from collections.abc import Sequence

from fleetscan.model.diagnosis import Diagnosis
from fleetscan.model.run import RunReport
from fleetscan.report.screen import Screen

SHOWN = 12
"""Diagnoses on a screen; machines with the same causes on the same hosts share one."""
NAMES = 6
CAUSES = 4


def section(screen: Screen, report: RunReport, *, everything: bool = False) -> list[str]:
    """A heading, then a sentence for each group of machines with a line for each cause; empty without diagnoses."""
    groups: dict[tuple[object, ...], list[Diagnosis]] = {}
    for diagnosis in report.diagnoses:
        causes = tuple((cause.check_id, cause.host) for cause in diagnosis.causes)
        groups.setdefault((diagnosis.rule, diagnosis.hosts, causes, diagnosis.unseen), []).append(diagnosis)
    told = list(groups.values())
    if not told:
        return []
    lines = ["Diagnosis"]
    shown = len(told) if everything else SHOWN
    for group in told[:shown]:
        lines += _group(screen, group)
    hidden = sum(len(group) for group in told[shown:])
    if hidden:
        screen.shortened = True
        lines.append(f"  … and {hidden:,} more diagnoses")
    return lines


def _group(screen: Screen, group: Sequence[Diagnosis]) -> list[str]:
    first = group[0]
    names = [diagnosis.vm_name for diagnosis in group]
    who = ", ".join(names[:NAMES]) + (f" and {len(names) - NAMES} more" if len(names) > NAMES else "")
    where = "" if len(first.hosts) == 1 else f" (seen on {' and '.join(first.hosts)})"
    lines = screen.sentence(screen.grid.lay(f"{who}: {first.says}{where}"), first="  ", rest="    ")
    for cause in first.causes[:CAUSES]:
        text = f"because {cause.because} ({', '.join((cause.host, *cause.article))})"
        lines += screen.sentence(screen.grid.lay(text), first="    ", rest="      ")
    if len(first.causes) > CAUSES:
        lines.append(f"    … and {len(first.causes) - CAUSES} more causes")
    if not first.causes:
        text = "the cause is not known: every check that could explain it passes"
        if first.unseen:
            text = f"the cause is not known; could not be looked at: {', '.join(first.unseen)}"
        lines += screen.sentence(screen.grid.lay(text), first="    ", rest="      ")
    return lines
