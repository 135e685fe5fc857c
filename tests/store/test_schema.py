"""The schema: what the migrations make is what the code means, and stores of every earlier schema are read."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from fleetscan.model.finding import Status
from fleetscan.model.run import RunReport
from fleetscan.store import open_store, schema
from fleetscan.store.address import parse
from fleetscan.store.engine import connect
from fleetscan.store.tables import metadata
from tests.store.made import blind, finding, record, report, run

RECORDED = Path(__file__).parent / "schemas"


def recorded_nights() -> list[RunReport]:
    """What each of the recorded stores holds."""
    first = run("r1", report(finding(Status.FAIL, vm="a"), finding(vm="b"), finding(check="os"), host="hv01"), night=1)
    second = run("r2", report(blind(), finding(Status.WARN, check="os"), host="hv01", night=2), night=2)
    return [first, second]


def write(path: Path) -> None:
    """A store of today."""
    with open_store(str(path)) as store:
        for made in recorded_nights():
            store.begin(record(made))
            store.finish(made)


def record_today(folder: Path = RECORDED) -> None:
    """To be done once, when a new revision is finished: its store as text.

    python -c "from tests.store.test_schema import record_today; record_today()"
    """
    path = folder / "store.db"
    write(path)
    with closing(sqlite3.connect(path)) as database:
        lines = "\n".join(database.iterdump())
    (folder / f"{schema.HEAD}.sql").write_text(lines + "\n", encoding="utf-8")
    path.unlink()


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    return ScriptDirectory.from_config(config)


def test_the_newest_revision_is_the_one_that_is_written_down() -> None:
    assert scripts().get_current_head() == schema.HEAD


def test_every_revision_has_a_recorded_store() -> None:
    assert {path.stem for path in RECORDED.glob("*.sql")} == {each.revision for each in scripts().walk_revisions()}


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.sql")), ids=lambda path: path.stem)
def test_a_store_of_an_earlier_schema_is_brought_up_to_date(path: Path, tmp_path: Path) -> None:
    old = tmp_path / "runs.db"
    with closing(sqlite3.connect(old)) as database:
        database.executescript(path.read_text(encoding="utf-8"))
    with open_store(str(old)) as store:
        assert [store.load(made.run_id) for made in recorded_nights()] == recorded_nights()
        history = store.history("r2")
        assert history is not None
        assert [change.kind for change in history.changes] == ["no_longer_assessed", "no_longer_assessed"]
        later = run("r3", report(finding(Status.FAIL, vm="a"), night=3), night=3)
        store.begin(record(later))
        store.finish(later)
        changed = store.history("r3")
        assert changed is not None
        assert [change.kind for change in changed.changes] == ["still_failing"]


def test_the_migrations_make_what_the_code_means(url: str) -> None:
    open_store(url).close()
    engine = connect(parse(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
        if connection.dialect.name == "sqlite":
            assert inspect(connection).get_check_constraints("writers")
    engine.dispose()


def test_opening_a_store_that_is_up_to_date_needs_no_alembic(tmp_path: Path) -> None:
    open_store(str(tmp_path / "runs.db")).close()
    code = (
        f"import sys; from fleetscan.store import open_store; open_store({str(tmp_path / 'runs.db')!r}).close()\n"
        "assert 'alembic' not in sys.modules and 'psycopg' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
