"""The truth about a simulated machine: its operating system, and what each probe would find."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from fleetscan.model.playbook import JSON


class OS(BaseModel):
    """What a machine says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: str = "windows"
    """windows or linux"""
    build: str = "20348"
    computer: str = ""
    """Empty means: the host's name up to its first dot, in upper case on Windows."""
    domain: str = "corp.example"
    language: str = "en-US"
    language_mode: str = "FullLanguage"
    powershell: str = "5.1.20348.2227"
    elevated: bool = True
    codepage: int = 437
    now: str = ""
    """ISO 8601; empty means the clock of the machine that runs the lab."""


class Machine(BaseModel):
    """One simulated machine. What is not listed here is kept for the stand-ins, which see all of it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    os: OS = Field(default_factory=OS)
    probes: dict[str, JSON] = Field(default_factory=dict)

    @property
    def computer(self) -> str:
        """The name that the machine has for itself."""
        if self.os.computer:
            return self.os.computer
        short = self.name.partition(".")[0]
        return short.upper()[:15] if self.os.family == "windows" else short
