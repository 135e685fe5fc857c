# The virtual machines of this host, as Get-VM shows them: one call for all of them.
# Enumerations travel as their English names and, where Windows versions disagree on names, as numbers.
$machines = @(Get-VM -ErrorAction Stop)
if ($machines.Count -eq 0) {
    # Without Hyper-V rights Get-VM can show nothing and no error. With rights this class holds at least the host itself.
    $systems = @(Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName 'Msvm_ComputerSystem' -Property 'Name' -OperationTimeoutSec 20 -ErrorAction Stop)
    if ($systems.Count -eq 0) { throw 'Hyper-V shows this account neither a virtual machine nor the host itself (0x80070005)' }
}
$rows = @(foreach ($machine in $machines) {
    $condition = $null
    $conditionCode = $null
    if ($null -ne $machine.PrimaryOperationalStatus) {
        $condition = "$($machine.PrimaryOperationalStatus)"
        $conditionCode = [int]$machine.PrimaryOperationalStatus
    }
    $heartbeat = $null
    if ($null -ne $machine.Heartbeat) { $heartbeat = "$($machine.Heartbeat)" }
    $checkpointType = $null
    if ($null -ne $machine.CheckpointType) { $checkpointType = "$($machine.CheckpointType)" }
    # 2 to 4 are copies of a machine that runs elsewhere under the same id.
    $replica = $null
    if ($null -ne $machine.ReplicationMode -and [int]$machine.ReplicationMode -ge 2) { $replica = $true }
    @{
        id = "$($machine.Id)".ToLowerInvariant()
        name = "$($machine.Name)"
        state = "$($machine.State)"
        state_code = [int]$machine.State
        condition = $condition
        condition_code = $conditionCode
        heartbeat = $heartbeat
        uptime_seconds = [int]$machine.Uptime.TotalSeconds
        replica = $replica
        generation = [int]$machine.Generation
        version = "$($machine.Version)"
        clustered = [bool]$machine.IsClustered
        checkpoint_type = $checkpointType
        integration_state = "$($machine.IntegrationServicesState)"
        integration_version = "$($machine.IntegrationServicesVersion)"
        fibre_channel_adapters = @(foreach ($adapter in $machine.FibreChannelHostBusAdapters) { 1 }).Count
    }
})
@{ vms = @($rows) }
