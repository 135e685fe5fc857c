# Replication settings and statistics of all virtual machines: two calls, whatever their number.
# A virtual machine without replication is in neither. One with extended replication is there twice: the second
# relationship is kept apart. The state numbers are those of the cmdlets, which differ from those of WMI.
$relationships = @(Get-VMReplication -ErrorAction Stop)
$measures = @{}
if ($relationships.Count -gt 0) {
    # A machine whose statistics cannot be had keeps its state; it has no statistics then.
    foreach ($measure in @(Measure-VMReplication -ErrorAction SilentlyContinue)) {
        $measures["$($measure.VMId)/$([int]$measure.ReplicationRelationshipType)".ToLowerInvariant()] = $measure
    }
} else {
    # Without Hyper-V rights the cmdlet can show nothing and no error. With rights this class holds at least the host itself.
    $systems = @(Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName 'Msvm_ComputerSystem' -Property 'Name' -OperationTimeoutSec 20 -ErrorAction Stop)
    if ($systems.Count -eq 0) { throw 'Hyper-V shows this account neither a virtual machine nor the host itself (0x80070005)' }
}

$rows = @{}
$order = @()
foreach ($relationship in $relationships) {
    $id = "$($relationship.VMId)".ToLowerInvariant()
    if (-not $rows.ContainsKey($id)) {
        $rows[$id] = @{ id = $id; name = "$($relationship.VMName)" }
        $order += $id
    }
    $state = @{
        state = "$($relationship.ReplicationState)"
        state_code = [int]$relationship.ReplicationState
        health = "$($relationship.ReplicationHealth)"
        health_code = [int]$relationship.ReplicationHealth
        mode = "$($relationship.ReplicationMode)"
        mode_code = [int]$relationship.ReplicationMode
    }
    # 0 is the relationship with the primary or replica site, 1 the one that extends it to a third site.
    if ([int]$relationship.ReplicationRelationshipType -eq 1) {
        $rows[$id].extended = $state
        continue
    }

    # A time that never was is null, or the year 1 or 1601.
    $times = @{}
    foreach ($name in @('LastReplicationTime', 'LastAppliedLogTime', 'InitialReplicationStartTime', 'ResynchronizeStartTime')) {
        $moment = $relationship.$name
        $times[$name] = $null
        if ($null -ne $moment -and $moment.Year -gt 1601) { $times[$name] = $moment.ToUniversalTime().ToString('s') + 'Z' }
    }
    $state.frequency_seconds = [int]$relationship.ReplicationFrequencySec
    $state.last_replication = $times['LastReplicationTime']
    $state.last_applied = $times['LastAppliedLogTime']
    $state.primary_server = "$($relationship.PrimaryServerName)"
    $state.replica_server = "$($relationship.ReplicaServerName)"
    $state.current_replica_server = "$($relationship.CurrentReplicaServerName)"
    $state.vss_snapshot_hours = [int]$relationship.VSSSnapshotFrequencyHour
    $state.auto_resync = [bool]$relationship.AutoResynchronizeEnabled
    $state.initial_started = $times['InitialReplicationStartTime']
    $state.resync_started = $times['ResynchronizeStartTime']
    $state.replicated_disks = @(foreach ($disk in $relationship.ReplicatedDisks) { "$($disk.Path)" })
    $state.excluded_disks = @(foreach ($disk in $relationship.ExcludedDisks) { "$($disk.Path)" })
    $rows[$id].replication = $state

    $measure = $measures["$id/0"]
    if ($null -eq $measure) { continue }
    $moments = @{}
    foreach ($name in @('MonitoringStartTime', 'MonitoringEndTime', 'LastVSSSnapshotTime')) {
        $moment = $measure.$name
        $moments[$name] = $null
        if ($null -ne $moment -and $moment.Year -gt 1601) { $moments[$name] = $moment.ToUniversalTime().ToString('s') + 'Z' }
    }
    $latency = $null
    if ($null -ne $measure.AverageReplicationLatency) { $latency = [int]$measure.AverageReplicationLatency.TotalSeconds }
    $lastType = $null
    if ($null -ne $measure.LastReplicationType) { $lastType = "$($measure.LastReplicationType)" }
    $rows[$id].statistics = @{
        window_start = $moments['MonitoringStartTime']
        window_end = $moments['MonitoringEndTime']
        last_type = $lastType
        last_vss_snapshot = $moments['LastVSSSnapshotTime']
        errors = [long]$measure.ReplicationErrors
        successes = [long]$measure.SuccessfulReplicationCount
        missed = [long]$measure.MissedReplicationCount
        pending_bytes = [long]$measure.PendingReplicationSize
        average_bytes = [long]$measure.AverageReplicationSize
        maximum_bytes = [long]$measure.MaximumReplicationSize
        average_latency_seconds = $latency
        # Sentences in the language of the host: shown to people, matched by nobody.
        details = @(foreach ($detail in $measure.ReplicationHealthDetails) { "$detail" })
        task = "$($measure.CurrentTask)"
    }
}
@{ vms = @(foreach ($id in $order) { $rows[$id] }) }
