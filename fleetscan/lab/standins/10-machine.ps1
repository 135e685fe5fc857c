# Stand-ins for what a simulated Windows machine has everywhere: registry, services, token.
# They answer from $SimHost, the facts of the machine, in the shapes and with the errors of real Windows.

enum ServiceControllerStatus { Stopped = 1; StartPending = 2; StopPending = 3; Running = 4; ContinuePending = 5; PausePending = 6; Paused = 7 }
enum ServiceStartMode { Boot = 0; System = 1; Automatic = 2; Manual = 3; Disabled = 4 }

# What a probe would find: its answer, or nothing if the facts say that the question fails.
function global:Get-SimAnswer([string]$Probe) {
    $fact = $SimHost.probes.$Probe
    if ($null -ne $fact -and $null -eq $fact.status) { $fact }
}

# How a question ends for this machine: 'ok', or the status that the facts give it.
function global:Get-SimStatus([string]$Probe) {
    $fact = $SimHost.probes.$Probe
    if ($null -ne $fact -and $null -ne $fact.status) { "$($fact.status)" } else { 'ok' }
}

function global:New-SimError([Exception]$Exception, [string]$Id, [string]$Category, $Target) {
    [Management.Automation.ErrorRecord]::new($Exception, $Id, [Management.Automation.ErrorCategory]$Category, $Target)
}

# The error of a question that the facts let fail, as the engine would raise it.
function global:Get-SimFailure([string]$Probe, [string]$Command) {
    $text = "$($SimHost.probes.$Probe.error)"
    switch (Get-SimStatus $Probe) {
        'ok' { return }
        'missing' {
            $exception = [Management.Automation.CommandNotFoundException]::new($(if ($text) { $text } else { Get-SimText 'missing' $Command }))
            return New-SimError $exception 'CommandNotFoundException' 'ObjectNotFound' $Command
        }
        'blocked' {
            return New-SimError ([Management.Automation.PSNotSupportedException]::new($(if ($text) { $text } else { 'blocked' }))) 'MethodInvocationNotSupportedInConstrainedLanguage' 'InvalidOperation' $null
        }
        default {
            return New-SimError ([InvalidOperationException]::new($(if ($text) { $text } else { 'the question failed' }))) 'InvalidOperation' 'InvalidOperation' $null
        }
    }
}

# Sentences in the language of the machine. The ids beside them are what programs go by.
function global:Get-SimText([string]$Key, [string]$Argument) {
    $texts = @{
        'en' = @{
            denied = 'Access is denied'; hyperv = 'You do not have the required permission to complete this task. Contact the administrator of the authorization policy for the computer ''{0}''.'
            noservice = 'Cannot find any service with service name ''{0}''.'; scm = 'Cannot open Service Control Manager on computer ''.''. This operation might require other privileges.'
            missing = 'The term ''{0}'' is not recognized as the name of a cmdlet, function, script file, or operable program.'; nopath = 'Cannot find path ''{0}'' because it does not exist.'
            noevents = 'No events were found that match the specified selection criteria.'; nolog = 'There is not an event log on the localhost computer that matches "{0}".'
            noclass = 'Invalid class'
        }
        'fr' = @{
            denied = "Accès refusé"; hyperv = "Vous ne disposez pas de l'autorisation requise pour effectuer cette tâche. Contactez l'administrateur de la stratégie d'autorisation de l'ordinateur '{0}'."
            noservice = "Impossible de trouver un service assorti du nom « {0} »."; scm = "Impossible d'ouvrir le Gestionnaire de contrôle des services sur l'ordinateur '.'. Cette opération peut nécessiter d'autres privilèges."
            missing = "Le terme « {0} » n'est pas reconnu comme nom d'applet de commande."; nopath = "Impossible de trouver le chemin d'accès « {0} », car il n'existe pas."
            noevents = "Aucun événement correspondant aux critères de sélection spécifiés n'a été trouvé."; nolog = "Il n'existe pas de journal des événements sur l'ordinateur localhost correspondant à « {0} »."
            noclass = 'Classe non valide'
        }
        'de' = @{
            denied = 'Zugriff verweigert'; hyperv = "Sie verfügen nicht über die erforderliche Berechtigung, um diese Aufgabe abzuschließen. Wenden Sie sich an den Administrator der Autorisierungsrichtlinie für den Computer ""{0}""."
            noservice = 'Es kann kein Dienst mit dem Dienstnamen "{0}" gefunden werden.'; scm = "Der Dienststeuerungs-Manager auf dem Computer ""."" kann nicht geöffnet werden. Dieser Vorgang erfordert möglicherweise andere Berechtigungen."
            missing = 'Die Benennung "{0}" wurde nicht als Name eines Cmdlet, einer Funktion oder eines Programms erkannt.'; nopath = 'Der Pfad "{0}" kann nicht gefunden werden, da er nicht vorhanden ist.'
            noevents = "Es wurden keine Ereignisse gefunden, die den angegebenen Auswahlkriterien entsprechen."; nolog = 'Auf dem Computer "localhost" ist kein Ereignisprotokoll vorhanden, das mit "{0}" übereinstimmt.'
            noclass = "Ungültige Klasse"
        }
        'ja' = @{
            denied = 'アクセスが拒否されました'; hyperv = '権限がありません'
            noservice = "'{0}' " + 'サービスが見つかりません'; scm = '権限が必要です'
            missing = "'{0}' " + '認識されません'; nopath = "'{0}' " + '存在しません'
            noevents = 'イベントが見つかりません'; nolog = "'{0}' " + 'ログがありません'
            noclass = 'クラスが無効です'
        }
    }
    $language = "$($SimHost.os.language)".Substring(0, 2)
    if (-not $texts.ContainsKey($language)) { $language = 'en' }
    $texts[$language][$Key] -f $Argument
}

