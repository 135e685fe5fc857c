"""The storage counters, asked by a real PowerShell: totals that move, begin anew, or belong to no disk."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from fleetscan.judge import against, judge
from fleetscan.lab import Machine, PowerShellEngine
from fleetscan.model.facts import LATER, HostFacts
from fleetscan.model.finding import Status
from fleetscan.model.host import Role
from fleetscan.powershell import answers, envelope, payload
from tests.playbooks.support import as_host, builtin, healthy, simulated, speaking, visit

pytestmark = [pytest.mark.anyio, pytest.mark.powershell]

PROBE = "vm-storage-counters"
NAME = "hv-one.example"


def moving(write_bytes: str, **changes: Any) -> Machine:
    """The one machine's first disk is written to at that rate; the clock is that of this computer."""
    machine = simulated(healthy(), NAME).machine
    probes: Any = deepcopy(machine.probes)
    counters = probes[PROBE]
    counters["sample"] = {"ticks": "10000000/s", "frequency": 10_000_000, "time": "now"}
    disk, other = counters["vms"][0]["devices"]
    disk.update(write_bytes=write_bytes, read_bytes="4096/s", writes="16/s", reads="1/s")
    other.update(write_bytes="0/s", read_bytes="0/s", writes="0/s", reads="0/s")
    counters.update(changes)
    return machine.model_copy(update={"probes": probes})


async def sampled(engine: PowerShellEngine, machine: Machine, seconds: float) -> HostFacts:
    """The facts of a visit with a sample."""
    script = payload.build(builtin(), [Role.HYPERV])
    wanted = {PROBE, "vms", "vm-replication", "vm-disks", "azure-agents"}
    skip = [probe.id for probe in script.probes if probe.id not in wanted]
    use = payload.invoke(script, seconds=120, skip=skip, sample=seconds)
    outcome = await engine.run(machine, use.command, use.stdin)
    reading = envelope.decode(outcome.stdout, use.nonce)
    assert answers.explain_silence(reading, outcome.stdout, outcome.stderr, outcome.exit_code) is None
    return answers.merge(script, [reading])


def churn(facts: HostFacts) -> tuple[Status, str]:
    """What the check says of the machine."""
    host = as_host(healthy(), simulated(healthy(), NAME))
    (finding,) = [found for found in judge(host, facts, builtin()) if found.check_id == "vm-churn"]
    return finding.status, finding.observed


@pytest.mark.parametrize("mode", ["FullLanguage", "ConstrainedLanguage"])
async def test_two_readings_of_one_script_tell_the_rate(powershell: PowerShellEngine, mode: str) -> None:
    machine = speaking(moving("3145728/s"), "fr-FR", language_mode=mode)
    facts = await sampled(powershell, machine, 1)
    assert PROBE + LATER in facts.answers
    status, observed = churn(facts)
    assert (status, observed[:8]) == (Status.WARN, "3.0 MB/s")


async def test_against_an_earlier_visit(powershell: PowerShellEngine) -> None:
    """A visit with one reading is read against the last one of another day; a total that is smaller now is none."""
    earlier = await sampled(powershell, moving("1048576/s"), 0)
    host = as_host(healthy(), simulated(healthy(), NAME))
    for rate, status, told in (("1048576/s", Status.PASS, "1.0 MB/s"), ("1048000/s", Status.ERROR, "began anew")):
        now = await sampled(powershell, moving(rate), 0)
        findings = judge(host, against(now, builtin(), earlier), builtin())
        (finding,) = [found for found in findings if found.check_id == "vm-churn"]
        assert finding.status is status
        assert told in finding.observed


async def test_a_counter_of_no_disk_is_told(powershell: PowerShellEngine) -> None:
    machine = moving("1/s", unmatched=["D:-ISO-install.iso"])
    facts = await visit(powershell, machine, [Role.HYPERV], only=PROBE)
    answer: Any = facts.answers[PROBE].data
    assert answer["unmatched"] == ["D:-ISO-install.iso"]
    assert all(device["writes"] is not None for device in answer["vms"][0]["devices"])


async def test_what_is_not_counted_is_not_zero(powershell: PowerShellEngine) -> None:
    """A version of Windows without one of the counters does not make a disk that is never read."""
    machine = moving("4096/s")
    probes: Any = machine.probes
    probes[PROBE]["vms"][0]["devices"][0]["reads"] = None
    facts = await visit(powershell, machine, [Role.HYPERV], only=PROBE)
    answer: Any = facts.answers[PROBE].data
    assert answer["vms"][0]["devices"][0]["reads"] is None
    assert answer["vms"][0]["devices"][0]["write_bytes"] > 0


@pytest.mark.parametrize("build", ["9600", "20348"])
async def test_the_class_has_had_two_names(powershell: PowerShellEngine, build: str) -> None:
    machine = speaking(moving("1/s"), "ja-JP", build=build)
    facts = await visit(powershell, machine, [Role.HYPERV], only=PROBE)
    answer: Any = facts.answers[PROBE].data
    assert answer is not None, facts.answers[PROBE].message
    assert answer["sample"]["frequency"] == 10_000_000
    assert answer["vms"][0]["devices"][0]["write_bytes"] > 0


@pytest.mark.parametrize(
    "path",
    [
        "C:\\ClusterStorage\\Volume1\\sql (old)\\sql[1].vhdx",
        "\\\\files.example\\vms$\\sql01.vhdx",
        "D:\\VMs\\données\\サーバー #1.avhdx",
    ],
)
async def test_disks_are_found_by_the_names_of_their_counters(powershell: PowerShellEngine, path: str) -> None:
    machine = moving("1/s")
    probes: Any = machine.probes
    probes[PROBE]["vms"][0]["devices"][0]["path"] = path
    probes["vm-disks"]["vms"][0]["drives"][0]["path"] = path
    facts = await visit(powershell, machine, [Role.HYPERV], only=PROBE)
    answer: Any = facts.answers[PROBE].data
    assert answer["unmatched"] == []
    assert answer["vms"][0]["devices"][0]["path"] == path
    assert answer["vms"][0]["devices"][0]["writes"] is not None
