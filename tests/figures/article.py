"""What the built-in playbook costs: on the wire, on a host with many machines, in calls, and in the judge."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import anyio

from fleetscan import playbook, rehearsal
from fleetscan.judge import conclude, judge
from fleetscan.lab import Machine
from fleetscan.lab.powershell import PowerShellEngine
from fleetscan.model.facts import HostFacts
from fleetscan.model.host import Role
from fleetscan.model.playbook import Language, Playbook, Probe
from fleetscan.model.run import HostReport
from fleetscan.playbook.gate import cmdlets
from fleetscan.playbook.gate.syntax import Node, Script
from fleetscan.powershell import payload
from fleetscan.rehearsal.execution import machine_of
from tests.playbooks.support import facts_of, visit

Say = Callable[[str, object, str], None]
MANY = 100
HOSTS = 1000
VMS = 20
_LOOPS = {"foreach_statement", "for_statement", "while_statement", "do_statement", "script_block_expression"}
_OWN = "00000000-0000-4000-8000-0000"
"""How the ids of machines begin; the last four digits are the host's."""
_CORE = {"Microsoft.PowerShell.Core", "Microsoft.PowerShell.Utility", "Microsoft.PowerShell.Management"}


def run(say: Say) -> None:
    """All figures, in the order of docs/figures.md."""
    book = playbook.load()
    for role in Role:
        script = payload.build(book, [role])
        say(f"payload for {role}, bytes", f"{len(script.text.encode()):,}", f"{len(script.probes)} probes")
    calls = calls_in_loops(book)
    asked = [name for name in calls if "vms" in book.probes[name].shape]
    say("probes of machines that call Windows once for each of them", len(asked), ", ".join(asked))
    if PowerShellEngine.find() is not None:
        anyio.run(_time_of_probes, say, book)
    _time_of_judge(say, book)


def calls_in_loops(book: Playbook) -> dict[str, list[str]]:
    """Probe → the commands of Windows' own modules that stand in a loop of it: these may be called for each machine."""
    found = {name: list(_looped(probe)) for name, probe in book.probes.items() if probe.language is Language.POWERSHELL}
    return {name: commands for name, commands in found.items() if commands}


def _looped(probe: Probe) -> list[str]:
    windows = {
        name.casefold(): name
        for module, commands in cmdlets.modules().items()
        if module not in _CORE
        for name in commands
    }
    script = Script(probe.text, probe.language, probe.id)
    words = [(node, script.command(node)) for node in script.nodes if node.kind == "command"]
    return [windows[word] for node, word in words if word in windows and _in_a_body(node)]


def _in_a_body(node: Node) -> bool:
    """Whether it stands in the body of a loop; what a loop goes over is asked for once."""
    inner, outer = node, node.parent
    while outer is not None:
        if outer.kind in _LOOPS and inner.kind in ("statement_block", "script_block", "script_block_body"):
            return True
        inner, outer = outer, outer.parent
    return False


def many_machines(book: Playbook, count: int) -> Machine:
    """The host with one machine of the playbook's tests, with that many instead, each under an id of its own."""
    folder, _ = playbook.locate()
    machine = machine_of(rehearsal.load(book, folder).bases["hv-told"])
    probes = copy.deepcopy(dict(machine.probes))
    for entry in probes.values():
        machines = entry.get("vms") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and isinstance(machines, list) and machines:
            entry["vms"] = [_copy(machines[0], number) for number in range(count)]
    return machine.model_copy(update={"probes": probes})


def _copy(machine: Any, number: int) -> dict[str, Any]:
    return {**machine, "id": f"{_OWN}{number:08x}", "name": f"vm{number:03d}"}


async def _time_of_probes(say: Say, book: Playbook) -> None:
    engine = PowerShellEngine.find()
    assert engine is not None
    machine = many_machines(book, MANY)
    try:
        await visit(engine, machine, [Role.HYPERV])  # the first run compiles the stand-ins
        facts = await visit(engine, machine, [Role.HYPERV])
    finally:
        await engine.aclose()
    answers: Mapping[str, Any] = facts.answers
    for name, answer in sorted(answers.items(), key=lambda item: -item[1].ms):
        say(f"{name}, {MANY} machines, ms in PowerShell", answer.ms, "")
    say("all probes, ms", sum(answer.ms for answer in answers.values()), "")


def _time_of_judge(say: Say, book: Playbook) -> None:
    where = replace(_situation_host(book), cluster="c1")
    facts = facts_of(many_machines(book, VMS), {"os_build": "20348"})
    names = [f"hv{number:04d}.example" for number in range(HOSTS)]
    hosts = [replace(where, name=name, address=name, cluster=f"c{number // 8}") for number, name in enumerate(names)]
    reports: list[HostReport] = []
    judged = 0.0
    for number, host in enumerate(hosts):
        own = _own(facts, number)
        began = time.process_time()
        found = judge(host, own, book)
        judged += time.process_time() - began
        reports.append(HostReport(host=host, started_at=None, ended_at=None, facts=own, findings=found).packed())
    began = time.process_time()
    concluded = conclude(book, reports)
    ended = time.process_time()
    count = sum(len(report.findings) for report in concluded)
    say(f"judge, {HOSTS} hosts with {VMS} machines, {count:,} findings, CPU", f"{judged:.1f} s", "")
    say("across all hosts: machines that moved, nodes, CPU", f"{ended - began:.1f} s", "")


def _situation_host(book: Playbook) -> Any:
    folder, _ = playbook.locate()
    return rehearsal.load(book, folder).bases["hv-told"].host


def _own(facts: HostFacts, number: int) -> HostFacts:
    """The facts with machines that are this host's own."""
    answers = {
        name: replace(answer, data=json.loads(json.dumps(dict(answer.data)).replace(_OWN, f"{_OWN[:-4]}{number:04x}")))
        for name, answer in facts.answers.items()
        if answer.data is not None
    }
    return replace(facts, answers=answers)
