"""What a finding is made of in the store: a check and an object (the slot), and what is said of it (the content)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, insert, select, update

from fleetscan.model.finding import Finding, Status
from fleetscan.model.history import DECIDED, ends_failure
from fleetscan.store import codec
from fleetscan.store.columns import escape
from fleetscan.store.evidence import Evidence
from fleetscan.store.once import Remembered, batches, digest, ids_by_hash
from fleetscan.store.tables import blobs, checks, contents, objects, spans

Thing = tuple[str, str, str, int]
"""An object of a host: type, identity, name, and which of them where one check speaks several times of one object."""
Layout = tuple[tuple[int, tuple[int, ...]], ...]
"""Findings in their order: ids of checks, each with ids of its objects."""


_Current = dict[tuple[int, int], Row[Any]]
"""By check and object: the span that nothing has ended yet, with first_seq, content, open_since and object."""


class FindingWriter:
    """Writes the findings of visits. Remembers ids of what is shared; `forget` when rows may have been pruned."""

    def __init__(self) -> None:
        self._definitions: Remembered[tuple[Any, ...]] = Remembered()
        self._contents: Remembered[tuple[Any, ...]] = Remembered()
        self._checks: Remembered[str] = Remembered()

    def forget(self) -> None:
        """Ids that were looked up may be gone."""
        for remembered in (self._definitions, self._contents, self._checks):
            remembered.clear()

    def write(
        self,
        connection: Connection,
        stream: int,
        seq: int,
        findings: Sequence[Finding],
        evidence: Evidence,
        began: datetime,
        *,
        alone: bool = False,
    ) -> Layout:
        """End the spans of what changed and begin new ones. `began`: of the run, for failures that are new.

        `alone`: these are the findings of a few checks of the visit, and only what is known of those is looked at.
        """
        content_ids = self._content_ids(connection, findings, evidence)
        check_ids = self.check_ids(connection, {finding.check_id for finding in findings})
        things = _things(findings)
        object_ids, same = _object_ids(connection, stream, things)
        current = _current(connection, stream, same, set(check_ids.values()) if alone else None)
        ended: list[dict[str, Any]] = []
        begun: list[dict[str, Any]] = []

        def change(check: int, thing: int, content: int | None, since: datetime | None) -> None:
            old = current.get((check, same[thing]))
            if old is not None:
                ended.append({"was": old.first_seq, "of_check": check, "of_object": old.object})
            row = {"stream": stream, "first_seq": seq, "check": check, "object": thing}
            begun.append(row | {"until_seq": None, "content": content, "open_since": since})

        slots = [
            (check_ids[finding.check_id], object_ids[thing]) for finding, thing in zip(findings, things, strict=True)
        ]
        for (check, thing), content, finding in zip(slots, content_ids, findings, strict=True):
            old = current.get((check, same[thing]))
            if old is None or old.content != content or old.object != thing:
                change(check, thing, content, _open_since(finding, old, began))
        for check, thing in _gone(current, {(check, same[thing]) for check, thing in slots}, findings, check_ids):
            change(check, thing, None, None)
        _write_spans(connection, stream, seq, ended, begun)
        return _layout(slots)

    def check_ids(self, connection: Connection, names: set[str]) -> dict[str, int]:
        """The ids of checks by name."""
        missing = names - self._checks.keys()
        for batch in batches(missing):
            found = connection.execute(select(checks.c.name, checks.c.id).where(checks.c.name.in_(batch)))
            self._checks.update((row.name, row.id) for row in found)
        if new := [{"name": name} for name in sorted(names - self._checks.keys(), key=escape)]:
            added = connection.execute(insert(checks).returning(checks.c.name, checks.c.id), new)
            self._checks.update((row.name, row.id) for row in added)
        return {name: self._checks[name] for name in names}

    def _content_ids(self, connection: Connection, findings: Sequence[Finding], evidence: Evidence) -> list[int]:
        keys = [_content(finding, evidence) for finding in findings]
        new = {key for key in keys if key not in self._contents}
        if new:
            definitions = self._definition_ids(connection, {key[0] for key in new})
            rows = {key: _content_row(key, definitions[key[0]]) for key in new}
            hashes = {key: digest(codec.dump(row).encode()) for key, row in rows.items()}
            ids = ids_by_hash(connection, contents, {hashes[key]: row for key, row in rows.items()})
            self._contents.update((key, ids[hashes[key]]) for key in new)
        return [self._contents[key] for key in keys]

    def _definition_ids(self, connection: Connection, definitions: set[tuple[Any, ...]]) -> Mapping[Any, int]:
        missing = definitions - self._definitions.keys()
        new = {definition: codec.pack(codec.Definition(*definition)) for definition in missing}
        if new:
            ids = ids_by_hash(connection, blobs, {digest(body): {"body": body} for body in new.values()})
            self._definitions.update((definition, ids[digest(body)]) for definition, body in new.items())
        return self._definitions


_definition = attrgetter(*(field.name for field in fields(codec.Definition)))
_said = attrgetter("status", "reason", "message", "expected", "observed", "remedy", "waiver")


def _content(finding: Finding, evidence: Evidence) -> tuple[Any, ...]:
    """All that is said by a finding but of what; the first item is what its check says of itself."""
    return (_definition(finding), evidence.strip(finding.evidence_ref), *_said(finding))


def _content_row(key: tuple[Any, ...], definition: int) -> dict[str, Any]:
    _, evidence, status, reason, message, expected, observed, remedy, waiver = key
    return {
        "definition": definition,
        "status": status.value,
        "reason": reason.value if reason else None,
        "message": message,
        "expected": expected,
        "observed": observed,
        "remedy": remedy,
        "evidence": evidence,
        "waiver": codec.dump(waiver) if waiver else None,
    }


def _things(findings: Sequence[Finding]) -> list[Thing]:
    """The object of each finding."""
    seen: Counter[tuple[str, ...]] = Counter()
    things = []
    for finding in findings:
        key = (finding.check_id, finding.object_type, finding.object_id.casefold())
        things.append((finding.object_type.value, finding.object_id, finding.object_name, seen[key]))
        seen[key] += 1
    return things


def _object_ids(
    connection: Connection, stream: int, things: Iterable[Thing]
) -> tuple[dict[Thing, int], dict[int, int]]:
    """The ids of objects, and for each id the first one of the same object: a machine may have been renamed."""
    columns = (objects.c.id, objects.c.type, objects.c.identity, objects.c.name, objects.c.nth)
    found = connection.execute(select(*columns).where(objects.c.stream == stream)).all()
    ids: dict[Thing, int] = {(row.type, row.identity, row.name, row.nth): row.id for row in found}
    new = [thing for thing in dict.fromkeys(things) if thing not in ids]
    if new:
        names = ("type", "identity", "name", "nth")
        rows = [{"stream": stream, **dict(zip(names, thing, strict=True))} for thing in new]
        added = connection.execute(insert(objects).returning(*columns), rows)
        ids.update(((row.type, row.identity, row.name, row.nth), row.id) for row in added)
    first: dict[tuple[str, str, int], int] = {}
    same = {
        number: first.setdefault((kind, identity.casefold(), nth), number)
        for (kind, identity, _, nth), number in sorted(ids.items(), key=lambda item: item[1])
    }
    return ids, same


def _current(connection: Connection, stream: int, same: Mapping[int, int], only: set[int] | None) -> _Current:
    query = select(spans).where(spans.c.stream == stream, spans.c.until_seq.is_(None))
    if only is not None:
        query = query.where(spans.c.check.in_(only))
    return {(row.check, same[row.object]): row for row in connection.execute(query)}


def _open_since(finding: Finding, old: Row[Any] | None, began: datetime) -> datetime | None:
    """When the failure began that is open with this finding: one that cannot be looked at stays as it was."""
    if ends_failure(finding.status, finding.reason):
        return None
    open_since: datetime | None = old.open_since if old is not None else None
    return open_since or (began if finding.status is Status.FAIL else None)


def _gone(
    current: _Current,
    present: set[tuple[int, int]],
    findings: Sequence[Finding],
    check_ids: Mapping[str, int],
) -> list[tuple[int, int]]:
    """Open failures of objects that are not there any more, though it was looked for them."""
    looked = {check_ids[finding.check_id] for finding in findings}
    looked -= {
        check_ids[finding.check_id]
        for finding in findings
        if is_blind(finding.status, finding.object_id.casefold(), finding.host.casefold())
    }
    return [
        (check, old.object)
        for (check, thing), old in current.items()
        if old.open_since is not None and check in looked and (check, thing) not in present
    ]


def is_blind(status: Status | None, identity: str, host: str) -> bool:
    """Whether a finding says that one does not even know which objects there are. Names in lower case."""
    return status is not None and status not in DECIDED and identity in ("", host)


def _write_spans(
    connection: Connection, stream: int, seq: int, ended: list[dict[str, Any]], begun: list[dict[str, Any]]
) -> None:
    if ended:
        which = and_(
            spans.c.stream == stream,
            spans.c.first_seq == bindparam("was"),
            spans.c.check == bindparam("of_check"),
            spans.c.object == bindparam("of_object"),
        )
        connection.execute(update(spans).where(which).values(until_seq=seq), ended)
    if begun:
        connection.execute(insert(spans), begun)


def undo(connection: Connection, stream: int, seq: int, only: Collection[int] | None = None) -> None:
    """Take back the last visit of a stream, or what it said of some checks: what held before holds still."""
    chosen = [spans.c.check.in_(only)] if only is not None else []
    connection.execute(delete(spans).where(spans.c.stream == stream, spans.c.first_seq == seq, *chosen))
    ended = (spans.c.stream == stream, spans.c.until_seq == seq, *chosen)
    connection.execute(update(spans).where(*ended).values(until_seq=None))


def _layout(slots: Sequence[tuple[int, int]]) -> Layout:
    return tuple(
        (check, tuple(thing for _, thing in group)) for check, group in groupby(slots, key=lambda slot: slot[0])
    )
