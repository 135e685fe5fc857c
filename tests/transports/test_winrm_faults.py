"""Whatever a WinRM listener does wrong: the reason, the stage, and whether a new attempt is worth it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import anyio
import pytest

from fleetscan.errors import TransportError
from fleetscan.lab import Fault
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports import Output
from fleetscan.transports.winrm_protocol import Protocol

from .conftest import VARIANTS, busy_threads, faulty, open_files, prepare, settled

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Case:
    fault: Fault
    reason: Reason
    stage: Stage
    retryable: bool
    hint: str = ""


TLS = [
    Case(Fault.TLS_EXPIRED, Reason.TLS_EXPIRED, Stage.TLS, False, "clock"),
    Case(Fault.TLS_NAME, Reason.TLS_NAME, Stage.TLS, False, "tls_name"),
    Case(Fault.TLS_SELF_SIGNED, Reason.TLS_UNTRUSTED, Stage.TLS, False, "ca_file"),
    Case(Fault.TLS_HANDSHAKE, Reason.TLS_HANDSHAKE, Stage.TLS, False),
    Case(Fault.TLS_ABSENT, Reason.TLS_HANDSHAKE, Stage.TLS, False, "http"),
]
CASES = [
    Case(Fault.NO_CHALLENGE, Reason.AUTH_METHOD, Stage.LOGON, False),
    Case(Fault.UNAVAILABLE, Reason.PROTOCOL_HTTP, Stage.LOGON, True),
    Case(Fault.REDIRECT, Reason.PROTOCOL_REDIRECT, Stage.LOGON, False),
    Case(Fault.GZIP_BOMB, Reason.PROTOCOL_GARBLED, Stage.LOGON, False),
    Case(Fault.GARBAGE, Reason.PROTOCOL_GARBLED, Stage.LOGON, False),
    Case(Fault.DRIP, Reason.UNREACHABLE_TIMEOUT, Stage.SHELL, False),
    Case(Fault.CUT, Reason.UNREACHABLE_RESET, Stage.OUTPUT, False),
    Case(Fault.CREATE_HANG, Reason.UNREACHABLE_TIMEOUT, Stage.SHELL, False),
    Case(Fault.COMMAND_HANG, Reason.UNREACHABLE_TIMEOUT, Stage.COMMAND, False),
    Case(Fault.SEND_HANG, Reason.UNREACHABLE_TIMEOUT, Stage.COMMAND, False),
    Case(Fault.RECEIVE_HANG, Reason.UNREACHABLE_TIMEOUT, Stage.OUTPUT, False),
    Case(Fault.CREATE_RESET, Reason.UNREACHABLE_RESET, Stage.SHELL, True),
    Case(Fault.COMMAND_RESET, Reason.UNREACHABLE_RESET, Stage.COMMAND, False),
    Case(Fault.SEND_RESET, Reason.UNREACHABLE_RESET, Stage.COMMAND, False),
    Case(Fault.RECEIVE_RESET, Reason.UNREACHABLE_RESET, Stage.OUTPUT, False),
    Case(Fault.QUOTA_SHELLS, Reason.QUOTA_SHELLS, Stage.SHELL, True, "quota"),
    Case(Fault.QUOTA_SHELLS_WMI, Reason.QUOTA_SHELLS, Stage.SHELL, True, "quota"),
    Case(Fault.QUOTA_USERS, Reason.QUOTA_SHELLS, Stage.SHELL, True),
    Case(Fault.QUOTA_OPERATIONS, Reason.QUOTA_OPERATIONS, Stage.COMMAND, False),
    Case(Fault.ACCESS_DENIED, Reason.PERMISSION_DENIED, Stage.SHELL, False, "RootSDDL"),
    Case(Fault.BUSY, Reason.PROTOCOL_FAULT, Stage.COMMAND, False),
    Case(Fault.SHELL_LOST, Reason.PROTOCOL_CLOSED, Stage.OUTPUT, False),
    Case(Fault.RELATES_TO, Reason.PROTOCOL_GARBLED, Stage.SHELL, False),
]
# Basic has no handshake: its logon is the Create. Where that is answered with a fault, the logon was accepted.
IN_LOGON = {Stage.SHELL: Stage.LOGON}


def cases(kinds: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", kinds, ids=[str(case.fault) for case in kinds])


async def visit(variant: str, case: Case) -> None:
    async with prepare(faulty(variant, case.fault)) as ground:
        files = open_files()
        with pytest.raises(TransportError) as caught:
            async with ground.connected() as connection:
                await connection.run("sort lines", b"x", Output())
        error = caught.value
        basic = variant == "winrm-https-basic" and case.reason.family not in ("quota", "permission")
        stage = IN_LOGON.get(case.stage, case.stage) if basic else case.stage
        assert (error.reason, error.stage) == (case.reason, stage), error.message
        assert error.retryable is case.retryable
        assert case.hint in error.hint
        assert busy_threads() == 0
        assert await settled(lambda: ground.counters.shells_open == 0)
        assert await settled(lambda: open_files() <= files)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetscan.transports.winrm.READ_TIMEOUT", 0.4)


@cases(TLS)
async def test_faults_of_tls(case: Case) -> None:
    await visit("winrm-https-ntlm", case)


@cases(CASES)
async def test_faults_over_http(case: Case) -> None:
    await visit("winrm-http-ntlm", case)


# What does not depend on the way to log on is tried once, above.
WITH_BASIC = {
    Fault.NO_CHALLENGE,
    Fault.UNAVAILABLE,
    Fault.REDIRECT,
    Fault.GZIP_BOMB,
    Fault.GARBAGE,
    Fault.CUT,
    Fault.SEND_HANG,
    Fault.RECEIVE_RESET,
    Fault.QUOTA_SHELLS,
    Fault.ACCESS_DENIED,
    Fault.RELATES_TO,
}


@cases([case for case in CASES if case.fault in WITH_BASIC])
async def test_faults_over_https_with_basic(case: Case) -> None:
    if case.fault is Fault.CUT:  # under TLS a reset arrives as an end
        case = replace(case, reason=Reason.PROTOCOL_CLOSED)
    await visit("winrm-https-basic", case)


async def test_output_may_be_later_than_any_other_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy host, or one that holds a Receive to the end of the command: what it brings cannot be had again."""
    monkeypatch.setattr("fleetscan.transports.winrm.READ_TIMEOUT", 0.5)
    output = Output()
    async with prepare(VARIANTS["winrm-http-ntlm"]) as ground, ground.connected() as connection:
        assert await connection.run("sort slow", b"", output) == 0  # after 0.7 s
    assert bytes(output.stdout) == b"late"


