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

# The rules for WMI from other computers, in a domain and elsewhere, as this computer and as Group Policy have them. Facts
# only: the query above did not pass through them.
$active = $null
$blocks = $null
foreach ($rulesKey in @('HKLM:\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules', 'HKLM:\SOFTWARE\Policies\Microsoft\WindowsFirewall\FirewallRules')) {
    if (-not (Test-Path -LiteralPath $rulesKey)) { continue }
    $rules = Get-ItemProperty -LiteralPath $rulesKey -ErrorAction Stop
    foreach ($rule in @("$($rules.'WMI-WINMGMT-In-TCP')", "$($rules.'WMI-WINMGMT-In-TCP-NoScope')")) {
        if ($rule -eq '') { continue }
        if ($null -eq $active) {
            $active = $false
            $blocks = $false
        }
        if ($rule -notlike '*|Active=TRUE|*') { continue }
        if ($rule -like '*|Action=Block|*') { $blocks = $true } else { $active = $true }
    }
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
    firewall_rule_blocks = $blocks
}
