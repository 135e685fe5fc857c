# Stand-ins for the modules of the failover cluster and of Virtual Machine Manager.

enum ClusterNodeState { Unknown = -1; Up = 0; Down = 1; Paused = 2; Joining = 3 }
enum ClusterGroupState { Unknown = -1; Online = 0; Offline = 1; Failed = 2; PartialOnline = 3; Pending = 4 }
enum ClusterGroupType { Cluster = 1; AvailableStorage = 2; VirtualMachine = 111; VMReplicaBroker = 115 }

function global:Get-SimFabricFailure([string]$Probe, [string]$Command) {
    if ((Get-SimStatus $Probe) -ne 'denied') { return Get-SimFailure $Probe $Command }
    New-SimError ([ComponentModel.Win32Exception]::new(5, (Get-SimText 'denied'))) $Command 'PermissionDenied' $null
}

function global:Get-ClusterNode {
    [CmdletBinding()]
    param()
    $failure = Get-SimFabricFailure 'cluster' 'Get-ClusterNode'
    if ($failure) { $PSCmdlet.ThrowTerminatingError($failure) }
    foreach ($node in (Get-SimAnswer 'cluster').nodes) { [pscustomobject]@{ Name = "$($node.name)"; State = [ClusterNodeState][int]$node.state_code } }
}

function global:Get-ClusterGroup {
    [CmdletBinding()]
    param()
    $failure = Get-SimFabricFailure 'cluster' 'Get-ClusterGroup'
    if ($failure) { $PSCmdlet.ThrowTerminatingError($failure) }
    $names = @{ en = 'Cluster Group'; fr = 'Groupe du cluster'; de = 'Clustergruppe'; ja = 'クラスター グループ' }
    [pscustomobject]@{ Name = $names["$($SimHost.os.language)".Substring(0, 2)]; State = [ClusterGroupState]::Online; GroupType = [ClusterGroupType]::Cluster }
    foreach ($broker in (Get-SimAnswer 'cluster').replica_brokers) {
        [pscustomobject]@{ Name = "$($broker.name)"; State = [ClusterGroupState][int]$broker.state_code; GroupType = [ClusterGroupType]::VMReplicaBroker }
    }
}

function global:Get-SCVMMServer {
    [CmdletBinding()]
    param([string]$ComputerName)
    $failure = Get-SimFabricFailure 'vmm-fabric' 'Get-SCVMMServer'
    if ($failure) { $PSCmdlet.ThrowTerminatingError($failure) }
    $server = (Get-SimAnswer 'vmm-fabric').server
    [pscustomobject]@{ Name = "$($server.name)"; ProductVersion = $server.version; IsConnected = $true }
}

function global:Get-SCCloud {
    [CmdletBinding()]
    param($VMMServer)
    $answer = Get-SimAnswer 'vmm-fabric'
    foreach ($name in $answer.clouds) {
        $groups = @(if (@($answer.clouds_without_hosts) -notcontains $name) { [pscustomobject]@{ Name = 'All Hosts'; Path = 'All Hosts' } })
        [pscustomobject]@{ Name = "$name"; HostGroup = $groups }
    }
}
function global:Get-SCLogicalNetwork { [CmdletBinding()] param($VMMServer) foreach ($name in (Get-SimAnswer 'vmm-fabric').logical_networks) { [pscustomobject]@{ Name = "$name" } } }
function global:Get-SCVMNetwork { [CmdletBinding()] param($VMMServer) foreach ($name in (Get-SimAnswer 'vmm-fabric').vm_networks) { [pscustomobject]@{ Name = "$name" } } }
function global:Get-SCVMHost {
    [CmdletBinding()]
    param($VMMServer)
    foreach ($machine in (Get-SimAnswer 'vmm-fabric').hosts) {
        [pscustomobject]@{ Name = "$($machine.name)"; OverallState = "$($machine.state)"; CommunicationState = $machine.communication }
    }
}
