# Stand-ins for the Hyper-V module. The enumerations are those of the real module: they print as names and count as numbers.

enum VMState {
    Other = 1; Running = 2; Off = 3; Stopping = 4; Saved = 6; Paused = 9; Starting = 10; Reset = 11; Saving = 32773; Pausing = 32776; Resuming = 32777
    FastSaved = 32779; FastSaving = 32780; ForceShutdown = 32781; ForceReboot = 32782; Hibernated = 32783; ComponentServicing = 32784
    RunningCritical = 32785; OffCritical = 32786; StoppingCritical = 32787; SavedCritical = 32788; PausedCritical = 32789; StartingCritical = 32790
    ResetCritical = 32791; SavingCritical = 32792; PausingCritical = 32793; ResumingCritical = 32794; FastSavedCritical = 32795; FastSavingCritical = 32796
}
enum VMOperationalStatus {
    Ok = 2; Degraded = 3; PredictiveFailure = 5; InService = 11; Dormant = 15; SupportingEntityInError = 16; ApplyingSnapshot = 23769; CreatingSnapshot = 32768
    DeletingSnapshot = 32770; WaitingToStart = 32771; MergingDisks = 32772; ExportingVirtualMachine = 32773; MigratingVirtualMachine = 32774
    BackingUpVirtualMachine = 32776; ModifyingUpVirtualMachine = 32777; StorageMigrationPhaseOne = 32778; StorageMigrationPhaseTwo = 32779; CriticalIoError = 32795
}
enum VMHeartbeatStatus {
    Unknown = 0; Disabled = 1; NoContact = 2; Error = 3; LostCommunication = 4; OkApplicationsUnknown = 5; OkApplicationsHealthy = 6; OkApplicationsCritical = 7; Paused = 8
}
enum CheckpointType { Disabled = 2; Production = 3; ProductionOnly = 4; Standard = 5 }
enum VMIntegrationComponentOperationalStatus {
    Ok = 2; Degraded = 3; Error = 6; NonRecoverableError = 7; NoContact = 12; LostCommunication = 13; ProtocolMismatch = 32775; ApplicationCritical = 32782
    CommunicationTimedOut = 32783; CommunicationFailed = 32784; Disabled = 32896
}
enum VMReplicationState {
    Disabled = 0; ReadyForInitialReplication = 1; InitialReplicationInProgress = 2; WaitingForInitialReplication = 3; Replicating = 4; PreparedForFailover = 5
    FailedOverWaitingCompletion = 6; FailedOver = 7; Suspended = 8; Error = 9; WaitingForStartResynchronize = 10; Resynchronizing = 11; ResynchronizeSuspended = 12
    RecoveryInProgress = 13; FailbackInProgress = 14; FailbackComplete = 15; WaitingForUpdateCompletion = 16; UpdateError = 17; WaitingForRepurposeCompletion = 18
    PreparedForSyncReplication = 19; PreparedForGroupReverseReplication = 20; FiredrillInProgress = 21
}
enum VMReplicationHealthState { NotApplicable = 0; Normal = 1; Warning = 2; Critical = 3 }
enum VMReplicationMode { None = 0; Primary = 1; Replica = 2; TestReplica = 3; ExtendedReplica = 4 }
enum VMReplicationRelationshipType { Simple = 0; Extended = 1 }
enum ControllerType { IDE = 0; SCSI = 1; PMEM = 2 }
enum VhdFormat { Unknown = 0; VHD = 2; VHDX = 3; VHDSet = 4 }
enum VMReplicationType { None = 0; Regular = 1; ApplicationConsistent = 2; Planned = 3 }

# The error that the Hyper-V module gives an account without the rights.
function global:Get-SimHyperVFailure([string]$Probe, [string]$Command) {
    if ((Get-SimStatus $Probe) -ne 'denied') { return Get-SimFailure $Probe $Command }
    New-SimError ([UnauthorizedAccessException]::new((Get-SimText 'hyperv' "$($SimHost.os.computer)"))) 'AccessDenied' 'PermissionDenied' $null
}

# PowerShell 7 makes times of such texts when it reads JSON, pshost and Windows PowerShell do not.
function global:ConvertTo-SimTime($Text) { if ($Text -is [datetime]) { $Text } elseif ($Text) { [datetime]"$Text" } }

# Names and sentences of an integration service in the language of the machine.
function global:Get-SimComponent([string]$Key) {
    $names = @{
        backup = @{ id = '5CED1297-4598-4915-A5FC-AD21BB4D02A4'; en = 'VSS'; fr = 'VSS'; de = 'VSS'; ja = 'VSS' }
        heartbeat = @{ id = '84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47'; en = 'Heartbeat'; fr = 'Pulsation'; de = 'Takt'; ja = 'ハートビート' }
        data_exchange = @{ id = '2A34B1C2-FD73-4043-8A5B-DD2159BC743F'; en = 'Key-Value Pair Exchange'; fr = "Échange de paires clé-valeur"; de = "Austausch von Schlüsselwertepaaren"; ja = 'KVP' }
        shutdown = @{ id = '9F8233AC-BE49-4C79-8EE3-E7E1985B2077'; en = 'Shutdown'; fr = "Arrêt"; de = 'Herunterfahren'; ja = 'シャットダウン' }
        time_sync = @{ id = '2497F4DE-E9FA-4204-80E4-4B75C46419C0'; en = 'Time Synchronization'; fr = 'Synchronisation date/heure'; de = 'Zeitsynchronisierung'; ja = '時刻の同期' }
        guest_services = @{ id = '6C09BB55-D683-4DA0-8931-C9BF705F6480'; en = 'Guest Service Interface'; fr = "Interface de services d’invité"; de = 'Gastdienstschnittstelle'; ja = 'ゲスト' }
    }
    $language = "$($SimHost.os.language)".Substring(0, 2)
    $name = $names[$Key][$language]
    if (-not $name) { $name = $names[$Key].en }
    @{ Id = $names[$Key].id; Name = $name }
}

