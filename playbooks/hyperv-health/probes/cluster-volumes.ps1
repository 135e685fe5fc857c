# The cluster shared volumes, and how this node reaches them. A host without a running cluster service is no member.
# Access: 0 unavailable, 1 paused, 2 direct, 3 redirected by the file system, 4 redirected by blocks; the reasons are sums of
# flags, of which 32 means ReFS.
$service = @(Get-Service -Name 'ClusSvc' -ErrorAction SilentlyContinue)
if ($service.Count -eq 0 -or "$($service[0].Status)" -ne 'Running') {
    @{ member = $false; disks = @() }
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
        $way = $ways["$($volume.Name)"]
        if ($null -ne $way) {
            $access = "$($way.StateInfo)"
            $accessCode = [int]$way.StateInfo
            $reason = [int]$way.FileSystemRedirectedIOReason
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
                bytes = $bytes
                free_bytes = $free
            }
        }
    })
    @{ member = $true; disks = @($rows) }
}
