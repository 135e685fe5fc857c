# The integration services of all virtual machines in one pipeline.
# Their names are translated, their component ids are not: the id of a service ends in the id of its component.
$components = @{
    '5ced1297-4598-4915-a5fc-ad21bb4d02a4' = 'backup'
    '84eaae65-2f2e-45f5-9bb5-0e857dc8eb47' = 'heartbeat'
    '2a34b1c2-fd73-4043-8a5b-dd2159bc743f' = 'data_exchange'
    '9f8233ac-be49-4c79-8ee3-e7e1985b2077' = 'shutdown'
    '2497f4de-e9fa-4204-80e4-4b75c46419c0' = 'time_sync'
    '6c09bb55-d683-4da0-8931-c9bf705f6480' = 'guest_services'
}
$rows = @{}
$order = @()
# A machine that vanishes or changes meanwhile is an error of its own; the others still answer.
$problems = @()
$services = @(Get-VM -ErrorAction Stop | Get-VMIntegrationService -ErrorAction SilentlyContinue -ErrorVariable 'problems')
foreach ($problem in $problems) {
    if ($services.Count -eq 0 -or "$($problem.CategoryInfo.Category)" -eq 'PermissionDenied') { throw $problem }
}
if ($services.Count -eq 0) {
    # Without Hyper-V rights Get-VM can show nothing and no error. With rights this class holds at least the host itself.
    $systems = @(Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName 'Msvm_ComputerSystem' -Property 'Name' -OperationTimeoutSec 20 -ErrorAction Stop)
    if ($systems.Count -eq 0) { throw 'Hyper-V shows this account neither a virtual machine nor the host itself (0x80070005)' }
}
foreach ($service in $services) {
    $machine = "$($service.VMId)".ToLowerInvariant()
    if (-not $rows.ContainsKey($machine)) {
        $rows[$machine] = @{ id = $machine; name = "$($service.VMName)" }
        $order += $machine
    }
    $component = "$($components[("$($service.Id)" -split '\\')[-1].ToLowerInvariant()])"
    if ($component) {
        # A virtual machine that is off has no status.
        $status = $null
        $statusCode = $null
        if ($null -ne $service.PrimaryOperationalStatus) {
            $status = "$($service.PrimaryOperationalStatus)"
            $statusCode = [int]$service.PrimaryOperationalStatus
        }
        $rows[$machine][$component] = @{ enabled = [bool]$service.Enabled; status = $status; status_code = $statusCode }
    }
}
@{ vms = @(foreach ($machine in $order) { $rows[$machine] }) }
