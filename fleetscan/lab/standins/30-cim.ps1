# Stand-in for Get-CimInstance. Like the real one it gives only the properties that were asked for.

function global:New-SimCimError([string]$Code, [string]$Category, [string]$Text, [string]$Class) {
    New-SimError ([InvalidOperationException]::new($Text)) "HRESULT $Code" $Category $Class
}

# The instances of a class on this machine, or the error that the query ends in.
function global:Get-SimInstances([string]$Namespace, [string]$Class) {
    switch ($Class) {
        'Msvm_ComputerSystem' {
            foreach ($probe in @('vms', 'vm-summary', 'vm-checkpoints')) { if ((Get-SimStatus $probe) -eq 'denied') { return } }
            @{ Name = "$($SimHost.os.computer)"; ElementName = "$($SimHost.os.computer)"; EnabledState = 2 }
            $answer = Get-SimAnswer 'vm-summary'
            if (-not $answer) { $answer = Get-SimAnswer 'vms' }
            foreach ($vm in $answer.vms) { @{ Name = "$($vm.id)".ToUpper(); ElementName = "$($vm.name)"; EnabledState = 2 } }
        }
        'Msvm_SummaryInformation' {
            foreach ($vm in (Get-SimAnswer 'vm-summary').vms) {
                @{
                    Name = "$($vm.id)".ToUpper(); InstanceID = "Microsoft:$("$($vm.id)".ToUpper())"; ElementName = "$($vm.name)"; GuestOperatingSystem = $vm.guest_os
                    IntegrationServicesVersionState = $(if ($null -ne $vm.integration_version_state) { [uint16]$vm.integration_version_state })
                    ReplicationProviderId = [string[]]@(foreach ($provider in $vm.replication_providers) { "{$("$provider".ToUpper())}" })
                }
            }
            # A checkpoint has a summary of its own, under an id that is no virtual machine's, and perhaps its machine's name.
            @{ Name = '0D0D0D0D-0000-4000-8000-00000C0FFEE0'; InstanceID = 'Microsoft:0D0D0D0D-0000-4000-8000-00000C0FFEE0'; ElementName = 'checkpoint'; IntegrationServicesVersionState = [uint16]0 }
            foreach ($vm in (Get-SimAnswer 'vm-summary').vms) {
                @{ Name = "$($vm.id)".ToUpper(); InstanceID = 'Microsoft:0D0D0D0D-0000-4000-8000-00000C0FFEE1'; ElementName = 'checkpoint'; GuestOperatingSystem = 'an older Windows'; IntegrationServicesVersionState = [uint16]2; ReplicationProviderId = @() }
            }
        }
        # What guests tell their host, as texts of XML; a machine that is off has none.
        # The agent's counters grow once, by what the facts say, after the first reading.
        'Win32_Process' {
            $connections = (Get-SimAnswer 'azure-agents').connections
            if ($null -eq $connections.moved_bytes) { return }
            $global:SimReadings = 1 + [int]$global:SimReadings
            @{ Name = 'cbengine.exe'; WriteTransferCount = [uint64]4096; OtherTransferCount = [uint64](1000 + $connections.moved_bytes * [Math]::Min($global:SimReadings - 1, 1)) }
        }
        'Msvm_KvpExchangeComponent' {
            $keys = @{ computer = 'FullyQualifiedDomainName'; os = 'OSName'; version = 'OSVersion'; architecture = 'ProcessorArchitecture'; integration_services = 'IntegrationServicesVersion' }
            foreach ($vm in (Get-SimAnswer 'vm-summary').vms) {
                $items = @(if ($vm.kvp) {
                    foreach ($pair in ($keys.GetEnumerator() | Where-Object { $null -ne $vm.kvp.($_.Key) })) {
                        $data = [Security.SecurityElement]::Escape("$($vm.kvp.($pair.Key))")
                        "<INSTANCE CLASSNAME=""Msvm_KvpExchangeDataItem""><PROPERTY NAME=""Data"" TYPE=""string""><VALUE>$data</VALUE></PROPERTY><PROPERTY NAME=""Name"" TYPE=""string""><VALUE>$($pair.Value)</VALUE></PROPERTY></INSTANCE>"
                    }
                })
                @{ SystemName = "$($vm.id)".ToUpper(); GuestIntrinsicExchangeItems = [string[]]$items }
            }
        }
        'Msvm_VirtualSystemSettingData' {
            foreach ($vm in (Get-SimAnswer 'vm-summary').vms) {
                $setting = @{ VirtualSystemIdentifier = "$($vm.id)".ToUpper(); VirtualSystemType = 'Microsoft:Hyper-V:System:Realized'; SecureBootEnabled = $vm.secure_boot }
                $setting
                # A checkpoint keeps the settings that the machine had.
                $setting + @{} | ForEach-Object { $_.VirtualSystemType = 'Microsoft:Hyper-V:Snapshot:Realized'; $_.SecureBootEnabled = -not $vm.secure_boot; $_ }
            }
        }
        'Msvm_VirtualSystemManagementService' { Get-SimTimedInstance (Get-SimAnswer 'host-wmi').virtualization @{ Name = 'vmms' } }
        'Win32_OperatingSystem' {
            $guest = Get-SimAnswer 'guest-wmi'
            if ($guest) {
                Get-SimTimedInstance $guest.cimv2 @{
                    Version = "10.0.$($guest.os.build)"; BuildNumber = "$($guest.os.build)"; Caption = $guest.os.caption; LastBootUpTime = ConvertTo-SimTime $guest.os.last_boot
                }
            } else { Get-SimTimedInstance (Get-SimAnswer 'host-wmi').cimv2 @{ Version = "10.0.$($SimHost.os.build)"; BuildNumber = "$($SimHost.os.build)" } }
        }
        'Win32_ComputerSystem' { @{ Name = "$($SimHost.os.computer)"; PartOfDomain = [bool](Get-SimAnswer 'time-service').in_domain } }
        'Win32_ShadowProvider' {
            if ("$($SimHost.os.elevated)" -eq 'False') {
                return New-SimCimError '0x80041014' 'NotSpecified' (Get-SimText 'denied') $Class
            }
            foreach ($provider in (Get-SimAnswer 'guest-vss-providers').providers) {
                @{ ID = "{$("$($provider.id)".ToUpper())}"; Name = "$($provider.name)"; Version = "$($provider.version)"; Type = $(if ($null -ne $provider.type) { [uint32]$provider.type }) }
            }
        }
        'Win32_ShadowCopy' {
            $shadows = (Get-SimAnswer 'guest-vss-providers').shadows
            $places = @(foreach ($volume in $shadows.volumes) { for ($number = 0; $number -lt $volume.count; $number++) { "$($volume.name)" } })
            for ($index = 0; $index -lt $shadows.count; $index++) {
                $moment = if ($index -eq 0) { $shadows.oldest } else { $shadows.newest }
                $users = @($shadows.providers)
                # The last ones go by themselves, the first ones are of no use.
                $temporary = $index -ge $shadows.count - $shadows.temporary
                if ($temporary) { $moment = $shadows.oldest_temporary }
                @{
                    ID = "{$([guid]::NewGuid())}"; ProviderID = "{$("$($users[$index % $users.Count])".ToUpper())}"; InstallDate = ConvertTo-SimTime $moment
                    VolumeName = $places[$index]; Persistent = -not $temporary; State = [uint32]$(if ($index -lt $shadows.broken) { 13 } else { 12 })
                }
            }
        }
        'Win32_Volume' {
            # Volumes without a path are named by their id.
            @{ Name = '\\?\Volume{5b6a3c2d-0000-0000-0000-100000000000}\'; DriveType = [uint32]3; FileSystem = 'NTFS'; Capacity = [uint64]524288000; FreeSpace = [uint64]450000000 }
            foreach ($volume in (Get-SimAnswer 'vm-disks').volumes) {
                @{ Name = "$($volume.name)"; DriveType = [uint32]3; FileSystem = 'NTFS'; Capacity = [uint64]$volume.size_bytes; FreeSpace = [uint64]$volume.free_bytes }
            }
            $volumes = Get-SimAnswer 'host-volumes'
            if (-not $volumes) { return }
            @{ Name = 'Z:\'; DriveType = [uint32]5; FileSystem = 'UDF'; Capacity = [uint64]4700000000; FreeSpace = [uint64]0 }
            @{ Name = 'X:\'; DriveType = [uint32]3; FileSystem = $null; Capacity = $null; FreeSpace = $null }
            foreach ($volume in $volumes.disks) {
                @{ Name = "$($volume.name)"; Label = $volume.label; DriveType = [uint32]3; FileSystem = 'NTFS'; Capacity = [uint64]$volume.bytes; FreeSpace = [uint64]$volume.free_bytes }
            }
            foreach ($volume in (Get-SimAnswer 'cluster-volumes').disks) {
                @{ Name = "$($volume.name)\"; DriveType = [uint32]3; FileSystem = 'CSVFS'; Capacity = [uint64]$volume.bytes; FreeSpace = [uint64]$volume.free_bytes }
            }
        }
        'Win32_PerfRawData_Counters_HyperVVirtualStorageDevice' {
            $answer = Get-SimAnswer 'vm-storage-counters'
            if ([int]$SimHost.os.build -le 9600) { return New-SimCimError '0x80041010' 'MetadataError' (Get-SimText 'noclass') $Class }
            Get-SimStorageCounters $answer
        }
        'Win32_PerfRawData_StorageStats_HyperVVirtualStorageDevice' {
            if ([int]$SimHost.os.build -le 9600) { Get-SimStorageCounters (Get-SimAnswer 'vm-storage-counters') }
        }
        'MSFT_DNSClientCache' {
            foreach ($record in $SimHost.dns_cache) { @{ Entry = "$($record.entry)"; Name = "$($record.entry)"; Type = [uint16]$record.type; Status = [uint32]$record.status } }
        }
        default {
            $instances = @(Get-SimStorageInstances $Class)
            if ($instances.Count -gt 0 -or $SimClassProbes.ContainsKey($Class)) { $instances } else {
                New-SimCimError '0x80041010' 'MetadataError' (Get-SimText 'noclass') $Class
            }
        }
    }
}

# A total of the facts at this moment: `2000000/s` has grown by so much a second, `2000000/s from 5s` begins anew every five.
function global:ConvertTo-SimTotal($Total, [DateTimeOffset]$Now) {
    if ("$Total" -notmatch '^(\d+)/s(?: from (\d+)s)?$') { return $Total }
    $seconds = $Now.ToUnixTimeMilliseconds() / 1000
    if ($Matches[2]) { $seconds = $seconds % [long]$Matches[2] }
    [long][Math]::Floor([long]$Matches[1] * $seconds)
}

# The same as a counter: what a version of Windows does not count is null.
function global:ConvertTo-SimCount($Total, [DateTimeOffset]$Now) {
    if ($null -ne $Total) { [uint64](ConvertTo-SimTotal $Total $Now) }
}

# The counters of all disks that are in use, named as Windows names them; one for a drive that holds no disk of a machine.
function global:Get-SimStorageCounters($Answer) {
    if ($null -eq $Answer -or $null -eq $Answer.sample.ticks) { return }
    # All counters of one query are of one moment.
    $now = if ($SimHost.os.now) { [DateTimeOffset]::Parse("$($SimHost.os.now)") } else { [DateTimeOffset]::UtcNow }
    $base = @{
        Timestamp_PerfTime = [uint64](ConvertTo-SimTotal $Answer.sample.ticks $now); Frequency_PerfTime = [uint64]$Answer.sample.frequency
        # pshost resolves the text `now` once, when the script begins; the clock goes on.
        Timestamp_Sys100NS = [uint64]$(if ($SimHost.os.now) { (ConvertTo-SimTime $Answer.sample.time).ToFileTimeUtc() } else { $now.ToFileTime() })
    }
    foreach ($name in $Answer.unmatched) { @{ Name = "$name"; WriteBytesPersec = [uint64]0; ReadBytesPersec = [uint64]0; ReadCount = [uint64]0; WriteCount = [uint64]0 } + $base }
    foreach ($device in $Answer.vms.devices) {
        if ($null -eq $device.write_bytes) { continue }
        # Windows writes some paths with the prefix \\?\ before them.
        $prefix = if ("$($device.path)" -like '*ClusterStorage*') { '\\?\' } else { '' }
        @{
            Name = "$prefix$($device.path)" -replace '[\\/]', '-'
            ReadBytesPersec = ConvertTo-SimCount $device.read_bytes $now; WriteBytesPersec = ConvertTo-SimCount $device.write_bytes $now
            ReadCount = ConvertTo-SimCount $device.reads $now; WriteCount = ConvertTo-SimCount $device.writes $now
        } + $base
    }
}

# An instance that takes the seconds, or ends in the error, that the facts give to the query.
function global:Get-SimTimedInstance($Query, [hashtable]$Instance) {
    if ($null -eq $Query) { return }
    if ($Query.seconds -gt 0) { Start-Sleep -Seconds $Query.seconds }
    if ($Query.error_id) {
        return New-SimError ([InvalidOperationException]::new("$($Query.error)")) "$($Query.error_id)" 'MetadataError' $null
    }
    if ($Query.answered) { $Instance }
}

$global:SimClassProbes = @{
    'Msvm_SummaryInformation' = 'vm-summary'; 'Msvm_KvpExchangeComponent' = 'vm-summary'; 'Msvm_VirtualSystemSettingData' = 'vm-summary'; 'Win32_ShadowProvider' = 'guest-vss-providers'; 'Win32_ShadowCopy' = 'guest-vss-providers'
    'Msvm_VirtualSystemManagementService' = 'host-wmi'
    'Win32_PerfRawData_Counters_HyperVVirtualStorageDevice' = 'vm-storage-counters'; 'Win32_PerfRawData_StorageStats_HyperVVirtualStorageDevice' = 'vm-storage-counters'
    'Win32_Volume' = @('vm-disks', 'host-volumes'); 'Win32_ComputerSystem' = 'time-service'; 'MSFT_DNSClientCache' = 'azure-endpoints'
    'MSFT_Disk' = 'guest-disks'; 'MSFT_Partition' = 'guest-disks'; 'MSFT_StoragePool' = 'guest-disks'; 'Win32_DiskPartition' = 'guest-disks'; 'Win32_DiskDrive' = 'guest-disks'; 'MSiSCSIInitiator_SessionClass' = 'guest-disks'; 'MSFT_NetLbfoTeam' = 'guest-network'
}

function global:Get-CimInstance {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string]$ClassName, [string]$Namespace = 'root/cimv2', [string]$Filter, [string[]]$Property, [uint32]$OperationTimeoutSec)
    $probes = @($SimClassProbes[$ClassName])
    if ($ClassName -eq 'Win32_OperatingSystem') { $probes = @('host-wmi', 'guest-wmi') }
    foreach ($probe in $probes) {
        if (-not $probe) { continue }
        if ((Get-SimStatus $probe) -eq 'denied') { $PSCmdlet.ThrowTerminatingError((New-SimCimError '0x80041003' 'PermissionDenied' (Get-SimText 'denied') $ClassName)) }
        $failure = Get-SimFailure $probe 'Get-CimInstance'
        if ($failure) { $PSCmdlet.ThrowTerminatingError($failure) }
    }
    foreach ($instance in @(Get-SimInstances $Namespace $ClassName)) {
        if ($instance -is [Management.Automation.ErrorRecord]) { $PSCmdlet.ThrowTerminatingError($instance) }
        if (-not (Test-SimFilter $instance $Filter)) { continue }
        $shown = @{}
        foreach ($name in $instance.Keys) { $shown[$name] = if (-not $Property -or $Property -contains $name) { $instance[$name] } else { $null } }
        [pscustomobject]$shown
    }
}

# The part of WQL that the probes use: comparisons of a property with a number or a quoted text, joined by AND or by OR.
function global:Test-SimFilter($Instance, [string]$Filter) {
    if (-not $Filter) { return $true }
    $terms = $Filter -split '\s+(?:AND|OR)\s+'
    $results = foreach ($term in $terms) {
        if ($term -notmatch '^\s*\(?\s*(\w+)\s*(=|<>|>|<|LIKE)\s*''?([^'']*)''?\s*\)?\s*$') { throw "a stand-in does not understand the filter: $Filter" }
        $value = "$($Instance[$Matches[1]])"
        $wanted = $Matches[3] -replace '\\\\', '\'
        switch ($Matches[2]) {
            '=' { $value -eq $wanted }
            '<>' { $value -ne $wanted }
            '>' { [double]$value -gt [double]$wanted }
            '<' { [double]$value -lt [double]$wanted }
            'LIKE' { $value -like ($wanted -replace '%', '*') }
        }
    }
    if ($Filter -match '\s+OR\s+') { @($results) -contains $true } else { @($results) -notcontains $false }
}
