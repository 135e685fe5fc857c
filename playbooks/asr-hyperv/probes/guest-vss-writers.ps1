# The VSS writers, from "vssadmin list writers": there is no class for them. Its text is in the language of the host,
# so only what no language changes is read: two GUIDs, a number in brackets, the name in quotes, the order of the lines.
# vssadmin refuses an account without an elevated token in words only, so the token is asked first: S-1-16-12288 is
# high integrity, S-1-16-16384 is the system.
$groups = @(whoami.exe /groups /fo csv /nh)
if (-not ($groups -match 'S-1-16-(12288|16384)')) { throw 'vssadmin needs an elevated token (0x80070005)' }

$lines = @(vssadmin.exe list writers)
$exitCode = $LASTEXITCODE

# A block starts at a line that is not indented; the lines below it belong to it.
$blocks = @()
foreach ($line in $lines) {
    $text = "$line".TrimEnd()
    if ($text -eq '') { continue }
    if ($text -match '^\S') { $blocks += , @($text) } elseif ($blocks.Count -gt 0) { $blocks[-1] += $text }
}

$guid = '\{([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}'
$rows = @()
foreach ($block in $blocks) {
    if ($block.Count -lt 4) { continue }
    $ids = @()
    $state = $null
    foreach ($line in $block[1..($block.Count - 1)]) {
        if ($line -match $guid) { $ids += "$($Matches[1])".ToLowerInvariant() }
        elseif ($null -eq $state -and $line -match '\[(\d{1,2})\]') { $state = [int]$Matches[1] }
    }
    if ($ids.Count -lt 2 -or $null -eq $state) { continue }

    # The name is what stands in quotes after the colon; it may hold quotes, and the label before the colon too.
    $name = ''
    if ($block[0] -match '^[^:\uFF1A]*[:\uFF1A]\s*([''"])(.*)\1$') { $name = $Matches[2] }
    elseif ($block[0] -match '[''"](.*)[''"]') { $name = $Matches[1] }
    $lastError = ''
    if ($block[-1] -match '[:\uFF1A]\s*(.*)$') { $lastError = $Matches[1] }
    $rows += @{ id = $ids[0]; instance = $ids[1]; name = $name; state = $state; error = $lastError }
}

# "No error" in an unknown language is what the express writers say (task scheduler, metadata store, performance counters):
# they take no part in a snapshot, so that none can spoil them. Where they say nothing or differ, it is what most stable writers
# say, if at least two agree and are the majority.
$english = "$lines" -match 'Writer name:'
$express = @('d61d61c8-d73a-4eee-8cdd-f6f9786b7124', '75dfb225-e2e4-4d39-9ac9-ffaff65ddf06', '0bada1de-01a9-4625-8278-69e735f39dd2')
$votes = @{}
$calm = @{}
$stable = 0
foreach ($row in $rows) {
    if ($row.state -eq 1) {
        $stable += 1
        $votes[$row.error] = 1 + $votes[$row.error]
        if ($express -contains $row.id) { $calm[$row.error] = $true }
    }
}
$common = $null
foreach ($text in $votes.Keys) {
    if ($votes[$text] -ge 2 -and 2 * $votes[$text] -gt $stable) { $common = $text }
}
if ($calm.Count -eq 1) { foreach ($text in $calm.Keys) { $common = $text } }
if ($english) { $common = 'No error' }
foreach ($row in $rows) {
    $row.no_error = $null
    if ($null -ne $common) { $row.no_error = $row.error -ceq $common }
    if ($row.no_error) { $row.error = $null }
}
$shown = $null
if ($rows.Count -eq 0) { $shown = (@($lines | Select-Object -First 10) -join "`n").Trim() }
@{ writers = @($rows); exit_code = [int]$exitCode; text = $shown }
