# Stand-ins for files and processes of a Hyper-V host: replication logs, the programs of the Azure agents.

# Four numbers of a program's version; null where the program is not on this machine.
function global:Get-SimFileVersion([string]$Path) {
    $agents = Get-SimAnswer 'azure-agents'
    $text = switch ($Path) {
        "$SimAgentFolder\bin\cbengine.exe" { $agents.recovery_services.version }
        # The provider's program has a number of its own, but for old ones.
        $SimProviderProgram { if (-not $agents.site_recovery.version -or [int]$SimHost.os.build -le 9600) { $agents.site_recovery.version } else { '1.0.0.0' } }
    }
    if (-not $text) { return }
    $parts = [int[]]("$text" -split '\.')
    [pscustomobject]@{
        FileMajorPart = $parts[0]; FileMinorPart = $parts[1]; FileBuildPart = $parts[2]; FilePrivatePart = $parts[3]
        # What people see has leading zeros, as the published numbers have.
        FileVersion = '{0}.{1}.{2:0000}.{3}' -f $parts[0], $parts[1], $parts[2], $parts[3]
    }
}

function global:Get-Item {
    [CmdletBinding()]
    param([string[]]$LiteralPath)
    foreach ($path in $LiteralPath) {
        $version = Get-SimFileVersion $path
        if ($null -eq $version) {
            $PSCmdlet.WriteError((New-SimError ([Management.Automation.ItemNotFoundException]::new((Get-SimText 'nopath' $path))) 'PathNotFound' 'ObjectNotFound' $path))
            continue
        }
        [pscustomobject]@{ FullName = $path; VersionInfo = $version }
    }
}

