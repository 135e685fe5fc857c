"""Guests that are reached through their Hyper-V host: what `via` and `vm` mean, and what cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from fleetscan.cli import app
from fleetscan.errors import InputError
from fleetscan.inventory import describe, endpoint, load
from fleetscan.model.host import Inventory, TransportName
from tests.inventory.conftest import hosts_of

HEAD = """
defaults: {credential: audit, transport: winrm}
credentials:
  audit: {username: audit@CORP.EXAMPLE, password: {env: A}}
  guests: {username: 'DMZ\\audit', password: {env: B}}
  key: {username: audit, private_key: k}
groups:
  paris: {roles: [hyperv], cluster: Paris-C1, zone: paris, hosts: ["hv[1:3].paris.example"]}
  lyon: {roles: [hyperv], cluster: lyon-c1, hosts: [hv9.lyon.example, hv1.lyon.example]}
  vmm: {roles: [vmm], cluster: paris-c1, hosts: [vmm01.example]}
"""
Read = Callable[[str], Inventory]


def ways(read: Read, group: str) -> dict[str, tuple[str, ...]]:
    fleet = read(f"{HEAD}  dmz: {{roles: [guest], credential: guests, {group}}}\n")
    return {name: host.via for name, host in hosts_of(fleet).items() if name.endswith("dmz")}


@pytest.mark.parametrize(
    ("via", "hosts"),
    [
        ("hv2.paris.example", ["hv2.paris.example"]),
        ("HV2", ["hv2.paris.example"]),
        ("paris-c1", ["hv1.paris.example", "hv2.paris.example", "hv3.paris.example"]),
        ("[hv9, hv2, HV9.lyon.example]", ["hv9.lyon.example", "hv2.paris.example"]),
    ],
)
def test_via_names_a_host_several_or_a_cluster(read: Read, via: str, hosts: list[str]) -> None:
    assert ways(read, f"via: {via}, hosts: [web1.dmz]") == {"web1.dmz": tuple(hosts)}


def test_via_makes_the_transport_direct_whatever_defaults_say_and_a_host_may_leave_it(read: Read) -> None:
    fleet = read(
        f"{HEAD}  dmz: {{roles: [guest], credential: guests, via: hv2, "
        "hosts: [web1.dmz, {name: web2.dmz, transport: winrm}, {name: 'web[3:4].dmz', vm: 'WEB[3:4]'}, "
        "{name: web5.dmz, vm: 'SQL [a:b] (old)'}]}\n"
    )
    hosts = hosts_of(fleet)
    assert hosts["web1.dmz"].transport is TransportName.DIRECT
    assert hosts["web1.dmz"].vm_names == ("web1.dmz", "web1")
    assert (hosts["web2.dmz"].transport, hosts["web2.dmz"].via) == (TransportName.WINRM, ())
    assert [hosts[name].vm_names for name in ("web3.dmz", "web4.dmz", "web5.dmz")] == [
        ("WEB3",),
        ("WEB4",),
        ("SQL [a:b] (old)",),
    ]
    assert endpoint(hosts["web1.dmz"]) == "via hv2.paris.example"
    shown = describe(hosts["web3.dmz"])
    assert (shown["via"], shown["vm"], shown["transport"]) == (["hv2.paris.example"], "WEB3", "direct")
    assert not {"winrm", "ssh", "address"} & set(shown)
    assert not {"via", "vm"} & set(describe(hosts["web2.dmz"]))


def test_a_scan_of_guests_needs_what_their_hosts_need(read: Read) -> None:
    fleet = read(f"{HEAD}  dmz: {{roles: [guest], credential: guests, via: [hv2, hv9], hosts: [web1.dmz]}}\n")
    guest = hosts_of(fleet)["web1.dmz"]
    assert [host.name for host in fleet.involved([guest])] == ["web1.dmz", "hv2.paris.example", "hv9.lyon.example"]


@pytest.mark.parametrize(
    ("group", "complaint"),
    [
        ("via: hv7, hosts: [a.dmz]", 'a.dmz: there is no host or cluster "hv7"; did you mean "hv'),
        ("via: hv1, hosts: [a.dmz]", 'a.dmz: there is no host or cluster "hv1"; did you mean'),
        (
            "via: vmm01, hosts: [a.dmz, b.dmz]",
            (
                "a.dmz and 1 more: via vmm01.example, which does not have the role hyperv; "
                "name the Hyper-V host that runs the VM"
            ),
        ),
        (
            "via: hv2, roles: [guest, hyperv], hosts: [a.dmz, {name: b.dmz, via: a.dmz}]",
            (
                "b.dmz: via a.dmz, which is reached through PowerShell Direct itself; "
                "name a host that is reached over winrm or ssh"
            ),
        ),
        ("via: a.dmz, hosts: [a.dmz]", "a.dmz: via names the host itself; name the Hyper-V host that runs its VM"),
        (
            "transport: direct, hosts: [a.dmz]",
            "a.dmz: transport direct leads through a Hyper-V host; add via: HOST, the one that runs the VM",
        ),
        (
            "via: hv2, roles: [linux-guest], hosts: [a.dmz]",
            "a.dmz: PowerShell Direct leads into Windows guests only; write transport: ssh for a linux-guest",
        ),
        (
            "via: hv2, credential: key, hosts: [a.dmz]",
            (
                'a.dmz: credential "key" lacks what PowerShell Direct logs on with; '
                "give it the username and the password of an administrator of the guest"
            ),
        ),
        ("hosts: [{name: 'a[1:3].dmz', vm: 'A[1:2]'}]", "3 names have 2 VMs; give the vm as many values as the name"),
        ("vm: X, hosts: [a.dmz]", 'unknown key "vm"'),
        ("via: [], hosts: [a.dmz]", "via"),
    ],
)
def test_what_cannot_be_is_said_at_its_place(
    complaints: Callable[[str], list[str]], group: str, complaint: str
) -> None:
    settings = group if "credential:" in group else f"credential: guests, {group}"
    settings = settings if "roles:" in group else f"roles: [guest], {settings}"
    found = [text for text in complaints(f"{HEAD}  dmz: {{{settings}}}\n") if complaint in text]
    assert found, complaint
    assert found[0].startswith("hosts.yaml:11:")


def test_csv_and_ansible_know_the_way_too(write: Callable[..., str]) -> None:
    logins = write(HEAD, "logins.yaml")
    rows = write("name,roles,via,vm,credential\nweb1.dmz,guest,hv2;hv9,WEB 1,guests\n", "guests.csv")
    host = hosts_of(load([rows, logins]))["web1.dmz"]
    assert (host.via, host.vm) == (("hv2.paris.example", "hv9.lyon.example"), "WEB 1")
    variables = '{"fleetscan_via": "hv2,hv9", "fleetscan_vm": "W", "fleetscan_credential": "guests"}'
    ansible = write(
        f'{{"_meta": {{"hostvars": {{"w.dmz": {variables}}}}}, "all": {{"children": ["guest"]}}, '
        '"guest": {"hosts": ["w.dmz"]}}',
        "ansible.json",
    )
    host = hosts_of(load([ansible, logins]))["w.dmz"]
    assert (host.transport, host.via) == (TransportName.DIRECT, ("hv2.paris.example", "hv9.lyon.example"))


def test_commands_show_the_way(write: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "secret one")
    monkeypatch.setenv("B", "secret two")
    path = write(f"{HEAD}  dmz: {{roles: [guest], credential: guests, via: [hv2, hv9], hosts: [web1.dmz]}}\n")
    ways = "via hv2.paris.example, hv9.lyon.example"
    listed = CliRunner().invoke(app, ["inventory", "list", "-i", path, "-l", "dmz"], catch_exceptions=False)
    assert re.split(" {2,}", listed.stdout.splitlines()[1].strip())[-3:] == ["direct", ways, "guests"]
    preview = CliRunner().invoke(app, ["scan", "-i", path, "-l", "dmz", "--dry-run"], catch_exceptions=False)
    (row,) = [line for line in preview.stdout.splitlines() if line.startswith("web1.dmz")]
    assert re.split(" {2,}", row)[1:5] == ["guest", ways, "direct", "guests"]


def test_a_scan_of_guests_alone_asks_for_the_secret_of_their_host_too(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("B", "secret two")
    head = HEAD.replace("transport: winrm}", "transport: winrm, winrm: {auth: ntlm}}")
    path = write(f"{head}  dmz: {{roles: [guest], credential: guests, via: hv2, hosts: [web1.dmz]}}\n")
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(app, ["scan", "-i", path, "-l", "dmz"], catch_exceptions=False)
    (problem,) = caught.value.problems
    assert problem.message == "the environment variable A is not set"
