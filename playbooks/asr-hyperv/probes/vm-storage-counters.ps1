# What each virtual disk has read and written since it was attached: running totals, which two readings make rates of.
# One call each for machines, drives and counters. The raw class has the same name in every language; its values count up
# by the clock that stands beside them.
$machines = @(Get-VM -ErrorAction Stop)
if ($machines.Count -eq 0) {
    # Without Hyper-V rights Get-VM can show nothing and no error. With rights this class holds at least the host itself.
    $systems = @(Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName 'Msvm_ComputerSystem' -Property 'Name' -OperationTimeoutSec 20 -ErrorAction Stop)
    if ($systems.Count -eq 0) { throw 'Hyper-V shows this account neither a virtual machine nor the host itself (0x80070005)' }
}
$problems = @()
$drives = @($machines | Get-VMHardDiskDrive -ErrorAction SilentlyContinue -ErrorVariable 'problems')
foreach ($problem in $problems) {
    if ($drives.Count -eq 0 -or "$($problem.CategoryInfo.Category)" -eq 'PermissionDenied') { throw $problem }
}
try {
    $counters = @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_PerfRawData_Counters_HyperVVirtualStorageDevice' -OperationTimeoutSec 60 -ErrorAction Stop)
} catch {
    if ("$($_.FullyQualifiedErrorId)" -notlike '*0x80041010*') { throw }
    # Older systems have the same counters under another provider.
    $counters = @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_PerfRawData_StorageStats_HyperVVirtualStorageDevice' -OperationTimeoutSec 60 -ErrorAction Stop)
}

# A counter is named after the path of its disk, with other separators. What could stand for one is made a hyphen on both
# sides, and what stands before the drive or the server falls away.
$byKey = @{}
$doubtful = @{}
foreach ($drive in $drives) {
    $path = "$($drive.Path)"
    if ($path -eq '') { continue }
    $key = ($path.ToLowerInvariant() -replace '[\\/:*?"()\[\]#]', '-' -replace '-+', '-') -replace '^-?(unc-)?', ''
    if ($byKey.ContainsKey($key) -and $byKey[$key] -ne $path.ToLowerInvariant()) { $doubtful[$key] = $true }
    $byKey[$key] = $path.ToLowerInvariant()
}
$totals = @{}
$unmatched = @()
$ticks = $null
$frequency = $null
$time = $null
foreach ($counter in $counters) {
    $name = "$($counter.Name)"
    if ($name -eq '_Total') { continue }
    if ($null -eq $ticks -and $null -ne $counter.Timestamp_PerfTime) {
        $ticks = [long]$counter.Timestamp_PerfTime
        $frequency = [long]$counter.Frequency_PerfTime
        $time = (Get-Date -Date '1601-01-01').AddSeconds([long]$counter.Timestamp_Sys100NS / 10000000).ToString('s') + 'Z'
    }
    $key = ($name.ToLowerInvariant() -replace '[\\/:*?"()\[\]#]', '-' -replace '-+', '-') -replace '^-?(unc-)?', ''
    if ($byKey.ContainsKey($key) -and -not $doubtful.ContainsKey($key)) { $totals[$byKey[$key]] = $counter }
    elseif ($unmatched.Count -lt 50) { $unmatched += $name }
}

$rows = @(foreach ($machine in $machines) {
    $devices = @(foreach ($drive in $drives) {
        # A disk that the machine reads past Hyper-V has no path, and is named in the language of the host.
        if ("$($drive.VMId)" -ne "$($machine.Id)" -or $null -ne $drive.DiskNumber -or "$($drive.Path)" -eq '') { continue }
        $counter = $totals["$($drive.Path)".ToLowerInvariant()]
        $device = @{ path = "$($drive.Path)"; read_bytes = $null; write_bytes = $null; reads = $null; writes = $null }
        if ($null -ne $counter) {
            # What a version of Windows does not count is not zero.
            if ($null -ne $counter.ReadBytesPersec) { $device.read_bytes = [long]$counter.ReadBytesPersec }
            if ($null -ne $counter.WriteBytesPersec) { $device.write_bytes = [long]$counter.WriteBytesPersec }
            if ($null -ne $counter.ReadCount) { $device.reads = [long]$counter.ReadCount }
            if ($null -ne $counter.WriteCount) { $device.writes = [long]$counter.WriteCount }
        }
        $device
    })
    @{ id = "$($machine.Id)".ToLowerInvariant(); name = "$($machine.Name)"; age_seconds = [int]$machine.Uptime.TotalSeconds; devices = @($devices) }
})
@{ sample = @{ ticks = $ticks; frequency = $frequency; time = $time }; vms = @($rows); unmatched = @($unmatched) }
