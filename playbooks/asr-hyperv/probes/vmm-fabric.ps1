# What Site Recovery needs of VMM: clouds, logical networks, VM networks, and hosts that respond. Only names and states are
# taken from VMM's objects, which are large and load their parts on demand.
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
# Under which account VMM's service runs.
$account = $null
$key = 'HKLM:\SYSTEM\CurrentControlSet\Services\SCVMMService'
if (Test-Path -LiteralPath $key) {
    $name = (Get-ItemProperty -LiteralPath $key -ErrorAction Stop).ObjectName
    if ($name) { $account = "$name" }
}
@{
    server = @{ name = "$($server.Name)"; version = $version; account = $account }
    clouds = @(foreach ($cloud in $clouds) { "$($cloud.Name)" })
    logical_networks = @(foreach ($network in $logicalNetworks) { "$($network.Name)" })
    vm_networks = @(foreach ($network in $vmNetworks) { "$($network.Name)" })
    hosts = @($hosts)
}
