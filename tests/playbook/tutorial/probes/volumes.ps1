# The fixed volumes of this host, with their sizes in bytes. A volume without a letter is named by its label.
$rows = foreach ($volume in @(Get-Volume -ErrorAction Stop)) {
    if ("$($volume.DriveType)" -ne 'Fixed') { continue }
    $label = $null
    if ($volume.FileSystemLabel) { $label = "$($volume.FileSystemLabel)" }
    $name = $label
    if ($volume.DriveLetter) { $name = "$($volume.DriveLetter):" }
    @{
        id = "$($volume.UniqueId)"
        name = "$name"
        label = $label
        bytes = [long]$volume.Size
        free_bytes = [long]$volume.SizeRemaining
    }
}
@{ disks = @($rows) }
