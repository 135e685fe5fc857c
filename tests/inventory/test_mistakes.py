"""Whatever is wrong with an inventory is said at once, with place and cure."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetscan.errors import InputError, Problem
from fleetscan.inventory import _parse_text, check_files, load
from fleetscan.inventory.merge import merge
from fleetscan.model.host import Host, Inventory
from fleetscan.yamlfile import dump
from tests.inventory.conftest import LOGIN

Complaints = Callable[[str], list[str]]
GROUP = "groups: {a: {roles: [vmm], credential: a, hosts: [one]}}\n"


def test_one_mistake_does_not_hide_the_next(complaints: Complaints) -> None:
    """A typo in a setting leaves the other settings of the same host, group or defaults as they are."""
    text = """\
defaults:
  winrm: {prot: 5986}
  credential: audt
credentials:
  audit: {username: a}
groups:
  paris:
    rols: [hyperv]
    credential: adit
    hosts: [hv01]
  lyon:
    roles: [hyperv]
    hosts: [{name: hv07, adress: 10.0.0.7}, {name: hv08, winrm: {port: 0}, credential: udit}]
  guests:
    roles: [guest]
    via: hv07
    hosts: [{name: g1, via: hv7}, g2]
"""
    assert complaints(text) == [
        'hosts.yaml:2:11: defaults.winrm: unknown key "prot"; did you mean "port"?',
        'hosts.yaml:3:3: hv07 and 2 more: there is no credential "audt"; did you mean "audit"?',
        'hosts.yaml:8:5: groups.paris: unknown key "rols"; did you mean "roles"?',
        'hosts.yaml:9:5: hv01: there is no credential "adit"; did you mean "audit"?',
        'hosts.yaml:13:26: groups.lyon.hosts[0]: unknown key "adress"; did you mean "address"?',
        "hosts.yaml:13:72: groups.lyon.hosts[1].winrm.port: must be at least 1; write 1 or more",
        'hosts.yaml:13:76: hv08: there is no credential "udit"; did you mean "audit"?',
        'hosts.yaml:17:24: g1: there is no host or cluster "hv7"; did you mean "hv07"?',
    ]


@pytest.mark.parametrize("missing", ["roles: [hyper-v]", "transport: WinRM, roles: [linux-guest]"])
def test_what_a_mistake_hides_is_no_second_mistake(complaints: Complaints, missing: str) -> None:
    login = "credentials: {a: {username: a, password: {env: X}}}\ndefaults: {credential: a}\n"
    host = f"{{name: hv01, {missing}}}"
    guest = "{roles: [guest], hosts: [{name: g1, via: hv01}]}"
    (complaint,) = complaints(f"{login}groups: {{h: {{hosts: [{host}]}}, g: {guest}}}\n")
    assert "is not one of" in complaint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "hosts.yaml:1:1: the file is empty; see docs/inventory.md for an example"),
        ("# nothing\n", "hosts.yaml:1:1: the file is empty; see docs/inventory.md for an example"),
        ("- a\n", "hosts.yaml:1:1: must be a mapping; write key: value"),
        (
            "groups:\n\ta: {}\n",
            "hosts.yaml:2:1: is not valid YAML: a tab stands where only spaces may; replace it by spaces",
        ),
        ("zones: {}\nzones: {}\n", 'hosts.yaml:2:1: the key "zones" is here twice; line 1 has it already'),
        ("group: {}\n", 'hosts.yaml:1:1: unknown key "group"; did you mean "groups"?'),
        ("groups: []\n", "hosts.yaml:1:9: groups: must be a mapping; write key: value"),
        (
            "all: {hosts: {a: {}}}\n",
            "hosts.yaml:1:1: this is an inventory of Ansible; give fleetscan what `ansible-inventory --list` prints",
        ),
    ],
)
def test_mistakes_of_a_file(complaints: Complaints, text: str, complaint: str) -> None:
    assert complaints(text) == [complaint]


@pytest.mark.parametrize(
    ("group", "complaint"),
    [
        ("rols: [vmm]", 'hosts.yaml:4:3: groups.a: unknown key "rols"; did you mean "roles"?'),
        (
            "roles: [hyperv, vm]",
            (
                'hosts.yaml:4:19: groups.a.roles[1]: "vm" is not one of hyperv, vmm, guest, linux-guest; '
                'did you mean "vmm"?'
            ),
        ),
        (
            "roles: vmm",
            "hosts.yaml:4:10: groups.a.roles: must be a list; write [first, second]",
        ),
        ("zone: 7", "hosts.yaml:4:9: groups.a.zone: must be a text; quote it"),
        ('zone: "a\\eb"', "hosts.yaml:4:9: groups.a.zone: holds characters that cannot be printed; remove them"),
        ("winrm: {port: 0}", "hosts.yaml:4:17: groups.a.winrm.port: must be at least 1; write 1 or more"),
        ("winrm: {port: 65536}", "hosts.yaml:4:17: groups.a.winrm.port: must be at most 65535; write 65535 or less"),
        (
            "winrm: {path: wsman}",
            'hosts.yaml:4:17: groups.a.winrm.path: "wsman" is no path of a listener; begin it with /, as in /wsman',
        ),
        (
            "winrm: {spn_service: HTTP/x}",
            'hosts.yaml:4:24: groups.a.winrm.spn_service: "HTTP/x" is no service class; write HTTP, WSMAN or HOST',
        ),
        ('zone: ""', "hosts.yaml:4:9: groups.a.zone: is empty; write something, or remove it"),
        ("winrm: {port: true}", "hosts.yaml:4:17: groups.a.winrm.port: must be a whole number"),
        (
            "winrm: {insecure_skip_tls_verification: maybe}",
            "hosts.yaml:4:43: groups.a.winrm.insecure_skip_tls_verification: must be true or false",
        ),
        (
            "winrm: {auth: kerberso}",
            (
                'hosts.yaml:4:17: groups.a.winrm.auth: "kerberso" is not one of kerberos, ntlm, certificate, credssp, '
                'basic; did you mean "kerberos"?'
            ),
        ),
        (
            "transport: wimrm",
            'hosts.yaml:4:14: groups.a.transport: "wimrm" is not one of winrm, ssh, direct; did you mean "winrm"?',
        ),
        ("winrm: {prot: 1}", 'hosts.yaml:4:11: groups.a.winrm: unknown key "prot"; did you mean "port"?'),
        (
            "hosts: ['hv[40:01]']",
            'hosts.yaml:4:11: groups.a.hosts[0]: range "hv[40:01]" ends before it starts; write hv[01:40]',
        ),
        ("hosts: [{address: 10.0.0.1}]", 'hosts.yaml:4:11: groups.a.hosts[0]: "name" is missing; add it'),
        ("hosts: [7]", "hosts.yaml:4:11: groups.a.hosts[0]: must be a text; quote it"),
        (
            "hosts: one",
            "hosts.yaml:4:10: groups.a.hosts: must be a list; write [first, second]",
        ),
        (
            "hosts: ['hv 1']",
            (
                'hosts.yaml:4:11: groups.a.hosts[0]: "hv 1" is not a host name; '
                "use letters, digits, - and _, in parts of at most 63, joined by dots"
            ),
        ),
        (
            "hosts: [10.1.2.300]",
            (
                'hosts.yaml:4:11: groups.a.hosts[0]: "10.1.2.300" is neither a host name nor an IPv4 address; '
                "an IPv4 address is like 10.1.2.41"
            ),
        ),
        (
            "hosts: ['hv1:5986']",
            (
                'hosts.yaml:4:11: groups.a.hosts[0]: "hv1:5986" is neither a host name nor an IPv6 address; '
                "write the port under winrm or ssh"
            ),
        ),
        (
            "hosts: [{name: 'hv[1:3]', address: 10.0.0.1}]",
            "hosts.yaml:4:38: 3 names have 1 addresses; give the address as many values as the name",
        ),
        ("children: [b]", 'hosts.yaml:4:14: there is no group "b"; groups: a'),
        ("children: [a]", "hosts.yaml:3:11: groups contain each other: a; remove one of their children"),
    ],
)
def test_mistakes_of_a_group(complaints: Complaints, group: str, complaint: str) -> None:
    assert complaint in complaints(f"{LOGIN}groups: {{ a: {{\n  {group} }} }}\n")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("", "no role; add roles: [hyperv, vmm, guest, linux-guest] (what applies) to the host or its group"),
        ("roles: [vmm, linux-guest]", "both linux-guest and vmm; one machine is either Linux or Windows"),
        (
            "roles: [linux-guest], transport: winrm",
            "a linux-guest cannot be reached over winrm; remove transport, or write ssh",
        ),
        (
            "roles: [vmm], winrm: {auth: basic, scheme: http}",
            (
                "auth basic over http shows the password to everybody on the way; "
                "use scheme: https, or auth: kerberos or ntlm"
            ),
        ),
        ("roles: [vmm], credential: adit", 'there is no credential "adit"; did you mean "audit"?'),
        (
            "roles: [vmm], winrm: {auth: ntlm}",
            (
                'credential "audit" has no password; give it a password; only kerberos works without, '
                "with the ticket of the user who runs fleetscan"
            ),
        ),
        (
            "roles: [vmm], winrm: {auth: certificate}",
            'credential "audit" has no certificate; give it certificate and certificate_key',
        ),
        (
            "roles: [linux-guest]",
            'credential "audit" has nothing that ssh could use; give it a private_key or a password',
        ),
    ],
)
def test_mistakes_of_hosts_are_told_once_for_all(complaints: Complaints, settings: str, complaint: str) -> None:
    said = complaints(f"{LOGIN}groups:\n  a: {{ {settings + ',' if settings else ''} hosts: ['h[1:9]'] }}\n")
    assert [line.partition(": ")[2] for line in said if complaint in line] == [f"h1 and 8 more: {complaint}"]


def test_what_a_broken_part_may_hold_is_not_missed(complaints: Complaints) -> None:
    assert complaints(f"{LOGIN}groups: {{a: {{rols: [vmm], hosts: [one]}}}}\n") == [
        'hosts.yaml:3:14: groups.a: unknown key "rols"; did you mean "roles"?'
    ]
    text = "defaults: {credentail: audit}\ngroups: {a: {roles: [vmm], hosts: [one]}}\n"
    assert complaints(text) == ['hosts.yaml:1:12: defaults: unknown key "credentail"; did you mean "credential"?']


def test_a_host_without_credential_is_told(complaints: Complaints) -> None:
    assert complaints("groups: {a: {roles: [vmm], hosts: [one]}}\n") == [
        "hosts.yaml:1:36: one: no credential; add credential: NAME to the host, its group or defaults"
    ]


@pytest.mark.parametrize(
    ("hosts", "complaint"),
    [
        ("a: {roles: [vmm], hosts: [one, ONE]}", "ONE: listed twice; remove it: hosts.yaml:4:29 has it already"),
        (
            "a: {roles: [vmm], hosts: [{name: one, zone: a}]}, b: {hosts: [{name: one, zone: b}]}",
            "one: settings in two places; hosts.yaml:4:29 has settings for it, too; keep them in one place",
        ),
        (
            "a: {roles: [vmm], hosts: [a]}",
            "a: the name of a host and of a group; hosts.yaml:4:3 describes the group; rename one of them",
        ),
        (
            "all: {roles: [vmm], hosts: [one]}",
            'groups.all: a group cannot be called "all"; `all` means every host; choose another name',
        ),
        (
            "'a:b': {roles: [vmm], hosts: [one]}",
            'groups.a:b: "a:b" cannot be the name of a group; use letters, digits, `_`, `-` and `.`',
        ),
    ],
)
def test_names_are_unique_and_usable_in_patterns(complaints: Complaints, hosts: str, complaint: str) -> None:
    assert [line.partition(": ")[2] for line in complaints(f"{LOGIN}groups:\n {{{hosts}}}\n")] == [complaint]


@pytest.mark.parametrize(
    ("credential", "complaint"),
    [
        (
            "username: a, password: hunter2",
            ".password: a secret is never in the file; write {env: VARIABLE}, or file, command, prompt or keyring",
        ),
        (
            "username: a, private_key: k, passphrase: 12345",
            ".passphrase: a secret is never in the file; write {env: VARIABLE}, or file, command, prompt or keyring",
        ),
        (
            "username: a, password: {env: A, file: B}",
            ".password: the secret has 2 sources (env, file); keep one of env, file, command, prompt and keyring",
        ),
        (
            "username: a, password: {}",
            ".password: the secret has no source; keep one of env, file, command, prompt and keyring",
        ),
        ("username: a, password: {evn: A}", '.password: unknown key "evn"; did you mean "env"?'),
        ("username: a, password: {command: {}}", ".password.command: must be a text or a list"),
        ("username: a, pasword: {env: A}", ': unknown key "pasword"; did you mean "password"?'),
        ("password: {env: A}", ': "username" is missing; add it'),
        ("username: ' a'", r".username: is not a username; write user@REALM, DOMAIN\user or user"),
        (
            "certificate: c",
            ": certificate and certificate_key belong together; give both; they may be the same file",
        ),
        (
            "username: a, passphrase: {env: A}",
            ": a passphrase needs a private_key; add private_key, or remove passphrase",
        ),
        ("username: a, parallel_logons: 0", ".parallel_logons: must be at least 1; write 1 or more"),
    ],
)
def test_mistakes_of_a_credential(complaints: Complaints, credential: str, complaint: str) -> None:
    said = complaints(f"{GROUP}credentials: {{a: {{{credential}}}}}\n")
    assert complaint in [line.partition(": credentials.a")[2] for line in said]
    assert "hunter2" not in "".join(said)
    assert "12345" not in "".join(said)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(complaints: Complaints) -> None:
    text = """\
