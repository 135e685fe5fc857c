# fleetscan: reads a script of facts from standard input and runs it. Its first line holds the parameters.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$Lines = @($input)
$Nonce = '0'
if ("$($Lines[0])" -match '"nonce":"([0-9a-f]+)"') { $Nonce = $Matches[1] }
$Refusal = ''
if ($PSVersionTable.PSVersion.Major -lt 3) {
    $Refusal = '{"reason":"powershell","detail":"PowerShell ' + $PSVersionTable.PSVersion + '"}'
} else {
    $FleetscanParameters = "$($Lines[0])" -replace '^[^{]*', '' | ConvertFrom-Json
    $Text = if ($Lines.Count -gt 1) { $Lines[1..($Lines.Count - 1)] -join "`n" } else { '' }
    if ($Text.Length -ne $FleetscanParameters.length) {
        $Refusal = '{"reason":"truncated","detail":"' + $Text.Length + ' of ' + $FleetscanParameters.length + ' characters arrived"}'
    }
}
if ($Refusal) {
    "FLEETSCAN1 $Nonce _refused json $($Refusal.Length) - 1/1 $Refusal"
} elseif ("$($ExecutionContext.SessionState.LanguageMode)" -eq 'FullLanguage') {
    . ([scriptblock]::Create($Text))
} else {
    Invoke-Expression $Text
}
exit 0
