"""Writing: a run begins, each host is added in a transaction of its own, the run ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from fleetscan.model.facts import HostFacts, Packed
from fleetscan.model.finding import Status
from fleetscan.model.run import HostReport, RunRecord, RunReport
from fleetscan.store import codec
from fleetscan.store.evidence import Evidence
from fleetscan.store.findings import FindingWriter
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
    plan = codec.Plan(checks=record.checks, hosts=record.hosts)
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
    stream, seq = _next_visit(connection, run.playbook, report.host.name.casefold())
    connection.execute(delete(visits).where(visits.c.run == run.number, visits.c.stream == stream))
    evidence = Evidence.of(report.facts)
    layout = writer.write(connection, stream, seq, report.findings, evidence, run.started_at)
    frame = codec.Frame(
        host=report.host, payload_sha256=report.facts.payload_sha256, probes=evidence.probes, layout=layout
    )
    row = _visit(report) | {"run": run.number, "stream": stream, "seq": seq, "evidence": evidence.packed}
    row["frame"] = _blob(connection, codec.pack(frame))
    visit = connection.execute(insert(visits).returning(visits.c.id), row).scalar_one()
    _add_answers(connection, visit, report.facts)


def finish(connection: Connection, run: RunKey, report: RunReport) -> None:
    """Write down how a run ended."""
    outcome = codec.Outcome(diagnoses=report.diagnoses, notices=report.notices, data=report.data)
    body = _blob(connection, codec.pack(outcome))
    ended = {"ended_at": report.ended_at, "interrupted": report.interrupted, "outcome": body}
    connection.execute(update(runs).where(runs.c.number == run.number).values(ended))


def _next_visit(connection: Connection, playbook: str, host: str) -> tuple[int, int]:
    which = (streams.c.playbook == playbook, streams.c.host == host)
    found = connection.execute(select(streams.c.id, streams.c.last_seq).where(*which)).one_or_none()
    if found is None:
        row = {"playbook": playbook, "host": host, "last_seq": 1}
        return connection.execute(insert(streams).returning(streams.c.id), row).scalar_one(), 1
    seq = found.last_seq + 1
    connection.execute(update(streams).where(streams.c.id == found.id).values(last_seq=seq))
    return found.id, seq


def _visit(report: HostReport) -> dict[str, Any]:
    counts = report.counts()
    details = codec.Details(meta=dict(report.facts.meta), seconds=dict(report.seconds))
    return {
        "started_at": report.started_at,
        "ended_at": report.ended_at,
        "attempts": report.attempts,
        "verdict": report.verdict.value,
        "counts": ",".join(str(counts[status]) for status in Status),
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
