"""The script that a Hyper-V host runs for a guest: its data reaches no command, and the engine takes its arguments."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from fleetscan.credentials.redact import Redactor
from fleetscan.model.host import Role
from fleetscan.model.login import Login, Secret
from fleetscan.model.reasons import Reason
from fleetscan.powershell import answers
from fleetscan.powershell.envelope import decode
from fleetscan.powershell.guest import invoke_guest, refusal, wire_form
from fleetscan.powershell.payload import Invocation, Payload, bootstrap_command, build
from tests.factory import playbook, probe
from tests.machine import powershell

SCRIPTS = Path(__file__).parents[2] / "fleetscan" / "powershell"
LOGIN = Login(username="DMZ\\audit", password=Secret("correct horse"))
COMMANDS = r"""
$found = foreach ($name in @('bootstrap.ps1', 'guest.ps1')) {
    $errors = $null
    $path = Join-Path $env:FLEETSCAN_SCRIPTS $name
    $tree = [Management.Automation.Language.Parser]::ParseFile($path, [ref]$null, [ref]$errors)
    if ($errors) { throw "$errors" }
    $kind = [Management.Automation.Language.PipelineAst]
    $pipelines = $tree.FindAll({ param($node) $node -is $kind }, $true)
    foreach ($pipeline in $pipelines) {
        $commands = @($pipeline.FindAll({ param($node) $node -is [Management.Automation.Language.CommandAst] }, $true))
        if ($commands.Count -eq 0) { continue }
        $kind = [Management.Automation.Language.VariableExpressionAst]
        $variables = @($pipeline.FindAll({ param($node) $node -is $kind }, $true))
        [pscustomobject]@{ text = "$pipeline"; variables = @($variables | ForEach-Object { $_.VariablePath.UserPath }) }
    }
}
ConvertTo-Json -InputObject @($found) -Depth 4 -Compress
"""
DATA = {"Lines", "Text", "FleetscanRest", "FleetscanSecret", "FleetscanUnit", "input"}
HARMLESS = {
    """"$($Lines[0])" -replace '^[^{]*', '' | ConvertFrom-Json""",  # the parameters alone
    ". ([scriptblock]::Create($Text))",  # what is left of the text is the script
    "Invoke-Expression $Text",
}


def payload() -> Payload:
    return build(playbook(probe("one", "@{ x = 1 }", roles=(Role.GUEST,))), [Role.GUEST])


def invocation() -> Invocation:
    return invoke_guest(payload(), LOGIN, ("web01.dmz", "web01"), seconds=30, skip=["two"])


def test_the_secret_stands_last_and_in_no_script_command_or_representation() -> None:
    made = invocation()
    assert made.command == bootstrap_command()
    head, _, rest = made.stdin.decode("ascii").partition("\n")
    told = json.loads(head)
    script = rest[: told["length"]]
    assert script == (SCRIPTS / "guest.ps1").read_text(encoding="ascii").rstrip("\n")
    data = rest[told["length"] : told["length"] + told["rest"]]
    assert rest == script + data + "\n"
    assert data == f"\n{payload().text}\n{wire_form(LOGIN.username)}\n{wire_form('correct horse')}"
    assert json.loads(told["guest"])["length"] == len(payload().text)
    assert json.loads(told["guest"])["nonce"] == told["nonce"] == made.nonce
    secrets = ("correct horse", wire_form("correct horse"))
    assert not [secret for secret in secrets if secret in head + script + made.command + repr(made)]


@pytest.mark.powershell
def test_no_command_is_given_the_data_by_the_parsers_own_tree(tmp_path: Path) -> None:
    path = tmp_path / "commands.ps1"
    path.write_text(COMMANDS, encoding="ascii")
    environment = {**os.environ, "FLEETSCAN_SCRIPTS": str(SCRIPTS)}
    command = [powershell(), "-NoProfile", "-NonInteractive", "-File", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=50, check=True)
    pipelines = json.loads(done.stdout)
    assert {"Invoke-Command", "ConvertFrom-Json", "Invoke-Expression"} <= {
        word for pipeline in pipelines for word in pipeline["text"].split()
    }
    given = {p["text"] for p in pipelines if DATA & set(p["variables"])}
    assert given == HARMLESS


PRELUDE = r"""
enum VMState { Running = 2; Off = 3 }
function global:Get-ItemProperty { param($Path) [pscustomobject]@{ CurrentBuildNumber = '20348' } }
function global:Get-VM {
    param($Id, $Name)
    $id = [guid]'2fdad335-75ba-54ce-ae49-4419747152dc'
    [pscustomobject]@{ Id = $id; VMId = $id; Name = 'web01'; VMName = 'web01'; State = [VMState]::Running }
}
"""


@pytest.mark.powershell
def test_the_engines_own_command_takes_the_arguments_and_what_it_lacks_here_is_no_rejection(tmp_path: Path) -> None:
    """There is no VM bus on this machine: the session cannot be opened, and no account is blamed for it."""
    if "FLEETSCAN_PSHOST" not in os.environ:
        pytest.skip("only pshost loads functions before a script")
    prelude = tmp_path / "prelude.ps1"
    prelude.write_text(PRELUDE, encoding="ascii")
    made = invocation()
    environment = {**os.environ, "PSHOST_STDIN": "1", "PSHOST_PRELUDE": str(prelude)}
    command = [powershell(), *made.command.split()[1:]]
    done = subprocess.run(command, input=made.stdin, capture_output=True, env=environment, timeout=50)
    reading = decode(done.stdout, made.nonce)
    trouble = answers.explain_silence(reading, done.stdout, done.stderr, done.returncode)
    assert trouble is not None
    assert trouble.reason is Reason.UNREACHABLE_DIRECT, trouble
    assert "no session with the guest could be opened" in trouble.message
    assert b"correct horse" not in done.stdout + done.stderr
    assert wire_form("correct horse").encode() not in done.stdout + done.stderr


@pytest.mark.powershell
def test_a_guest_that_falls_silent_is_given_up_at_the_deadline(tmp_path: Path) -> None:
    if "FLEETSCAN_PSHOST" not in os.environ:
        pytest.skip("only pshost loads functions before a script")
    prelude = tmp_path / "prelude.ps1"
    silent = "function global:Invoke-Command { param($VMId, $Credential, $ScriptBlock, $ArgumentList) Start-Sleep 60 }"
    prelude.write_text(f"{PRELUDE}\n{silent}\n", encoding="ascii")
    made = invoke_guest(payload(), LOGIN, ("web01",), seconds=2)
    environment = {**os.environ, "PSHOST_STDIN": "1", "PSHOST_PRELUDE": str(prelude)}
    began = time.monotonic()
    command = [powershell(), *made.command.split()[1:]]
    done = subprocess.run(command, input=made.stdin, capture_output=True, env=environment, timeout=50)
    assert done.returncode != 0
    assert time.monotonic() - began < 30


def test_a_host_that_echoes_what_it_is_sent_shows_no_secret() -> None:
    made = invocation()
    trouble = answers.explain_silence(decode(made.stdin, made.nonce), made.stdin, made.stdin, 1)
    assert trouble is not None
    redactor = Redactor()
    redactor.add(wire_form("correct horse"))
    for text in (trouble.message, trouble.hint):
        assert wire_form("corr") not in text
        assert wire_form("correct horse") not in redactor.redact(made.stdin.decode())


def test_what_the_script_refuses_with_is_known_and_other_reasons_are_left_alone() -> None:
    script = (SCRIPTS / "guest.ps1").read_text(encoding="ascii")
    words = {word.strip("'") for word in script.replace("(", " ").split() if word.startswith("'guest.")}
    assert len(words) == 10
    for word in words:
        trouble = refusal(word, "7")
        assert trouble is not None
        assert "{}" not in trouble.message
    assert refusal("truncated", "7") is None
