"""Simulated hosts that speak real WinRM and SSH: the ground of `fleetscan demo`, of playbook tests and of our own."""

from __future__ import annotations

from pathlib import Path

from fleetscan.lab.faults import Fault
from fleetscan.lab.fleet import Fleet, SimulatedHost, load, many
from fleetscan.lab.lab import Lab
from fleetscan.lab.powershell import PowerShellEngine

__all__ = ["Fault", "Fleet", "Lab", "PowerShellEngine", "SimulatedHost", "demo_fleet", "load", "many"]


def demo_fleet() -> Fleet:
    """The fleet that `fleetscan demo` scans."""
    return load(Path(__file__).parent / "fleets" / "demo")
