"""What every transport promises, over every kind of host."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from fleetscan.errors import TransportError
from fleetscan.lab import Fault
from fleetscan.model.login import Secret
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports import Output

from .conftest import MEGABYTE, VARIANTS, Ground, busy_threads, faulty, open_files, prepare, settled

pytestmark = pytest.mark.anyio
every_variant = pytest.mark.parametrize("variant", sorted(VARIANTS))


async def test_bytes_survive_and_stderr_is_apart(ground: Ground) -> None:
    output = Output()
    async with ground.connected() as connection:
        status = await connection.run("sort greet", b"", output)
    assert (status, output.stdout.decode(), output.stderr.decode()) == (0, "Grüße aus Zürich\r\n", "Fehler: äöü")


async def test_a_megabyte_of_output_arrives(ground: Ground) -> None:
    output = Output()
    async with ground.connected() as connection:
        assert await connection.run("sort megabyte", b"", output) == 0
    assert bytes(output.stdout) == MEGABYTE


async def test_the_exit_status_is_a_result(ground: Ground) -> None:
    async with ground.connected() as connection:
        assert await connection.run("sort three", b"", Output()) == 3


@pytest.mark.parametrize("size", [0, 90 * 1024, 100_000])
async def test_stdin_arrives_whole(ground: Ground, size: int) -> None:
    stdin = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    async with ground.connected() as connection:
        await connection.run("sort lines", stdin, Output())
    assert ground.commands.stdin == [stdin]


async def test_commands_run_one_after_the_other(ground: Ground) -> None:
    first, second = Output(), Output()
    async with ground.connected() as connection:
        assert await connection.run("sort three", b"", first) == 3
        assert await connection.run("sort lines", b"", second) == 0
    assert bytes(second.stdout) == b"first\nsecond\n"
    assert ground.counters.shells_opened <= 1
    assert ground.counters.shells_open == 0


async def test_stages_come_in_their_order(ground: Ground) -> None:
    async with ground.connected() as connection:
        await connection.run("sort lines", b"", Output())
    order = list(Stage)
    assert ground.stages == sorted(ground.stages, key=order.index)
    assert {Stage.RESOLVE, Stage.CONNECT, Stage.LOGON, Stage.COMMAND, Stage.OUTPUT} <= set(ground.stages)
    assert (Stage.TLS in ground.stages) == (ground.host.transport == "winrm" and ground.host.winrm.scheme == "https")


@every_variant
async def test_a_hung_command_ends_at_its_deadline_and_keeps_what_came(variant: str) -> None:
    output = Output()
    async with prepare(faulty(variant, Fault.HALF)) as ground:
        connection = await ground.connect()
        began = anyio.current_time()
        with anyio.move_on_after(0.5) as scope:
            await connection.run("sort lines", b"", output)
        assert scope.cancelled_caught
        assert anyio.current_time() - began < 1.5
        assert bytes(output.stdout) == b"first\n"
        await connection.aclose()
        assert anyio.current_time() - began < 6.5
        assert ground.counters.shells_open == 0


@every_variant
async def test_output_over_the_limit_ends_the_command(variant: str) -> None:
    output = Output(limit=300_000)
    async with prepare(faulty(variant, Fault.HUGE_10)) as ground:
        async with ground.connected() as connection:
            with pytest.raises(TransportError) as caught:
                await connection.run("sort lines", b"", output)
        assert (caught.value.reason, caught.value.retryable) == (Reason.ANSWER_TOO_LARGE, False)
        assert len(output.stdout) == 300_000
        assert await settled(lambda: ground.counters.shells_open == 0)


async def fail_after_a_command(ground: Ground) -> None:
    async with ground.connected() as connection:
        await connection.run("sort lines", b"", Output())
        raise ZeroDivisionError


async def test_a_connection_closes_after_an_exception(ground: Ground) -> None:
    files = open_files()
    with pytest.raises(ZeroDivisionError):
        await fail_after_a_command(ground)
    assert ground.counters.shells_open == 0
    assert await settled(lambda: open_files() <= files)


@every_variant
@pytest.mark.parametrize("after", [0.0, 0.03, 0.2])
async def test_cancelling_leaves_nothing_behind(variant: str, after: float) -> None:
    async with prepare(faulty(variant, Fault.NEVER_ENDS)) as ground:
        files = open_files()
        began = anyio.current_time()
        with anyio.move_on_after(after):
            async with ground.connected() as connection:
                await connection.run("sort lines", b"x" * 200_000, Output())
        assert anyio.current_time() - began < after + 1.5
        assert busy_threads() == 0
        assert ground.counters.shells_open == 0
        assert await settled(lambda: open_files() <= files)


@every_variant
async def test_a_wrong_password_is_tried_once(variant: str) -> None:
    async with prepare(VARIANTS[variant]) as ground:
        ground.login = replace(ground.login, password=Secret("wrong"))
        with pytest.raises(TransportError) as caught:
            await ground.connect()
        assert (caught.value.reason, caught.value.retryable) == (Reason.AUTH_REJECTED, False)
        assert caught.value.stage is Stage.LOGON
        assert list(ground.counters.failed_logons.values()) == [1]
        assert ground.counters.shells_opened == 0


@every_variant
async def test_a_login_without_a_secret_contacts_nobody(variant: str) -> None:
    async with prepare(VARIANTS[variant]) as ground:
        ground.login = replace(ground.login, password=None)
        with pytest.raises(TransportError) as caught:
            await ground.connect()
        assert (caught.value.reason, caught.value.stage) == (Reason.AUTH_SECRET, Stage.CREDENTIAL)
        assert ground.counters.connections == 0


@every_variant
@pytest.mark.parametrize(
    ("fault", "reason", "retryable"),
    [
        (Fault.REFUSE, Reason.UNREACHABLE_REFUSED, True),
        (Fault.RESET, Reason.UNREACHABLE_RESET, None),
        (Fault.HANG, Reason.UNREACHABLE_TIMEOUT, None),
        (Fault.UNAUTHORIZED, Reason.AUTH_REJECTED, False),
        (Fault.NO_COMMON_AUTH, Reason.AUTH_METHOD, False),
        (Fault.LOGON_HANG, Reason.UNREACHABLE_TIMEOUT, False),
    ],
)
async def test_network_and_logon_faults(
    variant: str, fault: Fault, reason: Reason, retryable: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetscan.transports.ssh.LOGON_TIMEOUT", 0.3)
    monkeypatch.setattr("fleetscan.transports.winrm.READ_TIMEOUT", 0.3)
    async with prepare(faulty(variant, fault)) as ground:
        with pytest.raises(TransportError) as caught:
            await ground.connect(connect_timeout=0.3)
        expected = Reason.TLS_HANDSHAKE if fault is Fault.RESET and "https" in variant else reason
        assert caught.value.reason in (reason, expected), caught.value.message
        assert "bind a certificate" in caught.value.hint or caught.value.stage is not Stage.TLS or fault is Fault.HANG
        assert retryable is None or caught.value.retryable is retryable
        assert busy_threads() == 0
