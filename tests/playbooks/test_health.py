"""The playbook hyperv-health: nothing but files, judged, proven and asked like the first one."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from fleetscan.judge import judge
from fleetscan.lab import DirectEngine, Machine, PowerShellEngine
from fleetscan.model.facts import HostFacts
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Host, Role
from fleetscan.model.playbook import Playbook
from fleetscan.model.reasons import Reason
from tests.playbooks.support import LANGUAGES, as_host, builtin, facts_of, healthy, simulated, speaking, visit

NAME = "hyperv-health"
NAMES = [host.name for host in healthy(NAME).hosts]
FIXED = "2026-11-24T22:00:00Z"
GOOD = (Status.PASS, Status.NOT_APPLICABLE)


def book() -> Playbook:
    return builtin(NAME)


def machine(name: str, changes: Mapping[str, Any] | None = None, now: str = FIXED) -> tuple[Host, Machine]:
    """A host of the fleet at that time, with changes to its facts (path → value)."""
    spec = simulated(healthy(NAME), name)
    probes: Any = deepcopy(dict(spec.machine.probes))
    for path, value in (changes or {}).items():
        *steps, last = path.split(".")
        place = probes
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[last] = value
    changed = spec.machine.model_copy(update={"probes": probes})
    return as_host(healthy(NAME), spec), speaking(changed, "en-US", now=now)


def trouble(findings: tuple[Finding, ...]) -> list[str]:
    return [f"{f.check_id} {f.object_name}: {f.status} {f.observed}" for f in findings if f.status not in GOOD]


@pytest.mark.parametrize("name", NAMES)
def test_no_false_alarm(name: str) -> None:
    """The facts of a healthy machine come to passes, and to some of them."""
    host, sound = machine(name)
    findings = judge(host, facts_of(sound, book=book()), book())
    assert trouble(findings) == []
    assert sum(finding.status is Status.PASS for finding in findings) >= 4


def known(value: object) -> object:
    """Without nulls: null and missing mean the same, for shapes and for expressions."""
    if isinstance(value, Mapping):
        return {key: known(item) for key, item in value.items() if item is not None}
    return [known(item) for item in value] if isinstance(value, list) else value


def comparable(facts: HostFacts) -> dict[str, object]:
    return {name: (answer.reason, answer.message, known(answer.data)) for name, answer in facts.answers.items()}


TROUBLED: dict[str, dict[str, Any]] = {
    "hv-node.example": {
        "cluster-volumes.disks.0.access": "FileSystemRedirected",
        "cluster-volumes.disks.0.access_code": 3,
        "cluster-volumes.disks.0.redirect_reason": 5,
        "cluster-volumes.disks.1.state": "Failed",
        "cluster-volumes.disks.1.state_code": 4,
        "pending-restart": {
            "servicing": True,
            "windows_update": True,
            "renamed": True,
            "joining": True,
            "file_count": 7,
            "files": list("abcde"),
        },
        "time-service.lost": "now-1h",
        "winrm-listeners.listeners.1.certificate": None,
    },
    "hv-one.example": {"time-service.service": None, "time-service.follows": None, "time-service.servers": None},
}


@pytest.mark.anyio
@pytest.mark.powershell
@pytest.mark.parametrize("language", LANGUAGES)
async def test_real_scripts_find_what_the_facts_say(powershell: PowerShellEngine, language: str) -> None:
    """Healthy machines answer as their facts do, in every language; so do troubled ones in a constrained PowerShell.

    The clock of the real PowerShell is that of this machine, so the facts must be of today.
    """
    today = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"

    async def look(name: str, changes: dict[str, Any], mode: str) -> None:
        host, spec = machine(name, changes, today)
        spec = speaking(spec, language, language_mode=mode)
        direct = comparable(await visit(DirectEngine(), spec, host.roles, book=book()))
        real = await visit(powershell, spec, host.roles, book=book())
        assert comparable(real) == direct
        assert bool(trouble(judge(host, real, book()))) is bool(changes)

    async with anyio.create_task_group() as group:
        for name in NAMES:
            group.start_soon(look, name, {}, "FullLanguage")
        for name, changes in TROUBLED.items():
            group.start_soon(look, name, changes, "ConstrainedLanguage")


@pytest.mark.anyio
@pytest.mark.powershell
@pytest.mark.parametrize("language", ["en-US", "fr-FR", "de-DE"])
async def test_refusals(powershell: PowerShellEngine, language: str) -> None:
    """A refusal is told by its category or code, never by its words, and says which right is needed."""
    for probe in book().probes.values():
        _, spec = machine("hv-node.example", {probe.id: {"status": "denied"}})
        facts = await visit(powershell, speaking(spec, language), [Role.HYPERV], only=probe.id, book=book())
        answer = facts.answers[probe.id]
        assert (answer.data, answer.reason) == (None, Reason.PERMISSION_DENIED), probe.id
        assert probe.needs in answer.message
