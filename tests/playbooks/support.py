"""What the tests of the built-in playbooks share: simulated machines in, facts and findings out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from fleetscan import rehearsal
from fleetscan.judge import conclude, judge
from fleetscan.lab import Engine, Fleet, Group, Machine, SimulatedHost
from fleetscan.lab.moments import at, clock
from fleetscan.model.facts import LATER, HostFacts, ProbeAnswer
from fleetscan.model.finding import Finding
from fleetscan.model.host import Host, Role
from fleetscan.model.playbook import Playbook
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport
from fleetscan.playbook import DEFAULT, locate
from fleetscan.playbook import load as load_playbook
from fleetscan.powershell import answers, envelope, payload
from fleetscan.rehearsal import Suite
from fleetscan.rehearsal.execution import machine_of

HERE = Path(__file__).parent
LANGUAGES = ("en-US", "fr-FR", "de-DE", "ja-JP")


@cache
def builtin(name: str = DEFAULT) -> Playbook:
    """A built-in playbook."""
    return load_playbook(name)


@cache
def suite(name: str = DEFAULT) -> Suite:
    """The cases of a built-in playbook, and the healthy hosts that they start from."""
    return rehearsal.load(load_playbook(name), locate(name)[0])


@cache
def healthy(name: str = DEFAULT) -> Fleet:
    """A fleet in which nothing is wrong: the hosts that cases start from, with the clock of this machine."""
    hosts, groups = [], {}
    for group, base in suite(name).bases.items():
        machine = machine_of(base)
        machine = machine.model_copy(update={"os": machine.os.model_copy(update={"now": ""})})
        hosts.append(SimulatedHost(machine=machine, group=group))
        groups[group] = Group(roles=tuple(base.host.roles), cluster=base.host.cluster, vmm_server=base.host.vmm_server)
    return Fleet(hosts=tuple(hosts), groups=groups)


def simulated(fleet: Fleet, name: str) -> SimulatedHost:
    """The host of that name."""
    return next(host for host in fleet.hosts if host.name == name)


def as_host(fleet: Fleet, simulated: SimulatedHost) -> Host:
    """The host as an inventory would describe it."""
    group = fleet.groups[simulated.group]
    return Host(
        name=simulated.name,
        address=simulated.name,
        roles=tuple(Role(role) for role in group.roles),
        groups=(simulated.group,),
        zone=group.zone,
        cluster=group.cluster,
        vmm_server=group.vmm_server,
    )


def speaking(machine: Machine, language: str, **system: Any) -> Machine:
    """The same machine with another language."""
    return machine.model_copy(update={"os": machine.os.model_copy(update={"language": language, **system})})


async def visit(
    engine: Engine, machine: Machine, roles: Iterable[Role], only: str = "", book: Playbook | None = None
) -> HostFacts:
    """What one visit brings back: the real payload, run by the engine, read as a scan reads it."""
    script = payload.build(book or builtin(), roles)
    use = payload.invoke(script, seconds=120, skip=[p.id for p in script.probes if only and p.id != only])
    outcome = await engine.run(machine, use.command, use.stdin)
    reading = envelope.decode(outcome.stdout, use.nonce)
    assert answers.explain_silence(reading, outcome.stdout, outcome.stderr, outcome.exit_code) is None
    return answers.merge(script, [reading])


def facts_of(machine: Machine, meta: Mapping[str, Any] | None = None, book: Playbook | None = None) -> HostFacts:
    """The facts of a machine without a visit, each checked against the shape that its probe declares."""
    now = clock(machine)
    there = at(machine, now)
    known = {name: (book or builtin()).probes[name.removesuffix(LATER)] for name in there.probes}
    found = {
        name: _refused(name, entry)
        or ProbeAnswer(probe=name, data=probe.validate(_flat(entry, probe.language)), sha256="0" * 64)
        for (name, entry), probe in zip(there.probes.items(), known.values(), strict=True)
    }
    about = {"computer": there.computer, "now": now.isoformat(), "os_build": there.os.build, **(meta or {})}
    return HostFacts(meta=about, answers=found)


def _refused(name: str, entry: Any) -> ProbeAnswer | None:
    if isinstance(entry, dict) and entry.get("status") == "denied":
        return ProbeAnswer(probe=name, data=None, reason=Reason.PERMISSION_DENIED, message="refused")
    return None


def _flat(entry: Any, language: str) -> Any:
    """An answer of `sh` comes as texts under dotted names."""
    if language != "sh":
        return entry
    flat: dict[str, str] = {}

    def add(value: Mapping[str, Any], prefix: str) -> None:
        for key, item in value.items():
            if isinstance(item, list):
                add({str(number): each for number, each in enumerate(item)}, f"{prefix}{key}.")
            elif isinstance(item, dict):
                add(item, f"{prefix}{key}.")
            elif item is not None:
                flat[prefix + key] = json.dumps(item) if isinstance(item, bool) else str(item)

    add(entry, "")
    return flat


def findings_of(host: Host, facts: HostFacts) -> tuple[Finding, ...]:
    """All findings of the built-in playbook, in a run in which the other nodes of the host's cluster are as it is."""
    about_hosts = {"host-services", "host-wmi", "azure-agents", "windows-version", "other-snapshots"}
    cluster = facts.answers.get("cluster")
    nodes = (cluster.data or {}).get("nodes") if cluster is not None else None
    names = [str(node["name"]) for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []
    others = [name for name in names if name.casefold() != host.name.partition(".")[0].casefold()]
    neighbours = [(replace(host, name=name, address=name), facts.only(about_hosts)) for name in others]
    reports = [
        HostReport(host=each, started_at=None, ended_at=None, facts=known, findings=judge(each, known, builtin()))
        for each, known in [(host, facts), *((each, replace(known, meta={})) for each, known in neighbours)]
    ]
    return conclude(builtin(), reports)[0].findings