defaults:
  credentail: audit
credentials:
  audit: {username: a, password: hunter2}
groups:
  paris:
    roles: [hyperv]
    hosts: ["hv[40:01]", {name: hv41, winrm: {port: https}}, hv42, hv42]
    children: [pairs]
"""
    assert complaints(text) == [
        'hosts.yaml:2:3: defaults: unknown key "credentail"; did you mean "credential"?',
        (
            "hosts.yaml:4:34: credentials.audit.password: a secret is never in the file; "
            "write {env: VARIABLE}, or file, command, prompt or keyring"
        ),
        'hosts.yaml:8:13: groups.paris.hosts[0]: range "hv[40:01]" ends before it starts; write hv[01:40]',
        "hosts.yaml:8:53: groups.paris.hosts[1].winrm.port: must be a whole number",
        "hosts.yaml:8:68: hv42: listed twice; remove it: hosts.yaml:8:62 has it already",
        'hosts.yaml:9:16: there is no group "pairs"; did you mean "paris"?',
    ]


def test_an_inventory_without_hosts_is_a_mistake(complaints: Complaints) -> None:
    assert complaints(LOGIN) == [f"{complaints(LOGIN)[0].partition(':')[0]}: there are no hosts; add hosts to a group"]


def test_files_that_cannot_be_read_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("groups:\n  é".encode("latin-1"))
    (tmp_path / "big.yaml").write_bytes(b"#" * (5 * 1024 * 1024 + 1))
    names = ("missing.yaml", "latin.yaml", "big.yaml", "")
    with pytest.raises(InputError) as caught:
        load([str(tmp_path / name) for name in names])
    assert str(caught.value).replace(f"{tmp_path}/", "").replace(str(tmp_path), ".").splitlines() == [
        "missing.yaml: cannot be read: No such file or directory; check the path",
        "latin.yaml:2:3: the file is not UTF-8; save it as UTF-8",
        "big.yaml: the file is larger than 5 MiB; split it into several files",
        ".: cannot be read: Is a directory; check the path",
    ]


def test_files_that_hosts_need_are_checked_for_the_hosts_that_are_visited(
    read: Callable[[str], Inventory], tmp_path: Path
) -> None:
    (tmp_path / "there.pem").touch()
    inventory = read(
        LOGIN
        + """groups:
  a: {roles: [vmm], winrm: {ca_file: there.pem}, hosts: [one]}
  b: {roles: [vmm], winrm: {ca_file: missing.pem}, hosts: ["two[1:9]"]}
