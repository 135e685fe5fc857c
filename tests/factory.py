"""Small makers of model values for tests of all rooms."""

from __future__ import annotations

from collections.abc import Mapping

from fleetscan.errors import ProbeError
from fleetscan.model.host import Host, Role
from fleetscan.model.playbook import JSON, Check, Language, Playbook, Probe
from fleetscan.model.reasons import Reason


def host(name: str = "hv01.example", **changes: object) -> Host:
    """A Hyper-V host."""
    values: dict[str, object] = {"name": name, "address": name, "roles": (Role.HYPERV,), "credential": "audit"}
    return Host(**(values | changes))  # type: ignore[arg-type] # a test's shorthand


def _anything(data: JSON) -> dict[str, JSON]:
    if not isinstance(data, dict):
        raise ProbeError(Reason.PROBE_BAD_SHAPE, "not an object")
    return data


def probe(identity: str, text: str = "@{ }", **changes: object) -> Probe:
    """A PowerShell probe whose answer may be any object."""
    values: dict[str, object] = {
        "id": identity,
        "title": identity,
        "language": Language.POWERSHELL,
        "roles": (Role.HYPERV,),
        "needs": "Hyper-V Administrators",
        "timeout": 20,
        "order": 10,
        "text": text,
        "shape": {},
        "validate": _anything,
    }
    return Probe(**(values | changes))  # type: ignore[arg-type] # a test's shorthand


def playbook(*probes: Probe, checks: tuple[Check, ...] = ()) -> Playbook:
    """A playbook of these probes; its expressions are made by the test."""

    def bind(variables: Mapping[str, JSON]) -> Mapping[str, JSON]:
        return variables

    return Playbook(name="test", title="Test", version="1", checks=checks, probes={p.id: p for p in probes}, bind=bind)
