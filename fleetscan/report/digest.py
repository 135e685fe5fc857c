"""What deserves to be read of a run: hosts in the same trouble together, equal findings together, the worst first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from fleetscan.model.finding import Finding, Status, of_status
from fleetscan.model.host import Host
from fleetscan.model.playbook import Severity
from fleetscan.model.run import HostReport
from fleetscan.model.text import one_line

Pair = tuple[HostReport, Finding]
Wording = tuple[str, str]
"""A text with HOST and OBJECT in place of names, and one example of it with the names."""

HOST, OBJECT, OBJECT_ID = "\x00h", "\x00o", "\x00i"
"""Stand in a text for the name of its host, and the name and the id of its object. `one_line` lets no NUL through."""

_URGENCY = (Status.FAIL, Status.ERROR, Status.NOT_ASSESSED, Status.WARN, Status.PASS, Status.NOT_APPLICABLE)


class Likeness(IntEnum):
    """What findings must share to be shown as one, from everything to the check alone."""

    OBJECT = 0
    FOUND = 1
    CHECK = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """Findings of one check and one status that are shown as one."""

    pairs: tuple[Pair, ...]

    @property
    def first(self) -> Finding:
        """The finding that speaks for all."""
        return self.pairs[0][1]

    @property
    def hosts(self) -> tuple[HostReport, ...]:
        """The hosts that have it, each once."""
        return tuple({id(report): report for report, _ in self.pairs}.values())

    @property
    def order(self) -> tuple[int, int, int]:
        """Sorts problems: what is waived last, failures first, critical ones first."""
        return self.first.waiver is not None, _URGENCY.index(self.first.status), self.first.severity.rank

    def objects(self) -> list[str]:
        """The names of the objects, each once; an object without a name is called by its id."""
        return list(dict.fromkeys(finding.object_name or finding.object_id for _, finding in self.pairs))

    def wordings(self, attribute: str) -> list[Wording]:
        """The different wordings of a text of the findings, the most common one first."""
        texts = ((report, finding, getattr(finding, attribute)) for report, finding in self.pairs)
        return wordings((neutral(text, report.host, finding), text) for report, finding, text in texts)


@dataclass(frozen=True, slots=True)
class Block:
    """Hosts of which the same can be told. `problems` are failures, then warnings; `gaps` what could not be judged."""

    hosts: tuple[HostReport, ...]
    problems: tuple[Problem, ...]
    gaps: tuple[Problem, ...]

    @property
    def urgency(self) -> tuple[int, int, int, int]:
        """Sorts blocks: the verdict, then the worst severity, then what hits most hosts, then what hits them most."""
        worst = min((problem.first.severity.rank for problem in self.problems), default=len(Severity))
        return _URGENCY.index(self.hosts[0].open_verdict), worst, -len(self.hosts), -len(self.problems)


def wordings(texts: Iterable[Wording]) -> list[Wording]:
    """The different ones, the most common one first."""
    examples: dict[str, str] = {}
    often: Counter[str] = Counter()
    for wording, example in texts:
        examples.setdefault(wording, example)
        often[wording] += 1
    return [(wording, examples[wording]) for wording, _ in often.most_common()]


def neutral(text: str, host: Host, finding: Finding | None = None) -> str:
    """The text with HOST, OBJECT and OBJECT_ID in place of the names of its host and its object."""
    text = one_line(text)
    for name in _names(host):
        text = _replace(text, name, HOST)
    if finding is not None:
        names = {finding.object_id: OBJECT_ID, finding.object_name: OBJECT}
        for name in sorted(names, key=len, reverse=True):
            text = _replace(text, name, names[name])
    return text


def _names(host: Host) -> list[str]:
    """What a text may call a host. A label without a digit, like `web`, is too likely to be a word."""
    label = host.name.partition(".")[0]
    short = {label} if any(char.isdigit() for char in label) and not label.isdigit() else set()
    return sorted({host.name, host.address} | short, key=len, reverse=True)


def _replace(text: str, name: str, stand_in: str) -> str:
    """Replace the name where it is a word of its own. (A regular expression for each name would cost seconds.)"""
    name = one_line(name)
    if not name or name not in text:
        return text
    done, *parts = text.split(name)
    for part in parts:
        inside_a_word = _is_word(done[-1:]) or _is_word(part[:1])
        done += (name if inside_a_word else stand_in) + part
    return done


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def group(pairs: Iterable[Pair], key: Callable[[Pair], object]) -> tuple[Problem, ...]:
    """Pairs with the same key become one problem, in the order of their first appearance."""
    groups: dict[object, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[key(pair)].append(pair)
    return tuple(Problem(tuple(members)) for members in groups.values())


def alike(likeness: Likeness) -> Callable[[Pair], tuple[object, ...]]:
    """The key by which findings count as alike."""

    def key(pair: Pair) -> tuple[object, ...]:
        report, finding = pair
        parts: list[object] = [_URGENCY.index(finding.status), finding.severity.rank, finding.check_id]
        if likeness <= Likeness.FOUND:
            parts.append(neutral(finding.observed, report.host, finding))
            parts.append(neutral(finding.expected, report.host, finding))
        if likeness <= Likeness.OBJECT:
            parts.append(neutral(finding.object_name or finding.object_id, report.host))
        return tuple(parts)

    return key


def problems(report: HostReport) -> Iterator[Pair]:
    """The failures and warnings of a host that nobody has answered for."""
    return (pair for pair in _amiss(report) if pair[1].waiver is None)


def waived(reports: Iterable[HostReport]) -> tuple[Problem, ...]:
    """The failures and warnings that are waived, those of one waiver and one check as one; the worst first."""
    pairs = (pair for report in reports for pair in _amiss(report) if pair[1].waiver is not None)

    def key(pair: Pair) -> tuple[object, ...]:
        found = pair[1]
        return found.status, found.severity, found.check_id, found.waiver

    return tuple(sorted(group(pairs, key), key=lambda problem: problem.order))


def _amiss(report: HostReport) -> Iterator[Pair]:
    return ((report, found) for found in of_status(report.findings, (Status.FAIL, Status.WARN)))


def gaps(report: HostReport) -> Iterator[Pair]:
    """What could not be judged, other than for the host's own trouble, which is told once for the host."""
    told = report.trouble.reason if report.trouble else None
    undecided = (Status.ERROR, Status.NOT_ASSESSED)
    return ((report, found) for found in of_status(report.findings, undecided) if found.reason != told)


