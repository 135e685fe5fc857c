"""The reader of cells: what Python's reader reads, and where each cell stands."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetscan.errors import Problem
from fleetscan.inventory.csv_cells import rows

TEXTS = st.text(st.sampled_from('aé😀 ",;\t\r\n='), max_size=6)


@given(
    st.lists(st.lists(TEXTS, min_size=1, max_size=4), max_size=4),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_it_reads_what_pythons_reader_reads(table: list[list[str]], delimiter: str, end: str, quoting: int) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(table)  # type: ignore[arg-type] # typed as a literal
    text = stream.getvalue()
    problems: list[Problem] = []
    found = list(rows("x.csv", text, delimiter, problems))
    theirs = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]
    assert problems == []
    assert [[cell.text for cell in row] for row in found] == [row for row in theirs if len(row) > 1 or any(row)]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for cell in (cell for row in found for cell in row if cell.text):
        begin = lines[cell.line - 1][cell.column - 1 :].lstrip(" ")
        assert begin.startswith('"') or begin.lstrip().startswith(cell.text[0])


@pytest.mark.parametrize(
    ("text", "place"),
    [('a,b\n1,"x\n2,3\n', (2, 3)), ('a,b\n"x\ny"z,3\n', (3, 3))],
    ids=["open", "behind"],
)
def test_quotes_that_do_not_fit_are_told_at_their_place(text: str, place: tuple[int, int]) -> None:
    problems: list[Problem] = []
    assert len(list(rows("x.csv", text, ",", problems))) == 1
    assert [(problem.line, problem.column) for problem in problems] == [place]
