"""sshd on simulated hosts, Windows and Linux."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncssh
import pytest

from fleetscan.lab import Fault, Fleet, Lab, SimulatedHost
from fleetscan.lab.accounts import Account
from fleetscan.lab.fleet import DEFAULT_ACCOUNT
from fleetscan.powershell.envelope import decode
from fleetscan.powershell.payload import bootstrap_command
from tests.lab.helpers import NAME, NONCE, eventually, fleet, host, machine, stdin

pytestmark = pytest.mark.anyio

KEYED = Account("scanner")


def connect(lab: Lab, name: str = NAME, **changes: Any) -> Any:
    place = lab.place(name)
    arguments: dict[str, Any] = {
        "username": DEFAULT_ACCOUNT.username,
        "password": DEFAULT_ACCOUNT.password,
        "known_hosts": str(lab.folder / "known_hosts"),
        "preferred_auth": ["publickey", "password"],
        "client_keys": None,
        "agent_path": None,
        "config": None,
        **changes,
    }
    return asyncssh.connect(place.address, place.port, **arguments)


def keyed(spec: SimulatedHost) -> Fleet:
    return Fleet(hosts=(spec,), accounts={"audit": KEYED}, keys=frozenset({"audit"}))


async def test_a_windows_host_runs_a_payload() -> None:
    async with Lab(fleet(host(transport="ssh"))) as lab:
        async with connect(lab) as connection:
            done = await connection.run(bootstrap_command(), input=stdin("first", "second"), encoding=None)
            reading = decode(done.stdout, NONCE)
            assert list(reading.envelopes) == ["_host", "first", "second", "_end"]
            assert (await connection.run("hostname")).stdout == "HV01\r\n"
            unknown = await connection.run("frobnicate")
            assert (unknown.exit_status, "not recognized" in unknown.stderr) == (1, True)
            assert connection.get_extra_info("server_version").startswith("SSH-2.0-OpenSSH_for_Windows")
        counters = lab.counters(NAME)
        assert (counters.connections, counters.commands, counters.logons, counters.failed_logons) == (1, 3, 1, {})
        assert lab.crashes == []


async def test_a_linux_host_answers_in_lines_of_names_and_values() -> None:
    probe = {"guest": {"id": "aa", "name": "web"}, "vss": {"running": True, "unit": None}, "list": ["a"]}
    spec = SimulatedHost(machine=machine("web", family="linux", build="6.1", probes={"li": probe}), transport="ssh")
    async with Lab(keyed(spec)) as lab:
        key = str(lab.key_file("audit"))
        async with connect(lab, "web", username="scanner", password=None, client_keys=[key]) as connection:
            done = await connection.run(f"sh -s -- {NONCE} 30", input=stdin("li"), encoding=None)
            reading = decode(done.stdout, NONCE)
            assert b"\r" not in done.stdout
            assert reading.envelopes["li"].value == {
                "status": "ok",
                "ms": "1",
                "data.guest.id": "aa",
                "data.guest.name": "web",
                "data.vss.running": "true",
                "data.list.0": "a",
            }
            assert "Debian" in connection.get_extra_info("server_version")


async def test_a_wrong_password_and_a_wrong_key_are_rejected_and_counted() -> None:
    async with Lab(fleet(host(transport="ssh"))) as lab:
        with pytest.raises(asyncssh.PermissionDenied):
            await connect(lab, password="wrong", preferred_auth=["password"])
        assert lab.counters(NAME).failed_logons == {DEFAULT_ACCOUNT.username: 1}
    async with Lab(keyed(host(transport="ssh"))) as lab:
        other = asyncssh.generate_private_key("ssh-ed25519")
        with pytest.raises(asyncssh.PermissionDenied):
            await connect(lab, username="scanner", password=None, client_keys=[other])
        assert lab.counters(NAME).failed_logons == {"scanner": 1}


async def test_powershell_as_the_shell_keeps_only_success_or_failure() -> None:
    async with Lab(fleet(host("a", transport="ssh"), host("b", transport="ssh", default_shell="powershell"))) as lab:
        statuses = []
        for name in ("a", "b"):
            async with connect(lab, name) as connection:
                statuses.append((await connection.run("exit 7")).exit_status)
        assert statuses == [7, 1]


async def test_cmd_refuses_a_line_of_more_than_8191_characters() -> None:
    async with Lab(fleet(host(transport="ssh"))) as lab, connect(lab) as connection:
        done = await connection.run("echo " + "x" * 8190)
        assert (done.exit_status, done.stderr) == (1, "The command line is too long.\r\n")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.HOSTKEY_CHANGED, asyncssh.HostKeyNotVerifiable),
        (Fault.HOSTKEY_UNKNOWN, asyncssh.HostKeyNotVerifiable),
        (Fault.UNAUTHORIZED, asyncssh.PermissionDenied),
        (Fault.WRONG_PASSWORD, asyncssh.PermissionDenied),
        (Fault.NO_COMMON_AUTH, asyncssh.PermissionDenied),
        (Fault.REFUSE, ConnectionRefusedError),
        (Fault.RESET, (ConnectionResetError, asyncssh.ConnectionLost)),
    ],
)
async def test_faults_before_the_logon(fault: Fault, error: type[Exception]) -> None:
    async with Lab(fleet(host(transport="ssh", fault=fault))) as lab:
        with pytest.raises(error):
            await connect(lab)
        listed = (lab.folder / "known_hosts").read_text()
        assert bool(listed) == (fault not in (Fault.HOSTKEY_UNKNOWN, Fault.REFUSE, Fault.RESET))


async def test_a_session_may_be_refused() -> None:
    async with Lab(fleet(host(transport="ssh", fault=Fault.CHANNEL_REFUSED))) as lab, connect(lab) as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.run("hostname")
        assert lab.counters(NAME).commands == 0


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.LOGON_HANG])
async def test_a_logon_may_hang(fault: Fault) -> None:
    async with Lab(fleet(host(transport="ssh", fault=fault))) as lab:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await connect(lab)
        assert lab.counters(NAME).connections == 1


async def test_a_command_that_never_ends_is_ended_with_its_client() -> None:
    async with Lab(fleet(host(transport="ssh", fault=Fault.NEVER_ENDS))) as lab:
        async with connect(lab) as connection:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await connection.run(bootstrap_command(), input=stdin("first"), encoding=None)
        await eventually(lambda: not [task for task in asyncio.all_tasks() if "_command" in repr(task)])
        assert lab.crashes == []


async def test_large_output_does_not_pile_up() -> None:
    async with Lab(fleet(host(transport="ssh", fault=Fault.HUGE_10))) as lab, connect(lab) as connection:
        done = await connection.run(bootstrap_command(), input=stdin("first"), encoding=None)
        assert len(done.stdout) == 10 * 1024 * 1024
