"""docs/lab.md says what the code does."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from fleetscan.lab import OS, Fault
from fleetscan.lab.__main__ import _parser
from fleetscan.lab.counters import Counters
from fleetscan.lab.faults import possible
from fleetscan.lab.fleet import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "lab.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def where(fault: Fault) -> str:
    if possible(fault, transport="ssh", tls=False):
        return "both" if possible(fault, transport="winrm", tls=True) else "SSH"
    return "WinRM" if possible(fault, transport="winrm", tls=False) else "WinRM with https"


def test_every_fault_is_listed_with_its_sentence() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ([A-Za-z ]+) \| (.+) \|$", section("Faults"), re.MULTILINE)
    assert rows == [(str(fault), where(fault), fault.meaning) for fault in Fault]


def test_every_setting_counter_option_and_fact_is_named() -> None:
    settings = re.findall(r"^\| `([a-z_]+)` \|", section("A fleet's folder"), re.MULTILINE)
    assert settings == list(Settings.model_fields)
    counters = re.findall(r"`([a-z_]+)`", section("Counters").split("|---|---|")[1])
    assert set(counters) == {field.name for field in fields(Counters)}
    options = {option for action in _parser()._actions for option in action.option_strings if option.startswith("--")}
    assert options - {"--help"} <= set(re.findall(r"--[a-z-]+", PAGE))
    assert all(f"`{name}`" in section("A fleet's folder") for name in OS.model_fields)
