"""The files of a playbook, as people write them."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, JsonValue

from fleetscan.model.host import Role
from fleetscan.model.playbook import ObjectType, Relation, Severity
from fleetscan.validate import Strict, mistake

_TEXT_LIMIT = 4000


def _text(value: str) -> str:
    if not value.strip():
        raise mistake("is empty", "say it in words")
    return value


def _line(value: str) -> str:
    if "\n" in value.strip():
        raise mistake("must be one line", "put the rest into another field")
    return _text(value).strip()


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s]+", value):
        raise mistake(f'"{value[:60]}" is no address', "write https://…")
    return value


def _day(value: str) -> str:
    """A month, or a day, that is in the calendar."""
    try:
        date.fromisoformat(value if len(value) > len("2026-01") else f"{value}-01")
    except ValueError:
        raise mistake(f'"{value[:60]}" is no month and no day', "write 2026-01 or 2026-01-31") from None
    return value


def some(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse an empty list."""
    if not values:
        raise mistake("is empty", "name at least one")
    return values


def _unique(values: tuple[Any, ...]) -> tuple[Any, ...]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise mistake(f'"{value}" is here twice', "remove one")
    return values


Text = Annotated[str, Field(max_length=_TEXT_LIMIT, strict=True), AfterValidator(_text)]
Line = Annotated[str, Field(max_length=300, strict=True), AfterValidator(_line)]
Url = Annotated[str, Field(max_length=500, strict=True, json_schema_extra={"format": "uri"}), AfterValidator(_url)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$", strict=True), AfterValidator(_day)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100, strict=True)]
Words = Annotated[tuple[Word, ...], AfterValidator(_unique)]
Roles = Annotated[
    tuple[Role, ...], Field(json_schema_extra={"minItems": 1}), AfterValidator(some), AfterValidator(_unique)
]
Cel = Annotated[str, Field(max_length=_TEXT_LIMIT, strict=True), AfterValidator(_text)]


class PlaybookFile(Strict):
    """`playbook.yaml`."""

    title: Line
    version: Line = Field(description="quote it: 1.10 would be the number 1.1")
    description: Text
    articles: dict[Word, Line] = Field(
        default_factory=dict, description="item → what it asks, in the order of the coverage table"
    )
    measures: dict[Word, Line] = Field(
        default_factory=dict, description="item → the command that measures it over time, for the coverage table"
    )


class RemedyEntry(Strict):
    """What to do about a failure."""

    text: Text = Field(description="may hold {expressions}")
    action: Word | None = Field(default=None, description="the action that `fleetscan plan` may propose")


class AcrossEntry(Strict):
    """Which hosts a check compares when all have been visited."""

    hosts: Annotated[
        tuple[Relation, ...], Field(json_schema_extra={"minItems": 1}), AfterValidator(some), AfterValidator(_unique)
    ] = Field(description="what those hosts have in common with the host of the finding")
    named: Cel | None = Field(default=None, description="CEL; a list of the names of further hosts")
    checks: Words = Field(default=(), description="checks of hosts, whose findings there the expressions read")


class CheckFile(Strict):
    """`checks/<check-id>.yaml`: the id is the name of the file."""

    model_config = ConfigDict(populate_by_name=False)

    title: Line
    why: Text
    article: Words = Field(default=(), description="items of the playbook's `articles`")
    roles: Roles
    object: ObjectType
    severity: Severity
    probes: Annotated[Words, Field(json_schema_extra={"minItems": 1}), AfterValidator(some)]
    when: Cel | None = Field(default=None, description="CEL; false: not applicable")
    passes: Cel = Field(alias="pass", description="CEL; true: pass")
    warn: Cel | None = Field(default=None, description="CEL; true: warning")
    fail: Cel | None = Field(
        default=None, description="CEL; true: failure. Without it, what neither passes nor warns fails"
    )
    observed: Cel | None = Field(default=None, description="CEL; the value that was found")
    expected: Text | None = Field(default=None, description="may hold {expressions}")
    message: Text | None = Field(default=None, description="may hold {expressions}")
    remedy: RemedyEntry
    reference: Url
    tags: Words = ()
    across: AcrossEntry | None = Field(
        default=None, description="judged when all hosts have been visited; the expressions then read `hosts`"
    )


class DataFile(Strict):
    """`data/<id>.yaml`: a list that checks compare with."""

    title: Line
    as_of: Day = Field(description="the month, or the day, on which the source said so: 2026-01, 2026-01-31")
    source: Line = Field(description="where the numbers come from: an address, or who set them")
    data: dict[str, JsonValue] = Field(
        description="what expressions read as `data.<id>`: numbers, texts, lists of them"
    )


class ProbeFile(Strict):
    """`probes/<probe-id>.yaml`, beside the script of the same name."""

    title: Line
    roles: Roles
    needs: Line = Field(description="the right or group that the question needs, for people")
    timeout: Annotated[int, Field(ge=1, le=3600, strict=True)] = Field(default=60, description="seconds")
    order: Annotated[int, Field(ge=0, le=1000, strict=True)] = Field(default=50, description="cheap questions first")
    connects: Word | None = Field(
        default=None, description="the data file with the names that the probe tries to reach, by role"
    )
    answer: dict[str, JsonValue] = Field(description="the shape of the answer, see docs/writing-a-check.md")
