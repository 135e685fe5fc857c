# Stand-in for the function that tries to reach names: the facts say how each try ends, and nothing is sent.
# An alias goes before a function of the same name, which the script brings. A machine with `network: real` has none.

function global:Get-SimEndpoints($Agent) {
    $failure = Get-SimFailure 'azure-endpoints' 'Test-FleetscanEndpoint'
    if ($failure) { throw $failure }
    $answer = Get-SimAnswer 'azure-endpoints'
    $source = "$($answer.proxy.source)"
    @{
        source = $(if ($source -eq 'provider') { 'none' } else { $source })
        proxy = $answer.proxy.address
        logon = [bool]$answer.proxy.logon
        listed = @($answer.listed)
        names = @($answer.names)
    }
}

# Where PowerShell is constrained the function itself runs, and is refused by the engine before it sends anything.
if ("$($SimHost.network)" -ne 'real' -and "$($SimHost.os.language_mode)" -eq 'FullLanguage') {
    ${alias:Test-FleetscanEndpoint} = 'Get-SimEndpoints'
}
