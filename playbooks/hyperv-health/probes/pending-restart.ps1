# What waits for a restart, from the registry: updates that the servicing stack or Windows Update has begun, a new name, a domain
# that was joined, and files that are to be replaced before Windows starts. Such files come in pairs, the second one empty where the first is to be deleted.
$session = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager' -ErrorAction Stop
$files = @(foreach ($file in @($session.PendingFileRenameOperations)) {
    if ("$file".StartsWith('\??\')) { "$file".Substring(4) }
})
$names = 'HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName'
$active = "$((Get-ItemProperty -LiteralPath "$names\ActiveComputerName" -ErrorAction Stop).ComputerName)"
$next = "$((Get-ItemProperty -LiteralPath "$names\ComputerName" -ErrorAction Stop).ComputerName)"
$logon = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Services\Netlogon' -ErrorAction Stop
@{
    renamed = $active -ne $next
    joining = $null -ne $logon.JoinDomain -or $null -ne $logon.AvoidSpnSet
    servicing = [bool](Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending')
    windows_update = [bool](Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired')
    file_count = $files.Count
    files = @($files | Select-Object -First 5)
}
