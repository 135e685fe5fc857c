"""The commands and parameters that a PowerShell probe may use.

Whatever is not here is refused. An entry must be harmless with every argument that its notation lets through.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache


class Kind(Enum):
    """What a parameter takes."""

    ANY = "any"
    """A value: anything but a block of code."""
    SWITCH = "!"
    """Nothing."""
    BLOCK = "block"
    """A block of code, written in place. A text in its stead would name a method to call."""
    STATIC = "static"
    """Texts, numbers, and tables of them with blocks, all written in place: a block from elsewhere would be run."""
    NAME = "name"
    """The name of a variable, written in place."""
    MODULE = "module"
    """The name of a module of this list, written in place."""
    HERE = "here"
    """This computer, written in place: `localhost`."""
    WRITTEN = "written"
    """A text, written in place: it goes out to servers of names, and nothing that a host knows must go with it."""
    MADE = "made"
    """A variable that only Get-SCVMMServer fills: a name would be another server."""
    SETTING = "setting"
    """A variable that only Get-OBMachineSetting fills: a text would be any server, in the place of a proxy."""


FILLED_BY = {Kind.MADE: "get-scvmmserver", Kind.SETTING: "get-obmachinesetting"}
"""Which command must have filled a variable."""


@dataclass(frozen=True, slots=True)
class Command:
    """What the gate knows of one command."""

    name: str
    module: str
    parameters: dict[str, Kind]
    """By full name, as Microsoft writes it."""
    positional: tuple[Kind, ...]
    piped: bool
    """May stand behind a pipe. Where not, a piped object could choose another computer."""


_COMMON = {
    "ErrorAction": Kind.ANY,
    "WarningAction": Kind.ANY,
    "InformationAction": Kind.ANY,
    "ErrorVariable": Kind.NAME,
    "WarningVariable": Kind.NAME,
}

# Notation: a parameter, `!` for a switch, `:kind` for what it takes; `@kind` a positional argument; `<` takes input
# from a pipe.
_MODULES: dict[str, dict[str, str]] = {
    "Microsoft.PowerShell.Core": {
        "ForEach-Object": "Begin:block Process:block End:block InputObject @block <",
        "Where-Object": "FilterScript:block InputObject @block <",
        "Get-Module": "Name ListAvailable! All!",
        "Import-Module": "Name:module",
        "Get-Command": "Name CommandType Module",
        "Out-Null": "InputObject <",
    },
    "Microsoft.PowerShell.Utility": {
        "Select-Object": "Property:static ExpandProperty:static ExcludeProperty:static First Last Skip SkipLast Index "
        "Unique! InputObject @static <",
        "Sort-Object": "Property:static Descending! Unique! CaseSensitive! Culture InputObject @static <",
        "Group-Object": "Property:static NoElement! AsHashTable! AsString! CaseSensitive! InputObject @static <",
        "Measure-Object": "Property:static Sum! Average! Maximum! Minimum! Line! Word! Character! InputObject "
        "@static <",
        "Compare-Object": "ReferenceObject DifferenceObject Property:static IncludeEqual! ExcludeDifferent! PassThru!",
        "Get-Unique": "InputObject AsString! <",
        "ConvertTo-Json": "InputObject Depth Compress! <",
        "ConvertFrom-Json": "InputObject <",
        "ConvertFrom-Csv": "InputObject Header Delimiter <",
        "ConvertFrom-StringData": "StringData <",
        "Get-Culture": "",
        "Get-UICulture": "",
        "Get-Date": "Date Year Month Day Hour Minute Second Millisecond Format UFormat @any",
        "New-TimeSpan": "Start End Days Hours Minutes Seconds",
        "Out-String": "InputObject Width Stream! <",
        "Select-String": "Pattern InputObject SimpleMatch! CaseSensitive! Quiet! AllMatches! NotMatch! List! <",
        "Start-Sleep": "Seconds Milliseconds",
        "Write-Output": "InputObject NoEnumerate! @any <",
    },
    "Microsoft.PowerShell.Management": {
        "Get-Service": "Name DisplayName Include Exclude DependentServices! RequiredServices!",
        "Get-Process": "Name Id Module! FileVersionInfo!",
        "Get-HotFix": "Id Description",
        "Get-Item": "Path LiteralPath Filter Include Exclude Force!",
        "Get-ItemProperty": "Path LiteralPath Name Filter Include Exclude",
        "Get-ItemPropertyValue": "Path LiteralPath Name",
        "Get-ChildItem": "Path LiteralPath Filter Include Exclude Depth Recurse! Force! Name! File! Directory! Hidden! "
        "System!",
        "Get-Content": "Path LiteralPath TotalCount Tail ReadCount Raw! Encoding",
        "Test-Path": "Path LiteralPath PathType Filter IsValid! @any",
        "Resolve-Path": "Path LiteralPath",
        "Join-Path": "Path ChildPath @any @any",
        "Split-Path": "Path LiteralPath Leaf! Parent! Qualifier! NoQualifier! IsAbsolute! @any",
        "Get-PSDrive": "Name PSProvider",
        "Get-TimeZone": "",
    },
    "Microsoft.PowerShell.Diagnostics": {
        "Get-Counter": "Counter SampleInterval MaxSamples ListSet @any",
        "Get-WinEvent": "LogName ProviderName FilterHashtable FilterXPath FilterXml ListLog ListProvider MaxEvents "
        "Oldest! Force!",
    },
    "CimCmdlets": {
        "Get-CimInstance": "ClassName Namespace Query QueryDialect Filter Property KeyOnly! Shallow! "
        "OperationTimeoutSec InputObject <",
        "Get-CimAssociatedInstance": "InputObject Association ResultClassName Namespace KeyOnly! OperationTimeoutSec <",
        "Get-CimClass": "ClassName Namespace MethodName PropertyName QualifierName OperationTimeoutSec",
    },
    "Hyper-V": {
        "Get-VM": "Name Id",
        "Get-VMHost": "",
        "Get-VMReplication": "VM VMName ReplicationRelationshipType <",
        "Get-VMReplicationServer": "",
        "Measure-VMReplication": "VM VMName ReplicationRelationshipType <",
        "Get-VMIntegrationService": "VM VMName Name <",
        "Get-VMHardDiskDrive": "VM VMName VMSnapshot ControllerType ControllerNumber ControllerLocation <",
        "Get-VMScsiController": "VM VMName ControllerNumber <",
        "Get-VMIdeController": "VM VMName ControllerNumber <",
        "Get-VMFibreChannelHba": "VM VMName <",
        "Get-VMSnapshot": "VM VMName Name Id SnapshotType ParentSnapshot ParentOf ChildOf <",
        "Get-VMNetworkAdapter": "VM VMName Name ManagementOS! IsLegacy! All! <",
        "Get-VMProcessor": "VM VMName <",
        "Get-VMMemory": "VM VMName <",
        "Get-VMFirmware": "VM VMName <",
        "Get-VMSecurity": "VM VMName <",
        "Get-VMSwitch": "Name Id SwitchType",
        "Get-VHD": "Path VMId DiskNumber",
    },
    "FailoverClusters": {
        "Get-Cluster": "",
        "Get-ClusterNode": "Name",
        "Get-ClusterGroup": "Name VMId",
        "Get-ClusterResource": "Name VMId",
        "Get-ClusterResourceType": "Name",
        "Get-ClusterSharedVolume": "Name",
        "Get-ClusterSharedVolumeState": "Name Node",
        "Get-ClusterNetwork": "Name",
        "Get-ClusterOwnerNode": "Resource Group ResourceType",
        "Get-ClusterParameter": "InputObject Name <",
        "Get-ClusterQuorum": "",
    },
    "VirtualMachineManager": {
        "Get-SCVMMServer": "ComputerName:here TCPPort",
        "Get-SCCloud": "VMMServer:made Name ID VMHostGroup",
        "Get-SCVMHostGroup": "VMMServer:made Name ID",
        "Get-SCVMHost": "VMMServer:made VMHostGroup VMHostCluster ID",
        "Get-SCVMHostCluster": "VMMServer:made Name ID VMHostGroup",
        "Get-SCVirtualMachine": "VMMServer:made All! Name ID VMHost Cloud VMHostGroup",
        "Get-SCVirtualNetworkAdapter": "VMMServer:made VM All! ID",
        "Get-SCVirtualHardDisk": "VMMServer:made VM All! ID Name",
        "Get-SCLogicalNetwork": "VMMServer:made Name ID",
        "Get-SCVMNetwork": "VMMServer:made Name ID LogicalNetwork",
        "Get-SCStorageClassification": "VMMServer:made Name ID",
        "Get-SCRunAsAccount": "VMMServer:made Name ID",
    },
    "MSOnlineBackup": {
        "Get-OBMachineSetting": "",
        "Get-OBPolicy": "",
        "Get-OBPolicyState": "",
        "Get-OBMachineUsage": "",
    },
    "NetTCPIP": {
        "Get-NetTCPConnection": "LocalAddress LocalPort RemoteAddress RemotePort State OwningProcess",
        "Get-NetTCPSetting": "SettingName",
        "Get-NetIPAddress": "IPAddress InterfaceIndex InterfaceAlias AddressFamily",
        "Get-NetRoute": "DestinationPrefix InterfaceIndex InterfaceAlias AddressFamily",
    },
    "NetAdapter": {
        "Get-NetAdapter": "Name InterfaceDescription InterfaceIndex Physical! IncludeHidden!",
        "Get-NetAdapterStatistics": "Name",
    },
    "NetQos": {"Get-NetQosPolicy": "Name PolicyStore"},
    "NetSecurity": {
        "Get-NetFirewallProfile": "Name Profile All! PolicyStore",
        "Get-NetFirewallRule": "Name DisplayName DisplayGroup Group Enabled Direction Action PolicyStore",
    },
    "DnsClient": {"Resolve-DnsName": "Name:written Type DnsOnly! NoHostsFile! QuickTimeout! CacheOnly!"},
    "Storage": {
        "Get-Disk": "Number FriendlyName UniqueId SerialNumber",
        "Get-Partition": "DiskNumber PartitionNumber DriveLetter",
        "Get-PhysicalDisk": "FriendlyName UniqueId SerialNumber DeviceNumber",
        "Get-Volume": "DriveLetter UniqueId ObjectId Path FilePath FileSystemLabel",
    },
    "iSCSI": {
        "Get-IscsiSession": "SessionIdentifier",
        "Get-IscsiTarget": "NodeAddress",
        "Get-IscsiConnection": "",
    },
    "ScheduledTasks": {"Get-ScheduledTask": "TaskName TaskPath", "Get-ScheduledTaskInfo": "TaskName TaskPath"},
    "ServerManager": {"Get-WindowsFeature": "Name"},
    # A function of the script around the probes (powershell/endpoints.ps1). A probe cannot tell it what to reach: that
    # stands in the playbook, in the list that the probe's `connects` names.
    "fleetscan": {"Test-FleetscanEndpoint": "Agent:setting"},
}

MODULES = frozenset(name.casefold() for name in _MODULES) - {"fleetscan"}
"""What Import-Module may load."""


@cache
def command(name: str) -> Command | None:
    """The command of that name, upper or lower case, without its module."""
    wanted = name.casefold()
    for module, commands in _MODULES.items():
        for known, notation in commands.items():
            if known.casefold() == wanted:
                return _parsed(known, module, notation)
    return None


def modules() -> dict[str, tuple[str, ...]]:
    """All commands by the module that they are in."""
    return {module: tuple(commands) for module, commands in _MODULES.items()}


def names() -> tuple[str, ...]:
    """All commands, for suggestions."""
    return tuple(name for commands in _MODULES.values() for name in commands)


def _parsed(name: str, module: str, notation: str) -> Command:
    parameters = dict(_COMMON)
    positional = []
    for word in notation.replace("<", "").split():
        if word.startswith("@"):
            positional.append(Kind(word[1:]))
        elif word.endswith("!"):
            parameters[word[:-1]] = Kind.SWITCH
        else:
            parameter, _, kind = word.partition(":")
            parameters[parameter] = Kind(kind or "any")
    return Command(name, module, parameters, tuple(positional), piped="<" in notation)
