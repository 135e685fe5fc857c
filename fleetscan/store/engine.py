"""Connections: how each database is set up, who may write when, and what its errors mean for the user."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fleetscan.errors import InputError, StoreError
from fleetscan.store.address import Address
from fleetscan.store.codec import UnreadableError
from fleetscan.store.tables import writers

PATIENCE = 30
"""Seconds to wait for another process that is writing; each of its transactions is short."""

_WRITES = "fleetscan_writes"


def connect(address: Address) -> Engine:
    """An engine for the store; nothing is opened yet. Raises InputError where the driver is not installed."""
    if address.path is not None:
        engine = create_engine(address.url, connect_args={"timeout": PATIENCE})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(
            address.url,
            isolation_level="REPEATABLE READ",  # a report is read from one moment, whatever a scan adds meanwhile
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 10,
                "application_name": "fleetscan",
                "options": f"-c lock_timeout={PATIENCE}s -c idle_in_transaction_session_timeout=60s",
            },
        )
    except ImportError:
        raise InputError.of(
            address.shown, "the driver for PostgreSQL is not installed", "pip install 'fleetscan[postgres]'"
        ) from None


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us: the driver would begin them late
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")  # what was confirmed outlives a power cut
    connection.execute(f"PRAGMA busy_timeout={PATIENCE * 1000}")


def _begin_sqlite(connection: Connection) -> None:
    # Who means to write takes the lock at once: a reader that turns into a writer fails where another one wrote first.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A view of one moment."""
    with engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def locked(engine: Engine) -> Iterator[Connection]:
    """A transaction for changing the schema: on SQLite it has the file for itself, on a server nothing yet."""
    options: dict[str, Any] = {_WRITES: True}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "READ COMMITTED"  # after waiting for a lock, see what its holder has written
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[tuple[Connection, int]]:
    """A transaction that no other writer runs beside; with the number of prunings so far.

    Committed when it is left. There is one writer at a time on either database: what is kept once by its hash needs no
    more care than that, and a transaction takes milliseconds.
    """
    with locked(engine) as connection:
        prunings = connection.execute(select(writers.c.prunings).with_for_update()).scalar_one()
        yield connection, prunings


@contextmanager
def translated(address: Address, doing: str, *, opening: bool = False) -> Iterator[None]:
    """Turn what a database says into a StoreError (InputError while `opening`) with the cure."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, UnreadableError) as error:  # some ask SQLite past SQLAlchemy
        what, cure = explain(error, address)
        if opening:
            raise InputError.of(address.shown, what, cure) from error
        raise StoreError(f"{address.shown}: cannot {doing}: {what}", hint=cure) from error


def explain(error: Exception, address: Address) -> tuple[str, str]:
    """What happened and what to do about it, in the user's words; never with a password."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(original, UnreadableError):
        return f"a record ({original}) cannot be read", "it is damaged, or of another version: put back a copy"
    if isinstance(original, OSError):
        return f"{original.strerror or original}", "check the folder, or name another place with --store"
    if isinstance(error, PoolTimeout):
        return "all connections are in use", "try again"
    if isinstance(original, sqlite3.Error):
        return _explain_sqlite(original)
    return _explain_server(original, address)


_SQLITE = {
    "SQLITE_BUSY": (
        f"another program has been writing to it for more than {PATIENCE} s",
        "let it finish, then try again",
    ),
    "SQLITE_READONLY": ("it may not be written to", "check the rights of the file and its folder, and the disk"),
    "SQLITE_FULL": ("the disk is full", "make room, or name another place with --store"),
    "SQLITE_IOERR": ("the disk reports an error", "check the disk and its free space, then `fleetscan runs list`"),
    "SQLITE_NOTADB": (
        "it is not a fleetscan store",
        "name another file with --store, or move this one away and a new store is made",
    ),
    "SQLITE_CORRUPT": (
        "it is damaged",
        "put back a copy, or save what is left with `.recover` of sqlite3, or move it away: a new one is made",
    ),
    "SQLITE_CANTOPEN": ("it cannot be opened", "check that the folder is there and may be written to"),
    "SQLITE_PERM": ("it may not be opened", "check the rights of the file and its folder"),
}


def _explain_sqlite(error: sqlite3.Error) -> tuple[str, str]:
    name = getattr(error, "sqlite_errorname", "")
    family = "_".join(name.split("_")[:2])
    return _SQLITE.get(family, (f"SQLite says: {error}", "name another place with --store"))


_SERVER = {
    "55P03": (f"another program has been writing to it for more than {PATIENCE} s", "let it finish, then try again"),
    "42501": ("the user lacks a right: {said}", "grant the user CREATE on the schema: see docs/store.md"),
    "53": ("the server is short of something: {said}", "make room on the server, then try again"),
    "08": ("the server cannot be reached: {said}", "check its name, port and state, then try again"),
    "57": ("the server cannot be reached: {said}", "check its name, port and state, then try again"),
}


def _explain_server(error: Exception, address: Address) -> tuple[str, str]:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0].removeprefix("connection failed: ") if lines else type(error).__name__
    if address.url.password:
        said = said.replace(str(address.url.password), "***")
    state = getattr(error, "sqlstate", None)
    if state is not None:
        what, cure = _SERVER.get(state) or _SERVER.get(state[:2]) or ("the server says: {said}", "see the server's log")
    elif "FATAL:" in said:  # the driver tells a refused connection from a failed one by nothing but its words
        said = said.partition("FATAL:")[2].strip()
        what, cure = "the server refuses: {said}", "check database, user and password (PGPASSWORD or ~/.pgpass)"
    else:
        what, cure = _SERVER["08"]
    return what.format(said=said), cure
