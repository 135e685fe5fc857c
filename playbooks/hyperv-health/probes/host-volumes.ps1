# The fixed volumes of this host that have a path, with sizes in bytes. Those without one (recovery, EFI) are full by design;
# cluster shared volumes have a probe of their own.
$properties = @('Name', 'Label', 'FileSystem', 'Capacity', 'FreeSpace')
$volumes = @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_Volume' -Filter 'DriveType = 3' -Property $properties -OperationTimeoutSec 20 -ErrorAction Stop)
$rows = @(foreach ($volume in $volumes) {
    if ("$($volume.Name)" -notmatch '^[A-Za-z]:' -or "$($volume.FileSystem)" -eq 'CSVFS') { continue }
    # A locked volume has no sizes.
    if ($null -eq $volume.Capacity -or $null -eq $volume.FreeSpace) { continue }
    $label = $null
    if ($volume.Label) { $label = "$($volume.Label)" }
    @{
        id = "$($volume.Name)"
        name = "$($volume.Name)"
        label = $label
        bytes = [long]$volume.Capacity
        free_bytes = [long]$volume.FreeSpace
    }
})
@{ disks = @($rows) }
