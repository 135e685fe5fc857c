"""The file of waivers, as people write it."""

from __future__ import annotations

import re
import zoneinfo
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter

from fleetscan.inventory.pattern import split
from fleetscan.playbook.schema import Line, Text, Word
from fleetscan.suggest import did_you_mean
from fleetscan.validate import Strict, mistake

UTC = "UTC"


def _day(value: str) -> str:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise mistake(f'"{value[:60]}" is no day', "write it as 2026-12-31")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise mistake(f'"{value}" is not in the calendar', "write the last day on which the waiver counts") from None
    return value


def _zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # OSError: "Europe" is a folder of zones
        cure = did_you_mean(value, zoneinfo.available_timezones()) or "write one like Europe/Paris, or UTC"
        raise mistake(f'"{value[:60]}" is no time zone', cure) from None
    return value


def _pattern(value: str) -> str:
    if any(term.text == "-" for term in split(value)):
        raise mistake("a waiver cannot read names from standard input", "write them, or @FILE")
    return value


LastDay = Annotated[str, Field(strict=True, json_schema_extra={"format": "date"}), AfterValidator(_day)]
Zone = Annotated[str, Field(strict=True), AfterValidator(_zone)]
CheckPattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.*?\[\]!-]+$", max_length=100, strict=True)]
HostPattern = Annotated[Line, AfterValidator(_pattern)]


class WaiverEntry(Strict):
    """One waiver: which failures, who answers for them, why, and until when."""

    id: Word | None = Field(default=None, description="named in reports; made of check, host and object if left out")
    check: CheckPattern = Field(description="the id of a check, or a glob: backup-service-enabled, guest-*")
    host: HostPattern = Field(default="all", description="a host pattern, as -l takes it: hv07, paris:&hyperv:!hv01")
    object: Line = Field(default="*", description="the name or id of a VM, guest or disk, or a glob")
    owner: Line = Field(description="who answers for it")
    ticket: Line = Field(description="where it was agreed on")
    reason: Text
    expires: LastDay = Field(description="the last day on which it counts, in the time zone of the file: 2026-12-31")


class WaiverFile(Strict):
    """A file of waivers."""

    timezone: Zone = Field(default=UTC, description="where a day ends: Europe/Paris")
    waivers: tuple[WaiverEntry, ...]


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a file of waivers, for editors."""
    schema = TypeAdapter(WaiverFile | tuple[WaiverEntry, ...]).json_schema()
    title = "Waivers: a mapping, or the bare list of a file whose days end in UTC"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}
