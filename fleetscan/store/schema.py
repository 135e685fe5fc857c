"""The version of a store: made new, brought up to date, or refused because it is newer than this fleetscan."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from fleetscan.errors import InputError
from fleetscan.store.address import Address
from fleetscan.store.engine import locked, reading

HEAD = "0001"
"""The newest revision. It is written down so that a store that has it costs no import of alembic."""

VERSION_TABLE = "fleetscan_schema"
MIGRATIONS = Path(__file__).parent / "migrations"

_LOCK = 0x466C656574  # "Fleet": who changes the schema on a server holds this advisory lock


def bring_up_to_date(engine: Engine, address: Address) -> None:
    """Create or migrate the store where that is needed. Two processes that do so at once wait for each other."""
    with reading(engine) as connection:
        found = _revision(connection, address)
    if found == HEAD:
        return
    if address.path is not None:
        _use_wal(engine)
    with locked(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if _revision(connection, address) != HEAD:
            migrate(connection)


def migrate(connection: Connection, revision: str = HEAD) -> None:
    """Bring the schema to a revision, in the transaction of the connection."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _use_wal(engine: Engine) -> None:
    """Readers do not stop writers, and a killed process leaves a whole file. Kept in the file once it is set."""
    connection = engine.raw_connection()
    try:
        connection.driver_connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[union-attr] # an open connection
    finally:
        connection.close()


def _revision(connection: Connection, address: Address) -> str | None:
    """The store's revision, None for an empty database. Raises InputError for one that cannot be used."""
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        if tables:
            raise InputError.of(
                address.shown,
                "the database holds something else",
                "give fleetscan a file or a database of its own",
            )
        return None
    revision = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608 # our own constant
    if revision is not None and revision > HEAD:
        raise InputError.of(
            address.shown,
            f"it was made by a newer fleetscan (schema {revision}, this one knows {HEAD})",
            "update fleetscan, or name another store with --store",
        )
    return str(revision) if revision is not None else None
