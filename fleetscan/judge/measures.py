"""Which two readings of totals are compared, before anything is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fleetscan import totals
from fleetscan.model.facts import LATER, HostFacts, ProbeAnswer
from fleetscan.model.playbook import Playbook, Probe
from fleetscan.model.reasons import Reason

ONE_READING = (
    "one reading does not tell a rate: take two with --sample 5m, compare with the last run by --sample last, "
    "or see `fleetscan profile`"
)
_RESTARTED = "the host, or its clock, began anew between the two readings: they cannot be compared"


def against(facts: HostFacts, playbook: Playbook, earlier: HostFacts | None) -> HostFacts:
    """The facts with the last reading of an earlier visit before each total that was read once.

    They are then what one visit with two readings brings, for whoever judges them now or another day.
    """
    if earlier is None:
        return facts
    answers = dict(facts.answers)
    for name, probe in playbook.probes.items():
        now, before = answers.get(name), _last(probe, earlier)
        if probe.totals and name + LATER not in answers and now is not None and now.data is not None and before:
            answers |= {name: replace(before, probe=name), name + LATER: replace(now, probe=name + LATER)}
    return replace(facts, answers=answers)


def measured(facts: HostFacts, playbook: Playbook) -> HostFacts:
    """The facts with rates in the place of totals, for each probe that was read twice.

    The answer of a probe whose second reading failed is that failure. One that was read once keeps its totals.
    """
    answers = dict(facts.answers)
    for name, probe in playbook.probes.items():
        if probe.totals and name in answers:
            answers[name] = _measured(probe, answers[name], answers.get(name + LATER))
    return replace(facts, answers=answers)


def unmeasured(answer: ProbeAnswer) -> str:
    """Why an answer with totals has no rates; empty if it has."""
    sample = answer.data.get(totals.SAMPLE) if answer.data is not None else None
    return "" if isinstance(sample, Mapping) and "seconds" in sample else ONE_READING


def _measured(probe: Probe, first: ProbeAnswer, second: ProbeAnswer | None) -> ProbeAnswer:
    if first.data is None or second is None:
        return first
    return _rates(probe, first, second) if second.data is not None else replace(second, probe=first.probe)


def _last(probe: Probe, earlier: HostFacts) -> ProbeAnswer | None:
    """The last reading of an earlier visit."""
    found = [earlier.answers.get(probe.id + suffix) for suffix in (LATER, "")]
    return next((answer for answer in found if answer is not None and answer.data is not None), None)


def _rates(probe: Probe, first: ProbeAnswer, second: ProbeAnswer) -> ProbeAnswer:
    before, after = dict(first.data or {}), dict(second.data or {})
    data = totals.measured(probe.shape, before, after)
    told = replace(second, probe=probe.id, data=data)
    clock = after.get(totals.SAMPLE)
    if totals.elapsed(before, after) is not None or not isinstance(clock, Mapping):
        return told
    if clock.get("ticks") is None:  # nothing counts here: no disk is in use
        return replace(told, data={**data, totals.SAMPLE: {**clock, "seconds": 0.0}})
    return replace(told, data=None, reason=Reason.CHECK_UNDECIDED, message=_RESTARTED)
