"""Writing: a run begins, each host is added in a transaction of its own, the run ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from fleetscan.model.facts import HostFacts, Packed
from fleetscan.model.finding import Finding, Status
from fleetscan.model.run import HostReport, RunRecord, RunReport
from fleetscan.store import codec
from fleetscan.store.evidence import Evidence
from fleetscan.store.findings import FindingWriter, undo
from fleetscan.store.once import digest, ids_by_hash
from fleetscan.store.tables import answers, blobs, runs, streams, visits


@dataclass(frozen=True, slots=True)
class RunKey:
    """The run that is written to."""

    number: int
    playbook: str
    started_at: datetime


def begin(connection: Connection, record: RunRecord) -> None:
    """Write down a run before its first host."""
    plan = codec.Plan(checks=record.checks, hosts=record.hosts, left_out=record.left_out)
    row = {
        "run_id": record.run_id,
        "playbook": record.playbook,
        "playbook_title": record.playbook_title,
        "playbook_version": record.playbook_version,
        "tool_version": record.tool_version,
        "fail_on": record.fail_on.value,
        "command": record.command,
        "started_at": record.started_at,
        "interrupted": False,
        "plan": _blob(connection, codec.pack(plan)),
        "planned": len(record.hosts),
    }
    connection.execute(insert(runs).values(row))


def add(connection: Connection, writer: FindingWriter, run: RunKey, report: HostReport) -> None:
    """Write down one host. Another visit to it in the same run takes the place of the earlier one."""
    stream, seq = _place(connection, run, report.host.name.casefold())
    evidence = Evidence.of(report.facts)
    layout = writer.write(connection, stream, seq, report.findings, evidence, run.started_at)
    frame = codec.Frame(
        host=report.host, payload_sha256=report.facts.payload_sha256, probes=evidence.probes, layout=layout
    )
    row = _visit(report) | _tally(report) | {"run": run.number, "stream": stream, "seq": seq}
    row |= {"frame": _blob(connection, codec.pack(frame)), "evidence": evidence.packed}
    visit = connection.execute(insert(visits).returning(visits.c.id), row).scalar_one()
    _add_answers(connection, visit, report.facts)


def amend(
    connection: Connection, writer: FindingWriter, run: RunKey, report: HostReport, written: Sequence[Finding]
) -> None:
    """Write down what is said of a host now that all hosts are known, where that is not what was written of it."""
    both = zip(report.findings, written, strict=False)
    changed = {new.check_id for new, old in both if new is not old and new != old}
    if not changed and len(report.findings) == len(written):
        return
    visit = _own_visit(connection, run, report.host.name.casefold())
    if visit is None or visit.seq != visit.last_seq or not _same_objects(report.findings, written):
        add(connection, writer, run, report)
        return
    undo(connection, visit.stream, visit.seq, writer.check_ids(connection, changed).values())
    findings = [finding for finding in report.findings if finding.check_id in changed]
    evidence = Evidence.of(report.facts)
    writer.write(connection, visit.stream, visit.seq, findings, evidence, run.started_at, alone=True)
    connection.execute(update(visits).where(visits.c.id == visit.id).values(_tally(report)))


def _same_objects(findings: Sequence[Finding], written: Sequence[Finding]) -> bool:
    what = attrgetter("check_id", "object_type", "object_id", "object_name")
    return list(map(what, findings)) == list(map(what, written))


def finish(connection: Connection, run: RunKey, report: RunReport) -> None:
    """Write down how a run ended."""
    outcome = codec.Outcome(diagnoses=report.diagnoses, notices=report.notices, data=report.data)
    body = _blob(connection, codec.pack(outcome))
    ended = {"ended_at": report.ended_at, "interrupted": report.interrupted, "outcome": body}
    connection.execute(update(runs).where(runs.c.number == run.number).values(ended))


def _own_visit(connection: Connection, run: RunKey, host: str) -> Row[Any] | None:
    """The visit of this run to a host, with the number of the last one by any run."""
    query = (
        select(visits, streams.c.last_seq)
        .join(streams, streams.c.id == visits.c.stream)
        .where(visits.c.run == run.number, streams.c.playbook == run.playbook, streams.c.host == host)
    )
    return connection.execute(query).one_or_none()


def _place(connection: Connection, run: RunKey, host: str) -> tuple[int, int]:
    """The stream of a host, and the number of the visit that is to be written; one of this run is taken back."""
    visit = _own_visit(connection, run, host)
    if visit is not None:
        connection.execute(delete(visits).where(visits.c.id == visit.id))
        if visit.seq == visit.last_seq:
            undo(connection, visit.stream, visit.seq)
            return visit.stream, visit.seq
    which = (streams.c.playbook == run.playbook, streams.c.host == host)
    seq = streams.c.last_seq + 1
    known = update(streams).where(*which).values(last_seq=seq).returning(streams.c.id, streams.c.last_seq)
    found = connection.execute(known).one_or_none()
    if found is None:
        row = {"playbook": run.playbook, "host": host, "last_seq": 1}
        found = connection.execute(insert(streams).returning(streams.c.id, streams.c.last_seq), row).one()
    return found.id, found.last_seq


def _tally(report: HostReport) -> dict[str, Any]:
    counts = report.counts()
    return {"verdict": report.verdict.value, "counts": ",".join(str(counts[status]) for status in Status)}


def _visit(report: HostReport) -> dict[str, Any]:
    details = codec.Details(meta=dict(report.facts.meta), seconds=dict(report.seconds))
    return {
        "started_at": report.started_at,
        "ended_at": report.ended_at,
        "attempts": report.attempts,
        "trouble": codec.dump(report.trouble) if report.trouble else None,
        "details": codec.pack(details),
    }


def _add_answers(connection: Connection, visit: int, facts: HostFacts) -> None:
    bodies = {
        name: Packed.of(answer.data).compressed for name, answer in facts.answers.items() if answer.data is not None
    }
    ids = ids_by_hash(connection, blobs, {digest(body): {"body": body} for body in bodies.values()})
    rows = [
        {
            "visit": visit,
            "position": position,
            "probe": answer.probe,
            "reason": answer.reason.value if answer.reason else None,
            "message": answer.message,
            "ms": answer.ms,
            "sha256": answer.sha256,
            "body": ids[digest(bodies[name])] if name in bodies else None,
        }
        for position, (name, answer) in enumerate(facts.answers.items())
    ]
    if rows:
        connection.execute(insert(answers), rows)


def _blob(connection: Connection, body: bytes) -> int:
    [number] = ids_by_hash(connection, blobs, {digest(body): {"body": body}}).values()
    return number
