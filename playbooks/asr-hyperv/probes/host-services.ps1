# State and start type of the services that replication needs. What is not installed is left out of the answer.
# Get-Service is asked, not WMI: WMI is one of the suspects.
$wanted = @('vmms', 'Winmgmt', 'obengine', 'dra', 'SCVMMService', 'SCVMMAgent', 'ClusSvc', 'VSS', 'swprv')
$problems = @()
try {
    $found = @(Get-Service -Name $wanted -ErrorAction SilentlyContinue -ErrorVariable 'problems')
} catch {
    # 5 is Windows' number for "access denied"; the error around it has no category.
    if ("$($_.Exception.InnerException.NativeErrorCode)" -eq '5') { throw 'the service manager refuses this account (0x80070005)' }
    throw
}
foreach ($problem in $problems) {
    if ("$($problem.CategoryInfo.Category)" -ne 'ObjectNotFound') { throw $problem }
}
if ($found.Count -eq 0) { throw 'no service is visible to this account, not even Winmgmt (0x80070005)' }

$start = @{ '0' = 'Boot'; '1' = 'System'; '2' = 'Automatic'; '3' = 'Manual'; '4' = 'Disabled' }
$services = @{}
foreach ($service in $found) {
    # Windows PowerShell 5.1 tells the start type with the service; otherwise it stands in the registry.
    try { $type = "$($service.StartType)" } catch { $type = '' }
    if ($type -eq '') {
        $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$($service.Name)"
        $number = "$((Get-ItemProperty -LiteralPath $key -ErrorAction Stop).Start)"
        $type = "$($start[$number])"
    }
    $services["$($service.Name)".ToLowerInvariant()] = @{ state = "$($service.Status)"; start = $type }
}

# A service that this account may not see looks like one that is not installed. The registry tells them apart: what is
# installed has a program there.
foreach ($name in $wanted) {
    if ($services.ContainsKey($name.ToLowerInvariant())) { continue }
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$name"
    if (-not (Test-Path -LiteralPath $key)) { continue }
    if ("$((Get-ItemProperty -LiteralPath $key -ErrorAction Stop).ImagePath)" -ne '') {
        throw "the service $name is installed, but hidden from this account (0x80070005)"
    }
}
@{ services = $services }