async def test_done_without_exit_code_is_a_result() -> None:
    output = Output()
    async with prepare(faulty("winrm-http-ntlm", Fault.NO_EXIT_CODE)) as ground:
        async with ground.connected() as connection:
            assert await connection.run("sort lines", b"", output) is None
        assert ground.counters.shells_open == 0
    assert bytes(output.stdout) == b"first\nsecond\n"


@pytest.mark.parametrize("fault", [Fault.DELETE_HANG, Fault.DELETE_RESET])
async def test_a_failing_delete_is_nobodys_problem(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetscan.transports.winrm._CLOSING_TIME", 0.3)
    async with prepare(faulty("winrm-http-ntlm", fault)) as ground:
        began = anyio.current_time()
        async with ground.connected() as connection:
            assert await connection.run("sort lines", b"", Output()) == 0
        assert anyio.current_time() - began < 2


@pytest.mark.parametrize("fault", [Fault.SPLIT, Fault.NOISE])
async def test_output_in_odd_pieces_arrives_whole(fault: Fault) -> None:
    output = Output()
    async with prepare(faulty("winrm-http-ntlm", fault)) as ground, ground.connected() as connection:
        assert await connection.run("sort megabyte", b"", output) == 0
    assert output.stdout.count(b"000000000065535") == 1


@pytest.mark.parametrize(
    ("fault", "asked"), [(None, 1), (Fault.SHELL_ID_IGNORED, 1), (Fault.SHELL_ID_REFUSED, 2)], ids=str
)
@pytest.mark.parametrize("variant", ["winrm-http-ntlm", "winrm-https-basic"])
async def test_whatever_a_host_does_with_the_id_that_we_choose_its_shell_works_and_is_closed(
    variant: str, fault: Fault | None, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids: list[tuple[str, str]] = []
    create = Protocol.create_shell

    def watched(protocol: Protocol, shell_id: str = "") -> str:
        ids.append((shell_id, ""))
        given = create(protocol, shell_id)
        ids[-1] = (shell_id, given)
        return given

    monkeypatch.setattr(Protocol, "create_shell", watched)
    output = Output()
    async with prepare(replace(VARIANTS[variant], fault=fault)) as ground:
        async with ground.connected() as connection:
            assert await connection.run("sort lines", b"", output) == 0
        assert (ground.counters.shells_opened, ground.counters.shells_open) == (1, 0)
    assert bytes(output.stdout) == b"first\nsecond\n"
    assert len(ids) == asked
    wanted, given = ids[-1]
    assert bool(wanted) is (asked == 1)
    assert (wanted == given) is (fault is None)


@pytest.mark.parametrize("fault", [Fault.CREATE_RESET, Fault.DRIP, Fault.RELATES_TO])
async def test_a_shell_whose_answer_was_lost_is_deleted_over_one_more_logon(fault: Fault) -> None:
    async with prepare(faulty("winrm-http-ntlm", fault)) as ground:
        with pytest.raises(TransportError):
            async with ground.connected() as connection:
                await connection.run("sort lines", b"", Output())
        assert ground.counters.shells_opened == 1
        assert await settled(lambda: ground.counters.shells_open == 0)
        assert ground.counters.logons == 2


async def test_a_refused_shell_costs_no_second_logon() -> None:
    async with prepare(faulty("winrm-http-ntlm", Fault.QUOTA_SHELLS)) as ground:
        with pytest.raises(TransportError):
            async with ground.connected() as connection:
                await connection.run("sort lines", b"", Output())
        assert ground.counters.logons == 1
