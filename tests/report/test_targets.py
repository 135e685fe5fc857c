"""`-o`: which format goes where, found out before the scan; and reports that end up somewhere whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetscan.errors import FleetscanError, InputError
from fleetscan.report import (
    FORMATS,
    STANDARD_OUTPUT,
    ReportTarget,
    check_writable,
    render,
    target,
    target_list,
    write,
)
from tests.report import morning


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("nightly.csv", ReportTarget("csv", "nightly.csv")),
        ("out/NIGHTLY.JSON", ReportTarget("json", "out/NIGHTLY.JSON")),
        ("night.txt", ReportTarget("table", "night.txt")),
        ("csv=nightly.txt", ReportTarget("csv", "nightly.txt")),
        ("json=-", ReportTarget("json", STANDARD_OUTPUT)),
        ("a=b.csv", ReportTarget("csv", "a=b.csv")),
        ("csv=a=b", ReportTarget("csv", "a=b")),
        (r"C:\scans\nightly.csv", ReportTarget("csv", r"C:\scans\nightly.csv")),
    ],
)
def test_the_suffix_or_the_word_before_the_equals_sign_names_the_format(option: str, expected: ReportTarget) -> None:
    assert target(option) == expected


@pytest.mark.parametrize("option", ["nightly", "nightly.xls", "xml=nightly", "-", "csv=", ""])
def test_an_unclear_option_is_answered_with_what_would_be_clear(option: str) -> None:
    with pytest.raises(InputError) as caught:
        target(option)
    assert "csv" in str(caught.value)


def test_an_unknown_suffix_is_answered_with_all_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        target("nightly.docx")
    assert all(form.suffix in str(caught.value) and name in str(caught.value) for name, form in FORMATS.items())


def test_the_longest_suffix_wins() -> None:
    assert target("today.tickets.csv").format == "tickets"
    assert target("tickets.csv").format == "csv"


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        target_list(["a.csv", "b.nope", "c.neither"])
    assert len(caught.value.problems) == 2


def test_two_reports_on_one_path_are_refused_however_the_path_is_written(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "nightly.csv")
    (tmp_path / "sub").mkdir()
    for other in (f"{tmp_path}/sub/../nightly.csv", str(link), f"json={tmp_path}/nightly.csv"):
        with pytest.raises(InputError, match="same file"):
            target_list([f"{tmp_path}/nightly.csv", other])
    with pytest.raises(InputError, match="standard output"):
        target_list(["csv=-", "json=-"])
    assert len(target_list([f"{tmp_path}/nightly.csv", f"{tmp_path}/nightly.json", "csv=-"])) == 3


def test_a_file_named_like_standard_output_is_not_standard_output() -> None:
    assert target("csv=./-").path != STANDARD_OUTPUT


def test_checking_leaves_nothing_behind_and_touches_nothing(tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("yesterday", encoding="utf-8")
    before = old.stat().st_mtime_ns
    check_writable(target_list([str(old), f"{tmp_path}/new.json", "csv=-"]))
    assert [path.name for path in tmp_path.iterdir()] == ["old.csv"]
    assert old.read_text(encoding="utf-8") == "yesterday"
    assert old.stat().st_mtime_ns == before


def test_every_obstacle_is_found_before_the_scan(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").touch()
    options = [
        f"{tmp_path}/folder.csv",
        f"{tmp_path}/no/such/folder.csv",
        f"{tmp_path}/file/a.csv",
        f"{tmp_path}/{'x' * 300}.csv",
    ]
    with pytest.raises(InputError) as caught:
        check_writable(target_list(options))
    assert [problem.source for problem in caught.value.problems] == options
    assert "is a folder" in caught.value.problems[0].message


@pytest.mark.skipif(os.name == "nt", reason="devices have no path")
def test_a_device_that_is_not_there_is_found_before_the_scan() -> None:
    with pytest.raises(InputError) as caught:
        check_writable(target_list(["csv=/dev/no-such-device", "json=/dev/null"]))
    assert [problem.source for problem in caught.value.problems] == ["/dev/no-such-device"]


@pytest.fixture
def nobody() -> Iterator[None]:
    """Be somebody who is not root, who may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_missing_permissions_are_found_before_the_scan(nobody: None) -> None:
    with tempfile.TemporaryDirectory() as place:
        locked, read_only = Path(place) / "locked", Path(place) / "read-only.csv"
        locked.mkdir(mode=0o555)
        read_only.touch(mode=0o444)
        options = [f"{locked}/a.csv", str(read_only), f"{place}/fine.csv"]
        with pytest.raises(InputError) as caught:
            check_writable(target_list(options))
        assert [problem.source for problem in caught.value.problems] == options[:2]
        assert all("denied" in problem.message for problem in caught.value.problems)


