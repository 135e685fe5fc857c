"""The dated lists of a playbook: read by expressions, replaced by the user's, and every mistake in them found."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleetscan.errors import InputError
from fleetscan.model.playbook import DataSource
from fleetscan.playbook import load, select
from tests.playbook.conftest import Folder

VM = "checks/backup-on.yaml"
LIMITS = "data/own-limits.yaml"
TEXT = """\
title: Limits of the house
as_of: "2026-01-31"
source: https://example.com/limits
data:
  size: {most: 3, share: 0.5}
  newest: 5.24.902.11
  names: [sql01, web03]
  systems:
    - {build: 20348, name: "2022"}
    - {build: 26100, core: true}
"""
READS = [(VM, "vm.size > 3", "vm.size > data.own_limits.size.most")]


@pytest.fixture
def folder(folder: Folder) -> Folder:
    """A playbook with a list that one of its checks reads."""
    folder.write(LIMITS, TEXT)
    folder.replace(*READS[0])
    return folder


def own(folder: Folder, text: str, name: str = "own-limits") -> str:
    """A folder of the user's with one file."""
    folder.write(f"../mine/{name}.yaml", text)
    return str(folder.path.parent / "mine")


def mistakes(folder: Folder, data: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        load(str(folder.path), data)
    return [str(problem).replace(f"{folder.path.parent}/", "") for problem in caught.value.problems]


def warns(folder: Folder, data: str | None = None) -> object:
    book = load(str(folder.path), data)
    check = book.checks[1]
    assert check.warns is not None
    return check.warns.evaluate(book.bind({"vm": {"backup": {}, "size": 4}}))


def test_expressions_read_it(folder: Folder) -> None:
    book = folder.load()
    assert [check.data for check in book.checks] == [(), ("own-limits",)]
    (source,) = book.data
    assert (source.id, source.as_of, source.source) == ("own-limits", "2026-01-31", "https://example.com/limits")
    assert source.origin.endswith("small/data/own-limits.yaml")
    assert warns(folder) is True


def test_only_what_the_chosen_checks_read_is_told(folder: Folder) -> None:
    assert select(folder.load(), ["service-*"]).data == ()
    assert [source.id for source in select(folder.load(), ["backup-on"]).data] == ["own-limits"]


def test_the_date_can_be_shown(folder: Folder) -> None:
    folder.replace(VM, "Enable it for {vm.name}.", "As of {data.own_limits.as_of}: {data.own_limits.source}")
    book = folder.load()
    shown = book.checks[1].remedy.text.render(book.bind({}))
    assert shown == "As of 2026-01-31: https://example.com/limits"


def test_the_users_list_takes_its_place_as_a_whole(folder: Folder) -> None:
    mine = own(folder, TEXT.replace("most: 3", "most: 4").replace("2026-01-31", "2026-02"))
    assert warns(folder, mine) is False
    (source,) = load(str(folder.path), mine).data
    assert (source.as_of, source.origin) == ("2026-02", f"{mine}/own-limits.yaml")


def test_a_whole_number_will_do_for_a_broken_one(folder: Folder) -> None:
    folder.replace(VM, "vm.size > data.own_limits.size.most", "2.0 * data.own_limits.size.share > 1.5")
    assert warns(folder, own(folder, TEXT.replace("share: 0.5", "share: 1"))) is True
    assert warns(folder) is False


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("most: 3", "msot: 3", ['5:9: "most" is missing; add it: the file replaces that of the playbook as a whole'
                               , '5:10: the playbook knows no "msot" here; did you mean "most"?']),
        ("most: 3", "most: 3.5", ["5:16: must be a whole number, as in the playbook"]),
        ("most: 3", "most: true", ["5:16: must be a whole number, as in the playbook"]),
        ("most: 3", 'most: "3"', ["5:16: must be a whole number, as in the playbook"]),
        ("5.24.902.11", "5.24.902", ["6:11: must be a version of four numbers, as 5.24.902.11, as in the playbook"]),
        ("[sql01, web03]", "sql01", ["7:10: must be a list, as in the playbook"]),
        ("web03]", "7]", ["7:18: must be a text, as in the playbook; quote it"]),
        ("build: 26100", "build: new", ["10:15: must be a whole number, as in the playbook"]),
        ('"2026-01-31"', "2026-13", ['2:8: as_of: "2026-13" is no month and no day; write 2026-01 or 2026-01-31']),
        ("https://example.com/limits", '""', ["3:9: source: is empty; say it in words"]),
        ("title: Limits of the house\n", "", ['1:1: "title" is missing; add it']),
    ],
)  # fmt: skip
def test_mistakes_in_the_users_list(folder: Folder, old: str, new: str, told: list[str]) -> None:
    assert TEXT.count(old) == 1
    assert mistakes(folder, own(folder, TEXT.replace(old, new))) == [f"mine/own-limits.yaml:{line}" for line in told]


