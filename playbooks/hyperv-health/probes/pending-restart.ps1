# What waits for a restart, from the registry: updates that the servicing stack or Windows Update has begun, and files that
# are to be replaced before Windows starts. Such files come in pairs, the second one empty where the first is to be deleted.
$session = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager' -ErrorAction Stop
$files = @(foreach ($file in @($session.PendingFileRenameOperations)) {
    if ("$file".StartsWith('\??\')) { "$file".Substring(4) }
})
@{
    servicing = [bool](Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending')
    windows_update = [bool](Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired')
    file_count = $files.Count
    files = @($files | Select-Object -First 5)
}