"""
    )
    check_files(inventory.hosts[:1])
    with pytest.raises(InputError) as caught:
        check_files(inventory.hosts)
    assert str(caught.value) == (
        f"{inventory.hosts[1].origin}: two1 needs {tmp_path / 'missing.pem'}: No such file or directory; "
        "correct the path"
    )


PIECES = st.sampled_from(
    [
        *"{}[]:,-&*!|>'\"%#?~@ \n\t",
        "\n  ",
        "\n    ",
        "defaults",
        "groups",
        "credentials",
        "zones",
        "hosts",
        "roles",
        "hyperv",
        "winrm",
        "port",
        "password",
        "env",
        "hv[1:3]",
        "5986",
        "1e999",
        "children",
        "<<",
        "&a",
        "*a",
        "!!set",
        "null",
        ": ",
        "- ",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=30).map("".join)))
def test_any_text_is_an_inventory_or_a_mistake(text: str) -> None:
    for suffix in (".yaml", ".csv", ".json"):
        _load_text(text, suffix)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 70000) | st.text("ab:[]1.-é", max_size=6) | st.just("hv[1:3]"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "hosts", "roles", "name", "address", "winrm", "port", "auth", "children", "env"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["defaults", "groups", "credentials", "zones", "other"]), VALUES, min_size=1))
def test_any_structure_is_an_inventory_or_a_mistake(data: dict[str, object]) -> None:
    _load_text(dump(data), ".yaml")  # type: ignore[arg-type] # what hypothesis makes is plain


def _load_text(text: str, suffix: str) -> None:
    refused: Sequence[Problem] = ()
    hosts: Sequence[Host] = ()
    try:
        hosts = merge([_parse_text(f"any{suffix}", text, Path())]).hosts
    except InputError as error:
        refused = error.problems
    assert bool(hosts) != bool(refused)
    assert all(problem.message for problem in refused)


def test_standard_input_is_read_by_its_content() -> None:
    text = LOGIN + "groups: {a: {roles: [vmm], hosts: [one, {name: two, winrm: {ca_file: ca.pem}}]}}\n"
    inventory = load(["-"], io.StringIO(text))
    assert [host.name for host in inventory.hosts] == ["one", "two"]
    assert inventory.hosts[1].winrm.ca_file == "ca.pem"
    assert inventory.hosts[0].origin == "<stdin>:3:36"


def test_a_tab_and_a_key_twice_do_not_hide_what_else_is_wrong(complaints: Complaints) -> None:
    text = 'zones: {}\nzones: {}\ngroups:\n  a:\n\troles: [vmmm]\n    hosts: ["hv[2:1]"]\n  b:\n\thosts: []\n'
    tab = "is not valid YAML: a tab stands where only spaces may; replace it by spaces"
    assert complaints(text) == [
        'hosts.yaml:2:1: the key "zones" is here twice; line 1 has it already',
        f"hosts.yaml:5:1: {tab}",
        'hosts.yaml:5:13: groups.a.roles[0]: "vmmm" is not one of hyperv, vmm, guest, linux-guest; did you mean "vmm"?',
        'hosts.yaml:6:13: groups.a.hosts[0]: range "hv[2:1]" ends before it starts; write hv[1:2]',
        f"hosts.yaml:8:1: {tab}",
    ]
