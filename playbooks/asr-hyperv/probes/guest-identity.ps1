# Which virtual machine this is: Hyper-V writes the id and name of the machine into the registry of the guest.
$names = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName' -ErrorAction Stop
$computer = "$($names.ComputerName)"
$id = $null
$name = $computer
$physicalHost = $null
$parametersKey = 'HKLM:\SOFTWARE\Microsoft\Virtual Machine\Guest\Parameters'
if (Test-Path -LiteralPath $parametersKey) {
    $parameters = Get-ItemProperty -LiteralPath $parametersKey -ErrorAction Stop
    if ($parameters.VirtualMachineId) { $id = "$($parameters.VirtualMachineId)".ToLowerInvariant() -replace '[{}]', '' }
    if ($parameters.VirtualMachineName) { $name = "$($parameters.VirtualMachineName)" }
    if ($parameters.PhysicalHostNameFullyQualified) { $physicalHost = "$($parameters.PhysicalHostNameFullyQualified)" }
}
$integrationVersion = $null
$autoKey = 'HKLM:\SOFTWARE\Microsoft\Virtual Machine\Auto'
if (Test-Path -LiteralPath $autoKey) {
    $auto = Get-ItemProperty -LiteralPath $autoKey -ErrorAction Stop
    if ($auto.IntegrationServicesVersion) { $integrationVersion = "$($auto.IntegrationServicesVersion)" }
}
$manufacturer = $null
$model = $null
$biosKey = 'HKLM:\HARDWARE\DESCRIPTION\System\BIOS'
if (Test-Path -LiteralPath $biosKey) {
    $bios = Get-ItemProperty -LiteralPath $biosKey -ErrorAction Stop
    $manufacturer = "$($bios.SystemManufacturer)"
    $model = "$($bios.SystemProductName)"
}
@{
    guest = @{ id = $id; name = $name }
    computer = $computer
    manufacturer = $manufacturer
    model = $model
    physical_host = $physicalHost
    integration_version = $integrationVersion
}
