# A stand-in for PowerShell Direct: Invoke-Command runs a script in a guest of this machine, which has facts of its own.
# The guest is a runspace of its own, and reads name and password from the credential, as a real one does.

# Errors have the types and identifiers of the engine, and its texts.
function global:New-SimDirectError([string]$Resource, [switch]$Rejected) {
    $assembly = [psobject].Assembly
    $base = @($assembly.GetManifestResourceNames() -like '*RemotingErrorIdStrings.resources')[0] -replace '\.resources$', ''
    $text = [Resources.ResourceManager]::new($base, $assembly).GetString($Resource)
    $exception = if ($Rejected) { [Management.Automation.Remoting.PSDirectException]::new($text) } else { [Management.Automation.Remoting.PSRemotingDataStructureException]::new($text) }
    New-SimError $exception 'PSSessionStateBroken' 'OpenError' $null
}

function global:Invoke-Command {
    [CmdletBinding()]
    param([guid]$VMId, [pscredential]$Credential, [scriptblock]$ScriptBlock, [object[]]$ArgumentList)
    $guest = @($SimHost.guests | Where-Object { $_.id -eq "$VMId" })[0]
    if ($null -eq $guest) { $PSCmdlet.ThrowTerminatingError((New-SimDirectError 'FatalErrorCausingClose')) }
    if ($Credential.UserName -ne $guest.username -or $Credential.GetNetworkCredential().Password -cne $guest.password) {
        $PSCmdlet.ThrowTerminatingError((New-SimDirectError 'InvalidCredential' -Rejected))
    }
    $runspace = [runspacefactory]::CreateRunspace($Host, [runspace]::DefaultRunspace.InitialSessionState.Clone())
    $shell = [powershell]::Create()
    $before = $env:COMPUTERNAME
    try {
        $runspace.Open()
        $runspace.SessionStateProxy.SetVariable('global:SimHost', $guest.facts)
        $shell.Runspace = $runspace
        foreach ($path in $SimHost.standins) { $null = $shell.AddStatement().AddScript([IO.File]::ReadAllText($path)) }
        $null = $shell.AddStatement().AddScript($guest.prepare).AddStatement().AddScript("$ScriptBlock")
        foreach ($argument in $ArgumentList) { $null = $shell.AddArgument($argument) }
        $shell.Invoke()
    } finally {
        $shell.Dispose()
        $runspace.Dispose()
        $env:COMPUTERNAME = $before
    }
}
