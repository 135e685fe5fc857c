"""The Ansible source. samples/ansible.json is what ansible-inventory of ansible-core 2.19.14 printed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleetscan.errors import InputError
from fleetscan.inventory import load
from fleetscan.model.host import Host, Role, TransportName, WinRMAuth
from tests.inventory.conftest import hosts_of

Write = Callable[..., str]
SAMPLE = Path(__file__).parent / "samples" / "ansible.json"
ONE_LOGIN = """
defaults: {credential: audit}
credentials: {audit: {username: svc-audit@CORP.EXAMPLE, password: {env: X}}}
"""
LOGINS = """
credentials:
  audit: {username: svc-audit@CORP.EXAMPLE, password: {env: X}}
  linux: {username: audit, private_key: id}
"""


def one(write: Write, variables: dict[str, Any], **groups: Any) -> Host:
    """The host that Ansible describes by some variables."""
    data = {"_meta": {"hostvars": {"h": variables}}, "all": {"children": list(groups)}}
    data |= groups or {"hyperv": {"hosts": ["h"]}}
    return load([write(json.dumps(data), "hosts.json"), write(ONE_LOGIN)]).hosts[0]


def complaint(write: Write, tmp_path: Path, variables: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        one(write, variables)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_what_ansible_prints_is_an_inventory(write: Write) -> None:
    inventory = load([str(SAMPLE), write(LOGINS)])
    hosts = hosts_of(inventory)
    assert list(hosts) == [
        "hv01.paris.corp.example",
        "hv02.paris.corp.example",
        "hv03.paris.corp.example",
        "hv04.lyon.corp.example",
        "lx1.corp.example",
        "lx2.corp.example",
        "sql01.corp.example",
        "vmm01.corp.example",
    ]
    first, fourth = hosts["hv01.paris.corp.example"], hosts["hv04.lyon.corp.example"]
    assert (first.roles, first.groups, first.zone) == ((Role.HYPERV,), ("paris", "hyperv"), "paris")
    assert (first.transport, first.winrm.auth, first.winrm.port) == (TransportName.WINRM, WinRMAuth.KERBEROS, 5986)
    assert not first.winrm.insecure_skip_tls_verification
    assert (fourth.address, fourth.winrm.scheme, fourth.winrm.port) == ("10.2.0.4", "http", 5985)
    assert fourth.vmm_server == "vmm01.corp.example"
    linux = hosts["lx1.corp.example"]
    assert (linux.roles, linux.transport, linux.ssh.port) == ((Role.LINUX_GUEST,), TransportName.SSH, 2222)
    assert linux.credential == "linux"
    assert hosts["sql01.corp.example"].roles == (Role.GUEST,)
    vmm = hosts["vmm01.corp.example"]
    assert (vmm.transport, vmm.winrm.insecure_skip_tls_verification) == (TransportName.WINRM, True)
    assert inventory.zones.keys() == {"paris", "lyon"}


def test_passwords_of_ansible_are_not_used_and_that_is_said(write: Write) -> None:
    inventory = load([str(SAMPLE), write(LOGINS)])
    assert inventory.notices == (
        (
            f"{SAMPLE}: not used: ansible_password (4 hosts), ansible_ssh_private_key_file (2 hosts), "
            "ansible_user (4 hosts); fleetscan logs on with credentials of its own"
        ),
    )
    assert "never-use-this" not in repr(inventory)


@pytest.mark.parametrize("variable", ["ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_psrp_proxy"])
def test_a_jump_host_that_is_not_gone_through_is_told(write: Write, variable: str) -> None:
    data = {"_meta": {"hostvars": {"h": {variable: "-o ProxyJump=j"}}}, "hyperv": {"hosts": ["h"]}}
    inventory = load([write(json.dumps(data), "hosts.json"), write(ONE_LOGIN)])
    (notice,) = inventory.notices
    assert notice.endswith(
        f"not used: {variable} (1 host); fleetscan connects directly, not through a jump host or a proxy"
    )


def test_standard_input_may_be_what_ansible_prints(write: Write) -> None:
    inventory = load(["-", write(LOGINS)], io.StringIO(SAMPLE.read_text(encoding="utf-8")))
    assert len(inventory.hosts) == 8


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"ansible_connection": "winrm", "ansible_port": "5985"}, {"scheme": "http", "port": 5985}),
        (
            {"ansible_connection": "winrm", "ansible_port": 5985, "ansible_winrm_scheme": "https"},
            {"scheme": "https", "port": 5985},
        ),
        ({"ansible_port": 5986}, {"scheme": "https", "port": 5986}),
        ({"ansible_winrm_path": "/x", "ansible_port": 1}, {"path": "/x", "port": 1}),
        ({"ansible_winrm_transport": ["kerberos", "ntlm"]}, {"auth": WinRMAuth.KERBEROS}),
        ({"ansible_psrp_auth": "negotiate"}, {"auth": WinRMAuth.KERBEROS}),
        ({"ansible_winrm_service": "WSMAN"}, {"spn_service": "WSMAN"}),
        ({"ansible_winrm_send_cbt": False}, {"channel_binding": False}),
        ({"ansible_psrp_cert_validation": "ignore"}, {"insecure_skip_tls_verification": True}),
        ({"fleetscan_winrm": {"port": 4, "tls_name": "n"}}, {"port": 4, "tls_name": "n"}),
    ],
)
def test_variables_of_the_windows_plugins(write: Write, variables: dict[str, Any], expected: dict[str, Any]) -> None:
    winrm = one(write, variables).winrm
    assert {name: getattr(winrm, name) for name in expected} == expected


def test_without_a_connection_ansible_means_ssh(write: Write) -> None:
    host = one(write, {"ansible_port": 2222})
    assert (host.ssh.port, host.winrm.port, host.transport) == (2222, 5986, TransportName.WINRM)


def test_roles_of_a_host_replace_those_of_its_groups(write: Write) -> None:
    assert one(write, {"fleetscan_roles": "vmm, guest"}).roles == (Role.VMM, Role.GUEST)


def test_nested_groups_give_their_roles(write: Write) -> None:
    groups = {"vmm": {"children": ["site"]}, "site": {"children": ["hosts"]}, "hosts": {"hosts": ["h"]}}
    assert one(write, {}, **groups).roles == (Role.VMM,)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"ansible_connection": "local"},
            (
                "ansible_connection is local; "
                "fleetscan scans over winrm, psrp and ssh only; leave the host out: `--list --limit GROUP`"
            ),
        ),
        (
            {"ansible_winrm_server_cert_validation": True},
            'ansible_winrm_server_cert_validation: "True" is not one of ignore, validate; write one of them',
        ),
        (
            {"ansible_psrp_cert_validation": "yes"},
            'ansible_psrp_cert_validation: "yes" is not one of ignore, validate; write one of them',
        ),
        (
            {"ansible_host": {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n6231"}},
            "ansible_host is encrypted, which Ansible does not undo here; write the value",
        ),
        (
            {"ansible_host": "{{ inventory_hostname }}.corp"},
            "ansible_host holds a template, which Ansible does not fill in here; write the value",
        ),
        ({"fleetscan_zon": "a"}, 'unknown variable fleetscan_zon; did you mean "fleetscan_zone"?'),
        ({"ansible_winrm_port": "x"}, "winrm.port: must be a whole number"),
        (
            {"ansible_winrm_transport": "digest"},
            'winrm.auth: "digest" is not one of kerberos, ntlm, certificate, credssp, basic',
        ),
        (
            {"ansible_winrm_transport": "plaintext", "ansible_port": 5985},
            (
                "auth basic over http shows the password to everybody on the way; "
                "use scheme: https, or auth: kerberos or ntlm"
            ),
        ),
        ({"fleetscan_credential": "adit"}, 'there is no credential "adit"; did you mean "audit"?'),
    ],
)
def test_mistakes_name_the_host(write: Write, tmp_path: Path, variables: dict[str, Any], expected: str) -> None:
    assert complaint(write, tmp_path, variables) == f"hosts.json: h: {expected}"


def test_a_host_without_a_role_is_a_mistake(write: Write, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="h: no role; add roles"):
        one(write, {}, web={"hosts": ["h"]})


def test_the_ini_form_of_ansible_is_known_for_what_it_is(write: Write, tmp_path: Path) -> None:
    for name in ("hosts.ini", "hosts"):
        with pytest.raises(InputError) as caught:
            load([write("# ours\nhv00\n[hyperv:children]\nparis\n", name)])
        assert str(caught.value).replace(f"{tmp_path}/", "") == (
            f"{name}:3:1: this is an inventory of Ansible; give fleetscan what `ansible-inventory --list` prints"
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"_meta": {"hostvars": {}}', "hosts.json:1:27: is not valid JSON: Expecting ',' delimiter"),
        ('{"_meta": []}', "hosts.json: _meta: must be a mapping"),
        ('{"_meta": {"hostvars": {"h": 1}}}', "hosts.json: _meta.hostvars.h: must be a mapping"),
        ('{"_meta": {"hostvars": {}}, "web": {"hosts": "h"}}', "hosts.json: web.hosts: must be a list"),
        (
            '{"_meta": {"hostvars": {}}, "all": {"vars": {"a": 1}}}',
            "hosts.json: the variables of groups are apart; print it with `ansible-inventory --list`, without --export",
        ),
        (
            '{"all": {"children": ["web"]}}',
            "hosts.json:1:2: this is an inventory of Ansible; give fleetscan what `ansible-inventory --list` prints",
        ),
    ],
)
def test_what_ansible_did_not_print_is_refused(write: Write, tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        load([write(text, "hosts.json")])
    assert str(caught.value).replace(f"{tmp_path}/", "").startswith(expected)
