"""Engines: direct answers, a real PowerShell and a real sh say the same."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from fleetscan.lab import Choice, DirectEngine, Engine, Machine, PowerShellEngine, engine, load
from fleetscan.lab.engines import RealEngine
from fleetscan.lab.linux import ShEngine
from fleetscan.lab.powershell import PshostEngine, PwshEngine
from fleetscan.model.host import Role
from fleetscan.model.playbook import Language
from fleetscan.powershell.envelope import decode
from fleetscan.powershell.payload import build, invoke
from tests.factory import playbook, probe
from tests.lab.helpers import NONCE, machine, stdin

pytestmark = pytest.mark.anyio

FLEET = load(Path(__file__).parent / "fleet")
COMMAND = (
    "powershell.exe -NoProfile -NonInteractive -EncodedCommand "
    + base64.b64encode("@($input)".encode("utf-16-le")).decode()
)


def encoded(script: str) -> str:
    return f"powershell -EncodedCommand {base64.b64encode(script.encode('utf-16-le')).decode()}"


async def direct(spec: Machine, *probes: str, **arguments: Any) -> dict[str, Any]:
    outcome = await DirectEngine().run(spec, COMMAND, stdin(*probes, **arguments))
    return {name: envelope.value for name, envelope in decode(outcome.stdout, NONCE).envelopes.items()}


async def test_a_direct_answer_says_what_the_facts_say() -> None:
    denied = {"status": "denied", "error": "Accès refusé"}
    spec = machine(probes={"fine": {"a": [1, None]}, "no": denied}, language="fr-FR", build="17763", powershell="5.1.1")
    answers = await direct(spec, "fine", "no", "unheard-of")
    assert answers["_host"] | {"now": ""} == {
        "computer": "HV01",
        "now": "",
        "culture": "fr-FR",
        "ui_culture": "fr-FR",
        "language_mode": "FullLanguage",
        "powershell": "5.1.1",
        "os_build": "17763",
        "elevated": True,
    }
    assert answers["fine"] == {"status": "ok", "ms": 1, "data": {"a": [1, None]}}
    assert answers["no"] == {"status": "denied", "ms": 1, "data": None, "error": "Accès refusé"}
    assert answers["unheard-of"]["status"] == "failed"
    assert answers["_end"] == {}


async def test_a_probe_that_hangs_ends_the_payload_and_one_that_is_slow_takes_its_time() -> None:
    spec = machine(
        probes={"slow": {"status": "ok", "data": {}, "seconds": 2.5}, "hangs": {"status": "timeout"}, "x": {}}
    )
    outcome = await DirectEngine().run(spec, COMMAND, stdin("slow", "hangs", "x"))
    assert list(decode(outcome.stdout, NONCE).envelopes) == ["_host", "slow", "hangs"]
    assert (outcome.seconds, outcome.exit_code) == (2.5, -1)
    assert list(await direct(spec, "slow", "hangs", "x", skip=("slow", "hangs"))) == ["_host", "x", "_end"]


async def test_an_old_powershell_and_a_cut_script_are_refused() -> None:
    old = await direct(machine(powershell="2.0"), "first")
    assert old == {"_refused": {"reason": "powershell", "detail": "PowerShell 2.0"}}
    cut = await direct(machine(), "first", cut=3)
    assert cut["_refused"]["reason"] == "truncated"


@pytest.mark.parametrize(
    ("command", "stdout", "code"),
    [
        ("echo a  b", b"a  b\r\n", 0),
        ("cmd.exe /c echo hello", b"hello\r\n", 0),
        ('cmd /d /c "hostname"', b"HV01\r\n", 0),
        ("WHOAMI.EXE", b"corp\\me\r\n", 0),
        ("C:\\Windows\\System32\\whoami.exe", b"corp\\me\r\n", 0),
        (encoded("Write-Output 'hello'"), b"hello\r\n", 0),
        ("ver", b"\r\nMicrosoft Windows [Version 10.0.20348]\r\n", 0),
        ("exit /b 12", b"", 12),
        ("exit", b"", 0),
        ("more", b"input", 0),
        ("powershell -NoProfile -Command hostname", b"HV01\r\n", 0),
        ("powershell -NoProfile hostname", b"HV01\r\n", 0),
        (encoded("hostname"), b"HV01\r\n", 0),
        ("powershell -EncodedCommand QQ==", b"", 1),
        ("del C:\\", b"", 1),
    ],
)
async def test_a_few_commands_of_cmd(command: str, stdout: bytes, code: int) -> None:
    outcome = await DirectEngine().run(machine(), command, b"input", user="CORP\\Me")
    assert (outcome.stdout, outcome.exit_code) == (stdout, code)
    assert (b"is not recognized" in outcome.stderr) == (code == 1)


async def test_sh_and_direct_answers_are_the_same() -> None:
    """The probe of the built-in playbook runs in a real sh, in a root that is made from the facts."""
    sh = ShEngine.find()
    if sh is None:
        pytest.skip("no sh on this machine")
    text = (Path(__file__).parents[2] / "playbooks/asr-hyperv/probes/linux-integration.sh").read_text()
    script = probe("linux-integration", text, language=Language.SH, roles=(Role.LINUX_GUEST,))
    payload = build(playbook(script), [Role.LINUX_GUEST])
    spec = next(each.machine for each in FLEET.hosts if each.machine.os.family == "linux")
    invocation = invoke(payload, seconds=20)
    both = []
    for each in (sh, DirectEngine()):
        outcome = await each.run(spec, invocation.command, invocation.stdin)
        envelopes = decode(outcome.stdout, invocation.nonce).envelopes
        both.append({name: envelope.value for name, envelope in envelopes.items()})
        for name in both[-1]:
            both[-1][name] = {key: value for key, value in both[-1][name].items() if key not in ("now", "ms")}
    assert both[0] == both[1]
    assert both[0]["linux-integration"]["data.vss.daemon"] == "hv_vss_daemon"
    left = await asyncio.to_thread(subprocess.run, ["ps", "-eo", "args"], capture_output=True, text=True)
    assert "sleep 20" not in left.stdout.splitlines()


async def test_sh_leaves_to_the_direct_engine_what_it_cannot_show() -> None:
    sh = ShEngine("/no/such/program")
    spec = machine(family="linux", probes={"linux-integration": {"status": "denied"}, "other": {"a": 1}})
    for probes in (("linux-integration",), ("other",)):
        outcome = await sh.run(spec, f"sh -s -- {NONCE} 9", stdin(*probes))
        assert decode(outcome.stdout, NONCE).complete


def program(kind: str, folder: Path) -> str:
    """A PowerShell. Where only pshost is there, it plays pwsh too: it takes the same switches."""
    pshost, pwsh = os.environ.get("FLEETSCAN_PSHOST"), shutil.which("pwsh")
    if kind == "pwsh" and pwsh is None and pshost and sys.platform != "win32":
        script = folder / "pwsh"
        script.write_text(f'#!/bin/sh\nPSHOST_STDIN=1 exec "{pshost}" "$@"\n')
        script.chmod(0o700)
        pwsh = str(script)
    found = pshost if kind == "pshost" else pwsh
    if not found:
        pytest.skip(f"no {kind}: set FLEETSCAN_PSHOST or install PowerShell 7")
    return found


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for the module, so that its PowerShell is started once."""
    return "asyncio"


