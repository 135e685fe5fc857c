"""Clients that nobody here wrote speak to the lab as they speak to Windows."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pypsrp.exceptions import WSManFaultError
from pypsrp.shell import CommandState, Process, SignalCode, WinRS
from pypsrp.wsman import WSMan

from fleetscan.lab import Lab
from fleetscan.lab.fleet import DEFAULT_ACCOUNT
from fleetscan.powershell.envelope import decode
from fleetscan.powershell.payload import bootstrap_command
from tests.lab.helpers import NAME, NONCE, Client, fleet, host, stdin, visit

pytestmark = pytest.mark.anyio

LISTENERS = {
    "ntlm-http": {"scheme": "http", "auth": "ntlm"},
    "ntlm-https": {"scheme": "https", "auth": "ntlm"},
    "basic-https": {"scheme": "https", "auth": "basic"},
}


def wsman(lab: Lab, name: str = NAME, **changes: Any) -> WSMan:
    spec, place = next(each for each in lab.fleet.hosts if each.name == name), lab.place(name)
    arguments: dict[str, Any] = {
        "port": place.port,
        "username": DEFAULT_ACCOUNT.username,
        "password": DEFAULT_ACCOUNT.password,
        "ssl": spec.scheme == "https",
        "auth": "negotiate" if spec.auth == "ntlm" else "basic",
        "cert_validation": str(lab.ca_file),
        "no_proxy": True,
        "operation_timeout": 5,
        **changes,
    }
    return WSMan(place.address, **arguments)


@pytest.mark.parametrize("listener", LISTENERS)
async def test_pypsrp_runs_a_command_in_a_shell_with_options(listener: str) -> None:
    def client() -> None:
        with (
            wsman(lab) as connection,
            WinRS(
                connection,
                codepage=65001,
                environment={"A": "1"},
                idle_time_out=60,
                name="shell 1",
                working_directory="C:\\Windows",
            ) as shell,
        ):
            state = shell._get_shell()
            assert state["ShellId"] == shell.id
            assert state["IdleTimeOut"] == "PT60.000S"
            assert state["Name"] == "shell 1"
            assert state["WorkingDirectory"] == "C:\\Windows"
            assert state["Owner"] == DEFAULT_ACCOUNT.username
            process = Process(shell, "echo", ["hello", "world"])
            process.invoke()
            process.signal(SignalCode.CTRL_C)
            assert (process.rc, process.stdout, process.stderr) == (0, b"hello world\r\n", b"")

    async with Lab(fleet(host(**LISTENERS[listener]))) as lab:
        await asyncio.to_thread(client)
        counters = lab.counters(NAME)
        assert (counters.shells_opened, counters.shells_open, counters.commands) == (1, 0, 1)
        assert counters.failed_logons == {}
        assert lab.crashes == []


async def test_pypsrp_feeds_standard_input_in_pieces_and_reads_the_server_configuration() -> None:
    data = stdin("first", "second")

    def client() -> None:
        with wsman(lab) as connection:
            connection.update_max_payload_size()
            assert connection.max_envelope_size == 512_000 // 1024 * 1024
            with WinRS(connection) as shell:
                process = Process(shell, bootstrap_command().split()[0], bootstrap_command().split()[1:])
                process.begin_invoke()
                process.send(data[:50], end=False)
                process.send(data[50:], end=True)
                process.end_invoke()
                process.signal(SignalCode.TERMINATE)
                reading = decode(process.stdout, NONCE)
                assert list(reading.envelopes) == ["_host", "first", "second", "_end"]
                with pytest.raises(WSManFaultError) as gone:
                    process.poll_invoke()
                assert gone.value.code == 2150858843

    async with Lab(fleet()) as lab:
        await asyncio.to_thread(client)
        assert lab.crashes == []


async def test_pypsrp_sees_an_operation_timeout_while_a_command_runs() -> None:
    def client() -> None:
        with wsman(lab, operation_timeout=1) as connection, WinRS(connection) as shell:
            process = Process(shell, "powershell.exe", ["hostname"])
            process.begin_invoke()
            with pytest.raises(WSManFaultError) as late:
                shell.receive("stdout stderr", process.id)
            assert late.value.code == 2150858793
            assert "OperationTimeout" in late.value.reason
            process.end_invoke()
            assert process.state == CommandState.DONE
            assert process.stdout == b"HV01\r\n"

    async with Lab(fleet(host(powershell_seconds=1.3))) as lab:
        await asyncio.to_thread(client)


@pytest.mark.parametrize("listener", LISTENERS)
async def test_pywinrm_runs_a_payload(listener: str) -> None:
    async with Lab(fleet(host(**LISTENERS[listener]))) as lab:
        done = await visit(lab)
        reading = decode(done.stdout, NONCE)
        assert reading.complete
        assert reading.envelopes["second"].value == {"status": "ok", "ms": 1, "data": {"name": "Zürich"}}
        assert (done.stderr, done.code) == (b"", 0)
        assert lab.crashes == []


async def test_ntlm_takes_the_two_connections_that_it_takes_on_windows() -> None:
    """The bare 401 closes the connection; everything after it goes over one."""
    async with Lab(fleet(host(scheme="http"))) as lab:
        await visit(lab)
        assert lab.counters(NAME).connections == 2
        assert lab.counters(NAME).requests == 9


async def test_pywinrm_tells_what_cmd_says_of_an_unknown_command() -> None:
    async with Lab(fleet()) as lab:
        done = await asyncio.to_thread(lambda: Client(lab).run("frobnicate now"))
        assert done.code == 1
        assert b"'frobnicate' is not recognized as an internal or external command" in done.stderr


def ansible() -> str:
    beside = Path(sys.executable).parent / "ansible"
    found = str(beside) if beside.exists() else shutil.which("ansible")
    if found is None:
        pytest.skip("ansible is not installed (pip install --group dev)")
    return found


async def test_ansible_runs_raw_commands(tmp_path: Path) -> None:
    program = ansible()
    async with Lab(fleet(host("hv01"), host("hv02", scheme="http"), host("hv03", auth="basic"))) as lab:
        hosts: dict[str, Any] = {}
        for spec in lab.fleet.hosts:
            place = lab.place(spec.name)
            hosts[spec.name] = {
                "ansible_host": place.address,
                "ansible_port": place.port,
                "ansible_winrm_scheme": spec.scheme,
                "ansible_winrm_transport": spec.auth,
            }
        common = {
            "ansible_connection": "winrm",
            "ansible_shell_type": "powershell",
            "ansible_user": DEFAULT_ACCOUNT.username,
            "ansible_password": DEFAULT_ACCOUNT.password,
            "ansible_winrm_ca_trust_path": str(lab.ca_file),
            "ansible_winrm_message_encryption": "auto",
        }
        inventory = tmp_path / "hosts.json"
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}))
        environment = {**os.environ, "ANSIBLE_HOME": str(tmp_path), "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}
        environment.pop("REQUESTS_CA_BUNDLE", None)
        command = [program, "all", "-i", str(inventory), "-m", "raw", "-a", "hostname", "-o"]
        done = await asyncio.to_thread(
            lambda: subprocess.run(
                command,
                capture_output=True,
                text=True,
                env=environment,
                timeout=50,
                cwd=tmp_path,
                stdin=subprocess.DEVNULL,
            )
        )
        assert done.returncode == 0, done.stdout + done.stderr
        lines = sorted(line for line in done.stdout.splitlines() if line.startswith("hv"))
        assert [line.split(" | ")[:2] for line in lines] == [[name, "CHANGED"] for name in ("hv01", "hv02", "hv03")]
        assert all(name.upper() in line for name, line in zip(("hv01", "hv02", "hv03"), lines, strict=True))
        for name in hosts:
            assert lab.counters(name).shells_open == 0
            assert lab.counters(name).commands >= 1
        assert lab.crashes == []


async def test_pypsrp_chooses_the_id_of_its_shell() -> None:
    wanted = "2D6534D0-6B12-40E3-B773-CBA26459CFA8"

    def client() -> None:
        with wsman(lab) as connection:
            shell = WinRS(connection, id=wanted)
            shell.open()
            assert shell.id == wanted
            with pytest.raises(WSManFaultError) as refused:
                WinRS(connection, id="no GUID").open()
            assert refused.value.code == 87
            with pytest.raises(WSManFaultError) as taken:
                WinRS(connection, id=wanted).open()
            assert taken.value.code == 87
            shell.close()

    async with Lab(fleet(host())) as lab:
        await asyncio.to_thread(client)
        assert (lab.counters(NAME).shells_opened, lab.counters(NAME).shells_open) == (1, 0)
