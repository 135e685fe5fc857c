"""Reading a run back: every host and finding as it was added."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select

from fleetscan.model.facts import HostFacts, Packed, ProbeAnswer
from fleetscan.model.finding import Finding, Status
from fleetscan.model.playbook import ObjectType, Severity
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport, RunReport, Trouble
from fleetscan.model.waiver import Waiver
from fleetscan.store import codec
from fleetscan.store.evidence import Evidence
from fleetscan.store.once import batches
from fleetscan.store.tables import answers, blobs, checks, contents, objects, runs, spans, streams, visits

HOSTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Said:
    """What a content says; the rest of a finding is its check and its object."""

    fields: Mapping[str, Any]
    status: Status
    evidence: str


class FindingReader:
    """Makes findings of spans. Remembers what is shared by many."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._said: dict[int, Said] = {}
        self._definitions: dict[int, dict[str, Any]] = {}
        self._checks = {row.id: row.name for row in connection.execute(select(checks.c.id, checks.c.name))}
        self._objects: dict[int, tuple[ObjectType, str, str, int]] = {}

    def learn(self, content_ids: Iterable[int], object_ids: Iterable[int]) -> None:
        """Fetch what `finding` will be asked for."""
        for batch in batches(sorted(set(content_ids) - self._said.keys())):
            rows = self._connection.execute(select(contents).where(contents.c.id.in_(batch))).all()
            self._learn_definitions({row.definition for row in rows})
            self._said.update((row.id, self._decode(row)) for row in rows)
        for batch in batches(sorted(set(object_ids) - self._objects.keys())):
            columns = (objects.c.id, objects.c.type, objects.c.identity, objects.c.name, objects.c.nth)
            for row in self._connection.execute(select(*columns).where(objects.c.id.in_(batch))):
                self._objects[row.id] = (ObjectType(row.type), row.identity, row.name, row.nth)

    def forget_objects(self) -> None:
        """The objects of one host are no use for the next."""
        self._objects.clear()

    def outcome(self, content: int) -> tuple[Status, Reason | None]:
        """What a content that was learnt comes to."""
        said = self._said[content]
        return said.status, said.fields["reason"]

    def finding(self, host: str, check: int, thing: int, content: int, evidence: Evidence | None) -> Finding:
        """The finding whose content and object were learnt; without `evidence`, its answers are not referred to."""
        said = self._said[content]
        kind, identity, name, _ = self._objects[thing]
        return Finding(
            host=host,
            check_id=self._checks[check],
            object_type=kind,
            object_id=identity,
            object_name=name,
            status=said.status,
            evidence_ref=evidence.fill(said.evidence) if evidence is not None else "",
            **said.fields,
        )

    def object_key(self, thing: int) -> tuple[str, str, int]:
        """What makes it the same object under another name: type, identity and number."""
        kind, identity, _, nth = self._objects[thing]
        return kind.value, identity.casefold(), nth

    def _learn_definitions(self, wanted: set[int]) -> None:
        for number, body in bodies(self._connection, wanted - self._definitions.keys()).items():
            definition = codec.unpack(codec.Definition, body)
            self._definitions[number] = {field.name: getattr(definition, field.name) for field in fields(definition)}

    def _decode(self, row: Row[Any]) -> Said:
        fields = self._definitions[row.definition] | {
            "reason": Reason(row.reason) if row.reason else None,
            "message": row.message,
            "expected": row.expected,
            "observed": row.observed,
            "remedy": row.remedy,
            "waiver": codec.load(Waiver, row.waiver) if row.waiver else None,
        }
        return Said(fields, Status(row.status), row.evidence)


def load(connection: Connection, number: int) -> RunReport:
    """A run as it was reported; of an unfinished one, what there is."""
    run = connection.execute(select(runs).where(runs.c.number == number)).one()
    known = bodies(connection, {run.plan, run.outcome} - {None})
    plan = codec.unpack(codec.Plan, known[run.plan])
    outcome = codec.unpack(codec.Outcome, known[run.outcome]) if run.outcome else codec.Outcome()
    reports = {report.host.name.casefold(): report for report in read_hosts(connection, run.number)}
    order = dict.fromkeys(host.name.casefold() for host in plan.hosts) | dict.fromkeys(reports)
    found = tuple(reports[name] for name in order if name in reports)
    ends = [report.ended_at for report in found if report.ended_at is not None]
    return RunReport(
        run_id=run.run_id,
        tool_version=run.tool_version,
        playbook=run.playbook,
        playbook_title=run.playbook_title,
        playbook_version=run.playbook_version,
        check_count=len(plan.checks),
        started_at=run.started_at,
        ended_at=run.ended_at or max(ends, default=run.started_at),
        hosts=found,
        fail_on=Severity(run.fail_on),
        interrupted=run.interrupted or run.ended_at is None,
        data=outcome.data,
        diagnoses=outcome.diagnoses,
        notices=outcome.notices,
    )


