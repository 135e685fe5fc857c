"""PowerShell Direct without a PowerShell: what the script for guests would answer on a Hyper-V host, from its facts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fleetscan.lab.commands import Payload, payload, powershell_script
from fleetscan.lab.engine import Outcome
from fleetscan.lab.facts import Guest, Machine
from fleetscan.model.playbook import JSON
from fleetscan.powershell.envelope import REFUSED, encode
from fleetscan.powershell.guest import OPENED

_FIRST_BUILD = 10240
_RUNNING = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """A guest that is asked for on its host: what its VM may be called, who logs on, and the payload."""

    nonce: str
    machines: tuple[str, ...]
    username: str
    password: str
    payload: Payload


def asked(command: str, stdin: bytes) -> Asked | None:
    """The request for a guest in an invocation; None when it is something else, or did not arrive whole."""
    head, _, body = stdin.decode("utf-8", "replace").replace("\r\n", "\n").partition("\n")
    if powershell_script(command) is None or '"vms":' not in head:
        return None
    told = json.loads(head)
    if len(body.removesuffix("\n")) != told["length"] + told["rest"]:
        return None
    *script, username, password = body.removesuffix("\n")[told["length"] :].split("\n")
    inner = payload(command, "\n".join([told["guest"], *script[1:], ""]).encode())
    assert inner is not None  # noqa: S101 # it is what any other guest gets
    return Asked(told["nonce"], tuple(told["vms"]), _text(username), _text(password), inner)


def answer(machine: Machine, wanted: Asked, ask: Callable[[Machine, Payload], Outcome]) -> Outcome:
    """What the host passes on, or why it does not; `ask` answers for the guest itself."""
    found = _find(machine, wanted.machines)
    refusal = _obstacle(machine, found)
    guest = _guest(machine, found[0]) if found else None
    if refusal is None and guest is None:
        refusal = {"reason": "guest.session", "detail": "A remote session might have ended."}
    if refusal is None and guest is not None and not _accepts(guest, wanted):
        detail = "The credential is invalid. (PSDirectException, PSSessionStateBroken)"
        refusal = {"reason": "guest.rejected", "detail": detail}
    if refusal is not None or guest is None:
        return _written(encode(wanted.nonce, REFUSED, refusal))
    outcome = ask(guest.machine, wanted.payload)
    opened = _written(encode(wanted.nonce, OPENED, {})).stdout
    ended = b""
    if outcome.exit_code:  # a question hung, and the payload has ended its process
        broken: dict[str, JSON] = {"reason": "guest.broken", "detail": "The Hyper-V socket target process has ended."}
        ended = _written(encode(wanted.nonce, REFUSED, broken)).stdout
    return Outcome(opened + outcome.stdout + ended, outcome.stderr, 0, outcome.seconds)


def _obstacle(machine: Machine, found: list[Mapping[str, JSON]]) -> dict[str, JSON] | None:
    if int(machine.os.build) < _FIRST_BUILD or int(machine.os.powershell.partition(".")[0]) < 5:  # as the script has it
        detail = f"build {machine.os.build} with PowerShell {machine.os.powershell}"
        return {"reason": "guest.unsupported", "detail": detail}
    if not found:
        return {"reason": "guest.absent", "detail": str(len(_vms(machine)))}
    if len(found) > 1:
        return {"reason": "guest.ambiguous", "detail": ", ".join(str(vm["id"]) for vm in found)}
    if found[0].get("state_code") != _RUNNING:
        return {"reason": "guest.off", "detail": str(found[0].get("state"))}
    return None


def _vms(machine: Machine) -> list[Mapping[str, JSON]]:
    answered = machine.probes.get("vms")
    vms = answered.get("vms") if isinstance(answered, dict) else None
    return [vm for vm in vms if isinstance(vm, dict)] if isinstance(vms, list) else []


def _find(machine: Machine, names: tuple[str, ...]) -> list[Mapping[str, JSON]]:
    for name in (name.casefold() for name in names):
        found = [vm for vm in _vms(machine) if name in (str(vm["name"]).casefold(), str(vm["id"]).casefold())]
        if found:
            return found
    return []


def _guest(machine: Machine, vm: Mapping[str, JSON]) -> Guest | None:
    return next((guest for guest in machine.guests if guest.id == vm["id"]), None)


def _accepts(guest: Guest, wanted: Asked) -> bool:
    return (guest.username.casefold(), guest.password) == (wanted.username.casefold(), wanted.password)


def _text(units: str) -> str:
    return bytes.fromhex(units).decode("utf-16-be", "surrogatepass")


def _written(lines: list[str]) -> Outcome:
    return Outcome(stdout="".join(f"{line}\r\n" for line in lines).encode("ascii"))
