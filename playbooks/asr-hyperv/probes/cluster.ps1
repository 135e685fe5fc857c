# The nodes of the failover cluster that this host belongs to, and its Hyper-V Replica Broker (group type 115; the names
# of groups are translated). A host without a running cluster service is no member.
$service = @(Get-Service -Name 'ClusSvc' -ErrorAction SilentlyContinue)
if ($service.Count -eq 0 -or "$($service[0].Status)" -ne 'Running') {
    @{ member = $false; nodes = @(); replica_brokers = @() }
} else {
    $nodes = @(foreach ($node in @(Get-ClusterNode -ErrorAction Stop)) {
        @{ name = "$($node.Name)"; state = "$($node.State)"; state_code = [int]$node.State }
    })
    $brokers = @(foreach ($group in @(Get-ClusterGroup -ErrorAction Stop)) {
        if ([int]$group.GroupType -eq 115) { @{ name = "$($group.Name)"; state = "$($group.State)"; state_code = [int]$group.State } }
    })
    @{ member = $true; nodes = @($nodes); replica_brokers = @($brokers) }
}