def test_a_list_that_the_playbook_does_not_have(folder: Folder) -> None:
    assert mistakes(folder, own(folder, TEXT, "own-limit")) == [
        'mine/own-limit.yaml: the playbook has no data "own-limit"; did you mean "own-limits"?'
    ]


def test_a_folder_that_does_not_exist(folder: Folder) -> None:
    told = ["--data nowhere: there is no such folder; name a folder that holds data files"]
    assert mistakes(folder, "nowhere") == told


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        (VM, "size.most", "size.mots", f'{VM}:12:39: warn: there is no field "mots"; did you mean "most"?'),
        (VM, "own_limits", "own_limit", f'{VM}:12:23: warn: there is no field "own_limit"; did you mean "own_limits"?'),
        (VM, "own_limits.size.most", "own_limits.names", f"{VM}:12:16: warn: > compares a number with a list"),
        (LIMITS, "most: 3", "most: ~", (f"{LIMITS}:5:16: is no value that a check could compare with; "
         "leave the key out, or write a smaller number")),
        (LIMITS, "[sql01, web03]", "[sql01, 3]", (f"{LIMITS}:7:18: is a whole number, the items before it are not; "
         "make them alike")),
        (LIMITS, "[sql01, web03]", "[]", (f"{LIMITS}:7:10: an empty list does not say what it lists; "
         "leave it out, or give it an item")),
        (LIMITS, "newest:", "as_of:", f'{LIMITS}:6:3: "as_of" stands at the top of the file; choose another name'),
        (LIMITS, "newest:", "a-b:", f'{LIMITS}:6:3: "a-b" is no name for a key; use letters, digits and _'),
    ],
)  # fmt: skip
def test_mistakes_in_the_playbook(folder: Folder, path: str, old: str, new: str, told: str) -> None:
    folder.replace(path, old, new)
    assert folder.mistakes() == [told]


def test_versions_are_no_texts_to_sort_by(folder: Folder) -> None:
    folder.replace(VM, "vm.size > data.own_limits.size.most", "data.own_limits.newest > vm.name")
    (told,) = folder.mistakes()
    assert f"{VM}:12:31: warn: > compares versions as texts" in told


def test_a_date_that_is_none_hides_no_mistake_of_the_list(folder: Folder) -> None:
    folder.replace(LIMITS, "2026-01-31", "2026-13")
    folder.replace(LIMITS, "share: 0.5", "my-share: 0.5")
    assert [line.split(";")[0] for line in folder.mistakes()] == [
        f'{LIMITS}:2:8: as_of: "2026-13" is no month and no day',
        f'{LIMITS}:5:19: "my-share" is no name for a key',
    ]


def test_a_list_that_nobody_reads(folder: Folder) -> None:
    folder.write("data/more.yaml", TEXT)
    assert folder.mistakes() == ["data/more.yaml: no check reads this data; add a check, or remove the file"]


def test_a_list_that_cannot_be_read_is_one_mistake(folder: Folder) -> None:
    folder.replace(LIMITS, "as_of", "as-of")
    told = folder.mistakes()
    assert all(line.startswith(LIMITS) for line in told)


@pytest.mark.parametrize(
    ("as_of", "months"), [("2026-11", 0), ("2026-05", 6), ("2026-04-25", 6), ("2026-04-24", 7), ("2025-10", 13)]
)
def test_age(as_of: str, months: int) -> None:
    source = DataSource(id="x", as_of=as_of, source="https://example.com")
    assert source.months_old(datetime(2026, 11, 24, tzinfo=UTC)) == months


def test_the_folder_may_be_empty(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert warns(folder, str(tmp_path / "empty")) is True
