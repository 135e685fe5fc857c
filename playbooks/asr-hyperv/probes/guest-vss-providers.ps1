# The registered shadow copy providers and the shadow copies that exist. WMI gives ids, numbers and real dates where
# vssadmin gives text in the language of the host.
$providers = @()
try {
    $providers = @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_ShadowProvider' -OperationTimeoutSec 60 -ErrorAction Stop)
} catch {
    # To a token that is not elevated this class fails to initialize (0x80041014), and says no more. S-1-16-12288 is high
    # integrity, S-1-16-16384 is the system.
    if ("$($_.FullyQualifiedErrorId)" -like '*0x80041014*') {
        $groups = @(whoami.exe /groups /fo csv /nh)
        if (-not ($groups -match 'S-1-16-(12288|16384)')) { throw 'shadow copies are shown to an elevated token only (0x80070005)' }
    }
    throw
}
$shadows = @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_ShadowCopy' -Property @('ID', 'ProviderID', 'VolumeName', 'InstallDate', 'Persistent', 'State') -OperationTimeoutSec 60 -ErrorAction Stop)

$oldest = $null
$newest = $null
$users = @()
$volumes = @{}
$temporary = 0
$oldestTemporary = $null
$broken = 0
foreach ($shadow in $shadows) {
    $volumes["$($shadow.VolumeName)"] = 1 + $volumes["$($shadow.VolumeName)"]
    # 1 to 11 are the stages of a shadow copy that is being made, 12 is one that exists.
    if ($null -ne $shadow.State -and ([int]$shadow.State -lt 1 -or [int]$shadow.State -gt 12)) { $broken += 1 }
    $user = "$($shadow.ProviderID)".ToLowerInvariant() -replace '[{}]', ''
    if ($users -notcontains $user) { $users += $user }
    if ($null -eq $shadow.InstallDate) { continue }
    $moment = $shadow.InstallDate.ToUniversalTime().ToString('s') + 'Z'
    if ($null -eq $oldest -or $moment -lt $oldest) { $oldest = $moment }
    if ($null -eq $newest -or $moment -gt $newest) { $newest = $moment }
    # Such a one goes when the program that asked for it ends.
    if ("$($shadow.Persistent)" -eq 'False') {
        $temporary += 1
        if ($null -eq $oldestTemporary -or $moment -lt $oldestTemporary) { $oldestTemporary = $moment }
    }
}
$rows = @(foreach ($provider in $providers) {
    $type = $null
    if ($null -ne $provider.Type) { $type = [int]$provider.Type }
    @{
        id = "$($provider.ID)".ToLowerInvariant() -replace '[{}]', ''
        name = "$($provider.Name)"
        version = "$($provider.Version)"
        type = $type
    }
})
@{
    providers = @($rows)
    shadows = @{
        count = $shadows.Count
        oldest = $oldest
        newest = $newest
        providers = @($users)
        volumes = @(foreach ($volume in ($volumes.Keys | Sort-Object)) { @{ name = $volume; count = $volumes[$volume] } })
        temporary = $temporary
        oldest_temporary = $oldestTemporary
        broken = $broken
    }
}
