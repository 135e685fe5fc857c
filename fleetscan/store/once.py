"""What many findings share is kept once, by its hash; what was looked up is remembered while nobody prunes."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert, select

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

_REMEMBERED = 200_000
_AT_ONCE = 500  # parameters of a statement: SQLite and the drivers have limits


def digest(body: bytes) -> bytes:
    """16 bytes of SHA-256: two different bodies do not share them."""
    return hashlib.sha256(body).digest()[:16]


def batches(items: Iterable[T], size: int = _AT_ONCE) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def ids_by_hash(connection: Connection, table: Table, rows: Mapping[bytes, Mapping[str, Any]]) -> dict[bytes, int]:
    """The id of each row, by its hash; rows that are not there yet are written."""
    found: dict[bytes, int] = {}
    for batch in batches(rows):
        query = select(table.c.hash, table.c.id).where(table.c.hash.in_(batch))
        found.update((row.hash, row.id) for row in connection.execute(query))
    missing = [{"hash": key, **row} for key, row in rows.items() if key not in found]
    if missing:
        added = connection.execute(insert(table).returning(table.c.hash, table.c.id), missing)
        found.update((row.hash, row.id) for row in added)
    return found


class Remembered(dict[K, int]):
    """Ids by what they stand for. Forgets everything when there is too much of it, or when ids may have gone."""

    def make_room(self) -> None:
        """To be called between transactions."""
        if len(self) > _REMEMBERED:
            self.clear()
