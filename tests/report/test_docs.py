"""The documents say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from fleetscan.errors import ExitStatus
from fleetscan.report import FORMATS
from fleetscan.report.rows import COLUMNS

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


def test_every_format_is_described_with_its_suffix() -> None:
    assert [row[:2] for row in rows("reports.md")] == [
        [f"`{name}`", f"`{form.suffix}`"] for name, form in FORMATS.items()
    ]


def test_every_column_is_described_in_its_order_in_one_sentence() -> None:
    table = rows("reports.md", "## CSV")
    assert [row[0] for row in table] == [f"`{column}`" for column in COLUMNS]
    assert all(re.fullmatch(r"[^.]+(?:\.[^. ][^.]*)*\.", row[1]) for row in table)
