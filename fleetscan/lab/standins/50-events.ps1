# Stand-in for Get-WinEvent: the events that the facts count, newest first, with the errors of a log that has none.

$global:SimLogs = @{ 'Microsoft-Windows-Hyper-V-VMMS-Admin' = 'host-events'; 'Application' = 'guest-events'; 'System' = 'time-service' }

function global:New-SimEvent($Row, [datetime]$Moment, [string]$Provider) {
    $values = @()
    # The name of the machine comes first, and may hold an id of something else.
    if ($null -ne $Row.vm) { $values += 'desktop-0d0d0d0d-0000-4000-8000-00000c0ffee2', "$($Row.vm)".ToUpper() }
    if ($null -ne $Row.device) { $values += "DeviceIoControl($($Row.device) - 0000000000000318,0x00560000,0000000000000000,0,[0])" }
    # Hyper-V's own events hold an error code as a decimal number, and some of them also as people write it.
    if ($null -ne $Row.code) {
        $values += "%%$([uint32]"$($Row.code)")"
        if ($Row.level -lt 3 -or $Provider -eq 'VSS') { $values += "$($Row.code)".ToUpper() -replace '^0X', '0x' }
    }
    [pscustomobject]@{
        Id = [int]$Row.event
        Level = [byte]$Row.level
        TimeCreated = $Moment
        ProviderName = $Provider
        Message = "$($Row.text)"
        Properties = @(foreach ($value in $values) { [pscustomobject]@{ Value = $value } })
    }
}

function global:Get-WinEvent {
    [CmdletBinding()]
    param([hashtable]$FilterHashtable, [string[]]$ListLog, [long]$MaxEvents)
    $log = if ($ListLog) { $ListLog[0] } else { "$($FilterHashtable.LogName)" }
    $probe = $SimLogs[$log]
    if (-not $probe -or $null -eq $SimHost.probes.$probe) {
        $PSCmdlet.ThrowTerminatingError((New-SimError ([Exception]::new((Get-SimText 'nolog' $log))) 'NoMatchingLogsFound' 'ObjectNotFound' $log))
    }
    if ((Get-SimStatus $probe) -eq 'denied') {
        $PSCmdlet.ThrowTerminatingError((New-SimError ([UnauthorizedAccessException]::new((Get-SimText 'denied'))) 'System.UnauthorizedAccessException' 'NotSpecified' $null))
    }
    $failure = Get-SimFailure $probe 'Get-WinEvent'
    if ($failure) { $PSCmdlet.ThrowTerminatingError($failure) }
    if ($ListLog) { return [pscustomobject]@{ LogName = $log; IsEnabled = $true; RecordCount = 1000 } }

    if ($probe -eq 'time-service') {
        $time = Get-SimAnswer $probe
        $events = @(
            foreach ($pair in @(@(36, $time.lost), @(35, $time.synchronized))) {
                if ($null -eq $pair[1] -or $FilterHashtable.Id -notcontains $pair[0]) { continue }
                # An older one of the same kind: only the newest counts.
                foreach ($hours in @(0, 3)) { [pscustomobject]@{ Id = $pair[0]; Level = [byte]4; TimeCreated = (ConvertTo-SimTime $pair[1]).AddHours(-$hours); Message = '' } }
            }
        )
        if ($events.Count -gt 0) { return $events }
        $PSCmdlet.ThrowTerminatingError((New-SimError ([Exception]::new((Get-SimText 'noevents'))) 'NoMatchingEventsFound' 'ObjectNotFound' $null))
    }
    $answer = Get-SimAnswer $probe
    $provider = if ($probe -eq 'host-events') { 'Microsoft-Windows-Hyper-V-VMMS' } else { 'VSS' }
    $events = @(
        foreach ($row in $answer.events) { New-SimEvent $row (ConvertTo-SimTime $row.last) $provider }
        foreach ($row in $answer.events) {
            for ($number = 1; $number -lt $row.count; $number++) { New-SimEvent $row ((ConvertTo-SimTime $row.last).AddSeconds(-$number)) $provider }
        }
    )
    $events = @($events | Where-Object { $FilterHashtable.Level -contains $_.Level })
    if ($events.Count -eq 0) {
        $PSCmdlet.ThrowTerminatingError((New-SimError ([Exception]::new((Get-SimText 'noevents'))) 'NoMatchingEventsFound' 'ObjectNotFound' $null))
    }
    if ($MaxEvents) { $events | Select-Object -First $MaxEvents } else { $events }
}
