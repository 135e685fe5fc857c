# What Site Recovery needs of VMM: clouds, logical networks, VM networks, and hosts that respond. Only names and states are
# taken from VMM's objects, which are large and load their parts on demand.
# Under which account VMM's service runs.
$account = $null
$key = 'HKLM:\SYSTEM\CurrentControlSet\Services\SCVMMService'
if (Test-Path -LiteralPath $key) {
    $name = (Get-ItemProperty -LiteralPath $key -ErrorAction Stop).ObjectName
    if ($name) { $account = "$name" }
}

# Where the service stands still there is nobody to ask: on the passive node of a highly available VMM that is as it should be.
# An account that may not ask for services may still ask VMM.
$state = 'Running'
try { foreach ($service in @(Get-Service -Name 'SCVMMService' -ErrorAction Stop)) { $state = "$($service.Status)" } } catch { $state = 'Running' }
if ($state -ne 'Running') {
    @{
        running = $false
        server = @{ name = 'localhost'; version = $null; account = $account }
        clouds = @()
        clouds_without_hosts = @()
        logical_networks = @()
        vm_networks = @()
        hosts = @()
    }
} else {
    $server = Get-SCVMMServer -ComputerName 'localhost' -ErrorAction Stop
    $version = $null
    if ($server.ProductVersion) { $version = "$($server.ProductVersion)" }
    $clouds = @(Get-SCCloud -VMMServer $server -ErrorAction Stop)
    $logicalNetworks = @(Get-SCLogicalNetwork -VMMServer $server -ErrorAction Stop)
    $vmNetworks = @(Get-SCVMNetwork -VMMServer $server -ErrorAction Stop)
    $hosts = @(foreach ($machine in @(Get-SCVMHost -VMMServer $server -ErrorAction Stop)) {
        $communication = $null
        if ($null -ne $machine.CommunicationState) { $communication = "$($machine.CommunicationState)" }
        @{ name = "$($machine.Name)"; state = "$($machine.OverallState)"; communication = $communication }
    })
    # A cloud of VMware resources has no list of host groups at all, which is something else than an empty one.
    $without = @(foreach ($cloud in $clouds) {
        $groups = $cloud.HostGroup
        if ($null -ne $groups -and @($groups).Count -eq 0) { "$($cloud.Name)" }
    })
    @{
        running = $true
        server = @{ name = "$($server.Name)"; version = $version; account = $account }
        clouds = @(foreach ($cloud in $clouds) { "$($cloud.Name)" })
        clouds_without_hosts = @($without)
        logical_networks = @(foreach ($network in $logicalNetworks) { "$($network.Name)" })
        vm_networks = @(foreach ($network in $vmNetworks) { "$($network.Name)" })
        hosts = @($hosts)
    }
}
