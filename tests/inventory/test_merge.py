"""What a host comes to from defaults, groups and itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetscan.errors import InputError
from fleetscan.inventory import describe, load
from fleetscan.model.host import Inventory, Role, SecretKind, TransportName, WinRMAuth, Zone
from tests.inventory.conftest import LOGIN, hosts_of

Read = Callable[[str], Inventory]
Complaints = Callable[[str], list[str]]
Write = Callable[..., str]


def test_settings_merge_from_the_outside_in_and_mappings_key_by_key(read: Read) -> None:
    inventory = read("""
        defaults: {credential: audit, zone: anywhere, winrm: {scheme: http, auth: ntlm}}
        credentials: {audit: {username: audit@CORP, password: {env: X}}}
        groups:
          outer: {children: [inner], roles: [hyperv], zone: outer, winrm: {path: /outer, port: 1}}
          inner:
            zone: inner
            winrm: {port: 2}
            hosts: [one, {name: two, cluster: c1, winrm: {port: 3, scheme: https}}]
        """)
    one, two = inventory.hosts
    assert (one.zone, one.cluster, one.groups) == ("inner", "", ("outer", "inner"))
    assert (one.winrm.scheme, one.winrm.auth, one.winrm.path, one.winrm.port) == ("http", WinRMAuth.NTLM, "/outer", 2)
    assert (two.cluster, two.winrm.scheme, two.winrm.port, two.winrm.path) == ("c1", "https", 3, "/outer")


def test_an_inner_group_wins_wherever_it_is_written(read: Read) -> None:
    inventory = read(
        LOGIN
        + """groups:
  inner: {zone: inner, hosts: [one]}
  outer: {zone: outer, roles: [hyperv], children: [inner]}
"""
    )
    assert inventory.hosts[0].zone == "inner"


@pytest.mark.parametrize(("scheme", "port"), [("https", 5986), ("http", 5985)])
def test_the_port_follows_the_scheme(read: Read, scheme: str, port: int) -> None:
    inventory = read(LOGIN + f"groups: {{g: {{roles: [hyperv], winrm: {{scheme: {scheme}}}, hosts: [one]}}}}\n")
    assert inventory.hosts[0].winrm.port == port


def test_a_host_has_the_roles_of_all_its_groups_unless_it_says_otherwise(read: Read) -> None:
    hosts = hosts_of(
        read(
            LOGIN
            + """groups:
  a: {roles: [vmm], children: [b], hosts: [one, two, {name: three, roles: [guest]}]}
  b: {roles: [hyperv], hosts: [two, four]}
  c: {roles: [guest], hosts: [two]}
"""
        )
    )
    assert hosts["one"].roles == (Role.VMM,)
    assert hosts["two"].roles == (Role.HYPERV, Role.VMM, Role.GUEST)
    assert hosts["three"].roles == (Role.GUEST,)
    assert hosts["four"].roles == (Role.HYPERV, Role.VMM)


def test_groups_that_disagree_about_a_host_are_both_named(complaints: Complaints) -> None:
    assert complaints(
        LOGIN
        + """groups:
  a: {roles: [hyperv], zone: paris, hosts: [one, two, {name: three, zone: mine}]}
  b: {zone: lyon, hosts: [one, two, three]}
