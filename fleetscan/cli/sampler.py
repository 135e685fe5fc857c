"""The sampling side of `fleetscan profile`: what to ask whom, and where the answers go."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fleetscan.errors import InputError

if TYPE_CHECKING:
    from fleetscan.cli.prepare import Prepared
    from fleetscan.cli.request import Request
    from fleetscan.model.host import Host
    from fleetscan.model.playbook import JSON, Playbook
    from fleetscan.model.run import HostReport
    from fleetscan.profile import Journal, Plan

TOTALS = "vm-storage-counters"
"""The probe that is asked for each sample."""
CONTEXT = ("vm-disks", "vm-replication", "azure-agents")
"""Those that are asked with the first one: sizes, what is replicated, limits on the upload."""
MOST_SAMPLES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a profile was asked for, apart from the hosts."""

    interval: float
    duration: float
    out: Path
    resume: bool
    planner: Path | None


def hyperv_only(request: Request) -> Prepared:
    """The Hyper-V hosts of the request: nobody else has what is sampled."""
    from fleetscan.cli.prepare import read
    from fleetscan.model.host import Role

    prepared = read(request, datetime.now(UTC))
    hosts = tuple(host for host in prepared.hosts if Role.HYPERV in host.roles)
    if not hosts:
        raise InputError.of("-i, -l", "none of these hosts has the role hyperv", "name hosts with virtual machines")
    return replace(prepared, hosts=hosts)


def _asked(book: Playbook, names: Sequence[str]) -> Playbook:
    """A playbook that asks these questions and judges nothing."""
    return replace(book, checks=(), diagnoses=(), probes={name: book.probes[name] for name in names})


def sample(prepared: Prepared, ask: Ask, *, forget_rejections: bool) -> bool:
    """Take the samples that are due; whether that was stopped before its end."""
    from fleetscan.cli.prepare import make_scan
    from fleetscan.cli.running import run_job
    from fleetscan.scan.sampling import Sampling

    plan, first = _plan(prepared.hosts, ask)
    if first >= plan.samples:
        tell(f"{ask.out} has all its samples.")
        return False
    opening = make_scan(
        replace(prepared, book=_asked(prepared.book, (TOTALS, *CONTEXT))), forget_rejections=forget_rejections
    )
    journal = _open(ask, plan, first)
    keeper = _Keeper(journal, plan.samples, ask.planner)
    job = Sampling(
        opening=opening,
        scan=opening.asking(_asked(prepared.book, (TOTALS,))),
        interval=plan.interval,
        first=first,
        last=plan.samples,
        keep=keeper.keep,
    )
    tell(f"{plan.samples - first} samples of {len(prepared.hosts)} hosts, {plan.interval:g} s apart, go to {ask.out}")
    try:
        return run_job(job)
    finally:
        journal.close()
        keeper.end()


def _plan(hosts: Sequence[Host], ask: Ask) -> tuple[Plan, int]:
    """What to do, and the number of the first sample."""
    from fleetscan.profile import Plan, read_journal

    names = tuple(host.name for host in hosts)
    if ask.resume:
        contents = read_journal(ask.out)
        if set(names) != set(contents.plan.hosts):
            raise InputError.of("--resume", f"{ask.out} was begun with other hosts", "give the same -i and -l")
        return contents.plan, contents.taken
    if ask.interval < 1:
        raise InputError.of(f"--interval {ask.interval:g}", "is too short", "write 1s or more; 60s is usual")
    samples = int(ask.duration / ask.interval) + 1
    if not 2 <= samples <= MOST_SAMPLES:
        cure = f"the duration must be one to {MOST_SAMPLES:,} times the interval"
        raise InputError.of(f"--duration {ask.duration:g}", "does not go with the interval", cure)
    return Plan(began=datetime.now(UTC), interval=ask.interval, samples=samples, hosts=names), 0


def _open(ask: Ask, plan: Plan, first: int) -> Journal:
    from fleetscan.profile import Journal

    return Journal.resume(ask.out, datetime.now(UTC), first) if ask.resume else Journal.begin(ask.out, plan)


class _Keeper:
    """Writes what each visit brought, and the planner's list from the first answer of each host."""

    def __init__(self, journal: Journal, samples: int, planner: Path | None) -> None:
        self._journal = journal
        self._samples = samples
        self._planner = planner
        self._first: dict[str, tuple[str, Mapping[str, JSON]]] = {}

    def keep(self, host: Host, number: int, report: HostReport) -> bool:
        """Write a sample or a gap; whether it was a sample."""
        at = report.ended_at or datetime.now(UTC)
        answers = report.facts.answers
        answer = answers.get(TOTALS)
        self._show(host, number)
        if answer is None or answer.data is None:
            reason, message = _why(report)
            self._journal.add("gap", at, host=host.name, sample=number, reason=reason, message=message)
            return False
        facts: dict[str, JSON] = {}
        for name in CONTEXT:
            told = answers.get(name)
            if told is not None and told.data is not None:
                facts[name] = dict(told.data)
        if facts:
            self._journal.add("host", at, host=host.name, facts=facts)
        self._journal.add("sample", at, host=host.name, sample=number, totals=dict(answer.data))
        if host.name not in self._first:
            self._first[host.name] = (host.address, dict(answer.data))
        return True

    def _show(self, host: Host, number: int) -> None:
        if sys.stderr.isatty():
            width = shutil.get_terminal_size().columns - 1
            line = f"sample {number + 1} of {self._samples} · {host.name}"[:width]
            print(f"\r{line:<{width}}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the line of progress away, and write the planner's list."""
        from fleetscan.profile import planner_list

        if sys.stderr.isatty():
            print("\r" + " " * (shutil.get_terminal_size().columns - 1), end="\r", file=sys.stderr)
        if self._planner is None:
            return
        found = planner_list(self._first.values())
        try:
            self._planner.write_text(found.text, encoding="utf-8", newline="")
        except OSError as error:
            tell(f"{self._planner} cannot be written: {error.strerror}")
            return
        tell(f"Wrote {self._planner} ({found.count} machines) for ASRDeploymentPlanner.exe -VMListFile")
        for name in found.left_out:
            tell(f"left out, since the planner does not take its name: {name}")


def _why(report: HostReport) -> tuple[str, str]:
    """Why a visit brought no sample."""
    answer = report.facts.answers.get(TOTALS)
    if answer is not None and answer.reason is not None:
        return answer.reason.value, answer.message
    if report.trouble is not None:
        return report.trouble.reason.value, report.trouble.message
    return "probe.not_run", "the question did not run"


def tell(text: str) -> None:
    """A notice for people."""
    print(text, file=sys.stderr)
