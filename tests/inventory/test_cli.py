"""`fleetscan inventory`."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from fleetscan import yamlfile
from fleetscan.cli.inventory import app
from fleetscan.errors import InputError
from fleetscan.inventory import describe, load

EXAMPLE = str(Path(__file__).parent.parent.parent / "inventory" / "example.yaml")
Write = Callable[..., str]


def run(*arguments: str, stdin: str = "") -> Result:
    """The result of a command; what it raises rises."""
    return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)


def test_list_shows_the_hosts_that_a_pattern_means() -> None:
    result = run("list", "-i", EXAMPLE, "-l", "hv41,db1,paris[0]")
    where = ["paris", "winrm"]
    assert [re.split(" {2,}", line) for line in result.stdout.splitlines()] == [
        ["host", "roles", "groups", "zone", "transport", "address", "credential"],
        [(hv01 := "hv01.paris.corp.example"), "hyperv", "france, canaries, paris", *where, f"{hv01}:5986", "audit"],
        ["hv41.paris.corp.example", "hyperv", "france, paris", *where, "10.1.2.41:15986", "audit"],
        ["db1.corp.example", "linux-guest", "linux", "paris", "ssh", "db1.corp.example:2222", "linux-audit"],
    ]


def test_list_brackets_ipv6(write: Write) -> None:
    path = write(
        """
        credentials: {audit: {username: audit, password: {env: X}}}
        groups: {a: {roles: [vmm], winrm: {auth: ntlm}, credential: audit, hosts: ["fe80::1"]}}
        """
    )
    assert "[fe80::1]:5986" in run("list", "-i", path).stdout


def test_list_takes_names_from_standard_input() -> None:
    assert run("list", "-i", EXAMPLE, "-l", "-", stdin="vmm01\n").stdout.splitlines()[1].startswith("vmm01.corp")


def test_the_inventory_may_come_from_standard_input() -> None:
    text = Path(EXAMPLE).read_text(encoding="utf-8")
    assert "10.1.2.41:15986" in run("list", "-i", "-", stdin=text).stdout


@pytest.mark.parametrize("output", ["yaml", "json"])
def test_show_prints_the_settings_of_a_host(output: str) -> None:
    text = run("show", "hv41", "-i", EXAMPLE, "--format", output).stdout
    settings = json.loads(text) if output == "json" else yamlfile.read("output", text).data
    assert settings == describe(next(host for host in load([EXAMPLE]).hosts if host.address == "10.1.2.41"))


def test_show_wants_one_host() -> None:
    with pytest.raises(InputError) as caught:
        run("show", "paris", "-i", EXAMPLE)
    assert str(caught.value) == 'HOST: "paris" means 41 hosts; `fleetscan inventory list -l paris` shows them'


def test_check_counts(write: Write) -> None:
    assert run("check", "-i", EXAMPLE).stdout == (
        f"{EXAMPLE}: 61 hosts, 8 groups, 3 zones, 3 credentials; no mistakes.\n"
    )


def test_check_raises_what_is_wrong(write: Write) -> None:
    with pytest.raises(InputError, match="the file is empty"):
        run("check", "-i", write(""))


def test_check_looks_for_the_files_that_hosts_need(write: Write) -> None:
    path = write(
        """
        credentials: {audit: {username: audit}}
        groups: {a: {roles: [vmm], credential: audit, winrm: {ca_file: gone.pem}, hosts: [one]}}
        """
    )
    with pytest.raises(InputError, match=r"one needs .*gone\.pem: No such file"):
        run("check", "-i", path)


def test_check_fetches_secrets_when_asked(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(
        """
        defaults: {credential: audit}
        credentials:
          audit: {username: audit, password: {env: FLEETSCAN_TEST_PASSWORD}}
          unused: {username: audit, password: {env: FLEETSCAN_TEST_UNUSED}}
        groups: {a: {roles: [vmm], hosts: [one]}}
        """
    )
    monkeypatch.delenv("FLEETSCAN_TEST_PASSWORD", raising=False)
    assert run("check", "-i", path).exit_code == 0
    with pytest.raises(InputError, match="FLEETSCAN_TEST_PASSWORD is not set"):
        run("check", "--secrets", "-i", path)
    monkeypatch.setenv("FLEETSCAN_TEST_PASSWORD", "correct horse")
    result = run("check", "--secrets", "-i", path)
    assert result.exit_code == 0
    assert "correct horse" not in result.output


def test_check_tells_all_secrets_and_files_that_are_missing_at_once(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(
        """
        credentials:
          a: {username: audit, password: {env: FLEETSCAN_TEST_PASSWORD}}
          b: {username: audit, password: {command: exit 3}}
          c: {username: audit, password: {command: exit 4}}
        groups:
          a:
            roles: [vmm]
            hosts:
              - {name: h3, credential: c, winrm: {ca_file: no.pem}}
              - {name: h2, credential: b}
              - {name: h1, credential: a}
        """
    )
    monkeypatch.delenv("FLEETSCAN_TEST_PASSWORD", raising=False)
    with pytest.raises(InputError) as caught:
        run("check", "--secrets", "-i", path)
    told = [str(problem).rpartition("hosts.yaml:")[2] for problem in caught.value.problems]
    assert [line.partition(":")[0] for line in told] == ["10", "3", "4", "5"], told
    assert "FLEETSCAN_TEST_PASSWORD is not set" in told[1]


def test_check_runs_the_commands_of_secrets(write: Write) -> None:
    path = write(
        """
        credentials: {audit: {username: audit, password: {command: "exit 3"}}}
        groups: {a: {roles: [vmm], credential: audit, hosts: [one]}}
        """
    )
    with pytest.raises(InputError, match="the command failed with exit status 3"):
        run("check", "--secrets", "-i", path)


@pytest.mark.skipif(sys.platform == "win32", reason="closes the stream by a shell")
@pytest.mark.parametrize(
    ("stream", "told"),
    [
        ("<&-", "<stdin>:1:1: the file is empty"),
        (r"< <(printf '\377')", "<stdin>: the text is not UTF-8; send UTF-8"),
    ],
)
def test_what_is_no_text_on_standard_input_is_a_mistake(stream: str, told: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m fleetscan inventory check -i - {stream}"
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(["bash", "-c", command], capture_output=True, encoding="utf-8", env=environment, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(told)


@pytest.mark.parametrize("encoding", ["latin-1", "cp850", "utf-8"])
def test_what_is_piped_in_is_utf_8_whatever_the_machine_speaks(encoding: str) -> None:
    text = (
        "\ufeffcredentials: {a: {username: jürgen}}\n"
        "groups: {x: {roles: [vmm], credential: a, zone: Zürich, hosts: [hv01]}}\n"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "fleetscan", "inventory", "show", "hv01", "-i", "-"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "zone: Zürich" in done.stdout.decode(encoding).splitlines()


def test_notices_go_to_standard_error(write: Write) -> None:
    path = write(
        """
        credentials: {audit: {username: audit}}
        groups: {a: {roles: [vmm], credential: audit, hosts: [10.0.0.1]}}
        """
    )
    result = run("list", "-i", path)
    assert result.stderr.startswith("notice: 10.0.0.1: kerberos looks for a service by its name")
    assert "notice" not in result.stdout


def test_schema_prints_a_schema() -> None:
    schema = json.loads(run("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]) == {"defaults", "credentials", "groups", "zones"}