@pytest.fixture(scope="module")
async def powershell(anyio_backend: str) -> AsyncIterator[Engine]:
    """An engine with one warm process."""
    made = PshostEngine(program("pshost", Path()), workers=1)
    yield made
    await made.aclose()


@pytest.mark.powershell
async def test_one_process_a_command_does_as_well(tmp_path: Path) -> None:
    payload = build(playbook(probe("who", "@{ name = $SimHost.name; env = $env:COMPUTERNAME }")), [Role.HYPERV])
    invocation = invoke(payload, seconds=30)
    made = PwshEngine(program("pwsh", tmp_path))
    outcome = await made.run(machine(), invocation.command, invocation.stdin)
    who = decode(outcome.stdout, invocation.nonce).envelopes["who"].value
    assert who["data"] == {"name": "hv01.lab.example", "env": "HV01"}  # type: ignore[index,call-overload] # an ok answer
    begin = time.monotonic()
    with anyio.move_on_after(0.3) as scope:
        await made.run(machine(), encoded("Start-Sleep -Seconds 30"), b"")
    assert scope.cancelled_caught
    assert time.monotonic() - begin < 5


@pytest.mark.powershell
async def test_powershell_really_runs_the_payload(powershell: Engine) -> None:
    payload = build(playbook(probe("who", "@{ name = $SimHost.name; sum = 1 + 1 }")), [Role.HYPERV])
    for spec in (
        machine("hv01.lab.example", build="17763"),
        machine("hv02.lab.example", language_mode="ConstrainedLanguage"),
    ):
        invocation = invoke(payload, seconds=30)
        outcome = await powershell.run(spec, invocation.command, invocation.stdin)
        answers = {name: each.value for name, each in decode(outcome.stdout, invocation.nonce).envelopes.items()}
        assert answers["who"]["data"] == {"name": spec.name, "sum": 2}  # type: ignore[index,call-overload] # an ok answer
        direct_host = (await direct(spec, "who"))["_host"]
        alike = ("computer", "language_mode", "powershell", "os_build")
        assert {key: answers["_host"][key] for key in alike} == {key: direct_host[key] for key in alike}  # type: ignore[index,call-overload]
    invocation = invoke(payload, seconds=30)
    old = await powershell.run(machine(powershell="2.0"), invocation.command, invocation.stdin)
    assert b'{"reason":"powershell","detail":"PowerShell 2.0"}' in old.stdout


