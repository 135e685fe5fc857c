# The cluster shared volumes, and how this node reaches them. A host without a running cluster service is no member.
# Access: 0 unavailable, 1 paused, 2 direct, 3 redirected by the file system, 4 redirected by blocks; the reasons of either are
# sums of flags: 32 means ReFS for the former, 2 a storage space that another node has attached for the latter.
$service = @(Get-Service -Name 'ClusSvc' -ErrorAction SilentlyContinue)
$told = $null
if ($service.Count -gt 0) {
    $start = @{ '2' = 'Automatic'; '3' = 'Manual'; '4' = 'Disabled' }
    $number = "$((Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Services\ClusSvc' -ErrorAction Stop).Start)"
    $told = @{ state = "$($service[0].Status)"; start = "$($start[$number])" }
}
if ($service.Count -eq 0 -or "$($service[0].Status)" -ne 'Running') {
    @{ member = $false; service = $told; disks = @() }
} else {
    $volumes = @(Get-ClusterSharedVolume -ErrorAction Stop)
    $ways = @{}
    if ($volumes.Count -gt 0) {
        foreach ($way in @(Get-ClusterSharedVolumeState -ErrorAction Stop)) {
            if ("$($way.Node)" -eq "$env:COMPUTERNAME") { $ways["$($way.Name)"] = $way }
        }
    }
    $rows = @(foreach ($volume in $volumes) {
        $access = $null
        $accessCode = $null
        $reason = $null
        $blockReason = $null
        $way = $ways["$($volume.Name)"]
        if ($null -ne $way) {
            $access = "$($way.StateInfo)"
            $accessCode = [int]$way.StateInfo
            if ($null -ne $way.FileSystemRedirectedIOReason) { $reason = [int]$way.FileSystemRedirectedIOReason }
            if ($null -ne $way.BlockRedirectedIOReason) { $blockReason = [int]$way.BlockRedirectedIOReason }
        }
        foreach ($place in @($volume.SharedVolumeInfo)) {
            $bytes = $null
            $free = $null
            if ($null -ne $place.Partition.Size) { $bytes = [long]$place.Partition.Size }
            if ($null -ne $place.Partition.FreeSpace) { $free = [long]$place.Partition.FreeSpace }
            @{
                id = "$($place.FriendlyVolumeName)"
                name = "$($place.FriendlyVolumeName)"
                resource = "$($volume.Name)"
                owner = "$($volume.OwnerNode)"
                state = "$($volume.State)"
                state_code = [int]$volume.State
                access = $access
                access_code = $accessCode
                redirect_reason = $reason
                block_reason = $blockReason
                bytes = $bytes
                free_bytes = $free
            }
        }
    })
    @{ member = $true; service = $told; disks = @($rows) }
}
