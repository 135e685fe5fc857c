# Whether the names of a playbook's list can be reached from this computer: resolve, connect, close. Behind a proxy:
# connect to the proxy, ask it with one line for the name, read the first line of its answer, close. Nothing else is
# sent: no byte to a name itself, no credential to a proxy. Tried are the names of the list and, below its wildcards,
# a few that this computer has looked up itself; all at once, and all end together after $FleetscanPatience.
$FleetscanPatience = 6000
$FleetscanName = '[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+'

# The proxy of Windows' services (netsh winhttp): a length and a text for the proxy, then the same for the names that
# need none, all in one registry value that is documented nowhere; bit 2 of byte 8 says that there is a proxy.
function Get-FleetscanMachineProxy {
    $key = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections'
    if (-not (Test-Path -LiteralPath $key)) { return }
    $bytes = [byte[]]@((Get-ItemProperty -LiteralPath $key -ErrorAction Stop).WinHttpSettings)
    if ($bytes.Length -lt 16 -or -not ($bytes[8] -band 2)) { return }
    $texts = @()
    $at = 12
    while ($texts.Count -lt 2 -and $at + 4 -le $bytes.Length) {
        $length = [BitConverter]::ToInt32($bytes, $at)
        if ($length -lt 0 -or $at + 4 + $length -gt $bytes.Length) { break }
        $texts += [Text.Encoding]::ASCII.GetString($bytes, $at + 4, $length)
        $at = $at + 4 + $length
    }
    # One proxy for all, or one a protocol: `http=a:80;https=b:8080`.
    $entries = @("$($texts[0])" -split '[;\s]+' -ne '')
    $chosen = @($entries -like 'https=*' -replace '^https=', '') + @($entries -notlike '*=*')
    if ($chosen.Count -gt 0) { @{ text = $chosen[0]; bypass = @("$($texts[1])" -split '[;\s]+' -ne '') } }
}

# Which way out: the agent's own proxy, or that of Windows' services, or none. `logon` says whether the agent has a user
# name for its proxy; the name and the password stay where they are.
function Get-FleetscanRoute($Agent) {
    $route = @{ source = 'none'; proxy = $null; logon = $false; bypass = @(); server = $null; port = 0 }
    $text = $null
    $own = $Agent.ProxySetting
    if ("$($own.Enabled)" -eq 'True' -and "$($own.ProxyServer)" -ne '') {
        $route.source = 'agent'
        $text = "$($own.ProxyServer)".TrimEnd('/')
        if ([int]$own.ProxyPort -gt 0 -and $text -notmatch ':\d+$') { $text = "${text}:$([int]$own.ProxyPort)" }
        $route.logon = "$($own.ProxyUserName)" -ne ''
    } else {
        $machine = Get-FleetscanMachineProxy
        if ($machine) { $route.source = 'machine'; $text = $machine.text; $route.bypass = $machine.bypass }
    }
    if ($null -eq $text) { return $route }
    $text = "$text" -replace '^[a-z]+://', '' -replace '^.*@', '' -replace '/.*$', ''
    if ($text -match '^\[?([A-Za-z0-9._-]+|[0-9A-Fa-f:.]+)\]?(?::(\d{1,5}))?$' -and [int]$Matches[2] -lt 65536) {
        $route.server = $Matches[1]
        $route.port = if ($Matches[2]) { [int]$Matches[2] } else { 80 }
        $route.proxy = "$($route.server):$($route.port)"
    } else {
        $route.proxy = 'unreadable'
    }
    $route
}

# The names that this computer has looked up lately, with success. The texts of the class are not translated.
function Get-FleetscanMetName {
    try {
        $records = @(Get-CimInstance -Namespace 'root/StandardCimv2' -ClassName 'MSFT_DNSClientCache' -OperationTimeoutSec 5 -ErrorAction Stop)
    } catch { return }
    $names = foreach ($record in $records) {
        if ([int]$record.Status -eq 0 -and @(1, 5, 28) -contains [int]$record.Type) { "$($record.Entry)".TrimEnd('.').ToLowerInvariant() }
    }
    @($names | Where-Object { $_ -match "^$FleetscanName$" } | Sort-Object -Unique)
}

