"""Both kinds of store: every test of what a store does runs on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetscan.store import Store, open_store
from tests import postgres

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL server."""
    programs = postgres.programs()
    if programs is None:
        pytest.skip("needs PostgreSQL's initdb (Debian: postgresql)")
    pytest.importorskip("psycopg")
    with postgres.running(programs) as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store that is not there yet."""
    if request.param == "sqlite":
        return str(tmp_path / "runs.db")
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    return cluster.database(f"store{next(_NUMBERS)}")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    with open_store(url) as store:
        yield store