def gaps_alike(likeness: Likeness) -> Callable[[Pair], tuple[object, ...]]:
    """The key by which gaps count as alike: the reason, and its words unless only the check counts."""

    def key(pair: Pair) -> tuple[object, ...]:
        report, finding = pair
        message = "" if likeness is Likeness.CHECK else neutral(finding.message, report.host, finding)
        return finding.status, finding.reason or "", message

    return key


def blocks(reports: Sequence[HostReport], likeness: Likeness) -> list[Block]:
    """The hosts in as few blocks as the likeness allows, the most urgent first."""
    groups: dict[object, list[HostReport]] = defaultdict(list)
    for report in reports:
        groups[_signature(report, likeness)].append(report)
    return sorted((_block(members, likeness) for members in groups.values()), key=lambda block: block.urgency)


def _signature(report: HostReport, likeness: Likeness) -> object:
    key, gap = alike(likeness), gaps_alike(likeness)
    return (
        report.verdict,
        report.open_verdict,
        _trouble_signature(report, likeness),
        frozenset(key(pair) for pair in problems(report)),
        frozenset(gap(pair) for pair in gaps(report)),
    )


def _trouble_signature(report: HostReport, likeness: Likeness) -> object:
    trouble = report.trouble
    if trouble is None:
        return None
    if likeness is Likeness.CHECK:
        return trouble.reason
    texts = (neutral(text, report.host) for text in (trouble.message, trouble.hint))
    return trouble.reason, trouble.stage, *texts


def _block(reports: Sequence[HostReport], likeness: Likeness) -> Block:
    # Within a block, objects of which the same is found share a line, whatever kept the blocks apart.
    found = group((pair for report in reports for pair in problems(report)), alike(max(likeness, Likeness.FOUND)))
    return Block(
        hosts=tuple(reports),
        problems=tuple(sorted(found, key=lambda problem: problem.order)),
        gaps=group((pair for report in reports for pair in gaps(report)), gaps_alike(likeness)),
    )
