"""The gate against PowerShell's own parser: in what the gate lets through, both must see the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetscan.model.playbook import Language
from fleetscan.playbook import builtin_names
from fleetscan.playbook.gate import allowed
from fleetscan.playbook.gate.powershell import PowerShellGate, prove
from fleetscan.playbook.gate.syntax import Script
from tests.machine import answers_of
from tests.playbook.test_readonly_powershell import ALLOWED, GOOD

pytestmark = pytest.mark.powershell

ASK = r"""
$texts = Get-Content -LiteralPath $env:FLEETSCAN_TEXTS -Raw | ConvertFrom-Json
$answers = foreach ($text in $texts) {
    $tokens = $null
    $errors = $null
    $ast = [System.Management.Automation.Language.Parser]::ParseInput($text, [ref]$tokens, [ref]$errors)
    $seen = @{ errors = $errors.Count; commands = @(); methods = @(); types = @(); files = @(); odd = @() }
    foreach ($node in $ast.FindAll({ $true }, $true)) {
        $kind = $node.GetType().Name
        switch ($kind) {
            'CommandAst' {
                $seen.commands += "$($node.GetCommandName())"
                if ("$($node.InvocationOperator)" -ne 'Unknown') { $seen.odd += $node.Extent.Text }
            }
            'InvokeMemberExpressionAst' { $seen.methods += $node.Member.Extent.Text }
            'TypeExpressionAst' { $seen.types += $node.TypeName.FullName }
            'TypeConstraintAst' { $seen.types += $node.TypeName.FullName }
            'FileRedirectionAst' { $seen.files += $node.Location.Extent.Text }
        }
        if ($kind -match '^MemberExpression|^InvokeMember' -and $node.Static) { $seen.odd += $node.Extent.Text }
        if ($kind -match 'Trap|Using|TypeDefinition|^Attribute(Ast|dExpressionAst)|Configuration|DynamicKeyword|Exit') {
            $seen.odd += $node.Extent.Text
        }
    }
    $seen
}
ConvertTo-Json -InputObject @($answers) -Depth 5 -Compress
"""


def ask(texts: list[str], folder: Path) -> list[dict[str, Any]]:
    """What PowerShell's parser sees in each text."""
    return answers_of(ASK, texts, folder)


def folded(words: list[str]) -> list[str]:
    return sorted(word.casefold() for word in words)


def compare(texts: list[str], folder: Path) -> int:
    """Check every text; how many of them PowerShell takes, too."""
    taken = 0
    for text, seen in zip(texts, ask(texts, folder), strict=True):
        if seen["errors"]:
            continue
        taken += 1
        gate = PowerShellGate(Script(text, Language.POWERSHELL, "x"))
        gate.run()
        assert folded(seen["commands"]) == folded(gate.commands), text
        assert folded(seen["methods"]) == folded(gate.methods), text
        assert set(folded(seen["types"])) == set(folded(gate.types)), text
        assert set(folded(seen["files"])) <= {"$null"}, text
        assert seen["odd"] == [], text
    return taken


def builtin_probes() -> Iterator[Path]:
    for name in builtin_names():
        folder = Path(__file__).parents[2] / "playbooks" / name / "probes"
        yield from sorted(folder.glob("*.ps1"))


def test_both_see_the_same_in_samples(tmp_path: Path) -> None:
    samples = [GOOD, *ALLOWED]
    assert all(not prove(text, "x") for text in samples)
    assert compare(samples, tmp_path) == len(samples)


def test_both_see_the_same_in_every_builtin_probe(tmp_path: Path) -> None:
    texts = [path.read_text(encoding="ascii") for path in builtin_probes()]
    assert texts
    assert compare(texts, tmp_path) == len(texts)


PIECES = [
    *";|&{}()[]<>'\"`$#@,.-=%?!+*/\\:~^\n",
    *("$(", "@(", "@{", '"$(', ')"', "''", '""', '@"\n', "--%", "2>", "<#", "#>", " #", "${", "..", "::", "&&"),
    *("-f ", "-and ", "-split ", ", ", "[int]", "if ", "else ", "foreach ", "%{", "& ", ". ", "1", "0x1", "1kb", "$_"),
    *(
        "in",
        "return ",
        "throw ",
        "param(",
        "function ",
        "trap ",
        "catch ",
        "do ",
        "while ",
        "switch ",
        "process ",
        "\n",
    ),
]
WRITES = ["Remove-Item", "Remove-Item x", "sc", "rm", "x.Delete()", "$x.Delete()", "foo:bar", "[Evil]", ".exe", ""]


def spoilt(text: str, dice: random.Random) -> str:
    """The text with a write, or a piece of syntax, at one or two places."""
    for _ in range(dice.choice((1, 1, 2))):
        at = dice.randrange(len(text) + 1)
        piece = dice.choice(PIECES) + dice.choice(WRITES) + dice.choice(["", *PIECES])
        text = text[:at] + piece + text[at + dice.choice((0, 0, 0, 1, 2)) :]
    return text


def test_both_see_the_same_in_spoilt_probes_that_pass(tmp_path: Path) -> None:
    dice = random.Random(20260131)  # noqa: S311 - the same samples each time
    lines = GOOD.split("\n")
    bases = ["\n".join(lines[at : at + 5]) for at in range(0, len(lines), 4)] + ALLOWED
    texts = [spoilt(dice.choice(bases), dice) for _ in range(4000)]
    passed = [text for text in texts if text.isascii() and not prove(text, "x")]
    assert len(passed) > 50
    assert compare(passed, tmp_path) > 40


def test_no_method_and_no_type_is_listed_in_vain() -> None:
    assert all(name == name.casefold() for name in allowed.METHODS | allowed.TYPES | allowed.RESERVED)
