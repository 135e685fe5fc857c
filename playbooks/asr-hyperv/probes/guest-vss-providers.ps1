# The registered shadow copy providers and the shadow copies that exist. WMI gives ids, numbers and real dates where
# vssadmin gives text in the language of the host.
$providers = @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_ShadowProvider' -OperationTimeoutSec 60 -ErrorAction Stop)
$shadows = @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_ShadowCopy' -Property @('ID', 'ProviderID', 'InstallDate') -OperationTimeoutSec 60 -ErrorAction Stop)

$oldest = $null
$newest = $null
$users = @()
foreach ($shadow in $shadows) {
    $user = "$($shadow.ProviderID)".ToLower() -replace '[{}]', ''
    if ($users -notcontains $user) { $users += $user }
    if ($null -eq $shadow.InstallDate) { continue }
    $moment = $shadow.InstallDate.ToUniversalTime().ToString('s') + 'Z'
    if ($null -eq $oldest -or $moment -lt $oldest) { $oldest = $moment }
    if ($null -eq $newest -or $moment -gt $newest) { $newest = $moment }
}
$rows = @(foreach ($provider in $providers) {
    $type = $null
    if ($null -ne $provider.Type) { $type = [int]$provider.Type }
    @{
        id = "$($provider.ID)".ToLower() -replace '[{}]', ''
        name = "$($provider.Name)"
        version = "$($provider.Version)"
        type = $type
    }
})
@{
    providers = @($rows)
    shadows = @{ count = $shadows.Count; oldest = $oldest; newest = $newest; providers = @($users) }
}