$global:SimAgentFolder = 'C:\Program Files\Microsoft Azure Recovery Services Agent'
$global:SimProviderProgram = 'C:\Program Files\Microsoft Azure Site Recovery Provider\SiteRecoveryProvider.exe'
$global:SimServices = @{
    vmms = 'vmms'; winmgmt = 'Winmgmt'; obengine = 'obengine'; dra = 'dra'; scvmmservice = 'SCVMMService'; scvmmagent = 'SCVMMAgent'; clussvc = 'ClusSvc'; vss = 'VSS'; swprv = 'swprv'
    w32time = 'W32Time'; vmicvss = 'vmicvss'; cryptsvc = 'CryptSvc'; eventsystem = 'EventSystem'; comsysapp = 'COMSysApp'; msiscsi = 'MSiSCSI'; azure_site_recovery_vss_provider = 'Azure Site Recovery VSS Provider'
}

# The services of the machine by name, from whichever probe describes them.
function global:Get-SimService {
    $services = @{}
    foreach ($probe in @('guest-services', 'host-services')) {
        $answer = Get-SimAnswer $probe
        if ($null -eq $answer) { continue }
        foreach ($entry in $answer.services.PSObject.Properties) {
            if ($null -ne $entry.Value) { $services[$SimServices[$entry.Name]] = $entry.Value }
        }
    }
    $time = Get-SimAnswer 'time-service'
    if ($null -ne $time.service) { $services['W32Time'] = $time.service }
    # A node whose volumes cannot be asked for runs the service all the same.
    $volumes = Get-SimAnswer 'cluster-volumes'
    if ($null -ne $volumes.service) { $services['ClusSvc'] = $volumes.service }
    elseif ($volumes.member -or (Get-SimStatus 'cluster-volumes') -ne 'ok') {
        $services['ClusSvc'] = [pscustomobject]@{ state = 'Running'; start = 'Automatic' }
    }
    $services
}

# All services, as when none is asked for by name: those that run, and one that does not.
function global:Get-SimEveryService {
    $running = @((Get-SimAnswer 'other-snapshots').running)
    foreach ($name in $running) { [pscustomobject]@{ Name = "$name"; ServiceName = "$name"; Status = [ServiceControllerStatus]::Running } }
    if ($running -notcontains 'wbengine') { [pscustomobject]@{ Name = 'wbengine'; ServiceName = 'wbengine'; Status = [ServiceControllerStatus]::Stopped } }
}

enum TaskState { Unknown = 0; Disabled = 1; Queued = 2; Ready = 3; Running = 4 }

# The scheduled tasks of the facts. A name without a wildcard that no task has is an error.
function global:Get-ScheduledTask {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$TaskName)
    if ((Get-SimStatus 'other-snapshots') -eq 'denied') {
        return $PSCmdlet.WriteError((New-SimError ([InvalidOperationException]::new((Get-SimText 'denied'))) 'HRESULT 0x80070005,Get-ScheduledTask' 'PermissionDenied' 'PS_ScheduledTask'))
    }
    $tasks = @((Get-SimAnswer 'other-snapshots').tasks | Where-Object { $null -ne $_ })
    foreach ($wanted in $TaskName) {
        $found = @($tasks | Where-Object { "$($_.name)" -like $wanted })
        if ($found.Count -eq 0 -and $wanted -notmatch '[*?]') {
            $PSCmdlet.WriteError((New-SimError ([InvalidOperationException]::new((Get-SimText 'noclass'))) 'CmdletizationQuery_NotFound_TaskName,Get-ScheduledTask' 'ObjectNotFound' $wanted))
        }
        foreach ($task in $found) { [pscustomobject]@{ TaskName = "$($task.name)"; State = [TaskState][int]$task.state_code } }
    }
}

