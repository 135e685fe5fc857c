# The two Azure agents: which versions are installed, how they are set up, and whom the data mover talks to right now.
# Only names and file versions are read, no value that could be a key.

# How much the agent has moved so far, to be compared with the same at the end: bytes of files and of the network together,
# since Windows counts them together.
$processes = @(Get-Process -Name 'cbengine' -ErrorAction SilentlyContinue)
$before = $null
if ($processes.Count -gt 0) {
    foreach ($process in @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_Process' -Filter "Name='cbengine.exe'" -Property @('Name', 'WriteTransferCount', 'OtherTransferCount') -OperationTimeoutSec 20 -ErrorAction SilentlyContinue)) {
        $before = [long]$before + [long]$process.WriteTransferCount + [long]$process.OtherTransferCount
    }
}

$recovery = @{ installed = $false; version = $null; upload_threads = $null; download_threads = $null }
$setupKey = 'HKLM:\SOFTWARE\Microsoft\Windows Azure Backup\Setup'
if (Test-Path -LiteralPath $setupKey) {
    $folder = "$((Get-ItemProperty -LiteralPath $setupKey -ErrorAction Stop).InstallPath)".TrimEnd('\')
    $program = "$folder\bin\cbengine.exe"
    if ($folder -ne '' -and (Test-Path -LiteralPath $program)) {
        $file = (Get-Item -LiteralPath $program -ErrorAction Stop).VersionInfo
        $recovery.installed = $true
        $recovery.version = "$($file.FileMajorPart).$($file.FileMinorPart).$($file.FileBuildPart).$($file.FilePrivatePart)"
    }
}
$replicationKey = 'HKLM:\SOFTWARE\Microsoft\Windows Azure Backup\Replication'
if (Test-Path -LiteralPath $replicationKey) {
    $settings = Get-ItemProperty -LiteralPath $replicationKey -ErrorAction Stop
    if ($null -ne $settings.UploadThreadsPerVM) { $recovery.upload_threads = [int]$settings.UploadThreadsPerVM }
    if ($null -ne $settings.DownloadThreadsPerVM) { $recovery.download_threads = [int]$settings.DownloadThreadsPerVM }
}

$site = @{ installed = $false; version = $null; registered = $false; proxy_configured = $false }
$serviceKey = 'HKLM:\SYSTEM\CurrentControlSet\Services\dra'
if (Test-Path -LiteralPath $serviceKey) {
    $site.installed = $true
    $image = "$((Get-ItemProperty -LiteralPath $serviceKey -ErrorAction Stop).ImagePath)"
    if ($image -match '^\s*"?([^"]+?\.exe)' -and (Test-Path -LiteralPath $Matches[1])) {
        $file = (Get-Item -LiteralPath $Matches[1] -ErrorAction Stop).VersionInfo
        $site.version = "$($file.FileMajorPart).$($file.FileMinorPart).$($file.FileBuildPart).$($file.FilePrivatePart)"
    }
    # Microsoft's list of versions has the number that the list of installed programs shows, which the program need not have.
    foreach ($entry in @(Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*' -ErrorAction SilentlyContinue)) {
        if ("$($entry.DisplayName)" -notlike '*Azure Site Recovery Provider*') { continue }
        $parts = @("$($entry.DisplayVersion)" -split '[.]')
        if ($parts.Count -eq 4) { $site.version = "$([int]$parts[0]).$([int]$parts[1]).$([int]$parts[2]).$([int]$parts[3])" }
    }
}
$site.registered = [bool](Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Azure Site Recovery\Registration')
$site.proxy_configured = [bool](Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Azure Site Recovery\ProxySettings')

# The limits and the proxy that were set for the agent. Where the limits stand in this object is not documented: what is
# found at none of these places stays unknown, and is no "no limit". Keys and passphrases of the same object are not touched.
$throttle = $null
$proxy = $null
$setting = $null
if ($recovery.installed) {
    try { $setting = Get-OBMachineSetting -ErrorAction Stop } catch { $setting = $null }
}
if ($null -ne $setting) {
    foreach ($part in @($setting.ThrottlingSetting, $setting.ThrottleSetting, $setting.BandwidthThrottlingSetting, $setting)) {
        if ($null -eq $part -or $null -ne $throttle) { continue }
        if ("$($part.Enabled)" -eq 'False') {
            $throttle = @{ work_hours_bits = $null; other_hours_bits = $null }
        } elseif ($part.WorkHourBandwidth -or $part.NonWorkHourBandwidth) {
            $throttle = @{ work_hours_bits = $null; other_hours_bits = $null }
            if ($part.WorkHourBandwidth) { $throttle.work_hours_bits = [long]$part.WorkHourBandwidth }
            if ($part.NonWorkHourBandwidth) { $throttle.other_hours_bits = [long]$part.NonWorkHourBandwidth }
        }
    }
    if ("$($setting.ProxySetting.Enabled)" -eq 'True') { $proxy = "$($setting.ProxySetting.ProxyServer)" -replace '^.*@', '' }
}

# The QoS policies that are in force, whether this computer or a domain set them: the class behind the cmdlet, asked
# directly, shows those of this computer alone. Where the cmdlet is missing, the rest of the answer stands; the checks are
# told that nothing is known.
$known = $true
$policies = @()
try {
    $policies = @(Get-NetQosPolicy -PolicyStore 'ActiveStore' -ErrorAction Stop)
} catch {
    if ("$($_.CategoryInfo.Category)" -eq 'PermissionDenied') { throw }
    $known = $false
}
$limits = @(foreach ($policy in $policies) {
    if (-not $policy.ThrottleRateAction) { continue }
    $application = "$($policy.AppPathNameMatchCondition)"
    if ($application -eq '') {
        # For every program: it counts unless it is for one user, address, template, UDP, or other ports than that of HTTPS.
        $others = "$($policy.UserMatchCondition)$($policy.URIMatchCondition)$($policy.JobObjectMatchCondition)$($policy.IPDstPrefixMatchCondition)$($policy.IPSrcPrefixMatchCondition)"
        $numbers = [int]$policy.TemplateMatchCondition + [int]$policy.NetDirectPortMatchCondition + [int]$policy.IPSrcPortStartMatchCondition
        if ($others -ne '' -or $numbers -ne 0 -or [int]$policy.IPProtocolMatchCondition -eq 2) { continue }
        if ([int]$policy.IPPortMatchCondition -ne 0 -and [int]$policy.IPPortMatchCondition -ne 443) { continue }
        $first = [int]$policy.IPDstPortStartMatchCondition
        if ($first -ne 0 -and ($first -gt 443 -or [int]$policy.IPDstPortEndMatchCondition -lt 443)) { continue }
        $application = '*'
    } elseif ($application -notlike '*cbengine.exe') { continue }
    @{ name = "$($policy.Name)"; application = $application; bits_per_second = [long]$policy.ThrottleRateAction }
})

# Whom the agent talks to, and what it has moved meanwhile. Where it talks to nobody or has moved next to nothing, it is
# looked at once more two seconds later.
$remote = @()
$moved = $null
foreach ($reading in @(1, 2)) {
    if ($processes.Count -eq 0) { continue }
    if ($reading -eq 2) {
        if ($remote.Count -gt 0 -and ($null -eq $moved -or $moved -ge 65536)) { continue }
        Start-Sleep -Seconds 2
    }
    foreach ($process in $processes) {
        $connections = @()
        try {
            $connections = @(Get-NetTCPConnection -OwningProcess $process.Id -State 'Established' -ErrorAction Stop)
        } catch {
            # No connection is an error with this id, and an answer like any other.
            if ("$($_.FullyQualifiedErrorId)" -notlike 'CmdletizationQuery_NotFound*') { throw }
        }
        foreach ($connection in $connections) {
            if ("$($connection.RemoteAddress)" -match '^(127\.|::1$)') { continue }
            $place = "$($connection.RemoteAddress):$($connection.RemotePort)"
            if ($remote -notcontains $place -and $remote.Count -lt 20) { $remote += $place }
        }
    }
    $total = $null
    foreach ($process in @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_Process' -Filter "Name='cbengine.exe'" -Property @('Name', 'WriteTransferCount', 'OtherTransferCount') -OperationTimeoutSec 20 -ErrorAction SilentlyContinue)) {
        $total = [long]$total + [long]$process.WriteTransferCount + [long]$process.OtherTransferCount
    }
    # A process that was started anew counts from zero.
    $moved = $null
    if ($null -ne $before -and $null -ne $total -and $total -ge $before) { $moved = $total - $before }
}
$qos = $null
if ($known) { $qos = @($limits) }
@{
    recovery_services = $recovery
    site_recovery = $site
    connections = @{ process = $processes.Count -gt 0; remote = @($remote); moved_bytes = $moved }
    throttle = $throttle
    proxy = $proxy
    qos_policies = $qos
}
