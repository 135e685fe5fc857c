# Critical events (1), errors (2) and warnings (3) of the last 24 hours in Hyper-V-VMMS/Admin, newest first, those that say
# the same of the same virtual machine counted together. The machine's id and the error code stand in the event's
# parameters or in its text; nothing else of the text is read, because it is in the language of the host.
$log = 'Microsoft-Windows-Hyper-V-VMMS-Admin'
$hours = 24
$limit = 2000
$guid = '[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}'
# An error code has its highest bit set, but for those of WinINet; without one, any number of that form is taken.
$hresult = '0x[89A-Fa-f][0-9A-Fa-f]{7}'
$number = '0x[0-9A-Fa-f]{8}'

# A missing log is an error here; a log without such events is not.
Get-WinEvent -ListLog $log -ErrorAction Stop | Out-Null
$records = @()
try {
    $records = @(Get-WinEvent -FilterHashtable @{ LogName = $log; Level = @(1, 2, 3); StartTime = (Get-Date).AddHours(-$hours) } -MaxEvents $limit -ErrorAction Stop)
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
    $machine = $null
    $code = $null
    # Hyper-V gives the id of the machine as a parameter of its own; ids may also stand in names of machines and disks.
    foreach ($property in $record.Properties) {
        if ($null -eq $machine -and "$($property.Value)" -match "^\{?($guid)\}?`$") { $machine = $Matches[1].ToLowerInvariant() }
    }
    if ($null -eq $machine -and $parameters -match $guid) { $machine = $Matches[0].ToLowerInvariant() }
    if ($parameters -match $hresult) { $code = $Matches[0].ToLowerInvariant() }
    # The text is put together for each event, which takes long: only where the parameters do not say it all.
    $message = ''
    if ($null -eq $machine -or $null -eq $code) {
        $message = "$($record.Message)"
        if ($null -eq $machine -and $message -match $guid) { $machine = $Matches[0].ToLowerInvariant() }
        if ($null -eq $code -and $message -match $hresult) { $code = $Matches[0].ToLowerInvariant() }
    }
    # Without a text the code may still stand there as a decimal number: %%2147942634 is 0x800700ea.
    if ($null -eq $code -and $parameters -match '%%(\d{10})(?!\d)') { $code = '0x{0:x8}' -f [long]$Matches[1] }
    if ($null -eq $code -and ($parameters -match $number -or $message -match $number)) { $code = $Matches[0].ToLowerInvariant() }
    $key = "$machine/$($record.Id)/$($record.Level)/$code"
    if ($rows.ContainsKey($key)) {
        $rows[$key].count += 1
        continue
    }
    if ($message -eq '') { $message = "$($record.Message)" }
    if ($message.Length -gt 400) { $message = $message.Substring(0, 400) }
    if ($message -eq '') { $message = $parameters }
    $order += $key
    $rows[$key] = @{
        vm = $machine
        event = [int]$record.Id
        level = [int]$record.Level
        code = $code
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
