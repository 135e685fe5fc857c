# The checkpoints of all virtual machines: one call for the machines, one for their checkpoints.
# Types: 0 made by a user, 1 by a backup, 2 by a planned failover, 6 to 8 recovery points of a replica.
$machines = @(Get-VM -ErrorAction Stop)
if ($machines.Count -eq 0) {
    # Without Hyper-V rights Get-VM can show nothing and no error. With rights this class holds at least the host itself.
    $systems = @(Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName 'Msvm_ComputerSystem' -Property 'Name' -OperationTimeoutSec 20 -ErrorAction Stop)
    if ($systems.Count -eq 0) { throw 'Hyper-V shows this account neither a virtual machine nor the host itself (0x80070005)' }
}
$problems = @()
$found = @($machines | Get-VMSnapshot -ErrorAction SilentlyContinue -ErrorVariable 'problems')
foreach ($problem in $problems) {
    if ($found.Count -eq 0 -or "$($problem.CategoryInfo.Category)" -eq 'PermissionDenied') { throw $problem }
}
$rows = @(foreach ($machine in $machines) {
    $checkpoints = @(foreach ($checkpoint in $found) {
        if ("$($checkpoint.VMId)" -ne "$($machine.Id)") { continue }
        @{
            name = "$($checkpoint.Name)"
            type = "$($checkpoint.SnapshotType)"
            type_code = [int]$checkpoint.SnapshotType
            created = $checkpoint.CreationTime.ToUniversalTime().ToString('s') + 'Z'
        }
    })
    @{ id = "$($machine.Id)".ToLowerInvariant(); name = "$($machine.Name)"; checkpoints = @($checkpoints) }
})
@{ vms = @($rows) }