function global:Get-Service {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Name)
    $probes = switch ("$Name") { 'W32Time' { 'time-service' } '' { 'other-snapshots' } default { 'host-services'; 'guest-services' } }
    foreach ($probe in $probes) {
        if ((Get-SimStatus $probe) -eq 'denied') {
            $inner = [ComponentModel.Win32Exception]::new(5, (Get-SimText 'denied'))
            $PSCmdlet.ThrowTerminatingError((New-SimError ([InvalidOperationException]::new((Get-SimText 'scm'), $inner)) 'System.InvalidOperationException' 'NotSpecified' $null))
        }
        $failure = Get-SimFailure $probe 'Get-Service'
        if ($failure) { $PSCmdlet.ThrowTerminatingError($failure) }
    }
    if (-not $Name) { return Get-SimEveryService }
    $services = Get-SimService
    foreach ($wanted in $Name) {
        $real = @($services.Keys | Where-Object { $_ -eq $wanted })
        if ($real.Count -eq 0) {
            $PSCmdlet.WriteError((New-SimError ([InvalidOperationException]::new((Get-SimText 'noservice' $wanted))) 'NoServiceFoundForGivenName' 'ObjectNotFound' $wanted))
            continue
        }
        $service = [pscustomobject]@{ Name = $real[0]; ServiceName = $real[0]; Status = [ServiceControllerStatus]"$($services[$real[0]].state)" }
        # Windows Server 2012 R2 comes with PowerShell 4, whose services tell no start type.
        if ([int]$SimHost.os.build -gt 9600) {
            Add-Member -InputObject $service -MemberType NoteProperty -Name StartType -Value ([ServiceStartMode]"$($services[$real[0]].start)")
        }
        $service
    }
}

