# fleetscan: reads a script of facts from standard input and runs it. Its first line holds the parameters.
# What follows the script is its data, in $FleetscanRest: no command is given it, and no log of commands shows it.
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
    $Expected = $FleetscanParameters.length + $FleetscanParameters.rest
    if ($Text.Length -ne $Expected) {
        $Refusal = '{"reason":"truncated","detail":"' + $Text.Length + ' of ' + $Expected + ' characters arrived"}'
    } elseif ($FleetscanParameters.rest) {
        $FleetscanRest = $Text.Substring($FleetscanParameters.length)
        $Text = $Text.Substring(0, $FleetscanParameters.length)
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
