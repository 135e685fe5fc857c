"""What a probe may reach stands in a list of the playbook, and nowhere else."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from fleetscan.cli.playbook import app
from fleetscan.model.host import Role
from fleetscan.playbook import load
from fleetscan.powershell import payload
from tests.playbook.conftest import Folder

PROBE = "probes/reach.yaml"
SCRIPT = "probes/reach.ps1"
LIST = "data/our-names.yaml"
FILES = {
    PROBE: "title: Reach\nroles: [hyperv, vmm]\nneeds: nothing\nconnects: our-names\nanswer:\n  listed: [string]\n",
    SCRIPT: "$found = Test-FleetscanEndpoint\n@{ listed = @($found.listed) }\n",
    LIST: """\
title: Names
as_of: "2026-01"
source: us
data:
  hyperv: [login.example.com, "*.blob.example.com", "updates.example.com:8530"]
  vmm: [login.example.com, vmm.example.com]
""",
}


@pytest.fixture
def folder(folder: Folder) -> Folder:
    """A playbook with a probe that reaches names, and a check that reads what it finds."""
    for name, text in FILES.items():
        folder.write(name, text)
    folder.replace("checks/service-runs.yaml", "probes: [services]", "probes: [services, reach]")
    passes = "pass: size(reach.listed) > size(data.our_names.hyperv) || "
    folder.replace("checks/service-runs.yaml", "pass: ", passes)
    return folder


def test_each_role_has_its_names(folder: Folder) -> None:
    book = folder.load()
    assert book.probes["reach"].connects == {
        Role.HYPERV: ("login.example.com", "*.blob.example.com", "updates.example.com:8530"),
        Role.VMM: ("login.example.com", "vmm.example.com"),
    }
    assert not book.probes["services"].connects


@pytest.mark.parametrize(
    ("roles", "names"),
    [
        ([Role.HYPERV], "'login.example.com', '*.blob.example.com', 'updates.example.com:8530'"),
        ([Role.VMM], "'login.example.com', 'vmm.example.com'"),
        (
            [Role.HYPERV, Role.VMM],
            "'login.example.com', '*.blob.example.com', 'updates.example.com:8530', 'vmm.example.com'",
        ),
    ],
)
def test_the_script_has_the_names_of_its_roles(folder: Folder, roles: list[Role], names: str) -> None:
    text = payload.build(folder.load(), roles).text
    assert f"Endpoints = @({names}); Tried = $false;" in text
    assert text.count("Endpoints = @(") == 1
    assert "function Test-FleetscanEndpoint" in text


def test_a_script_without_such_a_probe_has_no_socket(folder: Folder) -> None:
    """Neither the function nor a list nor a mark is left of what is not needed."""
    for role in (Role.HYPERV, Role.VMM, Role.GUEST):
        text = payload.build(load("hyperv-health"), [role]).text
        assert "Sockets" not in text
        assert "Endpoint" not in text
        assert "#<" not in text


def test_a_list_of_the_user_takes_its_place(folder: Folder) -> None:
    folder.write("../mine/our-names.yaml", FILES[LIST].replace("login.example.com", "login.example.us", 1))
    book = load(str(folder.path), str(folder.path.parent / "mine"))
    assert book.probes["reach"].connects[Role.HYPERV][0] == "login.example.us"
    folder.write("../mine/our-names.yaml", "title: none\nas_of: 2026-01\nsource: us\ndata: {hyperv: [], vmm: []}\n")
    book = load(str(folder.path), str(folder.path.parent / "mine"))
    assert "Endpoints = @();" in payload.build(book, [Role.HYPERV]).text


def test_the_printed_script_is_the_one_that_is_sent(folder: Folder) -> None:
    """With the list of the user, too: what an auditor reads is what runs."""
    folder.write("../mine/our-names.yaml", FILES[LIST].replace("login.example.com", "login.example.us", 1))
    mine = str(folder.path.parent / "mine")
    command = ["payload", "-p", str(folder.path), "--data", mine, "--role", "hyperv"]
    printed = CliRunner().invoke(app, command, catch_exceptions=False).stdout
    assert printed == payload.build(load(str(folder.path), mine), [Role.HYPERV]).text
    assert "'login.example.us'" in printed


def test_show_tells_what_is_reached(folder: Folder) -> None:
    shown = CliRunner().invoke(app, ["show", str(folder.path)], catch_exceptions=False).stdout
    assert "tries to reach" in shown
    assert "updates.example.com:8530" in shown


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "*.com",
        "*",
        "Login.example.com",
        "login.example.com.",
        "https://login.example.com",
        "login.example.com/x",
        "login.example.com:0",
        "login.example.com:65536",
        "a.*.example.com",
        "x y.example.com",
        "a'.example.com",
        "$(x).example.com",
        "-a.example.com",
        f"{'a' * 64}.example.com",
        "münchen.example.com",
        "a.example.com\\r\\nX: y",
    ],
)
def test_what_is_no_name_is_refused(folder: Folder, name: str) -> None:
    folder.replace(LIST, "[login.example.com, vmm.example.com]", f'[login.example.com, "{name}"]')
    (mistake,) = folder.mistakes()
    assert mistake.startswith(f"{LIST}:6:28: ")
    assert "is no name that a host could reach" in mistake


@pytest.mark.parametrize(
    ("path", "old", "new", "mistake"),
    [
        (
            PROBE,
            "connects: our-names\n",
            "",
            "calls Test-FleetscanEndpoint, but does not say what it reaches",
        ),
        (PROBE, "our-names", "our-name", 'the playbook has no data "our-name"; did you mean "our-names"?'),
        (SCRIPT, "Test-FleetscanEndpoint", "@{}", "the probe never calls Test-FleetscanEndpoint"),
        (LIST, "  vmm: [login.example.com, vmm.example.com]\n", "", 'the list "our-names" has no names for vmm'),
        (LIST, "vmm: [login.example.com, vmm.example.com]", "vmm: login.example.com", "has no names for vmm"),
    ],
)
def test_what_does_not_fit_together_is_refused(folder: Folder, path: str, old: str, new: str, mistake: str) -> None:
    folder.replace(path, old, new)
    assert any(mistake in each for each in folder.mistakes()), folder.mistakes()
