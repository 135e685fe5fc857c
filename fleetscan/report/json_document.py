"""JSON for programs: the run, its hosts with all their facts, its findings; exact text in pure ASCII."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from fleetscan.model.diagnosis import Diagnosis
from fleetscan.model.facts import Packed, ProbeAnswer
from fleetscan.model.finding import SYMPTOMATIC, Finding, Status
from fleetscan.model.playbook import ObjectType
from fleetscan.model.run import HostReport, RunReport, Trouble
from fleetscan.report import rows
from fleetscan.report.json_text import dump, exact, separated
from fleetscan.report.words import utc


def render(report: RunReport) -> Iterator[str]:
    """The document that `json_schema.schema` describes: a line for the run, for each host and for each finding."""
    yield f'{{"fleetscan": {dump(report.tool_version)},\n"run": {dump(_run(report))},\n"hosts": [\n'
    yield from separated(map(_host, report.hosts))
    yield '\n],\n"diagnoses": [\n'
    yield from separated(dump(_diagnosis(diagnosis)) for diagnosis in report.diagnoses)
    yield '\n],\n"findings": [\n'
    yield from separated(_findings(report))
    yield "\n]}\n"


def _findings(report: RunReport) -> Iterator[str]:
    """The row of each finding, with why a machine has the symptom that it tells of.

    Most of a row is that of its host and of its check, and is written out once for all that share it.
    """
    told = _told(report)
    of_checks: dict[tuple[object, ...], str] = {}
    for visited in report.hosts:
        of_host = _members(rows.of_host(report, visited))
        for finding in visited.findings:
            shared = finding.shared
            if shared not in of_checks:
                of_checks[shared] = _members(rows.of_check(finding))
            own = rows.of_finding(finding)
            own["diagnosis"] = _explanation(told, finding)
            yield f"{{{of_host}, {of_checks[shared]}, {_members(own)}}}"


def _members(row: Mapping[str, object]) -> str:
    """The keys and values of an object, without its braces."""
    return dump(row)[1:-1]


def _told(report: RunReport) -> dict[tuple[str, str], list[str]]:
    """What the diagnoses say, by symptom and machine."""
    told: dict[tuple[str, str], list[str]] = {}
    for diagnosis in report.diagnoses:
        for check_id in diagnosis.symptoms:
            told.setdefault((check_id, diagnosis.vm_id), []).append(diagnosis.text)
    return told


def _explanation(told: Mapping[tuple[str, str], list[str]], finding: Finding) -> str:
    """Why a machine has this symptom; empty where the finding is none."""
    if finding.status not in SYMPTOMATIC or finding.object_type is not ObjectType.VM:
        return ""
    return ". ".join(told.get((finding.check_id, finding.object_id.casefold()), ()))


def _run(report: RunReport) -> dict[str, object]:
    return {
        "run_id": report.run_id,
        "playbook": report.playbook,
        "playbook_title": report.playbook_title,
        "playbook_version": report.playbook_version,
        "check_count": report.check_count,
        "started_at": utc(report.started_at),
        "ended_at": utc(report.ended_at),
        "fail_on": report.fail_on.value,
        "interrupted": report.interrupted,
        "data": [
            {"id": source.id, "as_of": source.as_of, "source": source.source, "file": source.origin}
            for source in report.data
        ],
        "notices": list(report.notices),
        "host_counts": _counts(Counter(host.verdict for host in report.hosts)),
        "finding_counts": _counts(report.counts()),
    }


def _host(report: HostReport) -> str:
    probes = ", ".join(f"{dump(name)}: {_answer(answer)}" for name, answer in report.facts.answers.items())
    return f'{{{_members(_visit(report))}, "probes": {{{probes}}}}}'


def _visit(report: HostReport) -> dict[str, object]:
    host = report.host
    return {
        "host": host.name,
        "address": host.address,
        "roles": list(host.roles),
        "groups": list(host.groups),
        "zone": host.zone,
        "cluster": host.cluster,
        "vmm_server": host.vmm_server,
        "transport": host.transport.value,
        "verdict": report.verdict.value,
        "counts": _counts(report.counts()),
        "trouble": _trouble(report.trouble),
        "started_at": utc(report.started_at) or None,
        "ended_at": utc(report.ended_at) or None,
        "attempts": report.attempts,
        "seconds": {stage: round(seconds, 3) for stage, seconds in report.seconds.items()},
        "payload_sha256": report.facts.payload_sha256,
        "meta": report.facts.meta,
    }


def _diagnosis(diagnosis: Diagnosis) -> dict[str, object]:
    return {
        "vm_id": diagnosis.vm_id,
        "vm_name": diagnosis.vm_name,
        "hosts": list(diagnosis.hosts),
        "rule": diagnosis.rule,
        "diagnosis": diagnosis.text,
        "symptoms": list(diagnosis.symptoms),
        "causes": [asdict(cause) for cause in diagnosis.causes],
        "unseen": list(diagnosis.unseen),
    }


def _counts(counts: Mapping[Status, int]) -> dict[str, int]:
    return {"total": sum(counts.values())} | {status.value: counts.get(status, 0) for status in Status}


def _trouble(trouble: Trouble | None) -> dict[str, str] | None:
    if trouble is None:
        return None
    return {
        "reason": trouble.reason.value,
        "stage": trouble.stage.value,
        "message": trouble.message,
        "hint": trouble.hint,
    }


def _answer(answer: ProbeAnswer) -> str:
    head = {
        "reason": answer.reason.value if answer.reason else None,
        "message": answer.message,
        "ms": answer.ms,
        "sha256": answer.sha256,
    }
    data = "null" if answer.data is None else exact(Packed.of(answer.data).text)
    return f'{{{_members(head)}, "data": {data}}}'
