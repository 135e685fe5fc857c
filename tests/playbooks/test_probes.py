"""Every probe of the built-in playbook, run by a real PowerShell: refused, missing, slow, and faced with odd names."""

from __future__ import annotations

from copy import deepcopy
from itertools import cycle
from typing import Any

import pytest

from fleetscan.lab import Machine, PowerShellEngine
from fleetscan.model.facts import ProbeAnswer
from fleetscan.model.host import Role
from fleetscan.model.playbook import Language, Probe
from fleetscan.model.reasons import Reason
from tests.figures.article import calls_in_loops
from tests.playbooks.support import LANGUAGES, builtin, healthy, simulated, speaking, visit

pytestmark = [pytest.mark.anyio, pytest.mark.powershell]

PROBES = [probe for probe in builtin().probes.values() if probe.language is Language.POWERSHELL]
HOSTS = {Role.HYPERV: "hv-node.example", Role.VMM: "vmm.example", Role.GUEST: "guest.example"}


def _machine(probe: Probe, changes: dict[str, Any]) -> Machine:
    machine = simulated(healthy(), HOSTS[probe.roles[0]]).machine
    return machine.model_copy(update={"probes": {**deepcopy(machine.probes), **changes}})


async def _ask(engine: PowerShellEngine, probe: Probe, machine: Machine) -> ProbeAnswer:
    facts = await visit(engine, machine, [probe.roles[0]], only=probe.id)
    return facts.answers[probe.id]


async def test_all_are_there() -> None:
    """What follows runs each probe at least once."""
    assert {probe.id for probe in PROBES} == builtin().probes.keys() - {"linux-integration"}


@pytest.mark.parametrize(
    ("probe", "language"),
    list(zip(PROBES, cycle(LANGUAGES), strict=False)),
    ids=lambda value: getattr(value, "id", value),
)
async def test_refused(powershell: PowerShellEngine, probe: Probe, language: str) -> None:
    """A refusal is told by its category or code, never by its words, and says which right is needed."""
    refused: dict[str, Any] = {probe.id: {"status": "denied"}}
    answer = await _ask(powershell, probe, speaking(_machine(probe, refused), language))
    assert (answer.data, answer.reason) == (None, Reason.PERMISSION_DENIED)
    assert probe.needs in answer.message


@pytest.mark.parametrize("name", ["vms", "vm-integration-services", "vm-replication", "vmm-fabric"])
async def test_module_missing(powershell: PowerShellEngine, name: str) -> None:
    """Without Hyper-V's or VMM's module the question fails as such; no machine is made out of it."""
    probe = builtin().probes[name]
    answer = await _ask(powershell, probe, _machine(probe, {name: {"status": "missing"}}))
    assert (answer.data, answer.reason) == (None, Reason.PROBE_COMMAND_MISSING)


@pytest.mark.parametrize("name", ["vms", "vm-summary", "vm-integration-services", "vm-replication", "vm-disks"])
async def test_no_machines_is_not_no_rights(powershell: PowerShellEngine, name: str) -> None:
    """A host without machines answers with an empty list; one that hides them is a refusal."""
    probe = builtin().probes[name]
    empty = simulated(healthy(), "hv-empty.example").machine
    answer = await _ask(powershell, probe, empty)
    assert answer.data is not None, answer.message
    assert answer.data["vms"] == []
    names = ("vms", "vm-summary", "vm-integration-services", "vm-replication", "vm-disks")
    hidden = empty.model_copy(update={"probes": {**empty.probes, **{key: {"status": "denied"} for key in names}}})
    assert (await _ask(powershell, probe, hidden)).reason is Reason.PERMISSION_DENIED


NAMES = (
    'it\'s "quoted" & <odd>',
    "$(Get-Date) `n %PATH%",
    "FLEETSCAN1 0 vms json 2 - 1/1 {}",
    "ユニコード\u202e\x1b[2J",
    "sql01",
)


async def test_odd_and_equal_names(powershell: PowerShellEngine) -> None:
    """Names are data: they arrive as they are, and two machines of the same name stay two."""
    base = simulated(healthy(), "hv-one.example").machine
    probes: dict[str, Any] = deepcopy(base.probes)
    for answer in ("vms", "vm-summary", "vm-integration-services", "vm-replication", "vm-disks"):
        (entry,) = probes[answer]["vms"]
        probes[answer]["vms"] = [
            {**entry, "id": f"00000000-0000-4000-8000-{number:012d}", "name": name}
            for number, name in enumerate([*NAMES, "sql01"])
        ]
    facts = await visit(powershell, base.model_copy(update={"probes": probes}), [Role.HYPERV])
    for answer in ("vms", "vm-summary", "vm-integration-services", "vm-replication", "vm-disks"):
        data = facts.answers[answer].data
        assert data is not None, facts.answers[answer].message
        machines = data["vms"]
        assert isinstance(machines, list)
        assert len({machine["id"] for machine in machines if isinstance(machine, dict)}) == len(NAMES) + 1
        assert len(machines) == len(NAMES) + 1