# The registry values below a key, as a hashtable; null where the key does not exist.
function global:Get-SimRegistry([string]$Path) {
    $key = ($Path -replace '^(Microsoft\.PowerShell\.Core\\)?(Registry::)?(HKEY_LOCAL_MACHINE|HKLM:)\\', '').TrimEnd('\')
    $agents = Get-SimAnswer 'azure-agents'
    if ($key -like 'SYSTEM\CurrentControlSet\Services\W32Time\*') {
        $time = Get-SimAnswer 'time-service'
        if ($null -eq $time.service) { return }
        $values = @{ ServiceDll = '%systemroot%\system32\w32time.dll' }
        if ($null -ne $time.follows) { $values.Type = "$($time.follows)" }
        if ($null -ne $time.servers) { $values.NtpServer = "$($time.servers)" }
        return $values
    }
    if ($key -like 'SOFTWARE\Microsoft\Windows\CurrentVersion\WSMAN\Listener*') { return Get-SimListener ($key -replace '^.*\\Listener\\?', '') }
    if ($key -like 'SYSTEM\CurrentControlSet\Services\*' -and $key -notlike '*FirewallPolicy*') {
        $name = ($key -split '\\')[3]
        $service = (Get-SimService)[$name]
        $numbers = @{ Boot = 0; System = 1; Automatic = 2; Manual = 3; Disabled = 4 }
        $values = @{}
        if ($null -ne $service) { $values.Start = $numbers["$($service.start)"] }
        $account = (Get-SimAnswer 'vmm-fabric').server.account
        if ($name -eq 'SCVMMService' -and $null -ne $account) { $values.ObjectName = "$account" }
        if ($name -eq 'dra' -and $agents.site_recovery.installed) { $values.ImagePath = "`"$SimProviderProgram`" /service" }
        if ($name -eq 'Netlogon' -and (Get-SimAnswer 'pending-restart').joining) { $values.JoinDomain = 'corp.example' }
        if ($name -eq 'Netlogon') { $values.ImagePath = 'lsass.exe' }
        if ($values.Count -gt 0) { return $values }
        return
    }
    $identity = Get-SimAnswer 'guest-identity'
    switch ($key) {
        'SOFTWARE\Microsoft\Windows NT\CurrentVersion' {
            $values = @{ CurrentBuildNumber = "$($SimHost.os.build)"; CurrentBuild = "$($SimHost.os.build)" }
            $windows = Get-SimAnswer 'windows-version'
            if ($windows) {
                $values.CurrentBuildNumber = "$($windows.build)"
                $values.ProductName = "$($windows.product)"
                $values.InstallationType = "$($windows.installation)"
                if ($null -ne $windows.revision) { $values.UBR = [int]$windows.revision }
            }
            return $values
        }
        'SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full' {
            $windows = Get-SimAnswer 'windows-version'
            if ($windows -and $null -ne $windows.dotnet_release) { return @{ Release = [int]$windows.dotnet_release } }
        }
        'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages\Package_for_RollupFix*' {
            $windows = Get-SimAnswer 'windows-version'
            if (-not $windows -or -not $windows.rollup_installed) { return }
            $ticks = (ConvertTo-SimTime $windows.rollup_installed).ToFileTimeUtc()
            # The halves as the registry gives them: 32 bits with a sign.
            return @{ InstallTimeHigh = [int]($ticks -shr 32); InstallTimeLow = [BitConverter]::ToInt32([BitConverter]::GetBytes([uint32]($ticks -band 4294967295)), 0) }
        }
        'SYSTEM\CurrentControlSet\Control\Session Manager' {
            $restart = Get-SimAnswer 'pending-restart'
            $values = @{ ObjectDirectories = [string[]]@('\Windows', '\RPC Control') }
            # To delete a file is to rename it to nothing.
            $pairs = @(foreach ($number in 1..[Math]::Max(1, [int]$restart.file_count)) { if ($number -le $restart.file_count) { $file = @($restart.files)[$number - 1]; "\??\$(if ($file) { $file } else { "C:\Temp\$number.tmp" })"; '' } })
            if ($pairs.Count -gt 0) { $values.PendingFileRenameOperations = [string[]]$pairs }
            return $values
        }
        'SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName' {
            $name = if ((Get-SimAnswer 'pending-restart').renamed) { 'NEW-NAME' } else { "$($SimHost.os.computer)" }
            return @{ ComputerName = $name }
        }
        'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending' { if ((Get-SimAnswer 'pending-restart').servicing -or (Get-SimAnswer 'windows-version').restart_pending) { return @{} } }
        'SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired' { if ((Get-SimAnswer 'pending-restart').windows_update) { return @{} } }
        'SOFTWARE\Microsoft\Windows Azure Backup\Setup' { if ($agents -and $agents.recovery_services.installed) { return @{ InstallPath = "$SimAgentFolder\" } } }
        'SOFTWARE\Microsoft\Windows Azure Backup\Replication' {
            if (-not $agents) { return }
            $values = @{}
            if ($null -ne $agents.recovery_services.upload_threads) { $values.UploadThreadsPerVM = [int]$agents.recovery_services.upload_threads }
            if ($null -ne $agents.recovery_services.download_threads) { $values.DownloadThreadsPerVM = [int]$agents.recovery_services.download_threads }
            if ($values.Count -gt 0) { return $values }
        }
        'SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*' {
            if ($agents.site_recovery.installed -and $agents.site_recovery.version -and [int]$SimHost.os.build -gt 9600) {
                # As published: with zeros before the third number.
                $parts = "$($agents.site_recovery.version)" -split '\.'
                return @{ DisplayName = 'Microsoft Azure Site Recovery Provider'; DisplayVersion = '{0}.{1}.{2:0000}.{3}' -f $parts[0], $parts[1], [int]$parts[2], $parts[3] }
            }
        }
        'SOFTWARE\Microsoft\Azure Site Recovery\Registration' { if ($agents -and $agents.site_recovery.registered) { return @{} } }
        'SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections' { if ($SimHost.winhttp) { return @{ WinHttpSettings = [byte[]]@($SimHost.winhttp) } } }
        'SOFTWARE\Microsoft\Azure Site Recovery\ProxySettings' { if ($agents -and $agents.site_recovery.proxy_configured) { return @{} } }
        'SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName' { return @{ ComputerName = $(if ($identity) { "$($identity.computer)" } else { "$($SimHost.os.computer)" }) } }
        'SOFTWARE\Microsoft\Virtual Machine\Guest\Parameters' {
            if (-not $identity -or -not $identity.guest.id) { return }
            $values = @{ VirtualMachineId = "$($identity.guest.id)".ToUpper(); VirtualMachineName = "$($identity.guest.name)" }
            if ($identity.physical_host) { $values.PhysicalHostNameFullyQualified = "$($identity.physical_host)" }
            return $values
        }
        'SOFTWARE\Microsoft\Virtual Machine\Auto' { if ($identity -and $identity.integration_version) { return @{ IntegrationServicesVersion = "$($identity.integration_version)" } } }
        'HARDWARE\DESCRIPTION\System\BIOS' { if ($identity -and $identity.model) { return @{ SystemManufacturer = "$($identity.manufacturer)"; SystemProductName = "$($identity.model)" } } }
        'SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules' {
            $wmi = Get-SimAnswer 'guest-wmi'
            if (-not $wmi) { return }
            $values = @{ 'CoreNet-DHCP-In' = 'v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=17|Name=@FirewallAPI.dll,-25301|' }
            if ($null -ne $wmi.firewall_rule_active) {
                # In a domain the rule without a scope counts, elsewhere the other one, which stays shut.
                $values['WMI-WINMGMT-In-TCP'] = 'v2.31|Action=Allow|Active=FALSE|Dir=In|Protocol=6|Profile=Private|Profile=Public|LPort=RPC|Svc=winmgmt|Name=@FirewallAPI.dll,-34254|'
                $values['WMI-WINMGMT-In-TCP-NoScope'] = "v2.31|Action=Allow|Active=$("$($wmi.firewall_rule_active)".ToUpper())|Dir=In|Protocol=6|Profile=Domain|LPort=RPC|Svc=winmgmt|Name=@FirewallAPI.dll,-34254|"
            }
            return $values
        }
        'SOFTWARE\Policies\Microsoft\WindowsFirewall\FirewallRules' {
            if ((Get-SimAnswer 'guest-wmi').firewall_rule_blocks) { return @{ 'WMI-WINMGMT-In-TCP' = 'v2.31|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=RPC|Svc=winmgmt|' } }
        }
    }
}

function global:Get-ItemProperty {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Path, [string[]]$LiteralPath, [Parameter(Position = 1)][string[]]$Name)
    foreach ($wanted in @($Path) + @($LiteralPath)) {
        if (-not $wanted) { continue }
        $refused = $wanted -like '*\CurrentControlSet\Control\ComputerName\*' -and (Get-SimStatus 'guest-identity') -eq 'denied'
        if ($wanted -like '*\Windows NT\CurrentVersion' -and (Get-SimStatus 'windows-version') -eq 'denied') { $refused = $true }
        if ($wanted -like '*\Control\Session Manager' -and (Get-SimStatus 'pending-restart') -eq 'denied') { $refused = $true }
        if ($refused) {
            $PSCmdlet.ThrowTerminatingError((New-SimError ([Security.SecurityException]::new((Get-SimText 'denied'))) 'System.Security.SecurityException' 'PermissionDenied' $wanted))
        }
        $values = Get-SimRegistry $wanted
        if ($null -eq $values) {
            $PSCmdlet.WriteError((New-SimError ([Management.Automation.ItemNotFoundException]::new((Get-SimText 'nopath' $wanted))) 'PathNotFound' 'ObjectNotFound' $wanted))
            continue
        }
        $values.PSPath = "Microsoft.PowerShell.Core\Registry::$($wanted -replace '^HKLM:', 'HKEY_LOCAL_MACHINE')"
        $values.PSProvider = 'Microsoft.PowerShell.Core\Registry'
        [pscustomobject]$values
    }
}

function global:Test-Path {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Path, [string[]]$LiteralPath)
    foreach ($wanted in @($Path) + @($LiteralPath)) {
        if (-not $wanted) { continue }
        if ($wanted -match '^(HKLM:|Registry::|HKEY_)') { $null -ne (Get-SimRegistry $wanted) }
        elseif ($wanted -match '^[A-Z]:') { $null -ne (Get-SimFileVersion $wanted) }
        else { [IO.File]::Exists($wanted) -or [IO.Directory]::Exists($wanted) }
    }
}

# Only the lines that say what the token may do; the names of the groups are translated, their ids are not.
function global:whoami.exe {
    $level = if ("$($SimHost.os.elevated)" -eq 'False' -or (Get-SimStatus 'guest-vss-writers') -eq 'denied') { 'S-1-16-8192' } else { 'S-1-16-12288' }
    '"Everyone","Well-known group","S-1-1-0","Mandatory group, Enabled by default, Enabled group"'
    "`"Mandatory Label`",`"Label`",`"$level`",`"`""
    $global:LASTEXITCODE = 0
}
