# One cheap query to the operating system's provider and one to Hyper-V's, each with a time limit.
# "WMI Provider Host" is the process that answers the first; it starts on demand, so only a query can tell whether it works.
$questions = @(
    @{ Key = 'cimv2'; Namespace = 'root/cimv2'; Class = 'Win32_OperatingSystem'; Property = 'Version' }
    @{ Key = 'virtualization'; Namespace = 'root/virtualization/v2'; Class = 'Msvm_VirtualSystemManagementService'; Property = 'Name' }
)
$answer = @{}
foreach ($question in $questions) {
    $errorId = $null
    $errorText = $null
    $instances = @()
    $since = Get-Date
    try {
        $instances = @(Get-CimInstance -Namespace $question.Namespace -ClassName $question.Class -Property $question.Property -OperationTimeoutSec 25 -ErrorAction Stop)
    } catch {
        if ("$($_.CategoryInfo.Category)" -eq 'PermissionDenied') { throw }
        $errorId = ("$($_.FullyQualifiedErrorId)" -split ',')[0]
        $errorText = "$($_.Exception.Message)"
    }
    $milliseconds = [int]((Get-Date) - $since).TotalMilliseconds
    $answer[$question.Key] = @{
        answered = $instances.Count -gt 0
        seconds = ($milliseconds - $milliseconds % 1000) / 1000
        error_id = $errorId
        error = $errorText
    }
}
$answer
