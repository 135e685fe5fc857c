"""The file of ticket columns, as people write it."""

from __future__ import annotations

from string import Formatter
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag, TypeAdapter

from fleetscan.model.playbook import Severity
from fleetscan.report.csv_rows import harmless, on_one_line
from fleetscan.report.tickets.columns import DUE_DAYS
from fleetscan.report.tickets.fields import FIELDS
from fleetscan.report.tickets.ticket import State
from fleetscan.suggest import did_you_mean
from fleetscan.validate import Strict, mistake


def _text(value: str) -> str:
    try:
        parts = list(Formatter().parse(value))
    except ValueError as error:
        raise mistake(f"the text cannot be read: {error}", "write {{ and }} for braces that are meant") from None
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if name not in FIELDS:
            raise mistake(f'"{name[:60]}" is nothing that a ticket has', did_you_mean(name, FIELDS) or _KNOWN)
        if form or conversion:
            raise mistake(f"{{{name}}} can only be filled in as it is", f"write {{{name}}}")
    return value


def _name(value: str) -> str:
    if value != harmless(on_one_line(value)):
        raise mistake("this cannot be the name of a column", "write one line that does not begin with = + - @")
    return value


_KNOWN = "docs/reports.md lists what there is"
Text = Annotated[str, Field(strict=True, max_length=5_000), AfterValidator(_text)]
Name = Annotated[str, Field(strict=True, min_length=1, max_length=200), AfterValidator(_name)]


class Translated(Strict):
    """A text, and other words for what comes out of it."""

    text: Text = Field(description="a text with names in braces: {severity}")
    values: dict[str, Annotated[str, Field(strict=True)]] = Field(description="what comes out: what is written")


def _kind(value: object) -> str:
    return "mapping" if isinstance(value, dict | Translated) else "plain"


# Told apart first, so that a mistake in one is not told as a mistake in both.
Said = Annotated[Annotated[Text, Tag("plain")] | Annotated[Translated, Tag("mapping")], Discriminator(_kind)]


class ColumnFile(Strict):
    """The columns of a ticket file."""

    title: Annotated[str, Field(strict=True, max_length=200)] = Field(default="", description="what it is for")
    states: tuple[State, ...] = Field(default=tuple(State), min_length=1, description="which tickets are written")
    due_days: dict[Severity, Annotated[int, Field(ge=0, le=3650, strict=True)]] = Field(
        default=dict(DUE_DAYS), description="days until a ticket is due, by severity; none for what is not named"
    )
    columns: dict[Name, Said] = Field(min_length=1, description="the name of each column: what is in it")


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a file of ticket columns, for editors."""
    schema = TypeAdapter(ColumnFile).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "fleetscan ticket columns"}