# What to try: each name of the list, and for each wildcard at most three names below it. Others are not tried.
function Get-FleetscanTarget {
    $met = $null
    foreach ($entry in @($FleetscanProbe.Endpoints)) {
        if ("$entry" -notmatch "^(\*\.)?($FleetscanName)(?::(\d{1,5}))?$") { continue }
        $name = $Matches[2]
        $port = if ($Matches[3]) { [int]$Matches[3] } else { 443 }
        if (-not $Matches[1]) { @{ entry = $entry; name = $name; port = $port }; continue }
        if ($null -eq $met) { $met = @(Get-FleetscanMetName) }
        foreach ($below in @($met | Where-Object { $_.EndsWith(".$name") } | Select-Object -First 3)) { @{ entry = $entry; name = $below; port = $port } }
    }
}

# A name on its way: its step is `resolve`, `connect` or `ask`. It has an end when it was reached or has an error.
function New-FleetscanTry($Target, $Route, $Clock) {
    $direct = -not $Route.proxy
    foreach ($pattern in $Route.bypass) {
        $exact = '^' + ([regex]::Escape(("$pattern" -replace '^[a-z]+://', '')) -replace '\\\*', '.*') + '$'
        if ($Target.name -match $exact) { $direct = $true }
    }
    $try = @{
        entry = $Target.entry; name = $Target.name; port = $Target.port; proxy = -not $direct; step = 'resolve'; reached = $false
        error = $null; status = $null; address = $null; ms = 0; calls = @(); heard = ''
        server = $(if ($direct) { $Target.name } else { $Route.server }); door = $(if ($direct) { $Target.port } else { $Route.port })
    }
    if (-not $try.server) { $try.error = 'UnknownProxy'; return $try }
    try { $try.calls = @(@{ wait = [Net.Dns]::BeginGetHostAddresses($try.server, $null, $null); socket = $null }) } catch { Stop-FleetscanTry $try $Clock $_ }
    $try
}

# The end of a try: with the code of the network's error, which has a name in no language.
function Stop-FleetscanTry($Try, $Clock, $Problem) {
    if ($Problem -is [string]) { $Try.error = $Problem }
    elseif ($null -ne $Problem) {
        $inner = $Problem.Exception
        while ($inner.InnerException) { $inner = $inner.InnerException }
        $Try.error = if ($inner -is [Net.Sockets.SocketException]) { "$($inner.SocketErrorCode)" } else { $inner.GetType().Name }
    }
    $Try.reached = -not $Try.error
    $Try.ms = [int]$Clock.ElapsedMilliseconds
    foreach ($call in $Try.calls) { if ($call.socket) { $call.socket.Close() } }
    $Try.calls = @()
}

# To all addresses at once, five of them at most: the first that answers counts.
function Step-FleetscanResolved($Try, $Clock) {
    $found = @([Net.Dns]::EndGetHostAddresses($Try.calls[0].wait))
    $addresses = @($found | Where-Object { "$($_.AddressFamily)" -eq 'InterNetwork' } | Select-Object -First 3)
    $addresses += @($found | Where-Object { "$($_.AddressFamily)" -eq 'InterNetworkV6' } | Select-Object -First 2)
    $Try.step = 'connect'
    $Try.calls = @()
    $refusal = 'NoData'
    foreach ($address in $addresses) {
        if (-not $Try.address) { $Try.address = "$address" }
        try {
            $socket = New-Object Net.Sockets.Socket($address.AddressFamily, [Net.Sockets.SocketType]::Stream, [Net.Sockets.ProtocolType]::Tcp)
            $wait = $socket.BeginConnect((New-Object Net.IPEndPoint($address, $Try.door)), $null, $null)
            $Try.calls += @{ wait = $wait; socket = $socket; address = "$address" }
        } catch { $refusal = $_ }
    }
    if ($Try.calls.Count -eq 0) { Stop-FleetscanTry $Try $Clock $refusal }
}

