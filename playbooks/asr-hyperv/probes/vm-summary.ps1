# Four queries for all virtual machines: which exist, the summary that Hyper-V Manager shows of each, what each guest tells its
# host by key-value pairs, and their firmware. The third lets the host speak for a guest that nobody can reach.
# The summary says whether the integration services are up to date as a number: 0 unknown, 1 up to date, 2 mismatch.
$pattern = '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'
$systems = @(Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName 'Msvm_ComputerSystem' -Property @('Name', 'ElementName') -OperationTimeoutSec 40 -ErrorAction Stop)
# The host itself is always among them, and the only one whose Name is not a GUID.
if ($systems.Count -eq 0) { throw 'Hyper-V shows this account neither a virtual machine nor the host itself (0x80070005)' }

# The summary of a checkpoint may go by the name of its machine, but not by its id.
$properties = @('Name', 'InstanceID', 'IntegrationServicesVersionState', 'GuestOperatingSystem', 'ReplicationProviderId')
$summaries = @{}
foreach ($summary in @(Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName 'Msvm_SummaryInformation' -Property $properties -OperationTimeoutSec 40 -ErrorAction Stop)) {
    $id = "$($summary.Name)".ToLowerInvariant()
    if (-not $summaries.ContainsKey($id) -or "$($summary.InstanceID)".ToLowerInvariant().Contains($id)) { $summaries[$id] = $summary }
}

# Each pair is a text of XML. The names of the pairs are not translated.
$wanted = @('FullyQualifiedDomainName', 'OSName', 'OSVersion', 'ProcessorArchitecture', 'IntegrationServicesVersion')
$told = @{}
foreach ($exchange in @(Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName 'Msvm_KvpExchangeComponent' -Property @('SystemName', 'GuestIntrinsicExchangeItems') -OperationTimeoutSec 40 -ErrorAction Stop)) {
    $pairs = @{}
    foreach ($item in $exchange.GuestIntrinsicExchangeItems) {
        $text = "$item"
        $name = ''
        if ($text -match '<PROPERTY NAME="Name"[^>]*><VALUE>([^<]*)</VALUE>') { $name = $Matches[1] }
        if ($wanted -contains $name -and $text -match '<PROPERTY NAME="Data"[^>]*><VALUE>([^<]*)</VALUE>') {
            $value = $Matches[1] -replace '&lt;', '<' -replace '&gt;', '>' -replace '&quot;', '"' -replace '&apos;', "'" -replace '&amp;', '&'
            if ($value -ne '') { $pairs[$name] = $value }
        }
    }
    if ($pairs.Count -gt 0) { $told["$($exchange.SystemName)".ToLowerInvariant()] = $pairs }
}

# Settings of a checkpoint have another type. A version of Windows that does not know the property leaves it unknown.
$secure = @{}
try {
    foreach ($setting in @(Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName 'Msvm_VirtualSystemSettingData' -Property @('VirtualSystemIdentifier', 'VirtualSystemType', 'SecureBootEnabled') -OperationTimeoutSec 40 -ErrorAction Stop)) {
        if ("$($setting.VirtualSystemType)" -ne 'Microsoft:Hyper-V:System:Realized' -or $null -eq $setting.SecureBootEnabled) { continue }
        $secure["$($setting.VirtualSystemIdentifier)".ToLowerInvariant()] = [bool]$setting.SecureBootEnabled
    }
} catch {
    if ("$($_.CategoryInfo.Category)" -eq 'PermissionDenied') { throw }
}

$rows = @(foreach ($system in $systems) {
    if ("$($system.Name)" -notmatch $pattern) { continue }
    $id = "$($system.Name)".ToLowerInvariant()
    $versionState = $null
    $guestSystem = $null
    $providers = @()
    if ($summaries.ContainsKey($id)) {
        $summary = $summaries[$id]
        if ($null -ne $summary.IntegrationServicesVersionState) { $versionState = [int]$summary.IntegrationServicesVersionState }
        if ($summary.GuestOperatingSystem) { $guestSystem = "$($summary.GuestOperatingSystem)" }
        $providers = @(foreach ($provider in $summary.ReplicationProviderId) { "$provider".ToLowerInvariant() -replace '[{}]', '' })
    }
    $exchanged = $null
    if ($told.ContainsKey($id)) {
        $pairs = $told[$id]
        $exchanged = @{
            computer = $pairs['FullyQualifiedDomainName']
            os = $pairs['OSName']
            version = $pairs['OSVersion']
            architecture = $pairs['ProcessorArchitecture']
            integration_services = $pairs['IntegrationServicesVersion']
        }
    }
    @{
        id = $id
        name = "$($system.ElementName)"
        integration_version_state = $versionState
        guest_os = $guestSystem
        secure_boot = $secure[$id]
        replication_providers = $providers
        kvp = $exchanged
    }
})
@{ vms = @($rows) }
