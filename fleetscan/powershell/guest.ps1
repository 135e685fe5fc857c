# fleetscan: asks a guest of this Hyper-V host through PowerShell Direct. Nothing on this host or in the guest is changed.
# The guest runs the same script as any machine of its role; what it answers is passed on as it comes.
# The guest's password is no argument and no input of any command here: module logging and transcripts record those.
# It arrives in the last line of the data, and goes character by character into a credential.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$FleetscanFull = "$($ExecutionContext.SessionState.LanguageMode)" -eq 'FullLanguage'
$FleetscanOpen = $false
$FleetscanShared = @{}

function Get-FleetscanRefusal([string]$Reason, [string]$Detail) {
    if ($Detail.Length -gt 400) { $Detail = $Detail.Substring(0, 400) }
    $pieces = foreach ($piece in ((ConvertTo-Json -InputObject @{ reason = $Reason; detail = $Detail } -Compress) -csplit '([^\x20-\x7e])')) {
        if ($piece.Length -eq 1 -and $piece -cnotmatch '[\x20-\x7e]') { '\u{0:x4}' -f [int][char]$piece } else { $piece }
    }
    $json = -join $pieces
    "FLEETSCAN1 $($FleetscanParameters.nonce) _refused json $($json.Length) - 1/1 $json"
}

# Ends this process, and with it the session, when the guest is silent for longer than it may be.
function Start-FleetscanGuestWatchdog([int]$Seconds) {
    $FleetscanShared.Stop = New-Object Threading.ManualResetEvent($false)
    $FleetscanShared.Milliseconds = $Seconds * 1000
    $runspace = [runspacefactory]::CreateRunspace([Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
    $runspace.Open()
    $runspace.SessionStateProxy.SetVariable('Shared', $FleetscanShared)
    $watchdog = [powershell]::Create()
    $watchdog.Runspace = $runspace
    $null = $watchdog.AddScript({
        if (-not $Shared.Stop.WaitOne($Shared.Milliseconds)) { [Diagnostics.Process]::GetCurrentProcess().Kill() }
    }.ToString())
    $null = $watchdog.BeginInvoke()
}

# PowerShell Direct came with Windows 10 (build 10240) and Windows Server 2016; PowerShell 5 may be on older systems, too.
function Get-FleetscanObstacle {
    $build = [int](Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion').CurrentBuildNumber
    if ($build -lt 10240 -or $PSVersionTable.PSVersion.Major -lt 5) {
        return Get-FleetscanRefusal 'guest.unsupported' "build $build with PowerShell $($PSVersionTable.PSVersion)"
    }
    if (-not (Get-Command -Name Get-VM -ErrorAction SilentlyContinue)) { return Get-FleetscanRefusal 'guest.module' '' }
}

# The machines that the name or GUID means: by the first of the names that any machine has.
function Find-FleetscanMachine($Machines) {
    foreach ($wanted in $FleetscanParameters.vms) {
        $found = @($Machines | Where-Object { $_.Name -eq $wanted -or "$($_.Id)" -eq $wanted.Trim('{}') })
        if ($found.Count -gt 0) { return $found }
    }
}

# How a session ended. An error's text is translated, its identifier and the name of its exception are not.
# PSDirectException is how PowerShell Direct says that the guest did not accept the credential.
function Get-FleetscanEnding($Record, [bool]$Open) {
    $detail = "$($Record.Exception.Message) ($($Record.CategoryInfo.Reason), $($Record.FullyQualifiedErrorId))"
    $reason = 'guest.session'
    if ($Open) { $reason = 'guest.broken' }
    elseif ("$($Record.CategoryInfo.Reason)" -eq 'PSDirectException') { $reason = 'guest.rejected' }
    elseif ("$($Record.FullyQualifiedErrorId)" -match 'InvalidCredential') { $reason = 'guest.rejected' }
    elseif ("$($Record.FullyQualifiedErrorId)" -match 'ConstrainedLanguage') { $reason = 'guest.language' }
    elseif ("$($Record.CategoryInfo.Category)" -match '^(PermissionDenied|SecurityError)$') { $reason = 'guest.denied' }
    Get-FleetscanRefusal $reason $detail
}

function Get-FleetscanText([string]$Units) { -join ($Units -split '(....)' -ne '' | ForEach-Object { [char][int]"0x$_" }) }

# What the guest runs: it says that the logon succeeded, then it does what the bootstrap of any other machine does.
$FleetscanBlock = {
    param([string]$FleetscanHead, [string]$FleetscanScript)
    $FleetscanParameters = $FleetscanHead | ConvertFrom-Json
    "FLEETSCAN1 $($FleetscanParameters.nonce) _guest json 2 - 1/1 {}"
    if ("$($ExecutionContext.SessionState.LanguageMode)" -eq 'FullLanguage') {
        . ([scriptblock]::Create($FleetscanScript))
    } else {
        Invoke-Expression $FleetscanScript
    }
}

$FleetscanRefused = $null
$FleetscanVM = @()
try {
    $FleetscanRefused = Get-FleetscanObstacle
    if (-not $FleetscanRefused) {
        $FleetscanMachines = @(Get-VM)
        $FleetscanVM = @(Find-FleetscanMachine $FleetscanMachines)
        if ($FleetscanVM.Count -eq 0) { $FleetscanRefused = Get-FleetscanRefusal 'guest.absent' "$($FleetscanMachines.Count)" }
        elseif ($FleetscanVM.Count -gt 1) { $FleetscanRefused = Get-FleetscanRefusal 'guest.ambiguous' (@($FleetscanVM | ForEach-Object { "$($_.Id)" }) -join ', ') }
        elseif ([int]$FleetscanVM[0].State -ne 2) { $FleetscanRefused = Get-FleetscanRefusal 'guest.off' "$($FleetscanVM[0].State)" }
    }
} catch {
    $FleetscanRefused = Get-FleetscanEnding $_ $false
}

if ($FleetscanRefused) {
    $FleetscanRefused
} else {
    if ($FleetscanFull) { Start-FleetscanGuestWatchdog $FleetscanParameters.deadline }
    try {
        $FleetscanRest = $FleetscanRest -split "`n"
        $FleetscanSecret = [System.Security.SecureString]::new()
        foreach ($FleetscanUnit in ($FleetscanRest[-1] -split '(....)' -ne '')) { $FleetscanSecret.AppendChar([char][int]"0x$FleetscanUnit") }
        $FleetscanUser = $FleetscanRest[-2]
        $FleetscanCredential = [System.Management.Automation.PSCredential]::new((Get-FleetscanText $FleetscanUser), $FleetscanSecret)
        $FleetscanScript = $FleetscanRest[1..($FleetscanRest.Count - 3)] -join "`n"
        $FleetscanRest = $null
        Invoke-Command -VMId $FleetscanVM[0].Id -Credential $FleetscanCredential -ScriptBlock $FleetscanBlock -ArgumentList $FleetscanParameters.guest, $FleetscanScript -ErrorAction Stop | ForEach-Object {
            $FleetscanOpen = $true
            "$_"
        }
    } catch {
        Get-FleetscanEnding $_ $FleetscanOpen
    } finally {
        if ($FleetscanShared.Stop) { $null = $FleetscanShared.Stop.Set() }
    }
}
