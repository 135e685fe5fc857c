"""A host as a case describes it: settings and answers, laid over those of its base, each answer in its shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fleetscan.errors import Problem
from fleetscan.factfile import STATUSES, Fact, overlay, resolved
from fleetscan.model.facts import LATER, HostFacts, ProbeAnswer
from fleetscan.model.host import Host, Role
from fleetscan.model.playbook import JSON, Playbook, Probe
from fleetscan.playbook.answer import Fitting, fitting
from fleetscan.powershell.answers import failure
from fleetscan.rehearsal.schema import HostEntry
from fleetscan.suggest import did_you_mean

NOW = "2026-01-01T12:00:00Z"
"""What the clock of a host shows whose file does not say it: the same on every day."""
NAME = "host.example"
ENDINGS = sorted(STATUSES - {"ok"})
"""How a question may end without an answer."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """What the files say of a host: the settings, and what each probe would find."""

    host: HostEntry = field(default_factory=HostEntry)
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def changed(self, host: HostEntry, facts: Fact, problems: list[Problem]) -> Sketch:
        """The sketch with the settings and facts of a file over it. Null takes the answer of a probe away."""
        assert isinstance(facts.value, dict)  # noqa: S101 # the schema of the file
        merged = dict(self.facts)
        for probe, entry in facts.value.items():
            part = facts.part(probe)
            below = merged.get(probe)
            changes = below is not None and not _ends(entry, below.value)
            merged[probe] = overlay(below, part, problems) if below is not None and changes else part
            if entry is None:
                del merged[probe]
        return Sketch(host.over(self.host), merged)

    @property
    def now(self) -> str:
        """What the clock of the host shows."""
        return self.host.now or NOW


@dataclass(frozen=True, slots=True)
class Situation:
    """A host and what is known of it. `given` is what the files say that each probe finds, moments as written."""

    host: Host
    facts: HostFacts
    given: Mapping[str, JSON]


class Stage:
    """Makes situations for one playbook."""

    def __init__(self, playbook: Playbook) -> None:
        self._playbook = playbook
        self._fittings: dict[str, Fitting] = {name: fitting(probe) for name, probe in playbook.probes.items()}

    def situation(self, sketch: Sketch, roles: tuple[Role, ...], problems: list[Problem]) -> Situation:
        """The host of a sketch, with `roles` if it names none; what is wrong with it is added to the problems."""
        now = datetime.fromisoformat(sketch.now)
        answers: dict[str, ProbeAnswer] = {}
        given: dict[str, JSON] = {}
        for name, fact in sketch.facts.items():
            probe = self._playbook.probes.get(name.removesuffix(LATER))
            if probe is None:
                cure = did_you_mean(name, self._playbook.probes, "it has")
                problems.append(fact.problem((), f'the playbook has no probe "{name}"', cure, key=True))
                continue
            given[name] = fact.value
            problems += self._mistakes(name, probe, fact, resolved(fact.value, now), answers)
        return Situation(_host(sketch, roles), HostFacts(meta=_meta(sketch, roles), answers=answers), given)

    def _mistakes(
        self, name: str, probe: Probe, fact: Fact, value: JSON, answers: dict[str, ProbeAnswer]
    ) -> Iterator[Problem]:
        """Note the answer of a probe under a name, or say what is wrong with it."""
        if isinstance(value, dict) and _ends(value, dict(probe.shape)):
            if value["status"] not in ENDINGS:
                word = str(value["status"])
                cure = did_you_mean(word, ENDINGS) or f"write one of {', '.join(ENDINGS)}"
                yield fact.problem(("status",), f'no question ends as "{word[:60]}"', cure)
                return
            reason, message = failure(probe, value)
            answers[name] = ProbeAnswer(probe=name, data=None, reason=reason, message=message)
            return
        data, misfits = self._fittings[probe.id](value)
        for misfit in misfits:
            text = f"{probe.id}: {misfit.message}"
            yield fact.problem(misfit.loc, text, misfit.cure, key=misfit.key)
        if data is not None:
            answers[name] = ProbeAnswer(probe=name, data=data)


def _ends(entry: JSON, answer: JSON) -> bool:
    """Whether an entry says how the question ends; `answer` is what an answer looks like, which may have a `status`."""
    told = isinstance(entry, dict) and "status" in entry and entry.keys() <= {"status", "error"}
    return told and not (isinstance(answer, dict) and "status" in answer and answer["status"] not in STATUSES)


def _host(sketch: Sketch, roles: tuple[Role, ...]) -> Host:
    entry = sketch.host
    name = entry.name or NAME
    return Host(
        name=name,
        address=name,
        roles=entry.roles or roles,
        groups=entry.groups or (),
        zone=entry.zone or "",
        cluster=entry.cluster or "",
        vmm_server=entry.vmm_server or "",
    )


def _meta(sketch: Sketch, roles: tuple[Role, ...]) -> dict[str, JSON]:
    """What the host says of itself: as the files have it, else as a plain host would."""
    entry = sketch.host
    name = (entry.name or NAME).partition(".")[0]
    linux = Role.LINUX_GUEST in (entry.roles or roles)
    culture = entry.culture or ("C.UTF-8" if linux else "en-US")
    plain: dict[str, JSON] = {
        "computer": name if linux else name.upper()[:15],
        "culture": culture,
        "ui_culture": culture,
        "language_mode": "sh" if linux else "FullLanguage",
        "powershell": "" if linux else "5.1.20348.2227",
        "os_build": "" if linux else "20348",
        "elevated": None if linux else True,
    }
    said = entry.model_dump(include=set(plain), exclude_none=True)
    return {**plain, **said, "now": sketch.now}
