# Stand-ins for what the playbook hyperv-health asks beside: cluster shared volumes, checkpoints, listeners of WinRM.

enum ClusterResourceState { Unknown = -1; Inherited = 0; Initializing = 1; Online = 2; Offline = 3; Failed = 4; Pending = 128; OnlinePending = 129; OfflinePending = 130 }
enum ClusterSharedVolumeStateInfo { Unavailable = 0; Paused = 1; Direct = 2; FileSystemRedirected = 3; BlockRedirected = 4 }
enum SnapshotType { Standard = 0; Recovery = 1; Planned = 2; Missing = 5; Replica = 6; AppConsistentReplica = 7; SyncedReplica = 8 }

function global:Get-ClusterSharedVolume {
    [CmdletBinding()]
    param([string[]]$Name)
    $failure = Get-SimFabricFailure 'cluster-volumes' 'Get-ClusterSharedVolume'
    if ($failure) { $PSCmdlet.ThrowTerminatingError($failure) }
    foreach ($volume in (Get-SimAnswer 'cluster-volumes').disks) {
        $partition = [pscustomobject]@{
            Size = $(if ($null -ne $volume.bytes) { [uint64]$volume.bytes })
            FreeSpace = $(if ($null -ne $volume.free_bytes) { [uint64]$volume.free_bytes })
        }
        [pscustomobject]@{
            Name = "$($volume.resource)"
            OwnerNode = "$($volume.owner)"
            State = [ClusterResourceState][int]$volume.state_code
            SharedVolumeInfo = @([pscustomobject]@{ FriendlyVolumeName = "$($volume.name)"; Partition = $partition })
        }
    }
}

# Each node has its own way to a volume; another one's is redirected here.
function global:Get-ClusterSharedVolumeState {
    [CmdletBinding()]
    param([string[]]$Name)
    foreach ($volume in (Get-SimAnswer 'cluster-volumes').disks) {
        [pscustomobject]@{ Name = "$($volume.resource)"; Node = 'OTHER-NODE'; StateInfo = [ClusterSharedVolumeStateInfo]::BlockRedirected; FileSystemRedirectedIOReason = [uint64]1; BlockRedirectedIOReason = [uint64]1 }
        if ($null -eq $volume.access_code) { continue }
        [pscustomobject]@{
            Name = "$($volume.resource)"
            Node = "$($SimHost.os.computer)".ToLower()
            StateInfo = [ClusterSharedVolumeStateInfo][int]$volume.access_code
            FileSystemRedirectedIOReason = [uint64]$volume.redirect_reason
            BlockRedirectedIOReason = $(if ($null -ne $volume.block_reason) { [uint64]$volume.block_reason })
        }
    }
}

function global:Get-VMSnapshot {
    [CmdletBinding()]
    param([Parameter(ValueFromPipeline)]$VM)
    begin {
        $failure = Get-SimHyperVFailure 'vm-checkpoints' 'Get-VMSnapshot'
        if ($failure) { $PSCmdlet.ThrowTerminatingError($failure) }
        $known = @((Get-SimAnswer 'vm-checkpoints').vms)
    }
    process {
        $facts = $known | Where-Object { "$($_.id)" -eq "$($VM.Id)" }
        foreach ($checkpoint in $facts.checkpoints) {
            [pscustomobject]@{
                VMId = $VM.Id
                VMName = $VM.Name
                Name = "$($checkpoint.name)"
                SnapshotType = [SnapshotType][int]$checkpoint.type_code
                CreationTime = ConvertTo-SimTime $checkpoint.created
            }
        }
    }
}

# The listeners of the facts by the name of their key.
function global:Get-SimListeners {
    $listeners = @{}
    foreach ($listener in (Get-SimAnswer 'winrm-listeners').listeners) { $listeners["$($listener.address)+$($listener.transport)"] = $listener }
    $listeners
}

# The registry values of a listener, or those of the key above them all; null where there is no such key.
function global:Get-SimListener([string]$Name) {
    if ((Get-SimStatus 'winrm-listeners') -ne 'ok') { return @{} }
    $listeners = Get-SimListeners
    if (-not $Name) { if ($listeners.Count -gt 0) { return @{} } else { return } }
    $listener = $listeners[$Name]
    if ($null -eq $listener) { return }
    $values = @{ enabled = [int][bool]$listener.enabled; uriprefix = 'wsman' }
    if ($null -ne $listener.port) { $values.Port = [int]$listener.port }
    # As somebody pasted it.
    if ($null -ne $listener.thumbprint) { $values.certThumbprint = "$($listener.thumbprint)".ToLower() -replace '(..)(?=.)', '$1 ' }
    $values
}

# What is below a key of the registry, or in a store of certificates.
function global:Get-SimKeys([string]$Path) {
    $listeners = Get-SimListeners
    if ($Path -like 'HKLM:*') {
        foreach ($name in ($listeners.Keys | Sort-Object)) { [pscustomobject]@{ PSChildName = $name; PSPath = "Microsoft.PowerShell.Core\Registry::$Path\$name" } }
        return
    }
    [pscustomobject]@{ Thumbprint = '00112233445566778899AABBCCDDEEFF00112233'; Subject = 'CN=another'; NotAfter = [datetime]'2020-01-01' }
    foreach ($listener in $listeners.Values) {
        if ($null -eq $listener.certificate) { continue }
        [pscustomobject]@{ Thumbprint = "$($listener.thumbprint)"; Subject = "$($listener.certificate.subject)"; NotBefore = ConvertTo-SimTime $listener.certificate.starts; NotAfter = ConvertTo-SimTime $listener.certificate.expires }
    }
}
