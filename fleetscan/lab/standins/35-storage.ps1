# Stand-ins for the storage classes of a guest: disks, partitions, pools, BitLocker; and for its teams of adapters.

function global:Get-SimStorageInstances([string]$Class) {
    $answer = Get-SimAnswer 'guest-disks'
    # Windows Server 2008 R2 has none of the newer classes, and calls the types of partitions by words of its language.
    $old = [int]$SimHost.os.build -lt 9200
    if ($old -and $Class -like 'MSFT_*') { return New-SimCimError '0x8004100e' 'MetadataError' (Get-SimText 'noclass') $Class }
    switch ($Class) {
        'MSFT_Disk' {
            foreach ($drive in $answer.drives) {
                @{ Number = [uint32]$drive.number; FriendlyName = "$($drive.name)"; BusType = [uint16]$drive.bus_type; Size = [uint64]$drive.size_bytes }
            }
        }
        'MSFT_Partition' {
            # Disks with an even number have an MBR here, the others a GPT: both ways of being dynamic are told apart.
            foreach ($drive in $answer.drives) {
                $even = $drive.number % 2 -eq 0
                @{
                    DiskNumber = [uint32]$drive.number
                    MbrType = $(if ($even) { [uint16]$(if ($drive.dynamic) { 66 } else { 7 }) })
                    GptType = $(if (-not $even) { if ($drive.dynamic) { '{AF9B60A0-1431-4F62-BC68-3311714A69AD}' } else { '{ebd0a0a2-b9e5-4433-87c0-68b6b72699c7}' } })
                }
            }
        }
        'Win32_DiskPartition' {
            foreach ($drive in $answer.drives) {
                $type = if ($null -eq $drive.dynamic) { 'Installierbares Dateisystem' } elseif ($old -and $drive.dynamic) { 'Logical Disk Manager' } else { 'Installable File System' }
                @{ DiskIndex = [uint32]$drive.number; Type = $type }
            }
        }
        'Win32_DiskDrive' { foreach ($drive in $answer.drives) { @{ Index = [uint32]$drive.number; Model = "$($drive.name)"; Size = [uint64]$drive.size_bytes } } }
        'MSiSCSIInitiator_SessionClass' {
            $devices = @(foreach ($drive in $answer.drives) { if ($drive.bus_type -eq 9) { [pscustomobject]@{ DeviceNumber = [uint32]$drive.number } } })
            @{ TargetName = 'iqn.1991-05.example:target'; Devices = $devices }
        }
        'MSFT_NetLbfoTeam' { foreach ($team in (Get-SimAnswer 'guest-network').teams) { @{ Name = "$team" } } }
        'MSFT_StoragePool' {
            @{ FriendlyName = 'Primordial'; IsPrimordial = $true }
            foreach ($pool in $answer.pools) { @{ FriendlyName = "$pool"; IsPrimordial = $false } }
        }
        'Win32_EncryptableVolume' {
            if (-not $answer -or $null -eq $answer.encrypted_volumes) { return }
            # Without the feature the whole namespace is missing.
            if (@($answer.encrypted_volumes).Count -eq 0) { return New-SimCimError '0x8004100e' 'MetadataError' (Get-SimText 'noclass') $Class }
            @{ DriveLetter = 'Z:'; DeviceID = '\\?\Volume{1}\'; ProtectionStatus = [uint32]0 }
            foreach ($volume in $answer.encrypted_volumes) { @{ DriveLetter = "$volume"; DeviceID = '\\?\Volume{2}\'; ProtectionStatus = [uint32]1 } }
        }
    }
}
