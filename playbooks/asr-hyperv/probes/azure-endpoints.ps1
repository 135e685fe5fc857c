# Whether the names that Site Recovery needs can be reached from here, through the proxy if one is set. Which names,
# stands in data/azure-endpoints.yaml; fleetscan's own function tries them, all at once and for six seconds in all.
# Where no part of Site Recovery is installed, nothing is tried.
$agent = [bool](Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows Azure Backup\Setup')
$provider = [bool](Test-Path -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Services\dra')
$unread = $false
if ($agent) {
    try {
        $setting = Get-OBMachineSetting -ErrorAction Stop
    } catch {
        if ("$($_.CategoryInfo.Category)" -eq 'PermissionDenied') { throw }
        $unread = $true
    }
}
$found = @{ listed = @(); names = @() }
if ($agent -or $provider) { $found = Test-FleetscanEndpoint -Agent $setting }
$source = "$($found.source)"
# A provider alone may have a proxy of its own. The names of its values are not documented: that it has one is all.
if ($source -eq 'none' -and -not $agent -and (Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Azure Site Recovery\ProxySettings')) { $source = 'provider' }
@{
    agent = $agent
    provider = $provider
    proxy = @{ source = $source; address = $found.proxy; logon = [bool]$found.logon; unread = $unread }
    listed = @($found.listed)
    names = @($found.names)
}
