"""Every fault of the list shows itself to a client as its sentence says."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import requests.exceptions
import winrm.exceptions

from fleetscan.lab import Fault, Fleet, Lab, Outcome
from fleetscan.lab.faults import possible
from fleetscan.lab.playback import play
from fleetscan.model.reasons import Reason
from fleetscan.powershell.answers import explain_silence
from fleetscan.powershell.envelope import decode
from fleetscan.powershell.payload import bootstrap_command
from tests.lab.helpers import BASIC, NONCE, Client, ask, create, host, post, stdin

pytestmark = pytest.mark.anyio


class StillRunningError(Exception):
    """Nothing came for two operation timeouts."""


@dataclass
class Seen:
    """What one visit came to."""

    stdout: bytes = b""
    stderr: bytes = b""
    code: int | None = None
    receives: int = 0
    error: BaseException | None = None


def visit(lab: Lab, name: str) -> Seen:
    """All steps of a visit, each once; the error that ended it."""
    seen = Seen()
    try:
        client = Client(lab, name, operation_timeout_sec=1, read_timeout_sec=2).protocol
        shell = client.open_shell()
        command = client.run_command(shell, bootstrap_command(), console_mode_stdin=False)
        client.send_command_input(shell, command, stdin("first", "second"), end=True)
        quiet, done = 0, False
        while not done:
            try:
                stdout, stderr, seen.code, done = client.get_command_output_raw(shell, command)
            except winrm.exceptions.WinRMOperationTimeoutError:
                quiet += 1
                if quiet == 2:
                    raise StillRunningError from None
            else:
                seen.stdout, seen.stderr = seen.stdout + stdout, seen.stderr + stderr
                seen.receives += 1
        client.cleanup_command(shell, command)
        client.close_shell(shell)
    except Exception as error:  # noqa: BLE001 # it is what the test looks at
        seen.error = error
    return seen


def raises(kind: type[BaseException], **attributes: object) -> Callable[[Seen], bool]:
    def judge(seen: Seen) -> bool:
        return type(seen.error) is kind and all(
            getattr(seen.error, name) == value for name, value in attributes.items()
        )

    return judge


def hangs(seen: Seen) -> bool:
    return isinstance(seen.error, requests.exceptions.ReadTimeout)


def breaks(seen: Seen) -> bool:
    """The connection was refused, or ended by a reset."""
    return type(seen.error) is requests.exceptions.ConnectionError and "Connection" in str(seen.error)


def refused_by(code: int) -> Callable[[Seen], bool]:
    return raises(winrm.exceptions.WSManFaultError, wsman_fault_code=code)


def silent_because(reason: Reason) -> Callable[[Seen], bool]:
    def judge(seen: Seen) -> bool:
        trouble = explain_silence(decode(seen.stdout, NONCE), seen.stdout, seen.stderr, seen.code)
        return seen.error is None and trouble is not None and trouble.reason is reason

    return judge


def complete(seen: Seen) -> bool:
    return seen.error is None and decode(seen.stdout, NONCE).complete


def damaged(seen: Seen) -> bool:
    envelopes = decode(seen.stdout, NONCE).envelopes
    return len(envelopes) == 4 and {envelope.reason for envelope in envelopes.values()} == {Reason.ANSWER_DAMAGED}


def half(seen: Seen) -> bool:
    reading = decode(seen.stdout, NONCE)
    return type(seen.error) is StillRunningError and "first" in reading.envelopes and not reading.complete


def truncated(seen: Seen) -> bool:
    reading = decode(seen.stdout, NONCE)
    return not reading.complete and "_host" in reading.envelopes and not seen.stdout.endswith(b"\n")


REJECTED = raises(winrm.exceptions.InvalidCredentialsError)

# What pywinrm makes of each fault of a WinRM host over http with sealed NTLM, or of what came from the command.
OVER_WINRM: dict[Fault, Callable[[Seen], bool]] = {
    Fault.REFUSE: breaks,
    Fault.HANG: hangs,
    Fault.RESET: breaks,
    Fault.UNAUTHORIZED: REJECTED,
    Fault.WRONG_PASSWORD: REJECTED,
    Fault.NO_COMMON_AUTH: REJECTED,
    Fault.NO_CHALLENGE: raises(PermissionError),
    Fault.LOGON_HANG: hangs,
    # requests_ntlm logs on again, and sends the message once more under the seal of the first logon.
    Fault.LOGON_LOST: raises(winrm.exceptions.WinRMTransportError, code=400),
    Fault.UNAVAILABLE: raises(winrm.exceptions.WinRMTransportError, code=503),
    Fault.GARBAGE: raises(ET.ParseError),
    Fault.CUT: lambda seen: isinstance(
        seen.error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError
    ),
    Fault.CREATE_HANG: hangs,
    Fault.COMMAND_HANG: hangs,
    Fault.SEND_HANG: hangs,
    Fault.RECEIVE_HANG: hangs,
    Fault.DELETE_HANG: lambda seen: hangs(seen) and seen.code == 0,
    Fault.CREATE_RESET: breaks,
    Fault.COMMAND_RESET: breaks,
    Fault.SEND_RESET: breaks,
    Fault.RECEIVE_RESET: lambda seen: breaks(seen) and seen.receives == 0,
    Fault.DELETE_RESET: lambda seen: breaks(seen) and seen.code == 0,
    Fault.QUOTA_SHELLS: refused_by(2150859173),
    Fault.QUOTA_SHELLS_WMI: raises(winrm.exceptions.WSManFaultError, wsman_fault_code=None, wmierror_code=2150859173),
    Fault.QUOTA_USERS: refused_by(2150859179),
    Fault.QUOTA_OPERATIONS: refused_by(2150859174),
    Fault.ACCESS_DENIED: refused_by(5),
    Fault.BUSY: refused_by(170),
    Fault.SHELL_LOST: refused_by(2150858843),
    Fault.RELATES_TO: lambda seen: isinstance(seen.error, AssertionError) and seen.code == 0,
    Fault.NO_EXIT_CODE: raises(StopIteration),
    Fault.SHELL_ID_IGNORED: complete,
    Fault.SHELL_ID_REFUSED: complete,
    Fault.NEVER_ENDS: lambda seen: type(seen.error) is StillRunningError and seen.stdout == b"",
    Fault.HALF: half,
    Fault.SILENT: silent_because(Reason.ANSWER_MISSING),
    Fault.TRUNCATED: truncated,
    Fault.DAMAGED: damaged,
    Fault.FOREIGN: silent_because(Reason.ANSWER_FOREIGN),
    Fault.FORGED: lambda seen: complete(seen) and decode(seen.stdout, NONCE).foreign and b"0badc0de" in seen.stdout,
    Fault.NOISE: lambda seen: complete(seen) and b"\x84" in seen.stdout and b"progress" in seen.stderr,
    Fault.SPLIT: lambda seen: complete(seen) and seen.receives > 2,
    Fault.HUGE_10: lambda seen: len(seen.stdout) == 10 * 1024 * 1024,
    Fault.MEMORY: silent_because(Reason.QUOTA_MEMORY),
    Fault.ANTIMALWARE: silent_because(Reason.BLOCKED_ANTIMALWARE),
}
ELSEWHERE = {
    "this file": {Fault.REDIRECT, Fault.GZIP_BOMB, Fault.DRIP, Fault.HUGE_100},
    "test_ssh.py": {Fault.HOSTKEY_CHANGED, Fault.HOSTKEY_UNKNOWN, Fault.CHANNEL_REFUSED},
    "test_logons.py": {fault for fault in Fault if fault.startswith("tls-")},
}


def test_every_fault_is_tested_and_explained_in_a_sentence() -> None:
    assert set(OVER_WINRM) | set().union(*ELSEWHERE.values()) == set(Fault)
    for fault in Fault:
        assert fault.meaning[0].isupper()
        assert fault.meaning.endswith(".")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for the module: its visits are made once."""
    return "asyncio"