function global:Get-VM {
    [CmdletBinding()]
    param()
    if ((Get-SimStatus 'vms') -eq 'denied') { return }
    $failure = Get-SimHyperVFailure 'vms' 'Get-VM'
    if ($failure) { $PSCmdlet.ThrowTerminatingError($failure) }
    $machines = (Get-SimAnswer 'vms').vms
    if ($null -eq $SimHost.probes.vms) {
        # Facts for a playbook that asks for nothing but checkpoints name the machines only.
        $machines = foreach ($vm in (Get-SimAnswer 'vm-checkpoints').vms) {
            [pscustomobject]@{ id = $vm.id; name = $vm.name; state_code = 2; uptime_seconds = 86400; generation = 2; version = '10.0'; integration_version = '0.0' }
        }
    }
    foreach ($vm in $machines) {
        [pscustomobject]@{
            Id = [guid]"$($vm.id)"
            VMId = [guid]"$($vm.id)"
            Name = "$($vm.name)"
            VMName = "$($vm.name)"
            ComputerName = "$($SimHost.os.computer)"
            State = [VMState][int]$vm.state_code
            PrimaryOperationalStatus = $(if ($null -ne $vm.condition_code) { [VMOperationalStatus][int]$vm.condition_code })
            Heartbeat = $(if ($null -ne $vm.heartbeat) { [VMHeartbeatStatus]"$($vm.heartbeat)" })
            Uptime = [timespan]::FromSeconds([double]$vm.uptime_seconds)
            Generation = [int]$vm.generation
            ReplicationMode = $(if ($vm.replica) { [VMReplicationMode]::Replica } else { [VMReplicationMode]::Primary })
            Version = "$($vm.version)"
            IsClustered = [bool]$vm.clustered
            CheckpointType = $(if ($null -ne $vm.checkpoint_type) { [CheckpointType]"$($vm.checkpoint_type)" })
            IntegrationServicesState = "$($vm.integration_state)"
            IntegrationServicesVersion = [version]"$($vm.integration_version)"
            # No adapters are an empty list, or no list.
            FibreChannelHostBusAdapters = $(if ($vm.fibre_channel_adapters -gt 0 -or [int]$SimHost.os.build -gt 9600) { , @(for ($index = 0; $index -lt $vm.fibre_channel_adapters; $index++) { [pscustomobject]@{ Name = 'Fibre Channel' } }) })
        }
    }
}

function global:Get-VMIntegrationService {
    [CmdletBinding()]
    param([Parameter(ValueFromPipeline)]$VM)
    begin {
        $failure = Get-SimHyperVFailure 'vm-integration-services' 'Get-VMIntegrationService'
        if ($failure) { $PSCmdlet.ThrowTerminatingError($failure) }
        $known = @((Get-SimAnswer 'vm-integration-services').vms)
    }
    process {
        $facts = $known | Where-Object { "$($_.id)" -eq "$($VM.Id)" }
        if ($null -eq $facts) { return }
        foreach ($key in @('backup', 'heartbeat', 'data_exchange', 'shutdown', 'time_sync', 'guest_services')) {
            $service = $facts.$key
            if ($null -eq $service) { continue }
            $component = Get-SimComponent $key
            [pscustomobject]@{
                Name = $component.Name
                Id = "Microsoft:$("$($VM.Id)".ToUpper())\$($component.Id)"
                VMId = $VM.Id
                VMName = $VM.Name
                Enabled = [bool]$service.enabled
                PrimaryOperationalStatus = $(if ($null -ne $service.status_code) { [VMIntegrationComponentOperationalStatus][int]$service.status_code })
            }
        }
    }
}

