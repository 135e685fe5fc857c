# Windows version, .NET version, the day of the newest cumulative update and whether an update waits for a restart, from the
# registry: no text of it is translated.
$version = Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' -ErrorAction Stop
$revision = $null
if ($null -ne $version.UBR) { $revision = [int]$version.UBR }

$dotnet = $null
$dotnetKey = 'HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full'
if (Test-Path -LiteralPath $dotnetKey) {
    $release = (Get-ItemProperty -LiteralPath $dotnetKey -ErrorAction Stop).Release
    if ($null -ne $release) { $dotnet = [int]$release }
}

# The servicing stack notes when it installed a package in 100 ns since 1601, in two halves. The registry's numbers have
# a sign there that the halves do not have.
$newest = $null
$problems = @()
$packages = @(Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages\Package_for_RollupFix*' -ErrorAction SilentlyContinue -ErrorVariable 'problems')
$rollups = $packages.Count
foreach ($problem in $problems) { if ("$($problem.CategoryInfo.Category)" -eq 'PermissionDenied') { $rollups = $null } }
foreach ($package in $packages) {
    if ($null -eq $package.InstallTimeHigh -or $null -eq $package.InstallTimeLow) { continue }
    $low = [long]$package.InstallTimeLow
    if ($low -lt 0) { $low += 4294967296 }
    $ticks = [long]$package.InstallTimeHigh * 4294967296 + $low
    if ($null -eq $newest -or $ticks -gt $newest) { $newest = $ticks }
}
$installed = $null
if ($null -ne $newest) { $installed = ([datetime]'1601-01-01').AddSeconds(($newest - $newest % 10000000) / 10000000).ToString('s') + 'Z' }
@{
    build = [int]"$($version.CurrentBuildNumber)"
    revision = $revision
    product = "$($version.ProductName)"
    installation = "$($version.InstallationType)"
    dotnet_release = $dotnet
    rollup_installed = $installed
    rollups = $rollups
    restart_pending = [bool]((Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending') -or (Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired'))
}
