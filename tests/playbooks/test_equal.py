"""The lab's two ways of answering are one: what the stand-ins let the real scripts find is what the facts say.

facts → stand-ins → probe → answer, for every host of the demo fleet in English and French, and for one host of each
kind in German and Japanese.
"""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import pytest

from fleetscan.lab import DirectEngine, PowerShellEngine, demo_fleet
from fleetscan.model.facts import HostFacts
from tests.playbooks.support import LANGUAGES, as_host, simulated, speaking, visit

pytestmark = [pytest.mark.anyio, pytest.mark.powershell]

FLEET = demo_fleet()
WINDOWS = [host.name for host in FLEET.hosts if host.machine.os.family == "windows"]
ONE_OF_EACH = ["hv03.paris.corp.example", "vmm01.lyon.corp.example", "sql01.paris.corp.example"]


def _comparable(facts: HostFacts) -> dict[str, object]:
    return {name: (answer.reason, _known(answer.data)) for name, answer in facts.answers.items()}


def _known(value: object) -> object:
    """Without nulls: null and missing mean the same, for shapes and for expressions. And without what a query took.

    Those seconds the probes take by the clock of this machine, which may be busy.
    """
    if isinstance(value, Mapping):
        return {key: _known(item) for key, item in value.items() if item is not None and key != "seconds"}
    return [_known(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("language", LANGUAGES)
async def test_stand_ins_say_what_the_facts_say(powershell: PowerShellEngine, language: str) -> None:
    """Every probe of every Windows machine gives the very answer that its facts hold."""

    async def compare(name: str) -> None:
        spec = simulated(FLEET, name)
        machine = speaking(spec.machine, language, now="2026-11-24T22:00:00Z")
        roles = as_host(FLEET, spec).roles
        direct = _comparable(await visit(DirectEngine(), machine, roles))
        real = _comparable(await visit(powershell, machine, roles))
        assert len(direct) >= 4
        assert real == direct

    async with anyio.create_task_group() as group:
        for name in WINDOWS if language in ("en-US", "fr-FR") else ONE_OF_EACH:
            group.start_soon(compare, name)
