"""CSV files in the programs that people open them with: LibreOffice, and a second reader that knows nothing of ours."""

from __future__ import annotations

import csv
import io
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from fleetscan.model.finding import Status
from fleetscan.model.run import RunReport
from fleetscan.report import render
from fleetscan.report.options import ReportOptions
from fleetscan.report.tickets import load
from tests.report import morning
from tests.report.factory import finding, host, run, visit
from tests.report.hostile import TEXTS
from tests.tools import needed, node

FORMATS = ("csv", "tickets")


def hostile() -> RunReport:
    return told(*TEXTS, "x" * 40_000)


def numbers() -> RunReport:
    return told("007", "1e5", "00", "12345678901234567890", "4")


def told(*texts: str) -> RunReport:
    findings = [
        finding("hv01", f"check-{number}", Status.FAIL, object_name=text, observed=text, message=text)
        for number, text in enumerate(texts)
    ]
    return run([visit(host("hv01"), findings)])


def table(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True))


def test_libreoffice_shows_every_cell_as_it_was_written(tmp_path: Path) -> None:
    office = needed("soffice", "libreoffice")
    written = {}
    makers = [("csv", morning.fleet), ("csv", hostile)]
    makers += [("tickets", morning.fleet), ("tickets", hostile), ("tickets", numbers)]
    for name, make in makers:
        text = "".join(render(make(), name))
        written[f"{name}-{make.__name__}"] = text
        (tmp_path / f"{name}-{make.__name__}.csv").write_text(text, encoding="utf-8", newline="")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    files = [str(tmp_path / f"{name}.csv") for name in written]
    how = "--infilter=CSV:44,34,76"  # comma, quote, UTF-8: what its dialog proposes; cells are not said to be text
    command = [office, profile, "--headless", how, "--convert-to", "xlsx", "--outdir", str(tmp_path / "out"), *files]
    subprocess.run(command, capture_output=True, check=True, timeout=55)
    for name, text in written.items():
        sheet = openpyxl.load_workbook(tmp_path / "out" / f"{name}.xlsx").active
        shown = [[_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
        for got, want in zip(shown, table(text), strict=True):
            assert got == want


def _text(value: object) -> str:
    """What is in a cell; a day becomes a date there, and `false` a truth value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.date().isoformat()
    return "" if value is None else str(value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("make", [morning.fleet, hostile])
def test_a_second_reader_agrees_on_every_row(
    tmp_path: Path, make: Callable[[], RunReport], name: str, delimiter: str
) -> None:
    options = ReportOptions(csv_delimiter=delimiter, csv_bom=delimiter == ";")
    agree(tmp_path, "".join(render(make(), name, options)), delimiter)


def test_a_second_reader_agrees_on_descriptions_of_several_lines(tmp_path: Path) -> None:
    agree(tmp_path, "".join(render(hostile(), "tickets", ReportOptions(ticket_columns=load("jira")))), ",")


def agree(folder: Path, text: str, delimiter: str) -> None:
    path = folder / "report.csv"
    path.write_text(text, encoding="utf-8", newline="")
    script = (
        "const {parse} = require('csv-parse/sync'); const [path, delimiter] = process.argv.slice(1);"
        "const text = require('fs').readFileSync(path);"
        "process.stdout.write(JSON.stringify(parse(text, {delimiter, bom: true})))"
    )
    assert node("csv-parse", script, str(path), delimiter) == table(text, delimiter)
