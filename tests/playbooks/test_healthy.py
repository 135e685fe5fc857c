"""A healthy fleet gives no warning, no failure and no error, whatever language its machines speak."""

from __future__ import annotations

import anyio
import pytest

from fleetscan.lab import PowerShellEngine
from fleetscan.lab.linux import ShEngine
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Role
from fleetscan.model.reasons import Reason
from tests.playbooks.support import LANGUAGES, as_host, facts_of, findings_of, healthy, simulated, speaking, visit

pytestmark = pytest.mark.anyio
NAMES = [host.name for host in healthy().hosts]
ASKED = [
    "hv-many.example",
    "hv-old.example",
    "vmm.example",
    "vmm-passive.example",
    "guest-busy.example",
    "guest-old.example",
]
"""Those of the fleet that differ most; the facts of all are judged without being asked."""


def _trouble(findings: tuple[Finding, ...]) -> list[str]:
    good = (Status.PASS, Status.NOT_APPLICABLE)
    return [
        f"{f.check_id} {f.object_name}: {f.status} {f.observed} {f.message}" for f in findings if f.status not in good
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_false_alarm(name: str) -> None:
    """The facts of a healthy machine come to passes, and to some of them."""
    spec = simulated(healthy(), name)
    findings = findings_of(as_host(healthy(), spec), facts_of(spec.machine))
    assert _trouble(findings) == []
    assert sum(finding.status is Status.PASS for finding in findings) >= 1


@pytest.mark.powershell
@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_false_alarm_in_any_language(powershell: PowerShellEngine, language: str) -> None:
    """Asked by the real scripts, healthy machines are as healthy in French, German and Japanese."""

    async def look(name: str) -> None:
        spec = simulated(healthy(), name)
        host = as_host(healthy(), spec)
        facts = await visit(powershell, speaking(spec.machine, language), host.roles)
        assert _trouble(findings_of(host, facts)) == []

    async with anyio.create_task_group() as group:
        for name in ASKED:
            group.start_soon(look, name)


@pytest.mark.powershell
@pytest.mark.parametrize("name", ["hv-one.example", "guest.example"])
async def test_constrained_language(powershell: PowerShellEngine, name: str) -> None:
    """Where AppLocker constrains PowerShell, every question is still answered but the one that needs sockets."""
    spec = simulated(healthy(), name)
    host = as_host(healthy(), spec)
    machine = speaking(spec.machine, "en-US", language_mode="ConstrainedLanguage")
    facts = await visit(powershell, machine, host.roles)
    blocked = {answer.probe: answer.reason for answer in facts.answers.values() if answer.reason}
    expected = {"azure-endpoints": Reason.BLOCKED_LANGUAGE_MODE} if Role.HYPERV in host.roles else {}
    assert blocked == expected
    assert facts.meta["language_mode"] == "ConstrainedLanguage"
    findings = findings_of(host, facts)
    trouble = _trouble(tuple(f for f in findings if f.reason is not Reason.BLOCKED_LANGUAGE_MODE))
    assert trouble == []
    assert sum(f.reason is Reason.BLOCKED_LANGUAGE_MODE for f in findings) == len(expected)


async def test_linux_guests() -> None:
    """The Linux probe, run by a real sh, finds the same as the facts say."""
    engine = ShEngine.find()
    if engine is None:
        pytest.skip("no sh that can run the Linux probe in a root of its own")
    for name in ("lin-ubuntu.example", "lin-redhat.example"):
        spec = simulated(healthy(), name)
        facts = await visit(engine, spec.machine, [Role.LINUX_GUEST])
        assert facts.answers["linux-integration"].data == facts_of(spec.machine).answers["linux-integration"].data
        assert _trouble(findings_of(as_host(healthy(), spec), facts)) == []
    await engine.aclose()
