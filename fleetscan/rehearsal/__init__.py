"""Rehearsals: checks on facts that people wrote down, with the findings that they expect. Nothing is contacted."""

from fleetscan.rehearsal.coverage import Gap, gaps
from fleetscan.rehearsal.runner import Performance, rehearse
from fleetscan.rehearsal.schema import json_schemas
from fleetscan.rehearsal.situation import Situation
from fleetscan.rehearsal.suite import Rehearsal, Suite, load

__all__ = [
    "Gap",
    "Performance",
    "Rehearsal",
    "Situation",
    "Suite",
    "gaps",
    "json_schemas",
    "load",
    "rehearse",
]