@pytest.fixture(scope="module")
async def visits(anyio_backend: str) -> AsyncIterator[dict[Fault, Seen]]:
    """A visit to a host of every fault, all at once."""
    # Over http pywinrm takes any 200 for the end of its logon, and falls over that instead of the page.
    schemes = {Fault.GARBAGE: "https"}
    hosts = tuple(host(f"h-{fault}", scheme=schemes.get(fault, "http"), fault=fault) for fault in OVER_WINRM)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(len(hosts)) as pool:
        async with Lab(Fleet(hosts=hosts)) as lab:
            results = await asyncio.gather(*(loop.run_in_executor(pool, visit, lab, each.name) for each in hosts))
            assert lab.crashes == []
            yield dict(zip(OVER_WINRM, results, strict=True))


@pytest.mark.parametrize("fault", OVER_WINRM)
def test_a_fault_shows_itself(visits: dict[Fault, Seen], fault: Fault) -> None:
    assert OVER_WINRM[fault](visits[fault]), visits[fault]


async def test_a_redirect_leads_to_another_address() -> None:
    async with Lab(Fleet(hosts=(host(scheme="http", fault=Fault.REDIRECT),))) as lab:
        status, headers, _ = await ask(lab, post())
        assert (status, headers["location"]) == (307, ["http://192.0.2.1:5985/wsman"])


async def test_a_gzip_bomb_is_a_thousand_times_as_large_when_it_is_unpacked() -> None:
    async with Lab(Fleet(hosts=(host(scheme="http", fault=Fault.GZIP_BOMB),))) as lab:
        status, headers, body = await ask(lab, post())
        assert (status, headers["content-encoding"]) == (200, ["gzip"])
        assert len(body) < 400_000
        member = body[: len(body) // 10]
        assert body == member * 10
        assert len(gzip.decompress(member)) == 30 * 1024 * 1024


async def test_a_dripping_answer_comes_by_single_bytes() -> None:
    """Every byte comes within a read timeout of a second, so that only a deadline of the whole ends it."""
    async with Lab(Fleet(hosts=(host(auth="basic", fault=Fault.DRIP),))) as lab:
        place = lab.place(lab.fleet.hosts[0].name)
        context = ssl.create_default_context(cafile=lab.ca_file)
        reader, writer = await asyncio.open_connection(place.address, place.port, ssl=context)
        writer.write(post(create(), Authorization=BASIC))
        pieces = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.25):
                while piece := await reader.read(100):
                    pieces.append(piece)
        assert pieces == [b"H", b"T", b"T"]
        writer.transport.abort()


def test_a_huge_output_is_one_block_again_and_again() -> None:
    playback = play(Outcome(b"x"), Fault.HUGE_100)
    assert sum(len(step.data) for step in playback.steps) == 100 * 1024 * 1024
    assert len({id(step.data) for step in playback.steps}) == 1


def test_a_fault_needs_a_transport_that_can_have_it() -> None:
    assert not possible(Fault.QUOTA_SHELLS, transport="ssh", tls=False)
    assert not possible(Fault.HOSTKEY_CHANGED, transport="winrm", tls=True)
    assert not possible(Fault.TLS_EXPIRED, transport="winrm", tls=False)
    assert all(possible(fault, transport="winrm", tls=True) != (fault in ELSEWHERE["test_ssh.py"]) for fault in Fault)
