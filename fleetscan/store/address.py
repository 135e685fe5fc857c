"""Where a store is: from what the user wrote to something that can be connected to and shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from fleetscan import state
from fleetscan.errors import InputError

_POSTGRESQL = {"postgresql", "postgres", "postgresql+psycopg"}
_SECRET_OPTIONS = {"password", "sslpassword"}
_CURE = "write a path, sqlite:///PATH or postgresql://USER@SERVER/DATABASE"


@dataclass(frozen=True, slots=True)
class Address:
    """A store's place. `shown` is safe to print: no password is in it. `path` is None for a server."""

    url: URL
    shown: str
    path: Path | None


def default_path() -> Path:
    """The store that is used where none is named."""
    return state.folder() / "runs.db"


def parse(text: str | None) -> Address:
    """Understand a path or a URL; raises InputError. None is the file in the user's state directory."""
    if text is None:
        return _file(default_path())
    if "://" not in text:
        return _file(Path(text).expanduser())
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Not even its parts are known: it may hold a password anywhere, so nothing of it is shown.
        raise InputError.of("--store", "the address of the store cannot be understood", _CURE) from None
    if url.drivername == "sqlite":
        if not url.database or url.host:
            raise InputError.of("--store", "the address names no file", "write sqlite:///PATH, with three slashes")
        return _file(Path(url.database))
    if url.drivername in _POSTGRESQL:
        return Address(url.set(drivername="postgresql+psycopg"), _shown(url), None)
    raise InputError.of("--store", f'"{url.drivername}" is no kind of store that fleetscan knows', _CURE)


def _file(path: Path) -> Address:
    return Address(URL.create("sqlite", database=str(path)), str(path), path)


def _shown(url: URL) -> str:
    hidden = url.difference_update_query(_SECRET_OPTIONS).set(drivername="postgresql")
    return hidden.render_as_string(hide_password=True)
