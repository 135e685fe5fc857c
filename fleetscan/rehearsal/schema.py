"""The files of a playbook's `tests` folder, as people write them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, JsonValue, StrictBool, model_validator

from fleetscan.model.finding import Status
from fleetscan.model.host import Role
from fleetscan.model.reasons import Reason
from fleetscan.suggest import did_you_mean
from fleetscan.validate import Strict, mistake

Text = Annotated[str, Field(max_length=4000, strict=True)]


def _line(value: str) -> str:
    if not value.strip() or "\n" in value.strip():
        raise mistake("must be one line with something in it", "write a few words")
    return value.strip()


def _moment(value: str) -> str:
    try:
        aware = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise mistake(f'"{value[:60]}" is no time with a zone', "write it as 2026-01-31T12:00:00Z")
    return value


def _some(value: Any) -> Any:
    if not value:
        raise mistake("is empty", "write at least one")
    return value


def _whole(value: object) -> object:
    """A word alone is a status."""
    return {"status": value} if isinstance(value, str) else value


def _known(value: object) -> object:
    """There are too many reasons to list them all in a message."""
    if isinstance(value, str) and value not in list(Reason):
        cure = did_you_mean(value, list(Reason)) or "write it as reports show it"
        raise mistake(f'"{value[:60]}" is no reason code', cure)
    return value


Line = Annotated[str, Field(max_length=300, strict=True), AfterValidator(_line)]
Facts = Annotated[dict[str, JsonValue], Field(description="probe → its answer, or `{status: denied}`")]


class HostEntry(Strict):
    """What is known of the host beside the answers. What is not said here is as on a plain host."""

    name: Line | None = None
    roles: Annotated[tuple[Role, ...], Field(json_schema_extra={"minItems": 1}), AfterValidator(_some)] | None = Field(
        default=None, description="without them, the first role of the check"
    )
    groups: tuple[Text, ...] | None = None
    zone: Text | None = None
    cluster: Text | None = None
    vmm_server: Text | None = None
    now: Annotated[str, Field(strict=True), AfterValidator(_moment)] | None = Field(
        default=None, description="the host's clock, ISO 8601 with a zone"
    )
    computer: Text | None = None
    culture: Text | None = None
    ui_culture: Text | None = None
    language_mode: Text | None = None
    powershell: Text | None = None
    os_build: Text | None = None
    elevated: StrictBool | None = None

    def over(self, other: HostEntry) -> HostEntry:
        """These settings, and those of the other where these say nothing."""
        return other.model_copy(update=self.model_dump(exclude_none=True))


class Expectation(Strict):
    """What is expected of one finding. What is not said may be anything."""

    status: Status
    reason: Annotated[Reason | None, BeforeValidator(_known)] = None
    observed: Text | None = Field(default=None, description="the whole text")
    expected: Text | None = Field(default=None, description="the whole text")
    message: Text | None = Field(default=None, description="a part of the text")
    remedy: Text | None = Field(default=None, description="a part of the text")


Expected = Annotated[
    Expectation,
    BeforeValidator(_whole),
    Field(description="a status alone, or with what else is expected of the finding"),
]


class OtherEntry(Strict):
    """Another host of the same run, for a check that looks across hosts."""

    based_on: Text | None = Field(default=None, description="a base; without it, a plain host that never answered")
    host: HostEntry = Field(default_factory=HostEntry)
    facts: Facts = Field(default_factory=dict)


class Case(Strict):
    """Facts about one host, and what the check must say of them."""

    name: Line
    near: StrictBool = Field(default=False, description="for readers: it lies just on its side of a border")
    no_execute: Line | None = Field(default=None, description="why --execute leaves the case out")
    based_on: Text | None = Field(default=None, description="a base; without it, that of the file")
    host: HostEntry = Field(default_factory=HostEntry)
    facts: Facts = Field(default_factory=dict)
    others: tuple[OtherEntry, ...] = Field(default=(), description="the other hosts of the run")
    expect: Annotated[dict[str, Expected], AfterValidator(_some)] = Field(
        description="the name of each object → what its finding must be; `-` where there is no object",
        json_schema_extra={"minProperties": 1},
    )


class CaseFile(Strict):
    """`tests/<check-id>.yaml`, or a file in `tests/<check-id>/`."""

    based_on: Text | None = Field(default=None, description="the base of all cases that name none")
    cases: Annotated[tuple[Case, ...], Field(json_schema_extra={"minItems": 1}), AfterValidator(_some)]

    @model_validator(mode="before")
    @classmethod
    def _no_list(cls, data: object) -> object:
        if isinstance(data, list):
            raise mistake("a list stands where a mapping is expected", "write `cases:` above it")
        return data


class BaseFile(Strict):
    """`tests/bases/<name>.yaml`: a host that cases start from."""

    based_on: Text | None = Field(default=None, description="a base that this one changes")
    host: HostEntry = Field(default_factory=HostEntry)
    facts: Facts = Field(default_factory=dict)


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas of the files: `test` and `base`."""
    models: dict[str, type[BaseModel]] = {"test": CaseFile, "base": BaseFile}
    schemas = {
        name: {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
        for name, model in models.items()
    }
    words = {"$ref": "#/$defs/Status"}
    definitions = schemas["test"]["$defs"]
    definitions["Expectation"] = {"anyOf": [words, definitions["Expectation"]]}
    return schemas