"""
    ) == [
        (
            "hosts.yaml:5:7: one and 1 more: groups a and b disagree about zone; "
            "hosts.yaml:4:24 has another value; set it at the host, or in one group only"
        )
    ]


def test_groups_may_agree(read: Read) -> None:
    inventory = read(LOGIN + "groups: {a: {roles: [vmm], zone: z, hosts: [one]}, b: {zone: z, hosts: [ONE]}}")
    assert inventory.hosts[0].groups == ("a", "b")


def test_linux_guests_are_reached_over_ssh_whatever_the_defaults_say(read: Read) -> None:
    inventory = read("""
        defaults: {transport: winrm, credential: audit}
        credentials: {audit: {username: audit, private_key: key}}
        groups: {linux: {roles: [linux-guest], hosts: [app1]}}
        """)
    assert inventory.hosts[0].transport is TransportName.SSH


def test_relative_paths_start_at_the_file_that_names_them(write: Write, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    hosts = write(
        """
        groups:
          a: {roles: [hyperv], winrm: {ca_file: ca.pem}, hosts: [one]}
          b: {roles: [linux-guest], credential: key, hosts: [{name: two, ssh: {known_hosts: /etc/known}}]}
        """
    )
    logins = write(
        """
        defaults: {credential: audit}
        credentials:
          audit: {username: audit, password: {file: secret.txt}}
          key: {username: audit, private_key: id, passphrase: {env: P}}
        """,
        "keys/logins.yaml",
    )
    inventory = load([hosts, logins])
    one, two = inventory.hosts
    assert one.winrm.ca_file == str(tmp_path / "ca.pem")
    assert two.ssh.known_hosts == str(Path("/etc/known"))
    password = inventory.credentials["audit"].password
    assert password is not None
    assert (password.kind, password.value) == (SecretKind.FILE, str(tmp_path / "keys" / "secret.txt"))
    assert inventory.credentials["key"].private_key == str(tmp_path / "keys" / "id")


def test_several_files_make_one_inventory(write: Write) -> None:
    inventory = load(
        [
            write("groups: {a: {roles: [vmm], hosts: [one]}}", "1.yaml"),
            write("groups: {a: {zone: z, hosts: [two]}}\nzones: {z: {concurrency: 3}, idle: {}}", "2.yaml"),
            write(LOGIN, "3.yaml"),
        ]
    )
    assert [(host.name, host.roles, host.zone) for host in inventory.hosts] == [
        ("one", (Role.VMM,), "z"),
        ("two", (Role.VMM,), "z"),
    ]
    assert inventory.zones == {"z": Zone("z", 3), "idle": Zone("idle", 0)}


def test_what_stands_in_two_files_is_named_in_both(write: Write, tmp_path: Path) -> None:
    first = write(LOGIN + "groups: {a: {roles: [vmm], hosts: ['hv[1:3]']}}\nzones: {z: {}}\n", "1.yaml")
    second = write(LOGIN + "groups: {b: {roles: [vmm], hosts: ['HV[2:4]']}}\nzones: {z: {}}\n", "2.yaml")
    with pytest.raises(InputError) as caught:
        load([first, second])
    assert str(caught.value).replace(f"{tmp_path}/", "").splitlines() == [
        '2.yaml:2:22: credential "audit" is here again; 1.yaml:2:22 has it already',
        "2.yaml:3:36: HV2 and 1 more: listed in two files; 1.yaml:3:36 has it already",
        '2.yaml:4:12: zone "z" is here again; 1.yaml:4:12 has it already',
    ]


def test_a_file_that_is_given_twice_is_one_mistake(write: Write) -> None:
    path = write(LOGIN + "groups: {a: {roles: [vmm], hosts: [one]}}\n")
    with pytest.raises(InputError) as caught:
        load([path, path])
    assert str(caught.value) == f"{path}: is given twice; remove one"


def test_two_files_must_not_disagree_about_defaults(write: Write) -> None:
    first = write(LOGIN + "groups: {a: {roles: [vmm], hosts: [one]}}\n", "1.yaml")
    second = write("defaults: {credential: other}\n", "2.yaml")
    with pytest.raises(InputError, match="two files have defaults for credential"):
        load([first, second])


def test_what_a_broken_file_may_hold_is_not_missed(write: Write) -> None:
    hosts = write("groups: {a: {rols: [vmm], hosts: [one]}}\n", "1.yaml")
    with pytest.raises(InputError) as caught:
        load([hosts, write("defaults: [\n", "2.yaml")])
    assert [problem.message for problem in caught.value.problems] == [
        "is not valid YAML: while parsing a flow node, expected the node content, but found '<stream end>'",
        'groups.a: unknown key "rols"',
    ]


def test_describe_shows_what_a_scan_uses_and_no_secret(read: Read) -> None:
    inventory = read("""
        defaults: {credential: audit}
        credentials: {audit: {username: svc-audit, password: {env: VERY_SECRET}, private_key: id}}
        groups:
          w: {roles: [hyperv], zone: z, hosts: [one]}
          l: {roles: [linux-guest], hosts: [two]}
        """)
    one, two = (describe(host) for host in inventory.hosts)
    assert one == {
        "name": "one",
        "address": "one",
        "roles": ["hyperv"],
        "groups": ["w"],
        "zone": "z",
        "cluster": "",
        "vmm_server": "",
        "transport": "winrm",
        "winrm": {
            "scheme": "https",
            "port": 5986,
            "path": "/wsman",
            "auth": "kerberos",
            "ca_file": None,
            "tls_name": None,
            "insecure_skip_tls_verification": False,
            "spn_service": "HTTP",
            "channel_binding": True,
        },
        "credential": "audit",
        "origin": inventory.hosts[0].origin,
    }
    assert type(one["winrm"]["auth"]) is str
    assert two["ssh"] == {"port": 22, "known_hosts": None}
    assert "winrm" not in two


def test_kerberos_to_a_bare_address_is_pointed_out(read: Read) -> None:
    inventory = read(LOGIN + "groups: {a: {roles: [vmm], hosts: ['10.0.0.[1:3]', {name: n, address: 10.0.0.9}]}}")
    assert inventory.notices == (
        (
            "10.0.0.1 and 2 more: kerberos looks for a service by its name, an IP address has none; "
            "write {name: NAME, address: IP}, or auth: ntlm"
        ),
    )


def test_a_vmm_server_that_nobody_would_look_at_is_pointed_out(read: Read) -> None:
    """Its short name, another case or its address will do; a name that no host has leaves VMM's service unseen."""
    text = (
        "groups: {a: {roles: [hyperv], vmm_server: %s, hosts: ['hv[1:3].example']}, "
        "b: {roles: [vmm], hosts: [{name: vmm01.example, address: 10.0.0.9}]}}"
    )
    for known in ("vmm01.example", "VMM01", "10.0.0.9"):
        assert read(LOGIN + text % known).notices == ()
    assert read(LOGIN + text % "vmm02.example").notices == (
        (
            "hv1.example and 2 more: vmm_server vmm02.example is no host of the inventory; "
            "add it with roles: [vmm], or nobody looks whether VMM runs"
        ),
    )


def test_a_limit_for_a_zone_without_hosts_is_told(read: Read) -> None:
    text = "groups: {a: {roles: [vmm], zone: paris, hosts: [h]}}\nzones: {pari: {concurrency: 1}}\n"
    assert read(LOGIN + text).notices == (
        'no host is in zone "pari", so its limit counts for nobody; did you mean "paris"?',
    )
