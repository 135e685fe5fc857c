"""The CSV source."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetscan.errors import InputError
from fleetscan.inventory import load
from fleetscan.model.host import Host, Role, TransportName, WinRMAuth
from tests.inventory.conftest import LOGIN

UNKNOWN = "remove it; docs/inventory.md lists the columns"
Write = Callable[..., str]


def hosts(write: Write, text: str) -> tuple[Host, ...]:
    return load([write(text, "hosts.csv"), write(LOGIN, "logins.yaml")]).hosts


def complaints(write: Write, tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        hosts(write, text)
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


def test_a_row_is_a_host(write: Write, tmp_path: Path) -> None:
    one, two, three = hosts(
        write,
        "name,address,roles,groups,zone,cluster,vmm_server,winrm.port,winrm.auth,winrm.channel_binding,winrm.ca_file\n"
        "hv01,10.0.0.1,hyperv;vmm,paris;canaries,paris,c1,vmm01,15986,kerberos,no,ca.pem\n"
        "\n"
        '"hv[02:03]",,"hyperv","paris",,,,,,,\n',
    )
    assert (one.name, one.address, one.roles) == ("hv01", "10.0.0.1", (Role.HYPERV, Role.VMM))
    assert (one.groups, one.zone, one.cluster, one.vmm_server) == (("paris", "canaries"), "paris", "c1", "vmm01")
    assert (one.winrm.port, one.winrm.auth, one.winrm.channel_binding) == (15986, WinRMAuth.KERBEROS, False)
    assert one.winrm.ca_file == str(tmp_path / "ca.pem")
    assert [(host.name, host.groups, host.winrm.port) for host in (two, three)] == [
        ("hv02", ("paris",), 5986),
        ("hv03", ("paris",), 5986),
    ]
    assert three.origin.endswith("hosts.csv:4:1")


@pytest.mark.parametrize(
    "text",
    [
        'Name;Roles;Groups\nhv01;hyperv;"a;b"\n',
        "\ufeffname;roles;groups\r\nhv01;hyperv;a|b\r\n",
        'name,roles,groups\nhv01,hyperv,"a,b"',
        " name , roles , groups \n hv01 , hyperv , a ; b \n",
        "\ufeffsep=;\r\nname;roles;groups;;\r\nhv01;hyperv;a,b;;\r\n;;;;\r\n",
        "name\troles\tgroups\rhv01\thyperv\ta;b\r",
        '\n\n"name";"roles";"groups"\nhv01 ; "hyperv" ;"a;b"\n',
    ],
)
def test_spreadsheets_write_it_in_many_ways(write: Write, text: str) -> None:
    (host,) = hosts(write, text)
    assert (host.name, host.roles, host.groups) == ("hv01", (Role.HYPERV,), ("a", "b"))


def test_groups_of_a_yaml_file_give_settings_to_rows(write: Write) -> None:
    rows = write("name,groups\nhv01,paris\n", "hosts.csv")
    logins = write(
        """
        defaults: {credential: audit}
        credentials: {audit: {username: audit, password: {env: X}}}
        groups:
          france: {children: [paris], winrm: {auth: ntlm}}
          paris: {roles: [hyperv], zone: paris}
        """
    )
    (host,) = load([rows, logins]).hosts
    assert (host.groups, host.zone, host.winrm.auth) == (("france", "paris"), "paris", WinRMAuth.NTLM)


def test_a_linux_guest_of_a_row_is_reached_over_ssh(write: Write) -> None:
    rows = write("name,roles,credential,ssh.port\napp1,linux-guest,key,2222\n", "hosts.csv")
    logins = write("credentials: {key: {username: audit, private_key: id}}\n")
    (host,) = load([rows, logins]).hosts
    assert (host.transport, host.ssh.port) == (TransportName.SSH, 2222)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "1:1: the file is empty; begin with a header such as name,address,roles,groups"),
        ("name,role\nhv01,vmm\n", '1:6: unknown column "role"; did you mean "roles"?'),
        ("name,roles,name\nhv01,vmm,x\n", '1:12: the column "name" is here twice; keep one'),
        ("roles\nvmm\n", '1:1: there is no column "name"; name the columns in the first row'),
        ("name,roles\nhv01,vmm\nHV01,vmm\n", "3:1: HV01: listed twice; remove it: hosts.csv:2:1 has it already"),
        ('name,roles\nhv01,"vmm\n', "2:6: the quote is not closed; close it, or double it"),
        (
            'name,roles\nhv01,"vmm"x\n',
            "2:11: something stands behind the closing quote; double a quote that belongs to the text",
        ),
        ("name,Bemerkung,roles\nhv01,x,vmm\n", '1:6: unknown column "bemerkung"; ' + UNKNOWN),
        ("name;roles;;\nhv01;vmm;;x\n", "2:11: the column of this cell has no name; name it in the first row"),
        ("name,roles\nhv01,vmm,x\n", "2:1: the row has 3 cells, the header has 2; quote cells that hold the delimiter"),
        (
            "name,roles,groups\nhv01,vmm,all\n",
            '2:10: groups[0]: a group cannot be called "all"; `all` means every host; choose another name',
        ),
        (
            "name,address,roles\nhv[1:2],10.0.0.1,vmm\n",
            "2:9: 2 names have 1 addresses; give the address as many values as the name",
        ),
    ],
)
def test_a_mistake_has_its_line(write: Write, tmp_path: Path, text: str, complaint: str) -> None:
    assert complaints(write, tmp_path, text) == [f"hosts.csv:{complaint}"]


def test_the_mistakes_of_all_rows_are_told_at_once(write: Write, tmp_path: Path) -> None:
    text = "name,roles,winrm.port\nhv01,vmm,x\nhv02,vmn,1\nhv:3,vmm,2\n,vmm,\nhv05,vmm\n"
    assert complaints(write, tmp_path, text) == [
        "hosts.csv:2:10: winrm.port: must be a whole number",
        'hosts.csv:3:6: roles[0]: "vmn" is not one of hyperv, vmm, guest, linux-guest; did you mean "vmm"?',
        'hosts.csv:4:1: name: "hv:3" is neither a host name nor an IPv6 address; write the port under winrm or ssh',
        'hosts.csv:5:1: "name" is missing; add it',
        "hosts.csv:6:1: the row has 2 cells, the header has 3; write an empty cell where nothing is said",
    ]


def test_positions_are_those_of_the_file(write: Write, tmp_path: Path) -> None:
    """Behind a byte order mark, the line of Excel, blank lines and a cell of two lines."""
    text = '\ufeffsep=;\r\n\r\nname;zone;roles;credential\r\nhv01;"a\r\nb";vmn;\r\nhv02;"x;""y";vmm;adit\r\n'
    assert complaints(write, tmp_path, text) == [
        "hosts.csv:4:6: zone: holds characters that cannot be printed; remove them",
        'hosts.csv:5:4: roles[0]: "vmn" is not one of hyperv, vmm, guest, linux-guest; did you mean "vmm"?',
        'hosts.csv:6:18: hv02: there is no credential "adit"; did you mean "audit"?',
    ]


def test_a_mistake_in_the_header_hides_none_in_the_rows(write: Write, tmp_path: Path) -> None:
    assert complaints(write, tmp_path, "name,rols,winrm.port,name\nhv01,vmm,x,a\nhv02,vmm,1,b\n") == [
        'hosts.csv:1:6: unknown column "rols"; did you mean "roles"?',
        'hosts.csv:1:22: the column "name" is here twice; keep one',
        "hosts.csv:2:10: winrm.port: must be a whole number",
    ]


def test_a_guest_may_be_reached_through_a_host_whose_row_has_a_mistake(write: Write, tmp_path: Path) -> None:
    text = "name,roles,winrm.port,via\nhv01,hyperv,x,\ng1,guest,,hv01\n"
    complaint, other = complaints(write, tmp_path, text)
    assert complaint == "hosts.csv:2:13: winrm.port: must be a whole number"
    assert "PowerShell Direct logs on with" in other  # the login of these tests has no password


def test_standard_input_may_be_csv(write: Write) -> None:
    inventory = load(["-", write(LOGIN)], io.StringIO("name;roles\nhv01;vmm\n"))
    assert [host.name for host in inventory.hosts] == ["hv01"]