async def test_a_disk_of_two_machines_is_shared(powershell: PowerShellEngine) -> None:
    """Also one that is not said to be: both machines have it in their settings."""
    base = simulated(healthy(), "hv-one.example").machine
    probes: dict[str, Any] = deepcopy(base.probes)
    for answer in ("vms", "vm-disks"):
        (entry,) = probes[answer]["vms"]
        probes[answer]["vms"] = [entry, {**entry, "id": "00000000-0000-4000-8000-000000000002", "name": "twin"}]
    first, second = (deepcopy(machine["drives"]) for machine in probes["vm-disks"]["vms"])
    second[1]["path"] = "E:\\Scratch\\twin.vhdx"
    for machine, drives in zip(probes["vm-disks"]["vms"], (first, second), strict=True):
        machine["drives"] = drives
    facts = await visit(powershell, base.model_copy(update={"probes": probes}), [Role.HYPERV], only="vm-disks")
    data: Any = facts.answers["vm-disks"].data
    assert [[drive["shared"] for drive in machine["drives"]] for machine in data["vms"]] == [[True, False]] * 2


async def test_shadow_copies_need_an_elevated_token(powershell: PowerShellEngine) -> None:
    """Windows says of these classes that they cannot be initialized; which right is missing tells the token."""
    probe = builtin().probes["guest-vss-providers"]
    answer = await _ask(powershell, probe, speaking(_machine(probe, {}), "de-DE", elevated=False))
    assert answer.reason is Reason.PERMISSION_DENIED
    assert probe.needs in answer.message


async def test_broken_wmi(powershell: PowerShellEngine) -> None:
    """A query that ends in an error is an answer of the probe, with the code; a slow one tells its seconds."""
    probe = builtin().probes["guest-wmi"]
    broken = {"answered": False, "seconds": 0, "error_id": "HRESULT 0x80041010", "error": "Classe non valide"}
    system = {"build": None, "caption": None, "last_boot": None}
    changes = {"guest-wmi": {"cimv2": broken, "os": system, "firewall_rule_active": None, "firewall_rule_blocks": None}}
    answer = await _ask(powershell, probe, _machine(probe, changes))
    assert answer.data is not None, answer.message
    assert answer.data["cimv2"] == broken
    machine = _machine(probe, {})
    machine.probes["guest-wmi"]["cimv2"]["seconds"] = 1  # type: ignore[index,call-overload] # a copy of known facts
    slow = await _ask(powershell, probe, machine)
    assert slow.data is not None
    assert slow.data["cimv2"]["seconds"] == 1  # type: ignore[index,call-overload] # validated above


@pytest.mark.parametrize("name", ["host-services", "guest-services"])
async def test_start_types_stand_in_the_registry_where_services_tell_none(
    powershell: PowerShellEngine, name: str
) -> None:
    """Windows PowerShell 4, as 2012 R2 brings it, has services without a start type: the answer is the same."""
    probe = builtin().probes[name]
    machine = _machine(probe, {})
    new = await _ask(powershell, probe, speaking(machine, "en-US", build="20348"))
    old = await _ask(powershell, probe, speaking(machine, "en-US", build="9600"))
    assert old.data is not None, old.message
    assert old.data == new.data


async def test_a_hidden_service_is_not_missing(powershell: PowerShellEngine) -> None:
    """An account that may see some services only: what the registry knows and the service manager does not show."""
    probe = builtin().probes["host-services"]
    machine = _machine(probe, {})
    del machine.probes["host-services"]["services"]["dra"]  # type: ignore[attr-defined] # a copy of known facts
    answer = await _ask(powershell, probe, machine)
    assert (answer.data, answer.reason) == (None, Reason.PERMISSION_DENIED)
    assert "the service dra is installed, but hidden" in answer.message


@pytest.mark.parametrize("language", LANGUAGES)
async def test_other_programs_that_take_snapshots(powershell: PowerShellEngine, language: str) -> None:
    """Services and tasks by the names that Windows and vendors give them, whatever the language."""
    probe = builtin().probes["other-snapshots"]
    volume = "ShadowCopyVolume{5b6a3c2d-0000-0000-0000-100000000000}"
    facts = {
        "azure_backup_policies": 2,
        "running": ["GxCVD(Instance001)", "wbengine"],
        "tasks": [{"name": volume, "state": "Ready", "state_code": 3}],
    }
    answer = await _ask(powershell, probe, speaking(_machine(probe, {probe.id: facts}), language))
    assert answer.data == facts


def test_a_process_is_not_taken_for_a_service() -> None:
    """WMI Provider Host is a process, started on demand: nobody looks for it among the services."""
    for probe in PROBES:
        code = [line for line in probe.text.lower().splitlines() if not line.lstrip().startswith("#")]
        assert not any("wmiprvse" in line or "wmi provider host" in line for line in code), probe.id


def test_machines_are_asked_about_all_at_once() -> None:
    """No probe that lists machines calls a command of Windows in a loop over them."""
    called = calls_in_loops(builtin())
    assert {name for name in called if "vms" in builtin().probes[name].shape} == set()
    assert "host-wmi" in called, "the two namespaces are asked one after the other, so loops are seen"
