# How the host keeps its clock: the service, what it follows, and the newest events that say whether it does.
# Events of the time service in the log System: 36 no source has answered for a day, 35 and 37 a source is followed.
try {
    $found = @(Get-Service -Name 'W32Time' -ErrorAction SilentlyContinue)
} catch {
    # 5 is Windows' number for "access denied"; the error around it has no category.
    if ("$($_.Exception.InnerException.NativeErrorCode)" -eq '5') { throw 'the service manager refuses this account (0x80070005)' }
    throw
}
$key = 'HKLM:\SYSTEM\CurrentControlSet\Services\W32Time'
$service = $null
$follows = $null
$servers = $null
if ($found.Count -gt 0) {
    $start = @{ '2' = 'Automatic'; '3' = 'Manual'; '4' = 'Disabled' }
    $number = "$((Get-ItemProperty -LiteralPath $key -ErrorAction Stop).Start)"
    $service = @{ state = "$($found[0].Status)"; start = "$($start[$number])" }
    $settings = Get-ItemProperty -LiteralPath "$key\Parameters" -ErrorAction Stop
    if ($settings.Type) { $follows = "$($settings.Type)" }
    if ($settings.NtpServer) { $servers = "$($settings.NtpServer)" }
}
$member = $false
foreach ($system in @(Get-CimInstance -Namespace 'root/cimv2' -ClassName 'Win32_ComputerSystem' -Property 'PartOfDomain' -OperationTimeoutSec 20 -ErrorAction Stop)) { $member = [bool]$system.PartOfDomain }

$events = @()
$filter = @{ LogName = 'System'; ProviderName = 'Microsoft-Windows-Time-Service'; Id = @(35, 36, 37); StartTime = (Get-Date).AddHours(-48) }
try {
    $events = @(Get-WinEvent -FilterHashtable $filter -MaxEvents 100 -ErrorAction Stop)
} catch {
    # Nothing to tell is an error with this id, and an answer like any other.
    if ("$($_.FullyQualifiedErrorId)" -notlike 'NoMatchingEventsFound*') { throw }
}
$lost = $null
$synchronized = $null
foreach ($entry in $events) {
    $moment = $entry.TimeCreated.ToUniversalTime().ToString('s') + 'Z'
    if ([int]$entry.Id -eq 36) {
        if ($null -eq $lost -or $moment -gt $lost) { $lost = $moment }
    } elseif ($null -eq $synchronized -or $moment -gt $synchronized) { $synchronized = $moment }
}
@{ service = $service; follows = $follows; servers = $servers; in_domain = $member; lost = $lost; synchronized = $synchronized }