function Step-FleetscanConnected($Try, $Clock) {
    foreach ($call in @($Try.calls | Where-Object { $_.wait.IsCompleted })) {
        try { $call.socket.EndConnect($call.wait) } catch {
            if ($Try.calls.Count -eq 1) { Stop-FleetscanTry $Try $Clock $_; return }
            $call.socket.Close()
            $Try.calls = @($Try.calls | Where-Object { $_.socket -ne $call.socket })
            continue
        }
        $Try.address = $call.address
        if (-not $Try.proxy) { Stop-FleetscanTry $Try $Clock $null; return }
        foreach ($other in $Try.calls) { if ($other.socket -ne $call.socket) { $other.socket.Close() } }
        $Try.step = 'ask'
        $Try.calls = @($call)
        $place = "$($Try.name):$($Try.port)"
        $null = $call.socket.Send([Text.Encoding]::ASCII.GetBytes("CONNECT $place HTTP/1.1`r`nHost: $place`r`n`r`n"))
        Step-FleetscanListen $call
        return
    }
}

function Step-FleetscanListen($Call) {
    $Call.buffer = New-Object byte[] 512
    $Call.wait = $Call.socket.BeginReceive($Call.buffer, 0, 512, [Net.Sockets.SocketFlags]::None, $null, $null)
}

# The first line of a proxy's answer: 200 opens the way to the name, which is closed at once.
function Step-FleetscanHeard($Try, $Clock) {
    $call = $Try.calls[0]
    $count = $call.socket.EndReceive($call.wait)
    if ($count -eq 0) { Stop-FleetscanTry $Try $Clock 'Closed'; return }
    $Try.heard += [Text.Encoding]::ASCII.GetString($call.buffer, 0, $count)
    if ($Try.heard -match '^HTTP/\d\.\d (\d{3})\b') {
        $Try.status = [int]$Matches[1]
        Stop-FleetscanTry $Try $Clock $(if ($Try.status -lt 200 -or $Try.status -gt 299) { 'Status' })
    } elseif ($Try.heard.Length -ge 16) { Stop-FleetscanTry $Try $Clock 'NoHttp' } else { Step-FleetscanListen $call }
}

# Called once by a probe: it finds out what its playbook's list asks, and nothing else.
function Test-FleetscanEndpoint($Agent) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    if ($FleetscanProbe.Tried) { throw 'a probe may try the names of its list once' }
    $FleetscanProbe.Tried = $true
    # Looking names up takes a thread each; two would be there on a small machine.
    $workers = 0
    $ports = 0
    [Threading.ThreadPool]::GetMinThreads([ref]$workers, [ref]$ports)
    $null = [Threading.ThreadPool]::SetMinThreads([Math]::Max($workers, 32), $ports)
    $route = Get-FleetscanRoute $Agent
    $targets = @(Get-FleetscanTarget | Select-Object -First 30)
    $clock.Restart()
    $tries = @(foreach ($target in $targets) { New-FleetscanTry $target $route $clock })
    while ($clock.ElapsedMilliseconds -lt $FleetscanPatience) {
        $open = @($tries | Where-Object { $_.calls.Count -gt 0 })
        if ($open.Count -eq 0) { break }
        foreach ($try in $open) {
            if (@($try.calls | Where-Object { $_.wait.IsCompleted }).Count -eq 0) { continue }
            try {
                switch ($try.step) {
                    'resolve' { Step-FleetscanResolved $try $clock }
                    'connect' { Step-FleetscanConnected $try $clock }
                    'ask' { Step-FleetscanHeard $try $clock }
                }
            } catch { Stop-FleetscanTry $try $clock $_ }
        }
        Start-Sleep -Milliseconds 20
    }
    foreach ($try in $tries) { if ($try.calls.Count -gt 0) { Stop-FleetscanTry $try $clock 'TimedOut' } }
    @{
        source = $route.source
        proxy = $route.proxy
        logon = $route.logon
        listed = @($FleetscanProbe.Endpoints)
        names = @(foreach ($try in $tries) {
            @{
                entry = $try.entry; name = $try.name; by_proxy = $try.proxy; reached = $try.reached; step = $try.step
                error = $try.error; status = $try.status; address = $try.address; ms = $try.ms
            }
        })
    }
}
