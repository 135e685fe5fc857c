# Windows' own check of the WMI repository, which reads it and changes nothing. It ends with 0 if the repository is
# consistent, in every language; its sentence is in the language of the machine, and for people.
$lines = @(winmgmt.exe /verifyrepository)
$exitCode = [int]$LASTEXITCODE
$text = (($lines | ForEach-Object { "$_".Trim() }) -join ' ').Trim()
if ($exitCode -ne 0 -and $text -match '0x80070005|0x80041003') { throw 'winmgmt /verifyrepository refuses this account (0x80070005)' }
if ($text.Length -gt 300) { $text = $text.Substring(0, 300) }
$shown = $null
if ($exitCode -ne 0 -and $text -ne '') { $shown = $text }
@{ exit_code = $exitCode; text = $shown }