def read_hosts(connection: Connection, number: int, only: Container[str] | None = None) -> Iterator[HostReport]:
    """The hosts of a run, or of these names (in lower case), in the order in which they were finished."""
    findings = FindingReader(connection)
    query = select(visits, streams.c.host).join(streams, streams.c.id == visits.c.stream)
    found = connection.execute(query.where(visits.c.run == number).order_by(visits.c.id)).all()
    visited = [visit for visit in found if only is None or visit.host in only]
    for batch in batches(visited, HOSTS_AT_ONCE):
        frames = bodies(connection, {visit.frame for visit in batch})
        facts = _read_answers(connection, batch)
        said = _read_spans(connection, batch)
        for visit in batch:
            frame = codec.unpack(codec.Frame, frames[visit.frame])
            yield _host(findings, visit, frame, said[visit.stream], facts[visit.id])


def _host(
    findings: FindingReader,
    visit: Row[Any],
    frame: codec.Frame,
    said: Mapping[tuple[int, int], int],
    kept: Mapping[str, ProbeAnswer],
) -> HostReport:
    slots = [(check, thing) for check, things in frame.layout for thing in things]
    findings.forget_objects()
    findings.learn((said[slot] for slot in slots), (thing for _, thing in slots))
    evidence = Evidence.unpacked(frame.probes, visit.evidence)
    name = frame.host.name
    details = codec.unpack(codec.Details, visit.details) if visit.details else codec.Details(meta={}, seconds={})
    return HostReport(
        host=frame.host,
        started_at=visit.started_at,
        ended_at=visit.ended_at,
        facts=HostFacts(meta=details.meta, answers=kept, payload_sha256=frame.payload_sha256),
        findings=tuple(findings.finding(name, *slot, said[slot], evidence) for slot in slots),
        trouble=codec.load(Trouble, visit.trouble) if visit.trouble else None,
        attempts=visit.attempts,
        seconds=details.seconds,
    )


def bodies(connection: Connection, ids: Iterable[int]) -> dict[int, bytes]:
    """Blobs by id."""
    found: dict[int, bytes] = {}
    for batch in batches(sorted(ids)):
        rows = connection.execute(select(blobs.c.id, blobs.c.body).where(blobs.c.id.in_(batch)))
        found.update((row.id, row.body) for row in rows)
    return found


def _read_spans(connection: Connection, visited: Sequence[Row[Any]]) -> dict[int, dict[tuple[int, int], int]]:
    """For each stream: what was said at its visit, by check and object."""
    query = (
        select(spans.c.stream, spans.c.check, spans.c.object, spans.c.content)
        .join(visits, and_(visits.c.stream == spans.c.stream, spans.c.first_seq <= visits.c.seq))
        .where(
            visits.c.id.in_([visit.id for visit in visited]),
            or_(spans.c.until_seq.is_(None), spans.c.until_seq > visits.c.seq),
        )
    )
    found: dict[int, dict[tuple[int, int], int]] = defaultdict(dict)
    for stream, check, thing, content in connection.execute(query):
        found[stream][check, thing] = content
    return found


def _read_answers(connection: Connection, visited: Sequence[Row[Any]]) -> dict[int, dict[str, ProbeAnswer]]:
    query = (
        select(answers, blobs.c.body.label("data"))
        .outerjoin(blobs, blobs.c.id == answers.c.body)
        .where(answers.c.visit.in_([visit.id for visit in visited]))
        .order_by(answers.c.visit, answers.c.position)
    )
    found: dict[int, dict[str, ProbeAnswer]] = defaultdict(dict)
    for row in connection.execute(query):
        found[row.visit][row.probe] = ProbeAnswer(
            probe=row.probe,
            data=Packed.from_bytes(row.data) if row.data is not None else None,
            reason=Reason(row.reason) if row.reason else None,
            message=row.message,
            ms=row.ms,
            sha256=row.sha256,
        )
    return found


def facts_of_run(connection: Connection, number: int, host: str) -> HostFacts | None:
    """What a host answered in a run, where that is still kept."""
    query = _visits_to(host).where(visits.c.run == number)
    visit = connection.execute(query).one_or_none()
    return _facts(connection, visit) if visit is not None else None


def latest_facts(
    connection: Connection, host: str, playbook: str, before: int | None
) -> tuple[datetime | None, HostFacts] | None:
    """What a host answered when it last did, in runs before that number, and when."""
    query = _visits_to(host).where(
        streams.c.playbook == playbook,
        select(answers.c.visit).where(answers.c.visit == visits.c.id, answers.c.body.is_not(None)).exists(),
    )
    if before is not None:
        query = query.where(visits.c.run < before)
    visit = connection.execute(query.order_by(visits.c.run.desc()).limit(1)).one_or_none()
    return (visit.ended_at, _facts(connection, visit)) if visit is not None else None


def _visits_to(host: str) -> Select[Any]:
    """Visits whose facts are kept."""
    of_host = (streams.c.host == host.casefold(), visits.c.details.is_not(None))
    return select(visits).join(streams, streams.c.id == visits.c.stream).where(*of_host)


def _facts(connection: Connection, visit: Row[Any]) -> HostFacts:
    [body] = bodies(connection, {visit.frame}).values()
    return HostFacts(
        meta=codec.unpack(codec.Details, visit.details).meta,
        answers=_read_answers(connection, [visit])[visit.id],
        payload_sha256=codec.unpack(codec.Frame, body).payload_sha256,
    )