function global:New-SimRelationship($Machine, $State, [VMReplicationRelationshipType]$Type) {
    [pscustomobject]@{
        VMId = [guid]"$($Machine.id)"
        VMName = "$($Machine.name)"
        ReplicationRelationshipType = $Type
        ReplicationState = [VMReplicationState][int]$State.state_code
        ReplicationHealth = [VMReplicationHealthState][int]$State.health_code
        ReplicationMode = [VMReplicationMode][int]$State.mode_code
        ReplicationFrequencySec = [int]$State.frequency_seconds
        LastReplicationTime = ConvertTo-SimTime $State.last_replication
        LastAppliedLogTime = ConvertTo-SimTime $State.last_applied
        PrimaryServerName = "$($State.primary_server)"
        ReplicaServerName = "$($State.replica_server)"
        CurrentReplicaServerName = "$($State.current_replica_server)"
        VSSSnapshotFrequencyHour = [int]$State.vss_snapshot_hours
        AutoResynchronizeEnabled = [bool]$State.auto_resync
        # "Never" is the year 1601 here, and null in LastReplicationTime: real hosts show both.
        InitialReplicationStartTime = $(if ($State.initial_started) { ConvertTo-SimTime $State.initial_started } else { [datetime]::FromFileTimeUtc(0) })
        ResynchronizeStartTime = $(if ($State.resync_started) { ConvertTo-SimTime $State.resync_started } else { [datetime]::MinValue })
        ReplicatedDisks = @(foreach ($path in $State.replicated_disks) { [pscustomobject]@{ Path = "$path" } })
        ExcludedDisks = @(foreach ($path in $State.excluded_disks) { [pscustomobject]@{ Path = "$path" } })
    }
}

function global:Get-VMReplication {
    [CmdletBinding()]
    param()
    if ((Get-SimStatus 'vms') -eq 'denied') { return }
    $failure = Get-SimHyperVFailure 'vm-replication' 'Get-VMReplication'
    if ($failure) { $PSCmdlet.ThrowTerminatingError($failure) }
    foreach ($machine in (Get-SimAnswer 'vm-replication').vms) {
        New-SimRelationship $machine $machine.replication Simple
        if ($null -ne $machine.extended) { New-SimRelationship $machine $machine.extended Extended }
    }
}

function global:Measure-VMReplication {
    [CmdletBinding()]
    param()
    foreach ($machine in (Get-SimAnswer 'vm-replication').vms) {
        $facts = $machine.statistics
        if ($null -eq $facts) { continue }
        [pscustomobject]@{
            VMId = [guid]"$($machine.id)"
            VMName = "$($machine.name)"
            ReplicationRelationshipType = [VMReplicationRelationshipType]::Simple
            MonitoringStartTime = ConvertTo-SimTime $facts.window_start
            MonitoringEndTime = ConvertTo-SimTime $facts.window_end
            LastReplicationType = $(if ($null -ne $facts.last_type) { [VMReplicationType]"$($facts.last_type)" })
            LastVSSSnapshotTime = ConvertTo-SimTime $facts.last_vss_snapshot
            ReplicationErrors = [uint32]$facts.errors
            SuccessfulReplicationCount = [uint32]$facts.successes
            MissedReplicationCount = [uint32]$facts.missed
            PendingReplicationSize = [uint64]$facts.pending_bytes
            AverageReplicationSize = [uint64]$facts.average_bytes
            MaximumReplicationSize = [uint64]$facts.maximum_bytes
            AverageReplicationLatency = $(if ($null -ne $facts.average_latency_seconds) { [timespan]::FromSeconds([double]$facts.average_latency_seconds) })
            ReplicationHealthDetails = [string[]]@($facts.details)
            CurrentTask = "$($facts.task)"
        }
    }
}

function global:Get-VMHardDiskDrive {
    [CmdletBinding()]
    param([Parameter(ValueFromPipeline)]$VM)
    begin {
        $failure = Get-SimHyperVFailure 'vm-disks' 'Get-VMHardDiskDrive'
        if ($failure) { $PSCmdlet.ThrowTerminatingError($failure) }
        $known = @((Get-SimAnswer 'vm-disks').vms)
    }
    process {
        $facts = $known | Where-Object { "$($_.id)" -eq "$($VM.Id)" }
        foreach ($drive in $facts.drives) {
            $place = "$($drive.location)" -split '[ :]'
            [pscustomobject]@{
                VMId = $VM.Id
                VMName = $VM.Name
                Path = "$($drive.path)"
                DiskNumber = $(if ($drive.pass_through) { 7 })
                ControllerType = [ControllerType]$place[0]
                ControllerNumber = [int]$place[1]
                ControllerLocation = [int]$place[2]
                SupportPersistentReservations = [bool]$drive.shared
            }
        }
    }
}

# Every disk of the facts, without those that the machine reads past Hyper-V.
function global:Get-SimDrives { foreach ($vm in (Get-SimAnswer 'vm-disks').vms) { $vm.drives | Where-Object { -not $_.pass_through } } }

function global:Get-VHD {
    [CmdletBinding()]
    param([string[]]$Path)
    foreach ($wanted in $Path) {
        $drive = @(Get-SimDrives | Where-Object { "$($_.path)" -eq $wanted })[0]
        if ($null -eq $drive -or $null -eq $drive.format) {
            $PSCmdlet.WriteError((New-SimError ([IO.IOException]::new("$wanted")) 'FailedToOpen' 'ResourceUnavailable' $wanted))
            continue
        }
        [pscustomobject]@{
            Path = $wanted
            VhdFormat = [VhdFormat][int]$drive.format
            Size = [uint64]$drive.size_bytes
            FileSize = [uint64]$drive.file_bytes
            LogicalSectorSize = [uint32]$drive.sector_bytes
        }
    }
}
