# The disks as the guest sees them. Bus type 9 is iSCSI. A disk is dynamic if a partition of it belongs to the Logical
# Disk Manager: MBR type 0x42 (66), one of its two GPT types, or the name that Windows documents for it in English. The
# name can only add a disk, so that a translated one does no harm.
$space = 'root/Microsoft/Windows/Storage'
$disks = @()
$olderDisks = @()
$partitions = @()
$pools = @()
try {
    $disks = @(Get-CimInstance -Namespace $space -ClassName 'MSFT_Disk' -Property @('Number', 'FriendlyName', 'BusType', 'Size') -OperationTimeoutSec 40 -ErrorAction Stop)
    $partitions = @(Get-CimInstance -Namespace $space -ClassName 'MSFT_Partition' -Property @('DiskNumber', 'MbrType', 'GptType') -OperationTimeoutSec 40 -ErrorAction Stop)
    $pools = @(Get-CimInstance -Namespace $space -ClassName 'MSFT_StoragePool' -Property @('FriendlyName', 'IsPrimordial') -OperationTimeoutSec 40 -ErrorAction Stop)
} catch {
    # Windows Server 2008 R2 has neither these classes nor their namespace, and no storage pools.
    if ("$($_.FullyQualifiedErrorId)" -notmatch '0x8004100e|0x80041010') { throw }
    $olderDisks = @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_DiskDrive' -Property @('Index', 'Model', 'Size') -OperationTimeoutSec 40 -ErrorAction Stop)
}
$olderPartitions = @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_DiskPartition' -Property @('DiskIndex', 'Type') -OperationTimeoutSec 40 -ErrorAction Stop)

$dynamicTypes = @('5808c8aa-7e8f-42e0-85d2-e1e90434cfb3', 'af9b60a0-1431-4f62-bc68-3311714a69ad')
$dynamicDisks = @(
    foreach ($partition in $partitions) {
        $type = "$($partition.GptType)".ToLowerInvariant() -replace '[{}]', ''
        if ("$($partition.MbrType)" -eq '66' -or $dynamicTypes -contains $type) { "$($partition.DiskNumber)" }
    }
    foreach ($partition in $olderPartitions) {
        if ("$($partition.Type)" -like '*Logical Disk Manager*') { "$($partition.DiskIndex)" }
    }
)

# There, the sessions of the iSCSI initiator tell which disks are theirs; without its service it has none. The type of a
# partition is a text that is translated: only where it is one of the English ones it tells that a disk is basic.
$overISCSI = @()
$basicTypes = @('Installable File System', 'GPT: Basic Data', 'GPT: System', 'GPT: Microsoft Reserved', 'GPT: Unknown', '16-bit FAT', '32-bit FAT', 'Unknown')
$unclear = @()
if ($olderDisks.Count -gt 0) {
    $initiator = @(Get-Service -Name 'MSiSCSI' -ErrorAction SilentlyContinue)
    if ($initiator.Count -gt 0 -and "$($initiator[0].Status)" -eq 'Running') {
        foreach ($session in @(Get-CimInstance -Namespace 'root/wmi' -ClassName 'MSiSCSIInitiator_SessionClass' -Property 'Devices' -OperationTimeoutSec 40 -ErrorAction Stop)) {
            foreach ($device in $session.Devices) { $overISCSI += "$($device.DeviceNumber)" }
        }
    }
    foreach ($partition in $olderPartitions) {
        if ($basicTypes -notcontains "$($partition.Type)") { $unclear += "$($partition.DiskIndex)" }
    }
}

# The class for BitLocker exists only where BitLocker is installed.
$volumes = @()
try {
    $volumes = @(Get-CimInstance -Namespace 'root/cimv2/Security/MicrosoftVolumeEncryption' -ClassName 'Win32_EncryptableVolume' -Property @('DriveLetter', 'DeviceID', 'ProtectionStatus') -OperationTimeoutSec 40 -ErrorAction Stop)
} catch {
    if ("$($_.FullyQualifiedErrorId)" -notmatch '0x8004100e|0x80041010|0x80041002') { throw }
}

$rows = @(foreach ($disk in $disks) {
    @{
        number = [int]$disk.Number
        name = "$($disk.FriendlyName)"
        bus_type = [int]$disk.BusType
        size_bytes = [long]$disk.Size
        dynamic = $dynamicDisks -contains "$($disk.Number)"
    }
})
$rows += @(foreach ($disk in $olderDisks) {
    $bus = 0
    if ($overISCSI -contains "$($disk.Index)") { $bus = 9 }
    $dynamic = $false
    if ($dynamicDisks -contains "$($disk.Index)") { $dynamic = $true } elseif ($unclear -contains "$($disk.Index)") { $dynamic = $null }
    @{
        number = [int]$disk.Index
        name = "$($disk.Model)"
        bus_type = $bus
        size_bytes = [long]$disk.Size
        dynamic = $dynamic
    }
})
$encrypted = @(foreach ($volume in $volumes) {
    # 1 is on; 2 is a volume that is locked, so that nothing else is known of it.
    if (@('1', '2') -contains "$($volume.ProtectionStatus)") {
        if ($volume.DriveLetter) { "$($volume.DriveLetter)" } else { "$($volume.DeviceID)" }
    }
})
@{
    drives = @($rows)
    pools = @(foreach ($pool in $pools) { if (-not $pool.IsPrimordial) { "$($pool.FriendlyName)" } })
    encrypted_volumes = @($encrypted)
}
