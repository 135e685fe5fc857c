# fleetscan: read-only facts for compliance checks. Nothing on this computer is changed.
# Every host with the same roles gets these same bytes; their SHA-256 stands in each row of the result.
# Works in Windows PowerShell 3 to 5.1 and in Constrained Language Mode; parameters arrive in $FleetscanParameters.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$FleetscanFull = "$($ExecutionContext.SessionState.LanguageMode)" -eq 'FullLanguage'
$FleetscanShared = @{}
$FleetscanWatchdog = $null

function ConvertTo-FleetscanAscii([string]$Text) {
    $pieces = foreach ($piece in ($Text -csplit '([^\x20-\x7e])')) {
        if ($piece.Length -eq 1 -and $piece -cnotmatch '[\x20-\x7e]') { '\u{0:x4}' -f [int][char]$piece } else { $piece }
    }
    -join $pieces
}

function Get-FleetscanLine([string]$Name, [string]$Json) {
    $encoding = 'json'
    $hash = '-'
    $body = $Json
    if ($FleetscanFull) {
        $bytes = [Text.Encoding]::ASCII.GetBytes($Json)
        $sha = [Security.Cryptography.SHA256]::Create()
        $hash = ([BitConverter]::ToString($sha.ComputeHash($bytes)) -replace '-', '').ToLowerInvariant()
        if ($Json.Length -gt 4000) {
            $stream = New-Object IO.MemoryStream
            $gzip = New-Object IO.Compression.GZipStream($stream, [IO.Compression.CompressionMode]::Compress)
            $gzip.Write($bytes, 0, $bytes.Length)
            $gzip.Close()
            $encoding = 'gzip'
            $body = [Convert]::ToBase64String($stream.ToArray())
        }
    }
    $size = 1000
    $count = ($body.Length - ($body.Length % $size)) / $size
    if ($body.Length % $size) { $count = $count + 1 }
    for ($index = 1; $index -le $count; $index++) {
        $start = ($index - 1) * $size
        $length = if ($body.Length - $start -lt $size) { $body.Length - $start } else { $size }
        "FLEETSCAN1 $($FleetscanParameters.nonce) $Name $encoding $($Json.Length) $hash $index/$count " + $body.Substring($start, $length)
    }
}

