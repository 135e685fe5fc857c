"""Opening a store: found or made, checked, brought up to date."""

from __future__ import annotations

from pathlib import Path

from fleetscan.store import schema
from fleetscan.store.address import parse
from fleetscan.store.engine import connect, translated
from fleetscan.store.store import Store


def open_store(url: str | None = None) -> Store:
    """The store at a path or URL; None means the file in the user's state directory. It is made where there is none.

    `sqlite:///PATH` and `postgresql://USER@SERVER/DATABASE` are understood, and a plain path is a SQLite file. A store
    of an earlier fleetscan is brought up to date. Raises InputError, with the cure, for what cannot be used: a folder
    that is not there or may not be written to, a file that is damaged or something else, a store of a newer fleetscan,
    a server that does not answer or refuses the logon, a driver that is not installed.
    """
    address = parse(url)
    with translated(address, "open the store", opening=True):
        if address.path is not None:
            _make_folder(address.path, named=url is not None)
        engine = connect(address)
        try:
            schema.bring_up_to_date(engine, address)
        except BaseException:
            engine.dispose()
            raise
    return Store(engine, address)


def _make_folder(path: Path, *, named: bool) -> None:
    """Our own folder is made, one that a user named is not: a typing error must not become a new, empty store."""
    folder = path.resolve().parent
    if not named:
        folder.mkdir(parents=True, exist_ok=True)
    elif not folder.is_dir():
        raise FileNotFoundError(2, f"the folder {folder} does not exist")
