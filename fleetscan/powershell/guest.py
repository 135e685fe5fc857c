"""The payload of a guest that is asked from its Hyper-V host, through PowerShell Direct.

The host gets a small script of ours (guest.ps1) in place of a payload, and behind it, as data, the guest's payload with
the very bytes that a machine of the guest's role gets anywhere, then the guest's user name and password. The data is in
no command line and no script text, and guest.ps1 gives the password to no command: what Windows logs of a PowerShell
are texts of scripts, names of commands and their arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from fleetscan.model.login import Login, Secret
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import Trouble
from fleetscan.powershell.payload import Invocation, Payload, bootstrap_command, parameters, script

OPENED = "_guest"
"""The name of the envelope that says that the guest accepted the logon."""
HEADSTART_SECONDS = 3
"""How much earlier than the host's script the guest's payload ends itself."""


def wire_form(text: str) -> str:
    """How a text travels to the host: its UTF-16 units in hexadecimal, which any language mode can read."""
    return text.encode("utf-16-be", "surrogatepass").hex()


def invoke_guest(
    payload: Payload,
    login: Login,
    machines: Sequence[str],
    *,
    seconds: float,
    skip: Iterable[str] = (),
    sample: float = 0,
) -> Invocation:
    """Prepare one use of a guest's payload on its host. `machines` are the names that its VM may have there.

    What a host sends back unasked is at most the beginning of what it was sent: the secret stands last.
    """
    guest = parameters(payload, seconds=seconds - HEADSTART_SECONDS, skip=skip, sample=sample)
    password = (login.password or Secret("")).reveal()
    rest = "\n".join(["", payload.text, wire_form(login.username), wire_form(password)])
    relay = script("guest.ps1")
    head = json.dumps(
        {
            "nonce": guest["nonce"],
            "deadline": max(int(seconds), 1),
            "length": len(relay),
            "rest": len(rest),
            "vms": list(machines),
            "guest": json.dumps(guest, separators=(",", ":")),
        },
        separators=(",", ":"),
    )
    return Invocation(bootstrap_command(), f"{head}\n{relay}{rest}\n".encode("ascii"), str(guest["nonce"]))


_NEEDS = "it takes Windows 10 or Windows Server 2016, or later, on the host and in the guest"
_ADMINISTRATOR = "the account of the Hyper-V host must be one of its Administrators"
_REFUSALS = {
    "guest.unsupported": (
        Reason.UNREACHABLE_DIRECT,
        "the host has no PowerShell Direct: {}",
        f"{_NEEDS}; reach this guest over its network",
    ),
    "guest.module": (
        Reason.UNREACHABLE_DIRECT,
        "the host has no Hyper-V module for PowerShell",
        "is it a Hyper-V host? If so, add its feature Hyper-V-PowerShell",
    ),
    "guest.absent": (Reason.UNREACHABLE_VM, "the host has no such VM among its {}", ""),
    "guest.ambiguous": (
        Reason.UNREACHABLE_VM,
        "the host has several VMs of that name: {}",
        "set vm: to the GUID of the right one",
    ),
    "guest.off": (Reason.UNREACHABLE_OFF, "the VM is not running: its state is {}", "start it, and scan again"),
    "guest.rejected": (Reason.AUTH_REJECTED, "the guest did not accept the user name or password: {}", ""),
    "guest.denied": (
        Reason.PERMISSION_DENIED,
        "the account of the host may not do this: {}",
        _ADMINISTRATOR,
    ),
    "guest.session": (
        Reason.UNREACHABLE_DIRECT,
        "no session with the guest could be opened: {}",
        f"{_NEEDS}; the guest must have started, its service vmicvmsession must not be disabled; {_ADMINISTRATOR}",
    ),
    "guest.language": (
        Reason.BLOCKED_LANGUAGE_MODE,
        "the language mode of the host does not let a credential be made: {}",
        "reach this guest over its network, or allow the account Full Language on the Hyper-V host",
    ),
    "guest.broken": (Reason.ANSWER_TRUNCATED, "the session with the guest ended in the middle: {}", ""),
}


def refusal(reason: str, detail: str) -> Trouble | None:
    """What it means that guest.ps1 refused with this reason; None for any other script's."""
    if reason not in _REFUSALS:
        return None
    code, message, hint = _REFUSALS[reason]
    if reason == "guest.absent" and detail == "0":
        message = "the host shows this account no VM at all"
        hint = "an account that is neither Administrator nor Hyper-V Administrator there sees none"
    stage = Stage.ANSWER if code is Reason.ANSWER_TRUNCATED else Stage.LOGON
    return Trouble(reason=code, stage=stage, message=message.format(detail), hint=hint)
