# Two queries for all virtual machines: which exist, and the summary that Hyper-V Manager shows of each.
# The summary says whether the integration services are up to date as a number: 0 unknown, 1 up to date, 2 mismatch.
$pattern = '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'
$systems = @(Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName 'Msvm_ComputerSystem' -Property @('Name', 'ElementName') -OperationTimeoutSec 40 -ErrorAction Stop)
# The host itself is always among them, and the only one whose Name is not a GUID.
if ($systems.Count -eq 0) { throw 'Hyper-V shows this account neither a virtual machine nor the host itself (0x80070005)' }

$properties = @('Name', 'IntegrationServicesVersionState', 'GuestOperatingSystem', 'ReplicationProviderId')
$summaries = @{}
foreach ($summary in @(Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName 'Msvm_SummaryInformation' -Property $properties -OperationTimeoutSec 40 -ErrorAction Stop)) {
    $summaries["$($summary.Name)".ToLower()] = $summary
}

$rows = @(foreach ($system in $systems) {
    if ("$($system.Name)" -notmatch $pattern) { continue }
    $id = "$($system.Name)".ToLower()
    $versionState = $null
    $guestSystem = $null
    $providers = @()
    if ($summaries.ContainsKey($id)) {
        $summary = $summaries[$id]
        if ($null -ne $summary.IntegrationServicesVersionState) { $versionState = [int]$summary.IntegrationServicesVersionState }
        if ($summary.GuestOperatingSystem) { $guestSystem = "$($summary.GuestOperatingSystem)" }
        $providers = @(foreach ($provider in $summary.ReplicationProviderId) { "$provider".ToLower() -replace '[{}]', '' })
    }
    @{
        id = $id
        name = "$($system.ElementName)"
        integration_version_state = $versionState
        guest_os = $guestSystem
        replication_providers = $providers
    }
})
@{ vms = @($rows) }
