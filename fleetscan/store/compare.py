"""A run against an earlier one. Only what changed and what fails is looked at, however large the fleet is.

The earlier state of a host is that of its visit in the earlier run. A host (or check) that was not part of that run is
compared with what was last known of it before. Both states are read from the spans: what holds at a visit, and since
when a failure is open as of then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, or_, select

from fleetscan.model.finding import Finding, Status
from fleetscan.model.history import DECIDED, Change, ChangeKind, ends_failure
from fleetscan.model.reasons import Reason
from fleetscan.store import codec
from fleetscan.store.evidence import Evidence
from fleetscan.store.findings import is_blind
from fleetscan.store.once import batches
from fleetscan.store.reader import HOSTS_AT_ONCE, FindingReader, bodies
from fleetscan.store.tables import contents, spans, visits

Key = tuple[int, str, str, int]
"""What makes two findings of a host the same: the check, and the object's type, identity and number."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The two visits of a host that are compared."""

    earlier: Row[Any] | None
    later: Row[Any]
    frames: Mapping[int, codec.Frame]

    @property
    def before(self) -> codec.Frame | None:
        """What the earlier visit had."""
        return self.frames[self.earlier.frame] if self.earlier is not None else None

    @property
    def after(self) -> codec.Frame:
        """What the later visit had."""
        return self.frames[self.later.frame]

    @property
    def alike(self) -> bool:
        """Whether both are of the same checks and objects: then only what changed, fails or is not known matters."""
        return self.before is self.after


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one key as of a visit. `status` is None where the object is not (or not known to be) there."""

    status: Status | None
    open_since: datetime | None
    finding: Callable[[], Finding | None]
    """Made when it is asked for: most are never shown."""
    reason: Reason | None = None

    @property
    def ends_failure(self) -> bool:
        """Whether what failed before does not any more."""
        return self.status is not None and ends_failure(self.status, self.reason)

    @property
    def decided(self) -> bool:
        """Whether it is known and decided."""
        return self.status in DECIDED


_NOTHING = _Known(None, None, lambda: None)


def pairs(connection: Connection, earlier: int, later: int) -> Iterator[list[Pair]]:
    """The visits of the later run with those before them, some at a time."""
    visited = connection.execute(select(visits).where(visits.c.run == later).order_by(visits.c.id)).all()
    for batch in batches(visited, HOSTS_AT_ONCE):
        before = _earlier(connection, [visit.stream for visit in batch], earlier, later)
        wanted = {visit.frame for visit in (*batch, *before.values())}
        frames = {number: codec.unpack(codec.Frame, body) for number, body in bodies(connection, wanted).items()}
        yield [Pair(before.get(visit.stream), visit, frames) for visit in batch]


def _earlier(connection: Connection, streams: list[int], earlier: int, later: int) -> dict[int, Row[Any]]:
    """For each stream its visit in the earlier run, or else the last one of any run before the later one."""
    best = func.row_number().over(
        partition_by=visits.c.stream,
        order_by=[case((visits.c.run == earlier, 0), else_=1), visits.c.run.desc()],
    )
    ranked = select(visits.c.id, best.label("place")).where(visits.c.stream.in_(streams), visits.c.run < later)
    ranked_visits = ranked.subquery()
    query = select(visits).join(ranked_visits, ranked_visits.c.id == visits.c.id).where(ranked_visits.c.place == 1)
    return {visit.stream: visit for visit in connection.execute(query)}


def changes(connection: Connection, reader: FindingReader, batch: list[Pair]) -> dict[str, list[Change]]:
    """What changed on each of some hosts, by host in lower case."""
    rows = _spans(connection, batch)
    reader.learn(
        (row.content for found in rows.values() for row in found if row.content is not None),
        (row.object for found in rows.values() for row in found),
    )
    return {
        pair.after.host.name.casefold(): list(_changes(reader, pair, rows.get(pair.later.stream, []))) for pair in batch
    }


def _spans(connection: Connection, batch: list[Pair]) -> dict[int, list[Row[Any]]]:
    """The spans that tell of a change between the visits, of a failure that is open at either, or of not knowing."""
    found: dict[int, list[Row[Any]]] = {}
    later = visits.alias()
    earlier = visits.alias()
    undecided = select(contents.c.id).where(contents.c.status.not_in([status.value for status in DECIDED]))
    for alike in (True, False):
        ids = [(pair.later.id, pair.earlier.id if pair.earlier else None) for pair in batch if pair.alike is alike]
        first, last = func.coalesce(earlier.c.seq, later.c.seq), later.c.seq
        # A run that was gone on with may have visited a host after the run that began later.
        low, high = case((first < last, first), else_=last), case((first < last, last), else_=first)
        within = [spans.c.first_seq <= high, or_(spans.c.until_seq.is_(None), spans.c.until_seq > low)]
        if alike:
            changed = or_(spans.c.first_seq > low, spans.c.until_seq <= high)
            within.append(or_(changed, spans.c.open_since.is_not(None), spans.c.content.in_(undecided)))
        before = earlier.c.id.in_([number for _, number in ids if number is not None])
        query = (
            select(spans)
            .select_from(later)
            .outerjoin(earlier, and_(earlier.c.stream == later.c.stream, before))
            .join(spans, and_(spans.c.stream == later.c.stream, *within))
            .where(later.c.id.in_([number for number, _ in ids]))
        )
        for row in connection.execute(query):
            found.setdefault(row.stream, []).append(row)
    return found


def _changes(reader: FindingReader, pair: Pair, rows: list[Row[Any]]) -> Iterator[Change]:
    if not rows:
        return
    before: dict[Key, _Known] = {}
    if pair.earlier is not None and pair.before is not None:
        before = _state(reader, rows, pair.earlier, pair.before, lasting=True)
    after = _state(reader, rows, pair.later, pair.after, lasting=False)
    checks = {check for check, _ in pair.after.layout}
    host = pair.after.host.name.casefold()
    blind = {key[0]: known for key, known in after.items() if is_blind(known.status, key[2], host)}
    for key in [*after, *(key for key in before if key not in after)]:
        if key[0] in checks:
            old, new = before.get(key, _NOTHING), after.get(key, _NOTHING)
            change = _gone(old, new, blind.get(key[0])) if new.status is None else _seen(old, new)
            if change is not None:
                yield change


def _seen(old: _Known, new: _Known) -> Change | None:
    """How a finding stands to what was known before."""
    if new.status is Status.FAIL:
        kind = ChangeKind.NEW if old.open_since is None else ChangeKind.STILL_FAILING
    elif new.decided:
        if old.open_since is None and old.decided:
            return None
        kind = ChangeKind.NEWLY_ASSESSED
        if old.open_since is not None:
            kind = ChangeKind.FIXED if new.ends_failure else ChangeKind.NO_LONGER_ASSESSED
    elif old.decided or old.open_since is not None:
        kind = ChangeKind.NO_LONGER_ASSESSED
    else:
        return None
    return Change(kind=kind, before=old.finding(), after=new.finding(), open_since=old.open_since)


def _gone(old: _Known, new: _Known, blind: _Known | None) -> Change | None:
    """What it means that an object is not there: it was looked for in vain, or one could not look."""
    if old.open_since is not None and new.open_since is None:
        return Change(kind=ChangeKind.FIXED, before=old.finding(), after=None, open_since=old.open_since)
    if old.open_since is not None or (old.decided and blind is not None):
        after = blind.finding() if blind is not None else None
        kind = ChangeKind.NO_LONGER_ASSESSED
        return Change(kind=kind, before=old.finding(), after=after, open_since=old.open_since)
    return None


def _state(
    reader: FindingReader, rows: list[Row[Any]], visit: Row[Any], frame: codec.Frame, *, lasting: bool
) -> dict[Key, _Known]:
    """What is known as of a visit, in the order of its findings.

    `lasting`: also what an earlier visit knew, of checks that this one did not run and of failures that are open.
    """
    places = {
        slot: place for place, slot in enumerate((check, thing) for check, things in frame.layout for thing in things)
    }
    checks = {check for check, _ in frame.layout}
    evidence = Evidence.unpacked(frame.probes, visit.evidence)
    found: list[tuple[int, Key, _Known]] = []
    for row in rows:
        if row.first_seq > visit.seq or (row.until_seq is not None and row.until_seq <= visit.seq):
            continue
        place = places.get((row.check, row.object), len(places))
        present = place < len(places)
        told = present or (lasting and (row.check not in checks or row.open_since is not None))
        known = _Known(None, row.open_since, lambda: None)
        if told and row.content is not None:
            # An answer of another visit has another hash: what it refers to is not known any more.
            make = partial(reader.finding, frame.host.name, row.check, row.object, row.content)
            finding = partial(make, evidence) if present else partial(make, None)
            status, reason = reader.outcome(row.content)
            known = _Known(status, row.open_since, finding, reason)
        found.append((place, (row.check, *reader.object_key(row.object)), known))
    return {key: known for _, key, known in sorted(found, key=lambda item: item[0])}