@pytest.mark.parametrize("name", list(FORMATS))
def test_writing_replaces_the_whole_file_and_leaves_no_draft(tmp_path: Path, name: str) -> None:
    path = tmp_path / "nightly.out"
    path.write_text("x" * 5_000_000, encoding="utf-8")
    path.chmod(0o640)
    run = morning.fleet()
    told = write(run, ReportTarget(name, str(path)))
    assert path.read_bytes() == "".join(render(run, name)).encode()
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o640
    assert told.startswith(str(path))


def test_what_is_told_of_a_file_counts_its_rows(tmp_path: Path) -> None:
    run = morning.fleet()
    told = write(run, ReportTarget("csv", f"{tmp_path}/a.csv"))
    rows = (tmp_path / "a.csv").read_bytes().count(b"\r\n") - 1
    assert told == f"{tmp_path}/a.csv ({rows} rows)"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "2026-11-24.csv", tmp_path / "latest.csv"
    link.symlink_to(real)
    write(morning.fleet(), ReportTarget("csv", str(link)))
    assert link.is_symlink()
    assert real.stat().st_size > 1000


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write(morning.fleet(), ReportTarget("json", f"{tmp_path}/a.json"))
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def _spare(error: FleetscanError) -> Path:
    return Path(error.message.rpartition("the report is in ")[2])


def test_a_folder_that_vanished_does_not_cost_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run = morning.fleet()
    with pytest.raises(FleetscanError, match="No such file or directory") as caught:
        write(run, ReportTarget("csv", f"{tmp_path}/gone/nightly.csv"))
    spare = _spare(caught.value)
    assert spare.read_bytes() == "".join(render(run, "csv")).encode()
    assert spare.name.startswith(f"fleetscan-{run.run_id}-")
    assert spare.suffix == ".csv"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_does_not_cost_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run = morning.fleet()
    with pytest.raises(FleetscanError, match="No space left on device") as caught:
        write(run, ReportTarget("json", "/dev/full"))
    assert _spare(caught.value).read_bytes() == "".join(render(run, "json")).encode()


def test_a_file_that_another_program_holds_open_keeps_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows a spreadsheet refuses the replacement of the file that it shows."""

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    spares, place = tmp_path / "spares", tmp_path / "place"
    spares.mkdir()
    place.mkdir()
    (place / "a.csv").write_text("yesterday", encoding="utf-8")
    monkeypatch.setattr(tempfile, "tempdir", str(spares))
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(FleetscanError, match="Permission denied") as caught:
        write(morning.fleet(), ReportTarget("csv", str(place / "a.csv")))
    assert [path.name for path in place.iterdir()] == ["a.csv"]
    assert (place / "a.csv").read_text(encoding="utf-8") == "yesterday"
    assert _spare(caught.value).stat().st_size > 1000


def test_when_nothing_can_be_written_the_message_says_both_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", f"{tmp_path}/gone")
    with pytest.raises(FleetscanError, match="nor can a temporary file be written"):
        write(morning.fleet(), ReportTarget("csv", f"{tmp_path}/gone/a.csv"))


_ROOT = Path(__file__).parents[2]
_TO_STANDARD_OUTPUT = (
    "from tests.report import morning\n"
    "from fleetscan.report import ReportTarget, write\n"
    "write(morning.many(50), ReportTarget('csv', '-'))\n"
)


def test_standard_output_gets_the_bytes_as_they_are() -> None:
    done = subprocess.run([sys.executable, "-c", _TO_STANDARD_OUTPUT], capture_output=True, check=True, cwd=_ROOT)
    assert done.stdout == "".join(render(morning.many(50), "csv")).encode()


def test_a_reader_that_has_read_enough_is_no_error() -> None:
    """It goes away before the first byte: what a reader gets that stops half-way is up to the system."""
    script = f"input()\n{_TO_STANDARD_OUTPUT}"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, stderr=pipe, cwd=_ROOT) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, errors = process.communicate(b"go\n", timeout=20)
    assert errors == b""
    assert process.returncode == 0
