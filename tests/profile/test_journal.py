"""The journal: what a killed process leaves is read, and gone on with."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleetscan.errors import FleetscanError, InputError
from fleetscan.profile import Journal, Plan, read_journal

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PLAN = Plan(began=NOON, interval=60.0, samples=10, hosts=("hv01", "hv02"))


def begun(folder: Path) -> Path:
    path = folder / "p.jsonl"
    journal = Journal.begin(path, PLAN)
    journal.add("host", NOON, host="hv01", facts={"vm-disks": {"vms": []}})
    journal.add("sample", NOON, host="hv01", sample=0, totals={"vms": []})
    journal.add("gap", NOON, host="hv02", sample=1, reason="unreachable.refused", message="no")
    journal.close()
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    contents = read_journal(begun(tmp_path))
    assert contents.plan == PLAN
    assert contents.taken == 2
    assert contents.damaged == 0
    assert contents.facts == {"hv01": {"vm-disks": {"vms": []}}}
    assert [entry["kind"] for entry in contents.entries()] == ["sample", "gap"]


@pytest.mark.parametrize("torn", [b'{"kind":"sample","host":"hv0', b"\xff\xfe\x00", b'"text"'])
def test_a_torn_line_is_skipped_and_the_next_one_is_whole(tmp_path: Path, torn: bytes) -> None:
    path = begun(tmp_path)
    with path.open("ab") as stream:
        stream.write(torn)
    assert read_journal(path).damaged == 1
    journal = Journal.resume(path, NOON, 2)
    journal.add("sample", NOON, host="hv02", sample=2, totals={})
    journal.close()
    contents = read_journal(path)
    assert (contents.taken, contents.damaged) == (3, 1)
    assert len(list(contents.entries())) == 3


def test_every_length_of_a_torn_journal_can_be_read(tmp_path: Path) -> None:
    """Whatever byte the writer died at: nothing before it is lost, nothing raises."""
    path = begun(tmp_path)
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1
    for length in range(head, len(whole)):
        path.write_bytes(whole[:length])
        contents = read_journal(path)
        assert len(list(contents.entries())) >= whole[:length].count(b"\n") - 2
        assert contents.damaged <= 1


def test_a_journal_is_never_written_over(tmp_path: Path) -> None:
    path = begun(tmp_path)
    before = path.read_bytes()
    with pytest.raises(InputError, match="--resume"):
        Journal.begin(path, PLAN)
    assert path.read_bytes() == before


def test_what_is_no_journal_is_said_to_be_none(tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps({"kind": "sample"}), encoding="utf-8")
    with pytest.raises(InputError, match="is no journal"):
        read_journal(other)
    with pytest.raises(InputError, match="cannot be read"):
        read_journal(tmp_path / "absent.jsonl")


def test_a_full_disk_is_told_with_the_cure(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with (
        full.open("ab", buffering=0) as stream,
        pytest.raises(FleetscanError, match="cannot be written any more") as told,
    ):
        Journal(full, stream).add("gap", NOON)
    assert "--resume" in told.value.hint
