"""Programs that the gate lets through set nothing on objects from Windows: a real PowerShell runs them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fleetscan.playbook.gate.powershell import prove
from tests.machine import answers_of

pytestmark = pytest.mark.powershell

RUN = r"""
$global:writes = 0
function global:New-Live {
    $live = New-Object PSObject
    foreach ($name in 'p', 'q') {
        $getter = [scriptblock]::Create('New-Live')
        $setter = [scriptblock]::Create('$global:writes++')
        $property = New-Object System.Management.Automation.PSScriptProperty -ArgumentList $name, $getter, $setter
        $live.PSObject.Properties.Add($property)
    }
    $live
}
function global:Get-Item { New-Live }
$texts = Get-Content -LiteralPath $env:FLEETSCAN_TEXTS -Raw | ConvertFrom-Json
$counts = foreach ($text in $texts) {
    $global:writes = 0
    try { $null = & ([scriptblock]::Create($text)) } catch { $null = 1 }
    $global:writes
}
ConvertTo-Json -InputObject @($counts) -Compress
"""
LIVE = "(Get-Item -Path 'x')"


class Author:
    """Writes small programs that build, copy, nest and change values, some of them from Windows."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - the same programs each time

    def program(self) -> str:
        """A program; each statement may fail without ending it."""
        first = [f"${name} = {self._dice.choice(['@{}', '@()', '@{ p = @{} }', LIVE])}" for name in "abc"]
        statements = first + [self._statement() for _ in range(self._dice.randrange(2, 6))]
        return "\n".join(f"try {{ {statement} }} catch {{ 1 }}" for statement in statements)

    def _statement(self) -> str:
        kinds = ["{t} = {e}", "{t} = {e}", "{t} = {e}", "{t} += {e}", "{t}++", "foreach ({v} in {e}) {{ {t} = {e} }}"]
        return self._filled(self._dice.choice(kinds))

    def _expression(self, depth: int) -> str:
        kinds = ["{v}", "{v}", LIVE, "{v}.p", "{v}.q", "{v}['p']", "{v}[0]"]
        if depth < 3:
            kinds += ["@{{ p = {e}; q = {e} }}", "@({e})", "(, {e})", "$({e})", "({v} + {e})", "[array]({e})"]
            kinds += ["@({e} | Where-Object {{ $true }})", "[pscustomobject]@{{ p = {e} }}", "({e} -ne $null)"]
            kinds += ["$(if ($true) {{ {e} }} else {{ {e} }})", '"{v}"', "({v} = {e})"]
        return self._filled(self._dice.choice(kinds), depth + 1)

    def _target(self) -> str:
        steps = self._dice.choices([".p", ".q", "['p']", "[0]"], k=self._dice.choice((0, 1, 1, 2, 3)))
        return self._name() + "".join(steps)

    def _name(self) -> str:
        return f"${self._dice.choice('abc')}"

    def _filled(self, text: str, depth: int = 0) -> str:
        while "{v}" in text:
            text = text.replace("{v}", self._name(), 1)
        while "{t}" in text:
            text = text.replace("{t}", self._target(), 1)
        while "{e}" in text:
            text = text.replace("{e}", self._expression(depth).replace("{", "{{").replace("}", "}}"), 1)
        return text.replace("{{", "{").replace("}}", "}")


def run(programs: list[str], folder: Path) -> list[int]:
    """How often each program set a property of an object from Windows."""
    return answers_of(RUN, programs, folder)


def test_programs_that_pass_change_only_what_they_made(tmp_path: Path) -> None:
    author = Author(20260131)
    programs = [author.program() for _ in range(700)]
    proven = {text: not prove(text, "x") for text in programs}
    passed = [text for text in programs if proven[text]]
    refused = [text for text in programs if not proven[text]][:300]
    counts = run(passed + refused, tmp_path)
    written = [text for text, count in zip(passed, counts, strict=False) if count]
    assert written == []
    assert len(passed) > 60
    assert sum(map(bool, counts[len(passed) :])) > 10, "the programs must be able to do harm"
