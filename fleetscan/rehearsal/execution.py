"""Runs the probes of cases for real, where the lab has stand-ins for what they ask, and compares what they answer.

The facts of a case go into the stand-ins, the probe's script asks these, and its answer must be the facts again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import anyio

from fleetscan.errors import InputError
from fleetscan.lab import OS, Machine
from fleetscan.lab.engine import Engine
from fleetscan.lab.engines import RealEngine, probes_with_standins
from fleetscan.model.facts import ProbeAnswer
from fleetscan.model.host import Role
from fleetscan.model.playbook import JSON, Language, Playbook, Probe
from fleetscan.model.reasons import Reason
from fleetscan.powershell import answers, envelope, payload
from fleetscan.rehearsal.situation import Situation
from fleetscan.rehearsal.suite import Rehearsal
from fleetscan.validate import describe_loc

_Loc = tuple[str | int, ...]

_SECONDS = 120
_AT_ONCE = 4
_NEVER_RUN = {Reason.TIMEOUT_PROBE, Reason.PROBE_TOO_LARGE}
"""Ways to end that would take as long here as on a host."""


@dataclass(frozen=True, slots=True)
class Report:
    """`lines` are the answers that differ, `skipped` the probes that were not run, each with the reason."""

    compared: int
    lines: tuple[str, ...]
    skipped: tuple[str, ...]

    @property
    def summary(self) -> str:
        """One line."""
        end = f"{len(self.lines)} differ" if self.lines else "all as written"
        return f"{self.compared} answers of probes that were run: {end}"


@dataclass(frozen=True, slots=True)
class _Question:
    """One probe, what it must answer, and the case that says so."""

    rehearsal: Rehearsal
    probe: Probe
    expected: ProbeAnswer


@dataclass(frozen=True, slots=True)
class _Visit:
    """All that is asked of one machine."""

    machine: Machine
    roles: tuple[Role, ...]
    questions: dict[str, _Question] = field(default_factory=dict)


async def execute(playbook: Playbook, cases: Sequence[Rehearsal]) -> Report:
    """Run each probe that the checks of these cases read, once for the same facts.

    Raises InputError where there is no PowerShell.
    """
    engine = RealEngine()
    if Language.POWERSHELL in engine.missing:
        cure = "install PowerShell 7 (pwsh), or name a pshost in FLEETSCAN_PSHOST"
        raise InputError.of("--execute", "there is no PowerShell to run probes in", cure)
    visits, skipped = _visits(playbook, cases, engine.missing)
    lines: list[str] = []
    compared = 0
    gate = anyio.CapacityLimiter(_AT_ONCE)

    async def go(visit: _Visit) -> None:
        nonlocal compared
        async with gate:
            found = await _answers(engine, playbook, visit)
        for name, question in visit.questions.items():
            if found[name].reason is Reason.PROBE_COMMAND_MISSING and question.expected.reason is None:
                skipped[name] = f"the lab has no stand-in for what it asks: {found[name].message}"
                continue
            compared += 1
            lines.extend(_lines(question, found[name]))

    try:
        async with anyio.create_task_group() as group:
            for entry in visits:
                group.start_soon(go, entry)
    finally:
        await engine.aclose()
    notes = [f"{name}: {why}" for name, why in sorted(skipped.items())]
    notes += [f"{r.check.id}: {r.case.name}: {r.case.no_execute}" for r in cases if r.case.no_execute is not None]
    return Report(compared, tuple(sorted(lines)), tuple(notes))


def machine_of(situation: Situation) -> Machine:
    """The situation as a simulated machine."""
    meta = situation.facts.meta
    linux = Role.LINUX_GUEST in situation.host.roles
    system = OS(
        family="linux" if linux else "windows",
        build=str(meta["os_build"]),
        computer=str(meta["computer"]),
        language=str(meta["culture"]),
        language_mode=str(meta["language_mode"]),
        powershell=str(meta["powershell"]),
        elevated=bool(meta["elevated"]),
        now=str(meta["now"]),
    )
    return Machine(name=situation.host.name, os=system, probes=dict(situation.given))


def _visits(
    playbook: Playbook, rehearsals: Iterable[Rehearsal], missing: frozenset[Language]
) -> tuple[list[_Visit], dict[str, str]]:
    """Each machine once, with what the checks ask it, and the probes that cannot be run."""
    supported = probes_with_standins(playbook.probes)
    found: dict[str, _Visit] = {}
    skipped: dict[str, str] = {}
    for rehearsal, probe, expected in _asked(playbook, rehearsals):
        if probe.id not in supported:
            skipped[probe.id] = "the lab has no stand-ins for it"
        elif probe.language in missing:
            skipped[probe.id] = f"there is no {probe.language} here"
        else:
            machine, roles = machine_of(rehearsal.situation), rehearsal.situation.host.roles
            key = json.dumps([roles, machine.model_dump(mode="json")], sort_keys=True)
            visit = found.setdefault(key, _Visit(machine, roles))
            visit.questions.setdefault(probe.id, _Question(rehearsal, probe, expected))
    return list(found.values()), skipped


def _asked(playbook: Playbook, rehearsals: Iterable[Rehearsal]) -> Iterator[tuple[Rehearsal, Probe, ProbeAnswer]]:
    for rehearsal in rehearsals:
        if rehearsal.case.no_execute is not None:
            continue
        situation = rehearsal.situation
        for name in rehearsal.check.probes:
            probe, expected = playbook.probes[name], situation.facts.answers.get(name)
            is_asked = set(probe.roles) & set(situation.host.roles)
            if is_asked and expected is not None and expected.reason not in _NEVER_RUN:
                yield rehearsal, probe, expected


async def _answers(engine: Engine, playbook: Playbook, visit: _Visit) -> Mapping[str, ProbeAnswer]:
    """What each of the probes answers, from one run of a payload with these and no others."""
    probes = {name: question.probe for name, question in visit.questions.items()}
    script = payload.build(replace(playbook, probes=probes), visit.roles)
    use = payload.invoke(script, seconds=_SECONDS)
    outcome = await engine.run(visit.machine, use.command, use.stdin)
    reading = envelope.decode(outcome.stdout, use.nonce)
    found = dict(answers.merge(script, [reading]).answers)
    trouble = answers.explain_silence(reading, outcome.stdout, outcome.stderr, outcome.exit_code)
    for name in probes.keys() - found.keys():
        reason = trouble.reason if trouble else Reason.PROBE_NOT_RUN
        found[name] = ProbeAnswer(probe=name, data=None, reason=reason, message=trouble.message if trouble else "")
    return found


def _lines(question: _Question, found: ProbeAnswer) -> Iterator[str]:
    difference = _difference(question.expected, found)
    if difference:
        rehearsal = question.rehearsal
        title = f"{rehearsal.check.id}: {rehearsal.case.name}"
        yield f"{rehearsal.origin}: {title}: {question.probe.id}: {difference}"


def _difference(expected: ProbeAnswer, found: ProbeAnswer) -> str:
    if expected.reason is not found.reason:
        said = f" ({found.message})" if found.message else ""
        return (
            f"the facts say {expected.reason or 'an answer'}, the script ends with {found.reason or 'an answer'}{said}"
        )
    for loc, wanted, got in _unequal(_known(dict(expected.data or {})), _known(dict(found.data or {})), ()):
        return f"{describe_loc(loc) or 'the answer'}: the facts say {_shown(wanted)}, the script found {_shown(got)}"
    return ""


def _known(value: JSON) -> JSON:
    """Without nulls: null and missing mean the same, for shapes and for expressions."""
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items() if item is not None}
    return [_known(item) for item in value] if isinstance(value, list) else value


def _unequal(
    expected: JSON, found: JSON, loc: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], JSON, JSON]]:
    """The innermost values that differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            yield from _unequal(expected.get(key), found.get(key), (*loc, key))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _unequal(one, other, (*loc, index))
    elif expected != found:
        yield loc, expected, found


def _shown(value: JSON) -> str:
    if isinstance(value, Mapping):
        return "an object"
    return f"{len(value)} entries" if isinstance(value, list) else json.dumps(value, ensure_ascii=False)
