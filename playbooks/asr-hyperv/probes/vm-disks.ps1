# The disks of all virtual machines, the size of the replication logs (*.hrl) beside them, and the space left on their
# volumes. One call each for machines, drives, images and volumes, and one listing for each folder.
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
$volumes = @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_Volume' -Property @('Name', 'Capacity', 'FreeSpace') -OperationTimeoutSec 60 -ErrorAction Stop)

# An image that cannot be opened leaves a gap, which the checks report as such.
$images = @{}
$paths = @($drives | ForEach-Object { if ($null -eq $_.DiskNumber -and $_.Path) { "$($_.Path)" } } | Sort-Object -Unique)
if ($paths.Count -gt 0) {
    foreach ($image in @(Get-VHD -Path $paths -ErrorAction SilentlyContinue)) { $images["$($image.Path)".ToLowerInvariant()] = $image }
}

# The logs of each folder. A log belongs to the disk whose name it begins with; the longest such name wins. The file of a
# checkpoint is named after its disk with an id behind it, and the log may have either name.
$logs = @{}
$unread = @{}
$byPath = @{}
foreach ($path in $paths) {
    $folder = $path.Substring(0, $path.LastIndexOf('\') + 1).ToLowerInvariant()
    if (-not $logs.ContainsKey($folder) -and -not $unread.ContainsKey($folder)) {
        $problems = @()
        $logs[$folder] = @(Get-ChildItem -LiteralPath $folder -Filter '*.hrl' -File -ErrorAction SilentlyContinue -ErrorVariable 'problems')
        if (@($problems).Count -gt 0) { $unread[$folder] = $true }
    }
    if (-not $unread.ContainsKey($folder)) { $byPath[$path.ToLowerInvariant()] = [long]0 }
}
foreach ($folder in $logs.Keys) {
    foreach ($log in $logs[$folder]) {
        $best = ''
        $longest = 0
        foreach ($path in $paths) {
            $name = $path.Substring($path.LastIndexOf('\') + 1).ToLowerInvariant()
            $name = $name -replace '_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.avhdx?$', '' -replace '\.[^.]*$', ''
            $inFolder = $path.Substring(0, $path.LastIndexOf('\') + 1).ToLowerInvariant() -eq $folder
            if ($inFolder -and "$($log.Name)".ToLowerInvariant().StartsWith($name) -and $name.Length -gt $longest) {
                $best = $path
                $longest = $name.Length
            }
        }
        if ($best -ne '') { $byPath[$best.ToLowerInvariant()] += [long]$log.Length }
    }
}

# The volume of a path is the one whose mount point is its longest beginning.
$space = @{}
foreach ($volume in $volumes) { if ("$($volume.Name)" -match '^[A-Za-z]:') { $space["$($volume.Name)".ToLowerInvariant()] = $volume } }
$used = @{}
$drivesOf = @{}
# A disk is shared where it may be, or where two machines have it.
$ownerOf = @{}
$sharedPaths = @{}
foreach ($drive in $drives) {
    $owner = "$($drive.VMId)"
    $key = "$($drive.Path)".ToLowerInvariant()
    if ($key -ne '' -and $ownerOf.ContainsKey($key) -and $ownerOf[$key] -ne $owner) { $sharedPaths[$key] = $true }
    $ownerOf[$key] = $owner
    if (-not $drivesOf.ContainsKey($owner)) { $drivesOf[$owner] = @() }
    $drivesOf[$owner] += $drive
}
$rows = @(foreach ($machine in $machines) {
    $disks = @(foreach ($drive in $drivesOf["$($machine.Id)"]) {
        $path = "$($drive.Path)"
        $key = $path.ToLowerInvariant()
        $mount = ''
        foreach ($name in $space.Keys) { if ($key.StartsWith($name) -and $name.Length -gt $mount.Length) { $mount = $name } }
        $volumeName = $null
        if ($mount -ne '') { $volumeName = "$($space[$mount].Name)" }
        $image = $images[$key]
        $format = $null
        $size = $null
        $fileSize = $null
        $sector = $null
        if ($null -ne $image) {
            $format = [int]$image.VhdFormat
            $size = [long]$image.Size
            $fileSize = [long]$image.FileSize
            $sector = [int]$image.LogicalSectorSize
        }
        $logBytes = $null
        if ($byPath.ContainsKey($key)) { $logBytes = $byPath[$key] }
        if ($mount -ne '' -and $null -ne $logBytes -and -not $used.ContainsKey("$mount|$key")) { $used["$mount|$key"] = $logBytes }
        @{
            path = $path
            location = "$($drive.ControllerType) $($drive.ControllerNumber):$($drive.ControllerLocation)"
            pass_through = $null -ne $drive.DiskNumber
            shared = [bool]$drive.SupportPersistentReservations -or $sharedPaths.ContainsKey($key)
            format = $format
            size_bytes = $size
            file_bytes = $fileSize
            sector_bytes = $sector
            log_bytes = $logBytes
            volume = $volumeName
        }
    })
    @{ id = "$($machine.Id)".ToLowerInvariant(); name = "$($machine.Name)"; drives = @($disks) }
})
$places = @(foreach ($mount in ($space.Keys | Sort-Object)) {
    $sum = [long]0
    foreach ($key in $used.Keys) { if ($key.StartsWith("$mount|")) { $sum += $used[$key] } }
    @{
        name = "$($space[$mount].Name)"
        size_bytes = [long]$space[$mount].Capacity
        free_bytes = [long]$space[$mount].FreeSpace
        log_bytes = $sum
    }
})
@{ vms = @($rows); volumes = @($places) }
