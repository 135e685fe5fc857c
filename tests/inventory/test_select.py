"""Host patterns."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetscan.errors import InputError
from fleetscan.inventory import load, select
from fleetscan.inventory.pattern import Term, split
from fleetscan.model.host import Inventory
from tests.inventory.conftest import LOGIN

TEXT = (
    LOGIN
    + """
groups:
  france: {children: [paris, lyon]}
  paris:
    roles: [hyperv]
    zone: paris
    hosts: ["hv[01:03].paris.example", {name: HV04, address: 10.1.2.4}]
  lyon: {roles: [hyperv], zone: lyon, cluster: hvc, hosts: [hv01.lyon.example, hv09.lyon.example]}
  vmm: {roles: [vmm], hosts: [vmm01, hv03.paris.example]}
  v6: {roles: [guest], winrm: {auth: kerberos}, hosts: ["fe80::1", "2001:db8::2"]}
"""
)
PARIS = ["hv01.paris.example", "hv02.paris.example", "hv03.paris.example", "HV04"]
LYON = ["hv01.lyon.example", "hv09.lyon.example"]
V6 = ["fe80::1", "2001:db8::2"]


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    path = tmp_path_factory.mktemp("inventory") / "hosts.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return load([str(path)])


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("all", [*PARIS, *LYON, "vmm01", *V6]),
        ("*", [*PARIS, *LYON, "vmm01", *V6]),
        ("paris", PARIS),
        ("PARIS", PARIS),
        ("france", [*PARIS, *LYON]),
        ("lyon:vmm", ["hv03.paris.example", *LYON, "vmm01"]),
        ("lyon,vmm", ["hv03.paris.example", *LYON, "vmm01"]),
        (" lyon , vmm01,", [*LYON, "vmm01"]),
        ("paris:&vmm", ["hv03.paris.example"]),
        ("&vmm:paris", ["hv03.paris.example"]),
        ("france:!paris", LYON),
        ("!paris:!v6", [*LYON, "vmm01"]),
        ("!hv02:paris:&france", ["hv01.paris.example", "hv03.paris.example", "HV04"]),
        ("paris:&france:!hv02,!hv04", ["hv01.paris.example", "hv03.paris.example"]),
        ("hv09", ["hv09.lyon.example"]),
        ("hv04", ["HV04"]),
        ("10.1.2.4", ["HV04"]),
        ("hv0[12].paris.example", PARIS[:2]),
        ("hv[01-02].paris.example", PARIS[:2]),
        ("hv[01,03].paris.example", [PARIS[0], PARIS[2]]),
        ("hv[01-02,03].paris.example,hv[01,09].lyon.example", [*PARIS[:3], *LYON]),
        ("hv0[1-2].paris.example", PARIS[:2]),
        ("hv0[!12].*", ["hv03.paris.example", "hv09.lyon.example"]),
        ("hv0?", [*PARIS, *LYON]),
        ("*.lyon.example", LYON),
        ("ly*", LYON),
        ("hv[01:02].paris.example", PARIS[:2]),
        ("paris[0]", PARIS[:1]),
        ("paris[1:2]", PARIS[1:3]),
        ("paris[2:]", PARIS[2:]),
        ("paris[:1]", PARIS[:2]),
        ("paris[-1]", PARIS[3:]),
        ("paris[-2:-1]", PARIS[2:]),
        ("all[4]", LYON[:1]),
        ("role=vmm", ["hv03.paris.example", "vmm01"]),
        ("role=hyperv:!zone=paris", LYON),
        ("cluster=hv*", LYON),
        ("fe80::1", V6[:1]),
        ("[fe80::1]", V6[:1]),
        ("FE80:0:0::1", V6[:1]),
        ("2001:db8:0:0::2,vmm01", ["vmm01", V6[1]]),
        ("v6:!fe80::1", V6[1:]),
        ("v6:![fe80::1]:&2001:db8::2", V6[1:]),
        ("fe80::1:vmm01", ["vmm01", V6[0]]),
    ],
)
def test_patterns_mean_hosts_in_the_order_of_the_inventory(
    inventory: Inventory, pattern: str, names: list[str]
) -> None:
    assert [host.name for host in select(inventory, pattern)] == names


def test_no_pattern_means_every_host(inventory: Inventory) -> None:
    assert select(inventory, None) == inventory.hosts


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("hv77.paris.example", '"hv77.paris.example" matches no host or group; did you mean "hv03.paris.example"?'),
        ("pariss", '"pariss" matches no host or group; did you mean "paris"?'),
        ("all:!pariss", '"pariss" matches no host or group; did you mean "paris"?'),
        ("all:&lyon:&viewer", '"viewer" matches no host or group; `fleetscan inventory list` shows what there is'),
        ("hyperv", '"hyperv" matches no host or group; write role=hyperv for the hosts of this role'),
        ("web*", '"web*" matches no host or group; `fleetscan inventory list` shows what there is'),
        ("hv01", '"hv01" is the short name of 2 hosts; write one of hv01.paris.example, hv01.lyon.example'),
        ("hv[03:01]", 'range "hv[03:01]" ends before it starts; write hv[01:03]'),
        (
            "hv[02:05].paris.example",
            '"hv04.paris.example" matches no host or group; did you mean "hv03.paris.example"?',
        ),
        ("role=hyprev", '"role=hyprev" matches no host; did you mean "hyperv"?'),
        ("zone=", '"zone=" matches no host; zone: lyon, paris'),
        ("os=linux", '"os" is nothing to select by; write role=…, zone=…, cluster=…'),
        ("paris[4]", '"paris[4]" matches no host; paris has 4 hosts, numbered from 0'),
        ("paris[]", '"paris[]" matches no host; paris has 4 hosts, numbered from 0'),
        ("paris:&lyon", '"paris:&lyon" leaves no host; loosen the pattern'),
        ("", "the pattern is empty; write `all` for every host"),
        (" , :", "the pattern is empty; write `all` for every host"),
        ("!", "the pattern is empty; write `all` for every host"),
    ],
)
def test_what_means_no_host_is_a_mistake(inventory: Inventory, pattern: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        select(inventory, pattern)
    assert str(caught.value) == f"pattern: {complaint}"


def test_every_wrong_term_is_told(inventory: Inventory) -> None:
    with pytest.raises(InputError) as caught:
        select(inventory, "pariss:!lyoon:vmm")
    assert [problem.message for problem in caught.value.problems] == [
        '"pariss" matches no host or group',
        '"lyoon" matches no host or group',
    ]


def test_names_come_from_a_file_or_from_standard_input(
    inventory: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("again.txt").write_text("# of last night\nhv02.paris.example\n\nlyon  # a group\n", encoding="utf-8")
    assert [host.name for host in select(inventory, "@again.txt")] == [PARIS[1], *LYON]
    assert [host.name for host in select(inventory, "france:!@again.txt:!hv04")] == [PARIS[0], PARIS[2]]
    assert [host.name for host in select(inventory, "-", io.StringIO("vmm01\nfe80::1\n"))] == ["vmm01", V6[0]]


def test_a_list_of_names_may_lie_next_to_the_inventory(
    write: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = load([write(TEXT)])
    write("vmm01\n", "canaries.txt")
    monkeypatch.chdir("/")
    assert [host.name for host in select(inventory, "@canaries.txt")] == ["vmm01"]


def test_mistakes_in_a_list_of_names_have_their_line(inventory: Inventory) -> None:
    with pytest.raises(InputError) as caught:
        select(inventory, "-,@missing.txt", io.StringIO("vmm01\n\nvmm1\n"))
    assert str(caught.value).splitlines() == [
        '<stdin>:3:1: "vmm1" matches no host or group; did you mean "vmm01"?',
        "missing.txt: cannot be read: No such file or directory; check the path",
    ]


def test_an_empty_list_of_names_is_not_every_host(inventory: Inventory) -> None:
    with pytest.raises(InputError, match="there are no names"):
        select(inventory, "-", io.StringIO("# nothing failed\n"))


@pytest.mark.parametrize(
    ("pattern", "terms"),
    [
        ("a:&b:!c", [("", "a"), ("&", "b"), ("!", "c")]),
        ("@C:\\fleet\\again.txt:b", [("", "@C:\\fleet\\again.txt"), ("", "b")]),
        ("@x/y.txt,!@z", [("", "@x/y.txt"), ("!", "@z")]),
        ("hv[01:05]:b[1:2]", [("", "hv[01:05]"), ("", "b[1:2]")]),
        ("fe80::1%eth0,a", [("", "fe80::1%eth0"), ("", "a")]),
        ("cafe:dead", [("", "cafe"), ("", "dead")]),
        ("::1:vmm", [("", "::1"), ("", "vmm")]),
    ],
)
def test_terms_are_split_where_they_end(pattern: str, terms: list[tuple[str, str]]) -> None:
    assert split(pattern) == [Term(*term) for term in terms]


@given(st.text(max_size=30) | st.text(alphabet="hv01.paris:&!,[]@*?=-: fe", max_size=30).filter(lambda t: "@" not in t))
def test_any_pattern_selects_or_is_refused(inventory: Inventory, pattern: str) -> None:
    try:
        found = select(inventory, pattern, io.StringIO("vmm01\n"))
    except InputError:
        return
    assert found


def test_standard_input_is_the_inventory_or_the_names_not_both() -> None:
    text = "defaults: {credential: a}\ncredentials: {a: {username: a}}\ngroups: {a: {roles: [vmm], hosts: [one]}}\n"
    stream = io.StringIO(text)
    with pytest.raises(InputError, match=r"holds the inventory already.*@FILE"):
        select(load(["-"], stream), "-", stream)
