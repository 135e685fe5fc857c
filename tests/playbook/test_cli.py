"""`fleetscan playbook`."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from fleetscan import yamlfile
from fleetscan.cli.playbook import app
from fleetscan.errors import InputError
from fleetscan.playbook import builtin_names, load
from tests.playbook.conftest import FILES, Folder


def run(*arguments: str) -> Result:
    """The result of a command; what it raises rises."""
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_list_shows_the_builtin_playbooks() -> None:
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["name", "version", "checks", "probes", "title"]
    assert [line.split()[0] for line in lines[2:]] == list(builtin_names())


def test_show_lists_checks_and_coverage(folder: Folder) -> None:
    folder.replace("playbook.yaml", "  A-2:", "  A-3: Nobody looks\n  A-2:")
    shown = [re.split(" {2,}", line.strip()) for line in run("show", str(folder.path)).stdout.splitlines()]
    assert shown == [
        ["small 1.0: A small playbook"],
        [""],
        ["check", "severity", "object", "item", "title"],
        ["------------", "----------", "--------", "------", "----------------"],
        ["service-runs", "critical", "host", "A-1", "The service runs"],
        ["backup-on", "high", "vm", "A-2", "Backup is on"],
        [""],
        ["item", "what it asks", "checks"],
        ["------", "----------------------", "------------"],
        ["A-1", "The service runs", "service-runs"],
        ["A-3", "Nobody looks", "none"],
        ["A-2", "The machines are sound", "backup-on"],
    ]


def test_check_says_what_is_proven(folder: Folder) -> None:
    assert run("check", str(folder.path)).stdout == "2 checks, 2 probes: every probe is proven read-only\n"


def test_check_raises_every_mistake(folder: Folder) -> None:
    folder.replace("checks/backup-on.yaml", "vm.state ==", "vm.stat ==")
    folder.write("probes/vms.ps1", "Stop-VM -Name x\n")
    with pytest.raises(InputError) as caught:
        run("check", str(folder.path))
    assert len(caught.value.problems) == 2


def test_lists_are_shown_with_their_date_and_the_file_that_was_read(folder: Folder, tmp_path: Path) -> None:
    text = 'title: Limits\nas_of: "2026-01"\nsource: https://example.com/l\ndata: {most: 3}\n'
    folder.write("data/limits.yaml", text)
    folder.replace("checks/backup-on.yaml", "vm.size > 3", "vm.size > data.limits.most")
    folder.write("../mine/limits.yaml", text.replace("2026-01", "2026-02"))
    mine = str(tmp_path / "mine")
    shown = run("show", str(folder.path), "--data", mine).stdout.splitlines()[-1]
    assert re.split(" {2,}", shown) == ["limits", "2026-02", f"{mine}/limits.yaml", "https://example.com/l"]
    told = run("check", str(folder.path), "--data", mine).stdout
    assert told == "2 checks, 2 probes, 1 data file: every probe is proven read-only\n"
    folder.write("../mine/limits.yaml", text.replace("most", "must"))
    with pytest.raises(InputError, match="the playbook knows no"):
        run("check", str(folder.path), "--data", mine)


def test_payload_prints_the_bytes_that_are_hashed(folder: Folder) -> None:
    result = run("payload", "-p", str(folder.path), "--role", "vmm")
    digest = hashlib.sha256(result.stdout_bytes).hexdigest()
    assert result.stderr == f"SHA-256 {digest} (roles vmm; 1 probe)\n"
    assert FILES["probes/services.ps1"].rstrip("\n") in result.stdout
    assert "Get-VM" not in result.stdout


def test_payload_is_that_of_hyperv_hosts_by_default(folder: Folder) -> None:
    assert run("payload", "-p", str(folder.path)).stderr.endswith("(roles hyperv; 2 probes)\n")


SCHEMA_FILES = {"playbook": "playbook.yaml", "check": "checks/backup-on.yaml", "probe": "probes/vms.yaml"}


@pytest.mark.parametrize("kind", SCHEMA_FILES)
def test_the_schemas_fit_the_files(kind: str) -> None:
    schema = json.loads(run("schema", kind).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    data = yamlfile.read("x.yaml", FILES[SCHEMA_FILES[kind]]).data
    validator.validate(data)
    assert isinstance(data, dict)
    assert not validator.is_valid({**data, "unknown": 1})
    assert not validator.is_valid({key: value for key, value in data.items() if key != "title"})


def test_the_schema_knows_the_shape_language() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(run("schema", "probe").stdout))
    data = yamlfile.read("x.yaml", FILES["probes/vms.yaml"]).data
    assert isinstance(data, dict)
    for wrong in ("strng", 5, [], ["int", "int"], {"a": "x"}):
        assert not validator.is_valid({**data, "answer": {"vms": wrong}})


def test_every_builtin_playbook_is_good() -> None:
    for name in builtin_names():
        assert load(name).checks
