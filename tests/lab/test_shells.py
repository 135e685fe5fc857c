"""Shells and commands keep to the rules of the WinRM service."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
import winrm.exceptions

from fleetscan.lab import Lab, SimulatedHost
from fleetscan.lab.accounts import Account
from fleetscan.lab.fleet import DEFAULT_ACCOUNT, Fleet
from fleetscan.powershell.payload import bootstrap_command
from tests.lab.helpers import NAME, NONCE, Client, eventually, fleet, host, machine, stdin

pytestmark = pytest.mark.anyio


def code(error: pytest.ExceptionInfo[winrm.exceptions.WSManFaultError]) -> int:
    return int(error.value.wsman_fault_code)


async def test_a_user_has_as_many_shells_as_the_quota_says() -> None:
    def client() -> None:
        first = Client(lab).protocol
        shells = [first.open_shell(), first.open_shell()]
        with pytest.raises(winrm.exceptions.WSManFaultError) as full:
            first.open_shell()
        assert code(full) == 2150859173
        assert "maximum number of 2 concurrent shells" in full.value.response
        first.close_shell(shells[0], close_session=False)
        first.open_shell()

    async with Lab(fleet(host(max_shells=2))) as lab:
        await asyncio.to_thread(client)
        assert lab.counters(NAME).shells_open == 2
        assert lab.counters(NAME).shells_opened == 3


async def test_an_idle_shell_is_gone_after_its_timeout() -> None:
    def client() -> None:
        protocol = Client(lab).protocol
        shell = protocol.open_shell(idle_timeout="PT0.2S")
        protocol.run_command(shell, "hostname")
        time.sleep(0.4)
        with pytest.raises(winrm.exceptions.WSManFaultError) as gone:
            protocol.run_command(shell, "hostname")
        assert code(gone) == 2150858843

    async with Lab(fleet()) as lab:
        await asyncio.to_thread(client)
        assert lab.counters(NAME).shells_open == 0


async def test_a_waiting_receive_keeps_the_shell_alive() -> None:
    def client() -> tuple[bytes, bytes, int]:
        protocol = Client(lab).protocol
        shell = protocol.open_shell(idle_timeout="PT0.2S")
        output: tuple[bytes, bytes, int] = protocol.get_command_output(
            shell, protocol.run_command(shell, "powershell hostname")
        )
        return output

    async with Lab(fleet(host(powershell_seconds=0.6))) as lab:
        assert await asyncio.to_thread(client) == (b"HV01\r\n", b"", 0)


async def test_a_shell_belongs_to_its_user() -> None:
    other = Account("CORP\\other", "another-password")
    two = Fleet(hosts=(host(),), accounts={"audit": DEFAULT_ACCOUNT, "other": other})

    def client() -> None:
        shell = Client(lab).protocol.open_shell()
        stranger = Client(lab, username=other.username, password=other.password).protocol
        with pytest.raises(winrm.exceptions.WSManFaultError) as denied:
            stranger.run_command(shell, "hostname")
        assert code(denied) == 5

    async with Lab(two) as lab:
        await asyncio.to_thread(client)
        assert lab.counters(NAME).logons == 2


async def test_a_command_line_ends_at_8191_characters() -> None:
    def client() -> None:
        protocol = Client(lab).protocol
        shell = protocol.open_shell()
        longest = "echo " + "x" * (8191 - 5)
        assert len(protocol.get_command_output(shell, protocol.run_command(shell, longest))[0]) == 8191 - 5 + 2
        with pytest.raises(winrm.exceptions.WSManFaultError) as long:
            protocol.run_command(shell, longest + "x")
        assert code(long) == 2147942606
        with pytest.raises(winrm.exceptions.WSManFaultError) as missing:
            protocol.run_command(shell, "hostname", skip_cmd_shell=True)
        assert code(missing) == 2147942402

    async with Lab(fleet()) as lab:
        await asyncio.to_thread(client)


async def test_a_payload_waits_for_the_end_of_its_input_and_an_answer_fits_its_envelope() -> None:
    """150 KiB of MaxEnvelopeSize hold some 112 KB of output: more comes with the next Receive."""
    noise = os.urandom(200_000).hex()
    spec = SimulatedHost(machine=machine(probes={"big": {"text": noise}}))

    def client() -> list[int]:
        protocol = Client(lab, operation_timeout_sec=1, read_timeout_sec=3).protocol
        shell = protocol.open_shell()
        command = protocol.run_command(shell, bootstrap_command(), console_mode_stdin=False)
        protocol.send_command_input(shell, command, stdin("big")[:-1])
        with pytest.raises(winrm.exceptions.WinRMOperationTimeoutError):
            protocol.get_command_output_raw(shell, command)
        protocol.send_command_input(shell, command, b"\n", end=True)
        sizes, done = [], False
        while not done:
            stdout, _, _, done = protocol.get_command_output_raw(shell, command)
            sizes.append(len(stdout))
        return sizes

    async with Lab(fleet(spec)) as lab:
        sizes = await asyncio.to_thread(client)
        assert sum(sizes) > 200_000
        assert max(sizes) == (153600 - 4096) * 3 // 4
        assert sizes[:-1] == [max(sizes)] * (len(sizes) - 1)


async def test_signals_end_a_command_and_delete_ends_them_all() -> None:
    def client() -> None:
        protocol = Client(lab).protocol
        shell = protocol.open_shell()
        running = protocol.run_command(shell, "powershell hostname")
        protocol.cleanup_command(shell, running)
        with pytest.raises(winrm.exceptions.WSManFaultError) as gone:
            protocol.get_command_output(shell, running)
        assert code(gone) == 2150858843
        protocol.run_command(shell, "powershell hostname")
        protocol.close_shell(shell)

    async with Lab(fleet(host(powershell_seconds=30))) as lab:
        await asyncio.to_thread(client)
        assert lab.counters(NAME).commands == 2
        assert lab.counters(NAME).shells_open == 0
        await eventually(lambda: not [task for task in asyncio.all_tasks() if "_program" in repr(task)])


async def test_a_client_that_leaves_ends_its_request_but_not_its_shell() -> None:
    def client() -> None:
        protocol = Client(lab, operation_timeout_sec=20, read_timeout_sec=21).protocol
        shell = protocol.open_shell()
        command = protocol.run_command(shell, "powershell hostname")
        protocol.transport.read_timeout_sec = 0.2
        with pytest.raises(Exception, match="timed out"):
            protocol.get_command_output_raw(shell, command)
        protocol.transport.close_session()

    async with Lab(fleet(host(powershell_seconds=30))) as lab:
        await asyncio.to_thread(client)
        await eventually(lambda: not [task for task in asyncio.all_tasks() if "_answer" in repr(task)])
        assert lab.counters(NAME).shells_open == 1


async def test_input_with_bad_base64_is_a_bad_parameter() -> None:
    def client() -> None:
        protocol = Client(lab).protocol
        shell = protocol.open_shell()
        command = protocol.run_command(shell, "more", console_mode_stdin=False)
        message = protocol.transport.send_message
        protocol.transport.send_message = lambda text: message(text.replace("QUJD", "Q!!D"))
        with pytest.raises(winrm.exceptions.WSManFaultError) as bad:
            protocol.send_command_input(shell, command, b"ABC")
        assert code(bad) == 87
        protocol.transport.send_message = message
        protocol.send_command_input(shell, command, b"ABC", end=True)
        assert protocol.get_command_output(shell, command) == (b"ABC", b"", 0)

    async with Lab(fleet()) as lab:
        await asyncio.to_thread(client)


async def test_a_skipped_probe_is_not_answered_and_a_cut_script_is_refused() -> None:
    async with Lab(fleet()) as lab:
        skipped = await asyncio.to_thread(lambda: Client(lab).run(data=stdin("first", "second", skip=("first",))))
        assert f"FLEETSCAN1 {NONCE} first".encode() not in skipped.stdout
        assert f"FLEETSCAN1 {NONCE} second".encode() in skipped.stdout
        cut = await asyncio.to_thread(lambda: Client(lab).run(data=stdin("first", cut=20)))
        assert b" _refused json " in cut.stdout
        assert b'"reason":"truncated"' in cut.stdout
