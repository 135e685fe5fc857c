# Critical events (1), errors (2) and warnings (3) that VSS wrote to the Application log in the last 24 hours, newest
# first, equal ones counted together. Only the id, the error code and the device count: the text is in the language of the host.
$hours = 24
$limit = 1000
# An error code has its highest bit set; numbers without it are of other kinds.
$hresult = '0x[89A-Fa-f][0-9A-Fa-f]{7}'
$records = @()
try {
    $records = @(Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = 'VSS'; Level = @(1, 2, 3); StartTime = (Get-Date).AddHours(-$hours) } -MaxEvents $limit -ErrorAction Stop)
} catch {
    if ("$($_.FullyQualifiedErrorId)" -notlike 'NoMatchingEventsFound*') { throw }
}

# Of a log with more than that, what is older than this was not read.
$since = $null
if ($records.Count -ge $limit) { $since = $records[-1].TimeCreated.ToUniversalTime().ToString('s') + 'Z' }

$rows = @{}
$order = @()
foreach ($record in $records) {
    $parameters = @(foreach ($property in $record.Properties) { "$($property.Value)" }) -join ' '
    $message = "$($record.Message)"
    $code = $null
    if ($parameters -match $hresult -or $message -match $hresult) { $code = $Matches[0].ToLowerInvariant() }
    $device = $null
    if ($parameters -match '\\\\\?\\[^\s,)]+') { $device = $Matches[0] }
    $key = "$($record.Id)/$($record.Level)/$code/$device"
    if ($rows.ContainsKey($key)) {
        $rows[$key].count += 1
        continue
    }
    if ($message.Length -gt 400) { $message = $message.Substring(0, 400) }
    if ($message -eq '') { $message = $parameters }
    $order += $key
    $rows[$key] = @{
        event = [int]$record.Id
        level = [int]$record.Level
        code = $code
        device = $device
        count = 1
        last = $record.TimeCreated.ToUniversalTime().ToString('s') + 'Z'
        text = $message
    }
}
@{
    hours = $hours
    since = $since
    complete = $records.Count -lt $limit
    events = @(foreach ($key in $order) { $rows[$key] })
}
