"""What all parts of one screen share: its width, its colours, and how hosts, objects and findings are called on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleetscan.model.finding import Finding, Status
from fleetscan.model.playbook import ObjectType
from fleetscan.model.run import HostReport
from fleetscan.report import words
from fleetscan.report.digest import HOST, OBJECT, OBJECT_ID, Problem
from fleetscan.report.grid import Grid
from fleetscan.report.layout import cut_middle, wrap
from fleetscan.report.names import fold_text

NAMES = 400
"""Columns that a list of objects may take, on several lines."""
CELL_NAMES = 14
"""Columns up to which the names of several objects say more in a cell than their number."""
LONG_NAME = 60
"""Columns of one name among others; most systems allow no longer ones."""
SENTENCE_NAMES = 48
SENTENCE_LINES = 4
"""Lines that somebody else's sentence may take: the files have the whole of it."""
REMEDY_LINES = 12
"""Half a remedy may do harm, so it ends early only where it is absurdly long."""


@dataclass(slots=True)
class Screen:
    """One screen in the making. All texts that its methods return are laid on its grid."""

    grid: Grid
    width: int
    plan: str = ""
    """The command that plans a cure, to be followed by a check's id; empty if there is none to offer."""
    shortened: bool = False
    """Something was left out that `--all` shows."""

    def hosts(self, reports: Sequence[HostReport], width: int | None = None) -> str:
        """The names of hosts, folded, never cut."""
        return fold_text([self.grid.lay(report.host.name) for report in reports], width or self.width)

    def status(self, status: Status, text: str) -> str:
        """Words of ours in the colour of a status."""
        return self.grid.paint(text, words.COLOURS.get(status))

    def sentence(self, laid: str, *, first: str = "  ", rest: str = "  ", lines: int = SENTENCE_LINES) -> list[str]:
        """A text that may need several lines."""
        return wrap(laid, self.width, first=first, rest=rest, lines=lines)

    def objects(self, problem: Problem) -> str:
        """What the findings are about: names if there is room for them, else how many."""
        kind = problem.first.object_type
        if kind is ObjectType.HOST:
            return "this host" if len(problem.hosts) == 1 else words.each(kind)
        names = self.names(problem)
        if len(problem.pairs) == 1 or len(names) <= CELL_NAMES:
            return names
        self.shortened = True
        return words.number(len(problem.pairs), kind)

    def names(self, problem: Problem) -> str:
        """The names of the objects, folded; of an absurdly long one among others its beginning and its end."""
        names = [self.grid.lay(name) for name in problem.objects()]
        return fold_text([cut_middle(name, LONG_NAME) for name in names] if len(names) > 1 else names, NAMES)

    def told(self, problem: Problem, attribute: str) -> str:
        """A text of the findings, told once for all: with the names of all, or as the most common example."""
        wordings = problem.wordings(attribute)
        neutral, example = wordings[0]
        if len(wordings) > 1:
            return self.grid.lay(f"{example} (+{len(wordings) - 1:,} more)")
        if len(problem.pairs) == 1:
            return self.grid.lay(example)
        return self.grid.lay(self._filled(problem, neutral, by_name=attribute == "remedy"))

    def item(self, finding: Finding, *, whole: bool = False) -> str:
        """The item of the article that the check answers first of all, or all its items."""
        return self.grid.lay(", ".join(finding.article if whole else finding.article[:1]))

    def _filled(self, problem: Problem, neutral: str, *, by_name: bool) -> str:
        """`each VM is paused`, but `resume sql01, web03`: what is to be done is done to things with names."""
        hosts, objects = problem.hosts, problem.objects()
        host = hosts[0].host.name if len(hosts) == 1 else words.each(ObjectType.HOST)
        folded = fold_text(objects)
        named = len(objects) == 1 or (by_name and len(hosts) == 1 and len(folded) <= SENTENCE_NAMES)
        name = folded if named else words.each(problem.first.object_type)
        ids = {finding.object_id for _, finding in problem.pairs}
        identity = ids.pop() if len(ids) == 1 else "<id>"
        return neutral.replace(HOST, host).replace(OBJECT, name).replace(OBJECT_ID, identity)
