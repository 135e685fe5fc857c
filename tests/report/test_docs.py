"""The documents say what the code does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from fleetscan.cli.options import Outputs
from fleetscan.errors import ExitStatus
from fleetscan.report import FORMATS
from fleetscan.report.rows import COLUMNS
from fleetscan.report.tickets import FIELDS
from tests import reference

DOCS = Path(__file__).parents[2] / "docs"


def rows(document: str, section: str = "") -> list[list[str]]:
    """The cells of the first table of a section, without its heading."""
    text = (DOCS / document).read_text(encoding="utf-8")
    text = text[text.index(section) :]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()[2:]]


def test_the_exit_codes_are_those_of_the_code() -> None:
    expected = [[str(status.value), status.name.lower().replace("_", " "), status.meaning] for status in ExitStatus]
    assert rows("exit-codes.md") == expected


def test_the_reference_of_the_formats_is_made_from_the_code() -> None:
    text = reference.PAGE.read_text(encoding="utf-8")
    assert text.count("<!-- from the code:") == len(reference.PARTS)
    assert reference.page(text) == text, "run: python -m tests.reference"


@pytest.mark.parametrize("described", [COLUMNS, FIELDS], ids=["columns", "tickets"])
def test_every_column_is_described_in_one_sentence(described: Mapping[str, str]) -> None:
    assert all(re.fullmatch(r"[^.]+(?:\.[^. ][^.]*)*\.", told) for told in described.values())


def test_the_help_of_scan_names_every_suffix() -> None:
    help_text = get_args(Outputs)[1].help
    assert help_text.partition("(")[2].partition(")")[0].split() == [form.suffix for form in FORMATS.values()]
