"""The lab as a whole: it starts fast, counts, describes itself, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import anyio
import pytest
from winrm.protocol import Protocol

from fleetscan import inventory as inventories
from fleetscan.lab import Fault, Lab, Machine, Outcome, load, many
from fleetscan.lab.__main__ import main
from fleetscan.lab.lab import variable
from fleetscan.model.host import Role, TransportName, WinRMAuth
from fleetscan.powershell.envelope import decode
from tests.lab.helpers import NAME, NONCE, Client, fleet, host, stdin, visit

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parent / "fleet"


async def test_its_inventory_is_one_that_fleetscan_reads() -> None:
    async with Lab(load(FOLDER)) as lab:
        read = inventories.load(["-"], io.StringIO(lab.inventory()))
        hosts = {each.name: each for each in read.hosts}
        assert list(hosts) == [each.name for each in lab.fleet.hosts]
        first, web = hosts["hv01.corp.example"], hosts["web1.corp.example"]
        assert (first.address, first.winrm.port) == ("127.0.0.1", lab.place(first.name).port)
        assert (first.roles, first.zone, first.cluster) == ((Role.HYPERV,), "paris", "clu01")
        assert first.vmm_server == "vmm01.corp.example"
        assert (first.winrm.scheme, first.winrm.auth) == ("https", WinRMAuth.NTLM)
        assert Path(first.winrm.ca_file or "").read_bytes().startswith(b"-----BEGIN CERTIFICATE")  # noqa: ASYNC240 # a small file
        assert hosts["hv02.corp.example"].winrm.scheme == "http"
        assert (web.transport, web.ssh.port) == (TransportName.SSH, lab.place(web.name).port)
        assert read.credentials["audit"].password is not None
        assert read.credentials["audit"].password.value == variable("audit")
        assert lab.environment == {variable("audit"): "correct-horse-battery-staple"}
        assert Path(read.credentials["keyed"].private_key or "").exists()  # noqa: ASYNC240 # a small file
        assert lab.describe() == (
            "Test fleet: 4 simulated hosts on this machine (1 over SSH, 3 over WinRM), 1 of them with a fault"
        )


async def test_hosts_can_have_addresses_of_their_own() -> None:
    if sys.platform == "darwin":
        pytest.skip("macOS has no 127.0.0.2")
    hosts = [host(f"hv{number}") for number in range(3)]
    async with Lab(fleet(*hosts), own_addresses=True) as lab:
        assert len({lab.place(each.name).address for each in hosts}) == 3
        assert (await visit(lab, "hv2")).code == 0


async def test_two_hundred_hosts_start_in_no_time_and_stop_as_fast() -> None:
    everything = fleet(*many(host(), 150, misbehave=0.4).hosts, *many(host(transport="ssh"), 50, pattern="s{}").hosts)
    begin, busy = time.monotonic(), time.process_time()
    async with Lab(everything) as lab:
        assert time.process_time() - busy < 2
        assert len({lab.place(each.name).port for each in everything.hosts}) == 200
    assert time.monotonic() - begin < 6


async def test_nothing_is_left_behind() -> None:
    threads, tasks, variables = threading.enumerate(), asyncio.all_tasks(), dict(os.environ)
    waiting = []
    async with Lab(fleet(host(powershell_seconds=30), host("ssh", transport="ssh"))) as lab:
        folder = lab.folder
        client = Client(lab)
        shell = await asyncio.to_thread(client.protocol.open_shell)
        command = await asyncio.to_thread(client.protocol.run_command, shell, "powershell hostname")
        waiting.append(asyncio.create_task(asyncio.to_thread(client.protocol.get_command_output, shell, command)))
        await asyncio.sleep(0.1)
        assert folder.exists()
    result = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 2)
    assert isinstance(result[0], OSError)
    assert not folder.exists()
    assert dict(os.environ) == variables
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    assert [thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")] == threads


async def test_a_cancelled_lab_leaves_nothing_behind_either() -> None:
    tasks = asyncio.all_tasks()
    with anyio.move_on_after(0.3) as scope:
        async with Lab(fleet(host(powershell_seconds=30))) as lab:
            folder = lab.folder
            client = Client(lab)
            shell = await asyncio.to_thread(client.protocol.open_shell)
            await asyncio.to_thread(client.protocol.run_command, shell, "powershell hostname")
            await asyncio.sleep(30)
    assert scope.cancelled_caught
    assert not folder.exists()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks


async def test_a_crash_of_the_lab_is_told() -> None:
    class Broken:
        async def run(self, machine: Machine, command: str, stdin: bytes, *, user: str = "") -> Outcome:
            raise ZeroDivisionError(command)

        async def aclose(self) -> None:
            """Nothing to close."""

    async with Lab(fleet(), engine=Broken()) as lab:
        done = await asyncio.to_thread(lambda: Client(lab).run("hostname"))
        assert done.code == 1
        assert [type(crash) for crash in lab.crashes] == [ZeroDivisionError]


async def test_a_lab_that_cannot_start_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks, variables = asyncio.all_tasks(), dict(os.environ)

    async def refuse(*_: object) -> int:
        raise OSError("no port is free")

    monkeypatch.setattr("fleetscan.lab.servers.ClosedPort.start", refuse)
    with pytest.raises(OSError, match="no port is free"):
        async with Lab(fleet(host(), host("hv2", fault=Fault.REFUSE))):
            pass
    assert asyncio.all_tasks() == tasks
    assert dict(os.environ) == variables


async def test_latency_is_added_to_each_round_trip_and_powershell_takes_its_time() -> None:
    async with Lab(fleet(host(auth="basic", latency=0.05, powershell_seconds=0.4))) as lab:
        begin = time.monotonic()
        await visit(lab)
        # Create, Command, Send, Receive, Signal and Delete, the handshakes of TCP and TLS; PowerShell runs beside two.
        assert 0.05 * 6 + 0.4 < time.monotonic() - begin < 3


def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    inventory, environment = tmp_path / "inventory.yaml", tmp_path / "environment"
    command = [sys.executable, "-W", "error", "-m", "fleetscan.lab", "--fleet", str(FOLDER), "--hosts", "5"]
    command += ["--misbehave", "0.4", "--latency-ms", "1", "--powershell-seconds", "0.1", "--scheme", "http"]
    command += ["--inventory", str(inventory), "--environment", str(environment)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        last = _look(process, inventory, environment)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()
    assert last["crashes"] == []


def _look(process: subprocess.Popen[str], inventory: Path, environment: Path) -> dict[str, Any]:
    """Use the first host, read the counters, ask the lab to end; its last words."""
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(3)]
    assert lines[0].endswith("5 simulated hosts on this machine (5 over WinRM), 2 of them with a fault")
    assert lines[2] == "ready"
    target = inventories.load([str(inventory)]).hosts[0]
    assert environment.read_text() == "FLEETSCAN_LAB_AUDIT_PASSWORD=correct-horse-battery-staple\n"
    protocol = Protocol(
        f"http://{target.address}:{target.winrm.port}/wsman",
        transport="ntlm",
        username="CORP\\svc-audit",
        password="correct-horse-battery-staple",
        ca_trust_path=None,
        proxy=None,
    )
    shell = protocol.open_shell()
    assert protocol.get_command_output(shell, protocol.run_command(shell, "hostname"))[0] == b"HV0001\r\n"
    with urllib.request.urlopen(lines[1].removeprefix("counters: "), timeout=5) as answer:  # noqa: S310 # loopback
        counters = json.load(answer)
    assert len(counters["hosts"]) == 5
    assert counters["hosts"][target.name]["shells_open"] == 1
    assert counters["hosts"][target.name]["commands"] == 1
    protocol.transport.close_session()
    process.send_signal(signal.SIGTERM)
    last: dict[str, Any] = json.loads(process.stdout.read())
    assert last["hosts"][target.name]["shells_opened"] == 1
    return last


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fleet", "/no/such"], "fleet.yaml: cannot be read"),
        (["--hosts", "2", "--base", "nobody", "--fleet", str(FOLDER)], "the fleet has no host nobody"),
    ],
)
def test_wrong_options_are_said(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(options) == 2
    assert message in capsys.readouterr().err


async def test_a_payload_over_winrm_has_the_facts_of_its_host() -> None:
    async with Lab(load(FOLDER).only(["hv02.corp.example"])) as lab:
        name = "hv02.corp.example"
        account = lab.account("audit")
        done = await asyncio.to_thread(
            lambda: Client(lab, name, username=account.username, password=account.password).run(data=stdin("services"))
        )
        services = decode(done.stdout, NONCE).envelopes["services"].value
        assert services == {"status": "denied", "ms": 1, "data": None, "error": "Accès refusé"}
        assert lab.counters(name).requests > 5
        assert set(lab.all_counters()) == {name}
        assert NAME not in lab.all_counters()


@pytest.mark.parametrize("option", ["--hosts=0", "--hosts=-1", "--port=99999", "--misbehave=7", "--misbehave=nan"])
def test_options_out_of_bounds_are_mistakes(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([option])
    assert caught.value.code == 2
    assert f"argument {option.partition('=')[0]}: " in capsys.readouterr().err
