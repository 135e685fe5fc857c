"""Text on the grid: one character a column, until it is developed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given

from fleetscan.model.text import display_width
from fleetscan.report.grid import Colour, Grid
from fleetscan.report.layout import Column, Importance, command, cut, cut_middle, pack, table, wrap
from tests.report.hostile import texts


@given(texts)
def test_what_is_laid_has_as_many_characters_as_columns(text: str) -> None:
    grid = Grid()
    laid = grid.lay(text)
    shown = grid.develop(laid)
    assert len(laid) == display_width(shown)
    assert grid.develop(laid) == shown


@given(texts)
def test_every_cut_keeps_its_width(text: str) -> None:
    grid = Grid()
    laid = grid.lay(text)
    for width in range(12):
        assert display_width(grid.develop(laid[width:])) == len(laid[width:])
        assert display_width(grid.develop(cut(laid, width))) <= width
        assert display_width(grid.develop(cut_middle(laid, width))) <= width


def test_a_wide_character_that_is_cut_in_two_leaves_a_space() -> None:
    grid = Grid()
    laid = grid.lay("ab注文")
    assert [grid.develop(laid[:end]) for end in range(7)] == ["", "a", "ab", "ab ", "ab注", "ab注 ", "ab注文"]
    assert grid.develop(laid[3:]) == " 文"


def test_no_character_carries_more_accents_than_a_line_can_hold() -> None:
    grid = Grid()
    shown = grid.develop(grid.lay("Z" + "\u0300" * 100 + "x"))
    assert shown[-1] == "x"
    assert sum(unicodedata.combining(char) > 0 for char in shown) <= 4


def test_private_characters_of_a_host_are_not_taken_for_ours() -> None:
    grid = Grid()
    laid = grid.lay("受\U000f0000\U0010fffd")
    assert grid.develop(laid) == "受\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"


def test_colours_take_no_column_and_do_not_change_the_words() -> None:
    grid = Grid(color=True)
    painted = grid.paint("NOT ASSESSED", Colour.CYAN)
    assert len(painted) == len("NOT ASSESSED")
    assert grid.develop(painted) == "\x1b[36mNOT\x1b[0m \x1b[36mASSESSED\x1b[0m"
    assert grid.paint("x", None) == Grid().paint("x", Colour.RED) == "x"


def test_words_are_not_broken_at_their_hyphens_but_where_they_must() -> None:
    assert wrap("see backup-service-enabled", 24) == ["see", "backup-service-enabled"]
    assert wrap("x" * 50, 20) == ["x" * 20, "x" * 20, "x" * 10]
    address = f"https://learn.microsoft.com/{'x' * 20}"
    assert wrap(f"see {address} for more", 24, rest="  ") == ["see", f"  {address}", "  for more"]


def test_a_text_beyond_its_lines_ends_in_an_ellipsis() -> None:
    lines = wrap("word " * 100, 40, first="  ", rest="    ", lines=3)
    assert len(lines) == 3
    assert lines[-1].endswith(" …")


def test_items_are_packed_without_breaking_them() -> None:
    assert pack(["aaaa", "bb bb", "cc"], 12, indent="  ") == ["aaaa · bb bb", "  cc"]


def test_a_command_is_beside_its_label_or_below_it() -> None:
    assert command("Again:", "a b c", 20) == ["Again: a b c"]
    assert command("Again:", "aaaa bbbb cccc dddd", 14) == ["Again:", "  aaaa bbbb \\", "    cccc \\", "    dddd"]


COLUMNS = (Column("name", floors=(10, 8, 4)), Column("text", floors=(10, 8, 4)), Column("number", right=True))
ROW = ("n" * 12, "t" * 12, "7")


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (34, "nnnnnnnnnnnn  tttttttttttt       7"),
        (32, "nnnnnnnnnnnn  ttttttttt…       7"),
        (29, "nnnnnnnnn…  tttttttt…       7"),
        (27, "nnnnnnnn…  ttttttt…       7"),
        (20, "nnnnn…  ttt…       7"),
        (18, "nnn…  ttt…       7"),
        (12, "nnn…       7"),
    ],
)
def test_columns_make_room_by_importance(width: int, line: str) -> None:
    lines = table(COLUMNS, [ROW], width, Importance(shrink=(1, 0), drop=(1,)))
    assert lines[1] == line


@pytest.mark.parametrize("width", range(12, 40))
def test_a_table_is_as_wide_as_it_may_be_and_no_wider(width: int) -> None:
    lines = table(COLUMNS, [ROW], width, Importance(shrink=(1, 0), drop=(1,)))
    assert max(map(len, lines)) <= width


def test_a_spare_column_goes_before_the_others_become_uncomfortable() -> None:
    important = Importance(shrink=(1, 0), spare=(1,))
    assert table(COLUMNS, [ROW], 25, important)[0].split() == ["name", "number"]


def test_empty_columns_are_left_out_unless_they_are_wanted() -> None:
    columns = (Column("a"), Column("b"), Column("c", always=True))
    assert table(columns, [("x", "", "")], 80) == ["a  c", "x"]