# Two logs a disk, as while one of them is being sent.
function global:Get-ChildItem {
    [CmdletBinding()]
    param([string]$LiteralPath, [string]$Filter, [switch]$File)
    if ($LiteralPath -match '^(Cert|HKLM):') {
        if ((Get-SimStatus 'winrm-listeners') -eq 'denied') {
            $PSCmdlet.ThrowTerminatingError((New-SimError ([Security.SecurityException]::new((Get-SimText 'denied'))) 'System.Security.SecurityException' 'PermissionDenied' $LiteralPath))
        }
        return Get-SimKeys $LiteralPath
    }
    $folder = $LiteralPath.TrimEnd('\')
    foreach ($drive in @(Get-SimDrives)) {
        $path = "$($drive.path)"
        if ($path.Substring(0, $path.LastIndexOf('\')) -ne $folder) { continue }
        if ($null -eq $drive.log_bytes) {
            $PSCmdlet.WriteError((New-SimError ([UnauthorizedAccessException]::new((Get-SimText 'denied'))) 'DirUnauthorizedAccessError' 'PermissionDenied' $folder))
            return
        }
        if ($drive.log_bytes -eq 0) { continue }
        # A checkpoint has a file of its own, the log keeps the name of the disk.
        $name = $path.Substring($path.LastIndexOf('\') + 1) -replace '_[0-9A-Fa-f-]{36}\.avhdx?$', '' -replace '\.[^.]*$', ''
        $half = ($drive.log_bytes - $drive.log_bytes % 2) / 2
        [pscustomobject]@{ Name = "$name.hrl"; Length = [long]$half }
        [pscustomobject]@{ Name = "${name}_1.hrl"; Length = [long]$drive.log_bytes - [long]$half }
    }
}

function global:Get-Process {
    [CmdletBinding()]
    param([string[]]$Name)
    $agents = Get-SimAnswer 'azure-agents'
    if ("$Name" -eq 'cbengine' -and $agents.connections.process) { return [pscustomobject]@{ Name = 'cbengine'; Id = 4711 } }
    $PSCmdlet.WriteError((New-SimError ([InvalidOperationException]::new("$Name")) 'NoProcessFoundForGivenName' 'ObjectNotFound' "$Name"))
}

function global:Get-OBPolicy {
    [CmdletBinding()]
    param()
    $policies = (Get-SimAnswer 'other-snapshots').azure_backup_policies
    if ($null -eq $policies) {
        $PSCmdlet.ThrowTerminatingError((New-SimError ([Management.Automation.CommandNotFoundException]::new((Get-SimText 'missing' 'Get-OBPolicy'))) 'CommandNotFoundException' 'ObjectNotFound' 'Get-OBPolicy'))
    }
    for ($number = 0; $number -lt $policies; $number++) { [pscustomobject]@{ PolicyName = "policy $number" } }
}

function global:Get-OBMachineSetting {
    [CmdletBinding()]
    param()
    if ((Get-SimStatus 'azure-endpoints') -eq 'denied') {
        $PSCmdlet.ThrowTerminatingError((New-SimError ([UnauthorizedAccessException]::new((Get-SimText 'denied'))) 'UnauthorizedAccess' 'PermissionDenied' $null))
    }
    if ((Get-SimAnswer 'azure-endpoints').proxy.unread) {
        $PSCmdlet.ThrowTerminatingError((New-SimError ([InvalidOperationException]::new('not registered')) 'InvalidOperation' 'InvalidOperation' $null))
    }
    $agents = Get-SimAnswer 'azure-agents'
    $settings = @{ EncryptionSetting = [pscustomobject]@{ EncryptionKeyStatus = 'Set' } }
    $settings.ProxySetting = [pscustomobject]@{ Enabled = $null -ne $agents.proxy; ProxyServer = "$($agents.proxy)" }
    if ($SimHost.agent_proxy) { $settings.ProxySetting = [pscustomobject]@{ Enabled = $true; ProxyServer = "$($SimHost.agent_proxy.server)"; ProxyPort = [int]$SimHost.agent_proxy.port; ProxyUserName = "$($SimHost.agent_proxy.user)" } }
    if ($null -ne $agents.throttle) {
        $settings.ThrottlingSetting = [pscustomobject]@{
            Enabled = $null -ne $agents.throttle.work_hours_bits -or $null -ne $agents.throttle.other_hours_bits
            WorkHourBandwidth = $agents.throttle.work_hours_bits
            NonWorkHourBandwidth = $agents.throttle.other_hours_bits
        }
    }
    [pscustomobject]$settings
}

# Without the store of what is in force it shows the policies of this computer only, as the real one does.
function global:Get-NetQosPolicy {
    [CmdletBinding()]
    param([string]$PolicyStore)
    if ((Get-SimStatus 'azure-agents') -eq 'denied') {
        $PSCmdlet.ThrowTerminatingError((New-SimCimError '0x80041003' 'PermissionDenied' (Get-SimText 'denied') 'MSFT_NetQosPolicySettingData'))
    }
    $policies = (Get-SimAnswer 'azure-agents').qos_policies
    if ($null -eq $policies) { $PSCmdlet.ThrowTerminatingError((New-SimCimError '0x80041010' 'MetadataError' (Get-SimText 'noclass') 'MSFT_NetQosPolicySettingData')) }
    # Policies that limit nothing of the agent: another program, another template, other ports, a mark without a limit.
    [pscustomobject]@{ Name = 'backup window'; AppPathNameMatchCondition = 'robocopy.exe'; ThrottleRateAction = [uint64]8000000 }
    [pscustomobject]@{ Name = 'live migration'; TemplateMatchCondition = [uint32]4; ThrottleRateAction = [uint64]8000000 }
    [pscustomobject]@{ Name = 'mail'; IPDstPortStartMatchCondition = [uint16]25; IPDstPortEndMatchCondition = [uint16]25; ThrottleRateAction = [uint64]8000000 }
    [pscustomobject]@{ Name = 'marked'; AppPathNameMatchCondition = 'cbengine.exe'; DSCPAction = [sbyte]10; ThrottleRateAction = $null }
    if ($PolicyStore -ne 'ActiveStore') { return }
    foreach ($policy in $policies) {
        $program = if ("$($policy.application)" -ne '*') { "$($policy.application)" }
        [pscustomobject]@{ Name = "$($policy.name)"; AppPathNameMatchCondition = $program; ThrottleRateAction = [uint64]$policy.bits_per_second }
    }
}

function global:Get-NetTCPConnection {
    [CmdletBinding()]
    param([uint32[]]$OwningProcess, [string[]]$State)
    $remote = @((Get-SimAnswer 'azure-agents').connections.remote)
    if ($remote.Count -eq 0) {
        $PSCmdlet.ThrowTerminatingError((New-SimError ([Exception]::new('No MSFT_NetTCPConnection objects found')) 'CmdletizationQuery_NotFound_OwningProcess' 'ObjectNotFound' $OwningProcess))
    }
    [pscustomobject]@{ RemoteAddress = '127.0.0.1'; RemotePort = [uint16]49700; State = 'Established' }
    foreach ($place in $remote) {
        $at = "$place".LastIndexOf(':')
        [pscustomobject]@{ RemoteAddress = "$place".Substring(0, $at); RemotePort = [uint16]"$place".Substring($at + 1); State = 'Established' }
    }
}
