# Stand-ins for vssadmin.exe, "list writers" in the language of the machine, of which only the shape is the same in every
# language; and for winmgmt.exe, whose sentence is for people.

function global:Get-SimVssWords {
    $words = @{
        'en' = @{
            head = 'vssadmin 1.1 - Volume Shadow Copy Service administrative command-line tool'; quote = "'"
            name = 'Writer name: '; id = 'Writer Id: '; instance = 'Writer Instance Id: '; state = 'State: '; error = 'Last error: '; none = 'No error'
            states = @{ 0 = 'Unknown'; 1 = 'Stable'; 5 = 'Waiting for completion' }; busy = 'In progress'; failed = 'Failed'
            refused = "Error: You don't have the correct permissions to run this command.  Please run this utility from a command`r`nwindow that has elevated administrator privileges."
        }
        'fr' = @{
            head = "vssadmin 1.1 - Outil ligne de commande d’administration du service de cliché instantané de volume"; quote = "'"
            name = "Nom du rédacteur : "; id = "ID du rédacteur : "; instance = "ID d'instance du rédacteur : "; state = "État : "; error = "Dernière erreur : "; none = "Pas d'erreur"
            states = @{ 0 = 'Inconnu'; 1 = 'Stable'; 5 = 'En attente' }; busy = 'En cours'; failed = "Échec"
            refused = "Erreur : vous ne disposez pas des autorisations appropriées pour exécuter cette commande."
        }
        'de' = @{
            head = 'vssadmin 1.1 - Verwaltungsbefehlszeilenprogramm des Volumeschattenkopie-Dienstes'; quote = '"'
            name = 'Verfassername: '; id = 'Verfasserkennung: '; instance = 'Verfasserinstanzkennung: '; state = 'Status: '; error = 'Letzter Fehler: '; none = 'Kein Fehler'
            states = @{ 0 = 'Unbekannt'; 1 = 'Stabil'; 5 = 'Warten auf Abschluss' }; busy = 'In Bearbeitung'; failed = 'Fehlgeschlagen'
            refused = "Fehler: Sie besitzen nicht die erforderlichen Berechtigungen, um diesen Befehl auszuführen."
        }
        'ja' = @{
            head = "vssadmin 1.1 - ボリューム"; quote = "'"
            name = "ライター名: "; id = "ライター ID: "; instance = "インスタンス ID: "
            state = "状態: "; error = "最後のエラー: "; none = 'エラーなし'
            states = @{ 0 = '?'; 1 = '安定'; 5 = '待機' }; busy = '処理中'; failed = '失敗'
            refused = '権限がありません'
        }
    }
    $language = "$($SimHost.os.language)".Substring(0, 2)
    if (-not $words.ContainsKey($language)) { $language = 'en' }
    $words[$language]
}

function global:vssadmin.exe {
    # A machine may name the text itself: a capture from a real one, for example.
    if ($null -ne $SimHost.vssadmin) {
        "$($SimHost.vssadmin.text)" -split "`r?`n"
        $global:LASTEXITCODE = [int]$SimHost.vssadmin.exit_code
        return
    }
    $words = Get-SimVssWords
    $words.head
    "(C) Copyright 2001-2013 Microsoft Corp."
    ''
    $global:LASTEXITCODE = 2
    if ("$args" -ne 'list writers') { throw "a stand-in does not know: vssadmin $args" }
    if ((Get-SimStatus 'guest-vss-writers') -eq 'denied') {
        $words.refused -split "`r`n"
        return
    }
    $answer = Get-SimAnswer 'guest-vss-writers'
    if ($null -ne $answer.text) { $answer.text -split "`n" | Select-Object -Skip 2 }
    foreach ($writer in $answer.writers) {
        $state = $words.states[[int]$writer.state]
        if (-not $state) { $state = if ($writer.state -lt 6) { $words.busy } else { $words.failed } }
        $lastError = if ($null -ne $writer.error) { "$($writer.error)" } else { $words.none }
        "$($words.name)$($words.quote)$($writer.name)$($words.quote)"
        "   $($words.id){$($writer.id)}"
        "   $($words.instance){$($writer.instance)}"
        "   $($words.state)[$($writer.state)] $state"
        "   $($words.error)$lastError"
        ''
    }
    $global:LASTEXITCODE = [int]$answer.exit_code
}

function global:winmgmt.exe {
    if ("$args" -ne '/verifyrepository') { throw "a stand-in does not know: winmgmt $args" }
    if ((Get-SimStatus 'guest-wmi-repository') -eq 'denied') {
        "WMI: Error code: 0x80070005 ($(Get-SimText 'denied'))"
        $global:LASTEXITCODE = 1
        return
    }
    $answer = Get-SimAnswer 'guest-wmi-repository'
    if ($null -ne $answer.text) { '', "$($answer.text)" } else { 'WMI: OK' }
    $global:LASTEXITCODE = [int]$answer.exit_code
}
