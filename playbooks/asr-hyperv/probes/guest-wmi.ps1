# One cheap query with a time limit: it needs the service, the repository and a provider process to work.
$errorId = $null
$errorText = $null
$systems = @()
$since = Get-Date
try {
    $systems = @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_OperatingSystem' -Property @('BuildNumber', 'Caption', 'LastBootUpTime') -OperationTimeoutSec 30 -ErrorAction Stop)
} catch {
    if ("$($_.CategoryInfo.Category)" -eq 'PermissionDenied') { throw }
    $errorId = ("$($_.FullyQualifiedErrorId)" -split ',')[0]
    $errorText = "$($_.Exception.Message)"
}
$milliseconds = [int]((Get-Date) - $since).TotalMilliseconds
$build = $null
$caption = $null
$lastBoot = $null
if ($systems.Count -gt 0) {
    $build = [int]$systems[0].BuildNumber
    $caption = "$($systems[0].Caption)"
    if ($null -ne $systems[0].LastBootUpTime) { $lastBoot = $systems[0].LastBootUpTime.ToUniversalTime().ToString('s') + 'Z' }
}

# The firewall rule that lets WMI in from other computers. A fact only: the query above did not pass through it.
$active = $null
$rulesKey = 'HKLM:\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules'
if (Test-Path -LiteralPath $rulesKey) {
    $rules = Get-ItemProperty -LiteralPath $rulesKey -ErrorAction Stop
    $rule = "$($rules.'WMI-WINMGMT-In-TCP')"
    if ($rule) { $active = $rule -like '*|Active=TRUE|*' }
}
@{
    cimv2 = @{
        answered = $systems.Count -gt 0
        seconds = ($milliseconds - $milliseconds % 1000) / 1000
        error_id = $errorId
        error = $errorText
    }
    os = @{ build = $build; caption = $caption; last_boot = $lastBoot }
    firewall_rule_active = $active
}
