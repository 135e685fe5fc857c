"""A fleet is read from a folder, or made from one host."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetscan.errors import InputError
from fleetscan.lab import Fault, SimulatedHost, demo_fleet, load, many
from fleetscan.lab.faults import REJECTIONS, possible
from fleetscan.model.playbook import JSON
from tests.lab.helpers import host, machine

FOLDER = Path(__file__).parent / "fleet"


def write(folder: Path, **files: str) -> Path:
    (folder / "hosts").mkdir()
    (folder / "fleet.yaml").write_text(
        files.pop(
            "fleet", "accounts: {audit: {username: a, password: b}}\ngroups: {g: {roles: [hyperv], hosts: [h1]}}\n"
        )
    )
    for name, text in files.items():
        (folder / "hosts" / f"{name}.yaml").write_text(text)
    return folder


def test_settings_come_from_host_group_and_defaults_in_that_order() -> None:
    hosts = {each.name.partition(".")[0]: each for each in load(FOLDER).hosts}
    assert hosts["hv01"].scheme == "https"
    assert (hosts["hv02"].scheme, hosts["hv02"].latency) == ("http", 0.005)
    assert hosts["hv03"].fault is Fault.REFUSE
    assert (hosts["web1"].transport, hosts["web1"].account) == ("ssh", "keyed")
    assert hosts["web1"].machine.os.family == "linux"


def test_facts_are_merged_over_those_that_they_extend() -> None:
    facts = {each.name.partition(".")[0]: each.machine for each in load(FOLDER).hosts}
    assert facts["hv01"].probes["services"] == {"vmms": {"state": "Running"}}
    assert facts["hv02"].os.language == "fr-FR"
    assert facts["hv02"].os.build == "20348"
    assert facts["hv02"].probes["services"] == {"status": "denied", "error": "Accès refusé"}
    vms = facts["hv02"].probes["vms"]["vms"]  # type: ignore[index,call-overload] # the fleet's own facts
    assert [vm["state"] for vm in vms] == ["Off", "Running"]
    assert facts["hv01"].computer == "HV01"
    assert facts["web1"].computer == "web1"


def test_an_answer_with_a_status_of_its_own_is_merged_like_any_other(tmp_path: Path) -> None:
    folder = write(tmp_path, base="probes: {p: {backup: {enabled: true, status: 2}}}\n")
    (folder / "hosts" / "h1.yaml").write_text("extends: base.yaml\nprobes: {p: {backup: {status: 3}}}\n")
    assert load(folder).hosts[0].machine.probes == {"p": {"backup": {"enabled": True, "status": 3}}}


def test_a_name_that_the_extended_list_does_not_have_is_a_mistake(tmp_path: Path) -> None:
    folder = write(
        tmp_path, base="probes: {p: {vms: [{name: sql01}]}}", h1="extends: base.yaml\nprobes: {p: {vms: {sql02: {}}}}"
    )
    with pytest.raises(InputError, match=r'h1\.yaml:2:20: the list that this changes has no "sql02"; did you mean'):
        load(folder)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"h1": "extends: h1.yaml"}, "extends itself"),
        ({"h1": "extends: [a]"}, "extends must be the path of a file"),
        ({"h1": "- a"}, "must be a mapping"),
        ({"h1": "os: {family: windows, colour: red}"}, "colour"),
        ({"h1": "lab: {fault: explode}"}, "explode"),
        ({"h1": "lab: {fault: hostkey-changed}"}, "needs another transport"),
        ({"h1": "lab: {account: nobody}"}, "there is no account nobody"),
        ({}, "h1.yaml"),
        ({"fleet": "groups: {}"}, "accounts"),
        ({"fleet": "accounts: {a: {username: u}}\ngroups: {}"}, "must have one of password"),
        ({"fleet": "accounts: {a: {username: u, password: p, key: true}}\ngroups: {}"}, "must have one of password"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        load(write(tmp_path, **files))
    assert message in str(caught.value)


def test_a_circle_of_extensions_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="extends itself"):
        load(write(tmp_path, h1="extends: a.yaml", a="extends: b.yaml", b="extends: a.yaml"))


def test_copies_have_names_and_vms_of_their_own_and_share_well_known_ids() -> None:
    vm = "6F1C3A52-8C0E-4F0E-9A53-000000000001"
    known = "6c09bb55-d683-4da0-8931-c9bf705f6480"
    probes = {"vms": {"vms": [{"id": vm, "name": "a"}]}, "services": {"of": vm.lower(), "component": known}}
    copies = many(SimulatedHost(machine=machine(probes=probes, computer="OLD")), 3).hosts
    assert [each.name for each in copies] == ["hv0001.lab.example", "hv0002.lab.example", "hv0003.lab.example"]
    assert [each.machine.computer for each in copies] == ["HV0001", "HV0002", "HV0003"]
    ids = {each.machine.probes["vms"]["vms"][0]["id"] for each in copies}  # type: ignore[index,call-overload] # see above
    assert len(ids | {vm}) == 4
    for each in copies:
        services = each.machine.probes["services"]
        assert services["of"] == each.machine.probes["vms"]["vms"][0]["id"]  # type: ignore[index,call-overload] # see above
        assert services["component"] == known  # type: ignore[index,call-overload] # see above
    assert many(SimulatedHost(machine=machine(probes=probes)), 3).hosts[1].machine.probes == copies[1].machine.probes


def test_a_copy_is_the_only_node_of_its_cluster() -> None:
    nodes: JSON = [{"name": "HV01", "state": "Up"}, {"name": "HV02", "state": "Up"}]
    probes: dict[str, JSON] = {"cluster": {"member": True, "nodes": nodes}}
    [copy] = many(SimulatedHost(machine=machine(probes=probes)), 1).hosts
    assert copy.machine.probes["cluster"] == {"member": True, "nodes": [{"name": "HV0001", "state": "Up"}]}


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.4, 40), (1.0, 100)])
def test_faults_are_spread_evenly(share: float, count: int) -> None:
    hosts = many(host(scheme="http"), 100, misbehave=share).hosts
    assert sum(each.fault is not None for each in hosts) == count
    assert all(sum(each.fault is not None for each in hosts[start : start + 10]) == count / 10 for start in (0, 40, 90))
    kinds = {fault for fault in Fault if possible(fault, transport="winrm", tls=False)} - REJECTIONS
    assert len({each.fault for each in hosts if each.fault} & kinds) == min(count, len(kinds))


def test_the_faults_of_copies_can_be_chosen() -> None:
    hosts = many(host(), 4, misbehave=1, faults=[Fault.HANG, Fault.UNAUTHORIZED]).hosts
    assert [each.fault for each in hosts] == [Fault.HANG, Fault.UNAUTHORIZED] * 2


def test_the_demo_fleet_can_be_read() -> None:
    assert demo_fleet().hosts
