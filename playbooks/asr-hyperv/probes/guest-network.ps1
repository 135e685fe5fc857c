# The teams of network adapters that the guest itself has made. Windows Server 2008 R2 and Windows clients know no teams of
# their own, and lack the class.
$teams = @()
try {
    $teams = @(Get-CimInstance -Namespace 'root/StandardCimv2' -ClassName 'MSFT_NetLbfoTeam' -Property 'Name' -OperationTimeoutSec 20 -ErrorAction Stop)
} catch {
    if ("$($_.FullyQualifiedErrorId)" -notmatch '0x8004100e|0x80041010|0x80041002') { throw }
}
@{ teams = @(foreach ($team in $teams) { "$($team.Name)" }) }
