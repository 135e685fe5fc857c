"""Waivers: load them from YAML, and lay them on the findings of a run. A waiver never hides a status."""

from __future__ import annotations

from fleetscan.waivers.apply import SOON, Waivers
from fleetscan.waivers.loader import load
from fleetscan.waivers.rule import Rule
from fleetscan.waivers.schema import json_schema

__all__ = ["SOON", "Rule", "Waivers", "json_schema", "load"]