@pytest.mark.powershell
async def test_powershell_runs_other_scripts_and_leaves_other_commands_to_cmd(powershell: Engine) -> None:
    failing = await powershell.run(machine(), encoded("Write-Error 'broken'; exit 3"), b"")
    assert failing.exit_code == 3
    assert failing.stderr.startswith(b"#< CLIXML")
    assert (await powershell.run(machine(), "powershell -Command '2' * 3", b"")).stdout.strip() == b"222"
    assert (await powershell.run(machine(), "hostname", b"")).stdout == b"HV01\r\n"


@pytest.mark.powershell
async def test_a_script_that_kills_or_outstays_its_process_harms_no_other(powershell: Engine) -> None:
    killed = await powershell.run(machine(), encoded("[Diagnostics.Process]::GetCurrentProcess().Kill()"), b"")
    assert killed.exit_code != 0
    begin = time.monotonic()
    with anyio.move_on_after(0.5) as scope:
        await powershell.run(machine(), encoded("Start-Sleep -Seconds 30"), b"")
    assert scope.cancelled_caught
    assert time.monotonic() - begin < 5
    assert (await powershell.run(machine(), encoded("'alive'"), b"")).stdout.strip() == b"alive"


async def test_the_real_engine_uses_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLEETSCAN_PSHOST", raising=False)
    monkeypatch.setenv("PATH", "")
    assert PowerShellEngine.find() is None
    assert ShEngine.find() is None
    real = engine(Choice.REAL)
    assert isinstance(real, RealEngine)
    assert (await real.run(machine(), "hostname", b"")).stdout == b"HV01\r\n"
    assert (await real.run(machine(family="linux"), f"sh -s -- {NONCE} 3", stdin("first"))).exit_code == 0
    await real.aclose()
    monkeypatch.setenv("FLEETSCAN_PSHOST", "/somewhere/pshost")
    assert isinstance(PowerShellEngine.find(), PshostEngine)
