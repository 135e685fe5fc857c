# The listeners of WinRM, as their settings are kept in the registry, and the certificates that they name. The store is only
# listed: no private key is touched.
$listeners = @()
$key = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WSMAN\Listener'
if (Test-Path -LiteralPath $key) { $listeners = @(Get-ChildItem -LiteralPath $key -ErrorAction Stop) }
$certificates = @{}
foreach ($certificate in @(Get-ChildItem -LiteralPath 'Cert:\LocalMachine\My' -ErrorAction Stop)) {
    $certificates["$($certificate.Thumbprint)".ToUpperInvariant()] = $certificate
}
$rows = @(foreach ($listener in $listeners) {
    $name = "$($listener.PSChildName)"
    if ($name -notmatch '^(.+)\+(HTTPS?)$') { continue }
    $address = "$($Matches[1])"
    $transport = "$($Matches[2])".ToUpperInvariant()
    $settings = Get-ItemProperty -LiteralPath "$key\$name" -ErrorAction Stop
    $enabled = $true
    if ($null -ne $settings.enabled) { $enabled = [int]$settings.enabled -ne 0 }
    $port = $null
    if ($null -ne $settings.Port) { $port = [int]$settings.Port }
    $thumbprint = $null
    $known = $null
    if ($settings.certThumbprint) {
        $thumbprint = ("$($settings.certThumbprint)" -replace '\s', '').ToUpperInvariant()
        $certificate = $certificates[$thumbprint]
        if ($null -ne $certificate) {
            $starts = $null
            if ($null -ne $certificate.NotBefore) { $starts = $certificate.NotBefore.ToUniversalTime().ToString('s') + 'Z' }
            $known = @{ subject = "$($certificate.Subject)"; starts = $starts; expires = $certificate.NotAfter.ToUniversalTime().ToString('s') + 'Z' }
        }
    }
    @{ address = $address; transport = $transport; port = $port; enabled = $enabled; thumbprint = $thumbprint; certificate = $known }
})
@{ listeners = @($rows) }
