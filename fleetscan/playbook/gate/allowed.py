"""The closed lists of the PowerShell gate beside the commands: programs, types, methods, variables."""

from __future__ import annotations

from fleetscan.playbook.gate.words import folded, words

DATA_COMMANDS = folded(
    "ConvertFrom-Csv ConvertFrom-Json ConvertFrom-StringData ConvertTo-Json Get-Date "
    "Join-Path Measure-Object New-TimeSpan Out-Null Out-String Split-Path Test-Path"
)
"""What these answer with was made for the script: to change it changes nothing elsewhere."""

PASSING_COMMANDS = frozenset({"where-object", "sort-object", "get-unique"})
"""These hand on what they were given."""

ALIASES = {
    "%": "ForEach-Object",
    "?": "Where-Object",
    "compare": "Compare-Object",
    "cat": "Get-Content",
    "date": "Get-Date",
    "dir": "Get-ChildItem",
    "echo": "Write-Output",
    "foreach": "ForEach-Object",
    "gc": "Get-Content",
    "gci": "Get-ChildItem",
    "gcim": "Get-CimInstance",
    "gcls": "Get-CimClass",
    "gcm": "Get-Command",
    "gi": "Get-Item",
    "gmo": "Get-Module",
    "gp": "Get-ItemProperty",
    "gps": "Get-Process",
    "group": "Group-Object",
    "gsv": "Get-Service",
    "gv": "Get-Variable",
    "ipmo": "Import-Module",
    "ls": "Get-ChildItem",
    "measure": "Measure-Object",
    "ps": "Get-Process",
    "select": "Select-Object",
    "sleep": "Start-Sleep",
    "sls": "Select-String",
    "sort": "Sort-Object",
    "type": "Get-Content",
    "where": "Where-Object",
    "write": "Write-Output",
}
"""For the cure only: no alias is allowed, since a host may define its own."""

INSTEAD = {
    "invoke-expression": "write the code out",
    "iex": "write the code out",
    "invoke-command": "a probe asks only the host that it runs on; write the code out",
    "new-object": "use @{ name = value } or [pscustomobject]@{ name = value }",
    "get-wmiobject": "use Get-CimInstance",
    "gwmi": "use Get-CimInstance",
    "get-eventlog": "use Get-WinEvent",
    "invoke-cimmethod": "no CIM method is known to be read-only",
    "write-host": "a probe writes one value, its answer; put the text into it",
    "vssadmin": "write vssadmin.exe list writers",
    "foreach": "write `foreach (` on one line, or ForEach-Object with its full name",
}

NATIVE: dict[str, tuple[frozenset[str], ...]] = {
    "vssadmin.exe": (frozenset({"list"}), frozenset({"writers", "shadows", "providers", "shadowstorage", "volumes"})),
    "whoami.exe": (
        frozenset({"/groups", "/user", "/priv"}),
        frozenset({"/fo"}),
        frozenset({"csv"}),
        frozenset({"/nh"}),
    ),
    "winmgmt.exe": (frozenset({"/verifyrepository"}),),
}
"""Programs, with the words that each of their arguments may be. Arguments may be left out from the end."""

_SCALARS = folded(
    "string int int16 int32 int64 long uint16 uint32 uint64 byte sbyte short ushort uint ulong bool boolean char "
    "double float single decimal datetime timespan guid version switch System.String System.Int32 System.Int64 "
    "System.Boolean System.Double System.DateTime System.TimeSpan System.Guid System.Version"
)
SCALAR_TYPES = _SCALARS | {f"{name}[]" for name in _SCALARS} | {"void"}
"""Casts to these copy a value."""
TYPES = SCALAR_TYPES | {"array", "hashtable", "ordered", "object", "object[]", "pscustomobject", "psobject"}
"""All types that a probe may name."""

METHODS = folded(
    "AddDays AddHours AddMilliseconds AddMinutes AddMonths AddSeconds CompareTo Contains ContainsKey EndsWith "
    "Equals GetEnumerator GetType IndexOf IndexOfAny LastIndexOf PadLeft PadRight StartsWith Substring Subtract "
    "ToCharArray ToFileTimeUtc ToLocalTime ToLower ToLowerInvariant ToString ToUniversalTime ToUpper "
    "ToUpperInvariant Trim TrimEnd TrimStart"
) | {"split"}
"""Methods that change nothing, whatever object has them. Not Replace: a file has one, too, and it writes."""

METHOD_CURES = {
    "replace": "use the operator -replace",
    "foreach": "pipe to ForEach-Object",
    "where": "pipe to Where-Object",
    "add": "use += on a list, or $table[key] = value",
    "remove": "build a new list with Where-Object",
    "invoke": "write the code out",
}

READABLE = words("_ ? psitem null true false matches lastexitcode error pid psculture psuiculture psversiontable")
"""Variables that PowerShell fills."""

ASSIGNABLE_PREFERENCES = frozenset({"erroractionpreference", "warningpreference", "progresspreference"})
RESERVED = READABLE | words(
    "args consolefilename event eventargs eventsubscriber executioncontext foreach home host input isglobal "
    "maximumhistorycount myinvocation nestedpromptlevel ofs outputencoding profile pscmdlet pwd sender shellid "
    "sourceargs sourceeventargs stacktrace switch this"
)
"""Names that mean something to PowerShell: a probe may not assign them."""
