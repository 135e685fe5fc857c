# The services that run, by the names that no language changes, and the tasks by which Windows itself takes shadow copies on
# a schedule: one for each volume with previous versions, one of Windows Server Backup. Which services matter, checks decide.
# And how many policies Azure Backup has here: the agent of Site Recovery is that of Azure Backup, too.
$services = @()
try {
    $services = @(Get-Service -ErrorAction SilentlyContinue)
} catch {
    # 5 is Windows' number for "access denied"; the error around it has no category.
    if ("$($_.Exception.InnerException.NativeErrorCode)" -eq '5') { throw 'the service manager refuses this account (0x80070005)' }
    throw
}
if ($services.Count -eq 0) { throw 'no service is visible to this account, not even Winmgmt (0x80070005)' }
$running = @(foreach ($service in $services) {
    if ("$($service.Status)" -eq 'Running') { "$($service.Name)" }
})

$tasks = @()
$problems = @()
try {
    $tasks = @(Get-ScheduledTask -TaskName @('ShadowCopyVolume*', 'Microsoft-Windows-WindowsBackup') -ErrorAction SilentlyContinue -ErrorVariable 'problems')
} catch {
    # Windows before 2012 has no such command.
    if ("$($_.FullyQualifiedErrorId)" -notlike 'CommandNotFoundException*') { throw }
}
foreach ($problem in $problems) {
    if ("$($problem.CategoryInfo.Category)" -ne 'ObjectNotFound') { throw $problem }
}
$rows = @(foreach ($task in $tasks) {
    @{ name = "$($task.TaskName)"; state = "$($task.State)"; state_code = [int]$task.State }
})
$policies = $null
try {
    $policies = @(Get-OBPolicy -ErrorAction Stop).Count
} catch {
    # Without the agent there is no such command; an agent that is not registered, or that refuses this account, tells nothing.
    $policies = $null
}
@{ azure_backup_policies = $policies; running = @($running | Sort-Object); tasks = @($rows) }
