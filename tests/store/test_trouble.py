"""Stores that cannot be opened, and stores that go away: each is named, with the cure, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fleetscan.errors import FleetscanError, InputError, StoreError
from fleetscan.store import Journal, Store, default_path, engine, open_store
from tests import postgres
from tests.store.made import finding, record, report, run

ROOT = Path(__file__).parent.parent.parent
MADE = run("r1", report(finding()), report(finding(host="hv02"), host="hv02"))


def complaint(url: str | None) -> str:
    """What a user is told who names this store."""
    with pytest.raises(InputError) as caught:
        open_store(url)
    assert len(caught.value.message.splitlines()) == 1
    return caught.value.message


def filled(path: Path) -> Path:
    with open_store(str(path)) as store:
        store.begin(record(MADE))
        store.finish(MADE)
    return path


def test_no_name_means_the_file_in_the_state_folder() -> None:
    with open_store() as store:
        assert store.shown == str(default_path())
    assert default_path().is_file()
    assert default_path().is_relative_to(os.environ["FLEETSCAN_STATE_DIR"])


def test_a_sqlite_url_is_a_path(tmp_path: Path) -> None:
    filled(tmp_path / "my runs.db")
    with open_store(f"sqlite:///{tmp_path}/my runs.db") as store:
        assert store.load("r1") == MADE


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://me:s3cret@server/db", '"mysql" is no kind of store'),
        ("sqlite://runs.db", "names no file"),
        ("postgresql://me:s3cret@server:port/db", "cannot be understood"),
        ("/no/such/folder/runs.db", "the folder /no/such/folder does not exist"),
    ],
)
def test_an_address_that_cannot_be(url: str, words: str) -> None:
    said = complaint(url)
    assert words in said
    assert "s3cret" not in said


def test_a_folder(tmp_path: Path) -> None:
    assert "cannot be opened" in complaint(str(tmp_path))


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text("host,check\n" * 1000, encoding="utf-8")
    assert "it is not a fleetscan store" in complaint(str(tmp_path / "report.csv"))
    assert (tmp_path / "report.csv").read_text(encoding="utf-8") == "host,check\n" * 1000


def test_a_database_of_somebody_else(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE runs (id INTEGER)")
    assert "holds something else" in complaint(str(tmp_path / "other.db"))


def test_a_store_that_was_cut_in_half(tmp_path: Path) -> None:
    path = filled(tmp_path / "runs.db")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    said = complaint(str(path))
    assert "it is damaged" in said
    assert "put back a copy" in said


def test_a_record_that_cannot_be_read(tmp_path: Path) -> None:
    path = filled(tmp_path / "runs.db")
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("update blobs set body = x'00'")
    with open_store(str(path)) as kept, pytest.raises(StoreError, match=r"a record \(plan\) cannot be read"):
        kept.load("r1")


def test_a_store_of_a_newer_fleetscan(tmp_path: Path) -> None:
    path = filled(tmp_path / "runs.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE fleetscan_schema SET version_num = '9999'")
    assert "made by a newer fleetscan (schema 9999" in complaint(str(path))


@contextmanager
def without_rights() -> Iterator[Path]:
    """A folder that this process may read and not write, also where it is root."""
    if sys.platform == "win32":
        pytest.skip("rights of files are another matter on Windows")
    folder = Path(tempfile.mkdtemp(prefix="fleetscan-ro-"))
    filled(folder / "runs.db")
    before = os.geteuid()
    folder.chmod(0o555)
    (folder / "runs.db").chmod(0o444)
    try:
        if before == 0:
            os.seteuid(65534)
        yield folder
    finally:
        os.seteuid(before)
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_store_that_may_not_be_written_to() -> None:
    with without_rights() as folder:
        said = complaint(str(folder / "runs.db"))
        assert "it may not be written to" in said
        assert "check the rights" in said
        assert "cannot be opened" in complaint(str(folder / "new.db"))


def test_a_store_that_somebody_else_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 0.1)
    path = filled(tmp_path / "runs.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as other, open_store(str(path)) as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program has been writing to it"):
            store.begin(record(run("r2")))
        assert store.load("r1") == MADE, "readers are not held up"
        other.execute("COMMIT")
        store.begin(record(run("r2")))


def test_the_same_run_twice(store: Store) -> None:
    store.begin(record(MADE))
    with pytest.raises(StoreError, match="there is a run r1 already"):
        store.begin(record(MADE))


def test_a_run_that_is_not_there(store: Store) -> None:
    with pytest.raises(InputError, match="the store has no run yet"):
        store.run("last")
    for name in ("20261101-0200-abcd", "20261101-0200-wxyz", "20261102-0200-abcd"):
        store.begin(record(run(name)))
    with pytest.raises(InputError, match="begins the names of 2 runs: 20261101-0200-wxyz, 20261101-0200-abcd"):
        store.run("20261101")
    with pytest.raises(InputError, match='did you mean "20261102-0200-abcd"'):
        store.run("20261102-0200-abce")
    assert store.run("20261102").run_id == "20261102-0200-abcd"


def test_runs_of_different_playbooks_are_not_compared(store: Store) -> None:
    for made in (run("r1"), run("r2", playbook="other")):
        store.begin(record(made))
        store.finish(made)
    with pytest.raises(InputError, match="compare two runs of the same playbook"):
        store.diff("r1", "r2")
    with pytest.raises(InputError, match="cannot be compared with itself"):
        store.diff("r1", "r1")
    assert store.history("r2") is None


def test_a_server_that_does_not_answer() -> None:
    said = complaint("postgresql://me:s3cret@127.0.0.1:1/fleet?password=s3cret")
    assert "the server cannot be reached" in said
    assert "s3cret" not in said
    assert "postgresql://me:***@127.0.0.1:1/fleet" in said


def test_a_server_that_refuses_the_logon(cluster: postgres.Cluster) -> None:
    said = complaint(cluster.url("postgres", "wr0ng"))
    assert 'the server refuses: password authentication failed for user "postgres"' in said
    assert "PGPASSWORD" in said
    assert "wr0ng" not in said


def test_a_database_that_is_not_there(cluster: postgres.Cluster) -> None:
    said = complaint(cluster.url("nowhere"))
    assert 'the server refuses: database "nowhere" does not exist' in said


def test_the_server_is_set_up_as_the_documents_say(cluster: postgres.Cluster) -> None:
    import psycopg

    text = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")
    commands = [line.strip() for line in text.splitlines() if line.startswith("    CREATE ")]
    assert len(commands) == 2
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        for command in (*commands, "CREATE ROLE stranger LOGIN PASSWORD '…'"):
            connection.execute(command.encode())
    address = f"postgresql://{{}}:…@127.0.0.1:{cluster.port}/fleetscan"
    assert "the user lacks a right: permission denied for schema public" in complaint(address.format("stranger"))
    with open_store(address.format("fleetscan")) as store:
        store.begin(record(MADE))
        store.finish(MADE)
        assert store.load("r1") == MADE
    with open_store(address.format("fleetscan").replace("postgresql", "postgres")) as store:
        assert store.shown == f"postgresql://fleetscan:***@127.0.0.1:{cluster.port}/fleetscan"


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install 'fleetscan[postgres]'" in complaint("postgresql://me@127.0.0.1/fleet")


def test_a_server_that_goes_away_in_mid_scan(cluster: postgres.Cluster) -> None:
    with open_store(cluster.database("going_away")) as store:
        journal = Journal(store, record(MADE))
        journal.add(MADE.hosts[0])
        cluster.stop()
        try:
            journal.add(MADE.hosts[1])
            journal.finish(MADE)
        finally:
            cluster.start()
        assert journal.spool is not None
        assert "cannot be reached" in journal.notices[0]
        assert f"fleetscan runs import {journal.spool}" in journal.notices[0]
        with open_store(str(journal.spool)) as spool:
            assert spool.load("r1") == MADE
            assert [host.host.name for host in store.load("r1").hosts] == ["hv01"]
            assert store.bring_in(spool) == ("r1",)
        assert store.load("r1") == MADE


def test_a_server_that_was_started_anew_between_two_hosts(cluster: postgres.Cluster) -> None:
    with open_store(cluster.database("restarted")) as store:
        store.begin(record(MADE))
        store.add("r1", MADE.hosts[0])
        cluster.stop()
        cluster.start()
        store.add("r1", MADE.hosts[1])
        store.finish(MADE)
        assert store.load("r1") == MADE


def test_a_journal_without_any_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("FLEETSCAN_STATE_DIR", str(blocked))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(blocked))
    with open_store(str(tmp_path / "runs.db")) as store:
        store.begin(record(MADE))
        journal = Journal(store, record(MADE))  # the run is there already: the store refuses it
        for host in MADE.hosts:
            journal.add(host)
        journal.finish(MADE)
    assert journal.spool is None
    assert "in no store, only in its reports" in journal.notices[0]
    assert issubclass(StoreError, FleetscanError)