# Answers wait in a queue until the end, so that a fast host answers in one piece. The watchdog hands over what has
# waited for a second, and ends this process when a question takes longer than it may.
function Start-FleetscanWatchdog {
    $FleetscanShared.Lines = New-Object 'System.Collections.Concurrent.ConcurrentQueue[string]'
    $FleetscanShared.Stop = New-Object Threading.ManualResetEvent($false)
    $FleetscanShared.UI = $Host.UI
    $FleetscanShared.Limit = (Get-Date).AddDays(1)
    $FleetscanShared.Late = @()
    $runspace = [runspacefactory]::CreateRunspace([Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
    $runspace.Open()
    $runspace.SessionStateProxy.SetVariable('Shared', $FleetscanShared)
    $watchdog = [powershell]::Create()
    $watchdog.Runspace = $runspace
    $null = $watchdog.AddScript({
        while (-not $Shared.Stop.WaitOne(1000)) {
            $line = ''
            while ($Shared.Lines.TryDequeue([ref]$line)) { $Shared.UI.WriteLine($line) }
            if ([DateTime]::Now -gt $Shared.Limit) {
                foreach ($line in $Shared.Late) { $Shared.UI.WriteLine($line) }
                [Diagnostics.Process]::GetCurrentProcess().Kill()
            }
        }
    }.ToString())
    $null = $watchdog.BeginInvoke()
    $watchdog
}

function Write-FleetscanAnswer([string]$Name, [string]$Json) {
    foreach ($line in (Get-FleetscanLine $Name $Json)) {
        if ($FleetscanWatchdog) { $FleetscanShared.Lines.Enqueue($line) } else { $line }
    }
}

function Get-FleetscanElapsed($Since) { [int]((Get-Date) - $Since).TotalMilliseconds }

function Get-FleetscanFailure($Record, [int]$Milliseconds) {
    $id = "$($Record.FullyQualifiedErrorId)"
    $code = 0
    $native = ''
    try { $code = [long]$Record.Exception.HResult; $native = "$($Record.Exception.NativeErrorCode)" } catch { $code = 0 }
    $status = 'failed'
    if ($id -match 'ScriptContainedMaliciousContent|ConstrainedLanguage|NotSupportedInConstrained') { $status = 'blocked' }
    elseif ("$($Record.CategoryInfo.Category)" -match '^(PermissionDenied|SecurityError)$') { $status = 'denied' }
    elseif ($native -eq 'AccessDenied' -or $id -match 'UnauthorizedAccess|0x80070005|0x80041003') { $status = 'denied' }
    elseif (@(-2147024891, -2147217405) -contains $code) { $status = 'denied' }
    elseif ($id -match 'CommandNotFoundException|Modules_ModuleNotFound') { $status = 'missing' }
    $text = "$($Record.Exception.Message)"
    if ($text.Length -gt 500) { $text = $text.Substring(0, 500) }
    @{ status = $status; ms = $Milliseconds; data = $null; error = $text; error_id = $id }
}

function Get-FleetscanHost {
    $build = $null
    $elevated = $null
    try { $build = "$((Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion').CurrentBuildNumber)" } catch { $build = $null }
    if ($FleetscanFull) {
        try {
            $identity = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
            $elevated = $identity.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
        } catch { $elevated = $null }
    }
    @{
        computer = "$env:COMPUTERNAME"
        now = (Get-Date).ToUniversalTime().ToString('o')
        culture = "$PSCulture"
        ui_culture = "$PSUICulture"
        language_mode = "$($ExecutionContext.SessionState.LanguageMode)"
        powershell = "$($PSVersionTable.PSVersion)"
        os_build = $build
        elevated = $elevated
    }
}

function ConvertTo-FleetscanJson($Value) { ConvertTo-FleetscanAscii (ConvertTo-Json -InputObject $Value -Depth 12 -Compress) }

# One question, its answer handed over under a name; the watchdog knows how long it may take.
function Send-FleetscanProbe($Probe, [string]$Name) {
    if (@($FleetscanParameters.skip) -contains $Name -or (Get-Date) -gt $FleetscanEnd) { return }
    if ($FleetscanWatchdog) {
        $limit = (Get-Date).AddSeconds($Probe.Timeout)
        if ($limit -gt $FleetscanEnd) { $limit = $FleetscanEnd }
        $FleetscanShared.Late = @(Get-FleetscanLine $Name ('{"status":"timeout","ms":0,"data":null,"error":"no answer in ' + $Probe.Timeout + ' s"}'))
        $FleetscanShared.Limit = $limit
    }
    $json = Invoke-FleetscanProbe $Probe
    if ($FleetscanWatchdog) { $FleetscanShared.Limit = (Get-Date).AddDays(1) }
    Write-FleetscanAnswer $Name $json
}

function Invoke-FleetscanProbe($Probe) {
    $since = Get-Date
    try {
        $answer = @(& $Probe.Script)
        if ($answer.Count -ne 1) { throw "the probe wrote $($answer.Count) objects instead of one" }
        $json = ConvertTo-FleetscanJson $answer[0]
        $elapsed = Get-FleetscanElapsed $since
        if ($json.Length -gt $FleetscanParameters.limit) {
            ConvertTo-FleetscanJson @{ status = 'too_large'; ms = $elapsed; data = $null; error = "$($json.Length) characters" }
        } else {
            '{"status":"ok","ms":' + $elapsed + ',"data":' + $json + '}'
        }
    } catch {
        ConvertTo-FleetscanJson (Get-FleetscanFailure $_ (Get-FleetscanElapsed $since))
    }
}

#<tools>
# The questions, in the order in which they are asked.
$FleetscanProbes = @(
#<probes>
)

if ($FleetscanFull) { try { $FleetscanWatchdog = Start-FleetscanWatchdog } catch { $FleetscanWatchdog = $null } }
$FleetscanBegin = Get-Date
$FleetscanEnd = $FleetscanBegin.AddSeconds($FleetscanParameters.deadline)
Write-FleetscanAnswer '_host' (ConvertTo-FleetscanJson (Get-FleetscanHost))
$FleetscanTaken = $FleetscanBegin
foreach ($FleetscanProbe in $FleetscanProbes) {
    Send-FleetscanProbe $FleetscanProbe $FleetscanProbe.Id
    if ($FleetscanProbe.Totals) { $FleetscanTaken = Get-Date }
}
# Totals say how fast they grow when they are read twice.
$FleetscanTotals = @(foreach ($FleetscanProbe in $FleetscanProbes) { if ($FleetscanProbe.Totals -and @($FleetscanParameters.skip) -notcontains "$($FleetscanProbe.Id)_later") { $FleetscanProbe } })
if ($FleetscanParameters.sample -gt 0 -and $FleetscanTotals.Count -gt 0) {
    $FleetscanWait = [int]($FleetscanParameters.sample * 1000) - (Get-FleetscanElapsed $FleetscanTaken)
    if ((Get-Date).AddMilliseconds($FleetscanWait) -lt $FleetscanEnd) {
        if ($FleetscanWait -gt 0) { Start-Sleep -Milliseconds $FleetscanWait }
        foreach ($FleetscanProbe in $FleetscanTotals) { Send-FleetscanProbe $FleetscanProbe "$($FleetscanProbe.Id)_later" }
    } else {
        foreach ($FleetscanProbe in $FleetscanTotals) {
            Write-FleetscanAnswer "$($FleetscanProbe.Id)_later" '{"status":"failed","ms":0,"data":null,"error":"no time was left for the second reading"}'
        }
    }
}
Write-FleetscanAnswer '_end' '{}'
if ($FleetscanWatchdog) {
    $null = $FleetscanShared.Stop.Set()
    $FleetscanLine = ''
    while ($FleetscanShared.Lines.TryDequeue([ref]$FleetscanLine)) { $FleetscanLine }
}
