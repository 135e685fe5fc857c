"""The payload, executed by a real PowerShell and a real sh."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetscan.model.host import Role
from fleetscan.model.playbook import Language
from fleetscan.model.reasons import Reason
from fleetscan.powershell import answers
from fleetscan.powershell.envelope import Reading, decode
from fleetscan.powershell.payload import COMMAND_LIMIT, Invocation, Payload, bootstrap_command, build, invoke
from tests.factory import playbook, probe

Execute = Callable[[Invocation], "subprocess.CompletedProcess[bytes]"]


def payload(*texts: str, timeout: int = 20) -> Payload:
    probes = [probe(f"p{number}", text, timeout=timeout) for number, text in enumerate(texts)]
    return build(playbook(*probes), [Role.HYPERV])


def ask(execute: Execute, script: Payload, seconds: float = 40, skip: tuple[str, ...] = ()) -> Reading:
    invocation = invoke(script, seconds=seconds, skip=skip)
    done = execute(invocation)
    reading = decode(done.stdout, invocation.nonce)
    assert answers.explain_silence(reading, done.stdout, done.stderr, done.returncode) is None
    return reading


def test_the_command_line_is_short_plain_and_the_same_for_all() -> None:
    command = bootstrap_command()
    assert len(command) < COMMAND_LIMIT
    assert set(command) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=.- ")
    assert invoke(payload("@{}"), seconds=9).command == invoke(payload("@{ x = 1 }"), seconds=99).command == command


def test_hosts_with_the_same_roles_get_the_same_bytes_and_no_more_than_their_roles_need() -> None:
    book = playbook(
        probe("both", roles=(Role.HYPERV, Role.VMM)),
        probe("vmm-only", roles=(Role.VMM,)),
        probe("linux", language=Language.SH, roles=(Role.LINUX_GUEST,)),
    )
    hyperv = build(book, [Role.HYPERV])
    assert hyperv == build(book, [Role.HYPERV])
    assert [p.id for p in hyperv.probes] == ["both"]
    assert "vmm-only" not in hyperv.text
    assert [p.id for p in build(book, [Role.VMM, Role.HYPERV]).probes] == ["both", "vmm-only"]
    assert [p.id for p in build(book, [Role.LINUX_GUEST]).probes] == ["linux"]


def test_cheap_questions_come_first() -> None:
    book = playbook(probe("slow", order=90), probe("quick", order=1))
    assert [p.id for p in build(book, [Role.HYPERV]).probes] == ["quick", "slow"]


@pytest.mark.powershell
def test_answers_come_back_as_they_are(execute: Execute) -> None:
    script = payload(
        # A match that ignores case takes the Kelvin sign for a k, and on Windows the Turkish dotted I for an i.
        '@{ name = "Z$([char]252)rich $([char]0xD83D)$([char]0xDE00) $([char]0x212A)$([char]0x0130)"; '
        "none = $null; empty = @(); one = @(1); big = [long]5000000000 }",
        "@{ long = 'abc' * 4000 }",
    )
    reading = ask(execute, script)
    data = {name: envelope.value["data"] for name, envelope in reading.envelopes.items() if name[0] == "p"}  # type: ignore[index,call-overload] # ok answers
    assert data["p0"] == {"name": "Zürich 😀 \u212a\u0130", "none": None, "empty": [], "one": [1], "big": 5_000_000_000}
    assert data["p1"] == {"long": "abc" * 4000}


@pytest.mark.powershell
def test_one_failing_question_costs_no_other(execute: Execute) -> None:
    script = payload(
        "throw 'no luck'",
        "1; 2",
        "Get-NoSuchThing",
        "Write-Error -Message 'Zugriff verweigert' -Category PermissionDenied",
        "@{ fine = $true }",
    )
    reading = ask(execute, script)
    facts = answers.merge(script, [reading])
    reasons = {name: answer.reason for name, answer in facts.answers.items()}
    assert reasons == {
        "p0": Reason.PROBE_FAILED,
        "p1": Reason.PROBE_FAILED,
        "p2": Reason.PROBE_COMMAND_MISSING,
        "p3": Reason.PERMISSION_DENIED,
        "p4": None,
    }
    assert facts.answers["p0"].message == "no luck"
    assert "2 objects instead of one" in facts.answers["p1"].message
    assert "needed: Hyper-V Administrators" in facts.answers["p3"].message
    assert facts.answers["p4"].data == {"fine": True}
    assert facts.meta["language_mode"] == "FullLanguage"
    assert str(facts.meta["now"]).endswith("Z")


@pytest.mark.powershell
def test_skipped_questions_are_not_asked(execute: Execute) -> None:
    reading = ask(execute, payload("@{ a = 1 }", "@{ b = 2 }"), skip=("p0",))
    assert "p0" not in reading.envelopes
    assert "p1" in reading.envelopes


@pytest.mark.powershell
def test_a_hung_question_ends_the_process_in_time(execute: Execute) -> None:
    invocation = invoke(payload("@{ a = 1 }", "Start-Sleep -Seconds 60", timeout=2), seconds=40)
    began = time.monotonic()
    done = execute(invocation)
    assert time.monotonic() - began < 15
    assert done.returncode != 0


@pytest.mark.powershell
def test_what_waited_is_handed_over_while_a_later_question_still_runs(execute: Execute) -> None:
    """The watchdog writes the first answer before the second one exists: a kill would lose only the second."""
    script = payload("@{ a = 1 }", "Start-Sleep -Seconds 3; @{ b = 2 }")
    invocation = invoke(script, seconds=40)
    done = execute(invocation)
    # Lines of the watchdog end in a bare line feed (they go through the host), lines of the pipeline do not.
    lines = [line for line in done.stdout.split(b"\n") if line.startswith(b"FLEETSCAN1")]
    names = [line.split(b" ")[2] for line in lines]
    assert names == [b"_host", b"p0", b"p1", b"_end"]


@pytest.mark.powershell
def test_an_answer_beyond_the_limit_is_refused_on_the_host(execute: Execute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetscan.powershell.payload.ANSWER_LIMIT", 500)
    script = payload("@{ x = 'y' * 600 }", "@{ x = 'y' }")
    facts = answers.merge(script, [ask(execute, script)])
    assert facts.answers["p0"].reason is Reason.PROBE_TOO_LARGE
    assert facts.answers["p1"].data == {"x": "y"}


@pytest.mark.powershell
def test_a_script_that_does_not_arrive_whole_is_not_run(execute: Execute) -> None:
    invocation = invoke(payload("@{ a = 1 }"), seconds=40)
    cut = Invocation(invocation.command, invocation.stdin[:-200], invocation.nonce)
    done = execute(cut)
    reading = decode(done.stdout, cut.nonce)
    trouble = answers.explain_silence(reading, done.stdout, done.stderr, done.returncode)
    assert trouble is not None
    assert trouble.reason is Reason.ANSWER_TRUNCATED
    assert "did not arrive whole" in trouble.message
    assert "p0" not in reading.envelopes


@pytest.mark.powershell
def test_it_works_in_constrained_language(execute: Execute) -> None:
    """The same steps without .NET: no hash, no compression, no watchdog, the same answers."""
    script = payload('@{ name = "Z$([char]252)rich"; long = "x" * 3000 }', "[Math]::Abs(-1)")
    text = "$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'\n" + script.text
    constrained = Payload(script.language, text, script.probes)
    facts = answers.merge(constrained, [ask(execute, constrained)])
    assert facts.meta["language_mode"] == "ConstrainedLanguage"
    assert facts.answers["p0"].data == {"name": "Zürich", "long": "x" * 3000}
    assert facts.answers["p1"].reason is Reason.BLOCKED_LANGUAGE_MODE


def sh(text: str, seconds: float = 30, skip: tuple[str, ...] = ()) -> tuple[Payload, Reading]:
    if shutil.which("sh") is None:
        pytest.skip("no sh on this machine")
    script = build(playbook(probe("p", text, language=Language.SH, roles=(Role.LINUX_GUEST,))), [Role.LINUX_GUEST])
    invocation = invoke(script, seconds=seconds, skip=skip)
    done = subprocess.run(invocation.command.split(), input=invocation.stdin, capture_output=True, timeout=50)
    return script, decode(done.stdout, invocation.nonce)


def test_sh_answers_names_and_values() -> None:
    script, reading = sh(
        "echo daemon.active=true\nprintf 'name=Z\\303\\274rich = \"x\"\\n'\nread stolen\necho stolen=$stolen"
    )
    facts = answers.merge(script, [reading])
    assert reading.complete
    assert facts.answers["p"].data == {"daemon.active": "true", "name": 'Zürich = "x"', "stolen": ""}
    assert facts.meta["language_mode"] == "sh"


def test_sh_failures_are_failures() -> None:
    script, reading = sh("echo a=1\nfalse")
    assert answers.merge(script, [reading]).answers["p"].reason is Reason.PROBE_FAILED


def test_sh_ends_at_its_deadline_and_leaves_nothing_waiting() -> None:
    began = time.monotonic()
    _, reading = sh("sleep 30", seconds=1)
    assert time.monotonic() - began < 10
    assert not reading.complete


def test_sh_leaves_no_process_behind() -> None:
    """The watchdog's sleep must end with the script, not at the deadline."""
    seconds = 4321
    _, reading = sh("echo a=1", seconds=seconds)
    assert reading.complete
    time.sleep(0.2)
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [command for command in commands if command == f"sleep\0{seconds}\0".encode()]
