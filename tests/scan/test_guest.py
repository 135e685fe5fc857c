"""Guests through PowerShell Direct: real WinRM to their host, a real PowerShell there, a stand-in for the VM bus."""

from __future__ import annotations

import io
import json
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anyio
import pytest

from fleetscan import inventory as inventories
from fleetscan.credentials import Vault
from fleetscan.lab import (
    Choice,
    DirectEngine,
    Engine,
    Fault,
    Fleet,
    Group,
    Lab,
    Machine,
    Outcome,
    SimulatedHost,
    demo_fleet,
    engine,
)
from fleetscan.lab.accounts import Account
from fleetscan.model.host import Role, TransportName
from fleetscan.model.playbook import Playbook, Severity
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import HostReport
from fleetscan.powershell.guest import wire_form
from fleetscan.powershell.payload import build
from fleetscan.report import csv_rows, json_document, table
from fleetscan.scan import Scan, ScanOptions
from fleetscan.scan.memory import RejectionMemory
from fleetscan.scan.outcome import run_report
from tests import machine
from tests.factory import playbook, probe
from tests.scan.conftest import Watcher

pytestmark = pytest.mark.anyio

PASSWORD = "Gäste$ 'geheim' \"x\" 😀"
HOST = "hv01.paris.corp.example"
DEMO = {host.name.partition(".")[0]: host for host in demo_fleet().hosts}
SMALL = playbook(probe("guest-identity", "@{ computer = $env:COMPUTERNAME }", roles=(Role.GUEST,)))
Make = Callable[..., Scan]


class Recorder:
    """An engine that remembers what hosts were sent and what they wrote."""

    def __init__(self) -> None:
        machine.powershell()
        self._engine = engine(Choice.REAL)
        self.commands: list[str] = []
        self.scripts: list[str] = []
        self.written: list[str] = []

    async def run(self, host: Machine, command: str, stdin: bytes, *, user: str = "") -> Outcome:
        head, _, rest = stdin.decode().partition("\n")
        self.commands.append(command)
        self.scripts.append(head + rest[: json.loads(head)["length"]])
        outcome = await self._engine.run(host, command, stdin, user=user)
        self.written.append((outcome.stdout + outcome.stderr).decode())
        return outcome

    async def aclose(self) -> None:
        await self._engine.aclose()

    def refusals(self) -> Counter[str]:
        """How often the host's script refused with each reason."""
        texts = [text.partition(" _refused json ")[2].partition("1/1 ")[2] for text in self.written]
        return Counter(json.loads(text.splitlines()[0])["reason"] for text in texts if text)


@pytest.fixture
def lab_engine() -> Recorder:
    return Recorder()


def host(fault: Fault | None = None) -> SimulatedHost:
    """A healthy Hyper-V host of the demo, which runs sql01 and web03."""
    return replace(DEMO["hv01"], scheme="http", fault=fault)


def guest(name: str = "web03") -> SimulatedHost:
    """A guest of the demo that only its host can reach."""
    return replace(DEMO[name], transport="direct", via=HOST, account="guest", group="dmz", fault=None)


def fleet(*hosts: SimulatedHost, password: str = PASSWORD) -> Fleet:
    accounts = {**demo_fleet().accounts, "guest": Account("DMZ\\audit", password)}
    groups = {"paris-hyperv": Group(), "dmz": Group(roles=("guest",))}
    return Fleet(hosts=hosts, groups=groups, accounts=accounts)


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(
        lab: Lab, book: Playbook = SMALL, text: Callable[[str], str] = str, memory: RejectionMemory | None = None,
        **options: float,
    ) -> Scan:  # fmt: skip
        for name, value in lab.environment.items():
            monkeypatch.setenv(name, value)
        inventory = inventories.load(["-"], io.StringIO(text(lab.inventory())))
        vault = Vault(inventory.credentials)
        logging.getLogger().addFilter(vault.redactor)
        return Scan(inventory, inventory.hosts, book, vault, ScanOptions(**options), memory)  # type: ignore[arg-type] # by name

    return make


async def scanned(lab_engine: Engine, make: Make, what: Fleet, **arguments: Any) -> dict[str, HostReport]:
    async with Lab(what, engine=lab_engine) as lab:
        scan = make(lab, **arguments)
        scan.hosts = tuple(each for each in scan.hosts if each.transport is TransportName.DIRECT)
        reports = await scan.run(Watcher())
        assert not lab.crashes
        assert not any(lab.counters(each.name).shells_open for each in what.hosts if each.transport != "direct")
    return {report.host.name.partition(".")[0]: report for report in reports}


@pytest.mark.timeout(180)  # a busy machine compiles the stand-ins slowly
async def test_a_guest_answers_as_over_the_network_and_no_secret_is_anywhere(
    lab_engine: Recorder, make: Make, book: Playbook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Lab(fleet(host(), guest("sql01")), engine=lab_engine) as lab:
        scan = make(lab, book)
        scan.hosts = scan.hosts[1:]
        reports = await scan.run(Watcher())
    (report,) = reports
    assert report.trouble is None
    assert report.facts.meta["computer"] == "SQL01"
    assert {answer.reason for answer in report.facts.answers.values()} == {None}
    assert report.facts.payload_sha256 == build(book, [Role.GUEST]).sha256
    now = reports[0].ended_at
    assert now is not None
    run = run_report(scan, reports, book, run_id="r", started_at=now, fail_on=Severity.LOW, interrupted=False)
    texts = ["".join(json_document.render(run)), "".join(csv_rows.render(run)), table.render(run, width=200)]
    texts += [*lab_engine.commands, *lab_engine.scripts, *lab_engine.written, caplog.text, str(run.notices)]
    for secret in (PASSWORD, "geheim", wire_form(PASSWORD), wire_form("geheim")):
        assert not [text for text in texts if secret in text]


async def test_a_wrong_password_is_tried_twice_and_only_the_guests_account_is_stopped(
    lab_engine: Recorder, make: Make
) -> None:
    def wrong(inventory: str) -> str:
        return inventory.replace('"FLEETSCAN_LAB_GUEST_PASSWORD"', '"FLEETSCAN_LAB_AUDIT_PASSWORD"')

    template = guest()
    names = [f"web{number}.dmz.example" for number in range(5)]
    guests = [replace(template, machine=template.machine.model_copy(update={"name": name})) for name in names]

    def same_vm(inventory: str) -> str:
        for name in names:
            inventory = inventory.replace(f'{{"name": "{name}"', f'{{"vm": "web03", "name": "{name}"')
        return wrong(inventory)

    memory = RejectionMemory()
    reports = await scanned(lab_engine, make, fleet(host(), *guests), text=same_vm, memory=memory)
    troubles = [reports[name.partition(".")[0]].trouble for name in names]
    assert Counter(trouble.reason for trouble in troubles if trouble) == {
        Reason.AUTH_REJECTED: 2,
        Reason.AUTH_STOPPED: 3,
    }
    assert lab_engine.refusals() == {"guest.rejected": 2}
    assert memory.count("DMZ\\audit") == 2
    assert memory.count("svc-audit@CORP.EXAMPLE") == 0
    told = next(trouble for trouble in troubles if trouble and trouble.reason is Reason.AUTH_REJECTED)
    assert told.stage is Stage.LOGON
    assert told.message.startswith(f"via {HOST}: the guest did not accept the user name or password: ")
    assert told.message.endswith("(credential guest: DMZ\\audit)")


def hyperv(
    name: str,
    vms: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda vms: vms,
    fault: Fault | None = None,
    **system: str,
) -> SimulatedHost:
    """The Hyper-V host under another name, with other VMs or another Windows."""
    facts = json.loads(host().machine.model_dump_json())
    facts["name"] = f"{name}.paris.corp.example"
    facts["os"] |= system
    facts["probes"]["windows-version"]["build"] = facts["os"]["build"]
    facts["probes"]["vms"]["vms"] = vms(facts["probes"]["vms"]["vms"])
    return replace(host(fault), machine=Machine(**facts))


def within(name: str, via: SimulatedHost, **system: str) -> SimulatedHost:
    """The guest under another name."""
    there = guest().machine
    inside = there.model_copy(update={"name": name, "os": there.os.model_copy(update=system)})
    return replace(guest(), machine=inside, via=via.name)


def off(vms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**vm, "state": "Off", "state_code": 3} for vm in vms]


def twice(vms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*vms, *({**vm, "id": "11111111-2222-3333-4444-555555555555"} for vm in vms if vm["name"] == "web03")]


def without(vms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [vm for vm in vms if vm["name"] != "web03"]


CONSTRAINED = "ConstrainedLanguage"
FINE = {
    "constrained-host": (hyperv("clm", language_mode=CONSTRAINED), {}),
    "constrained-guest": (hyperv("full"), {"language_mode": CONSTRAINED}),
    "somewhere": (hyperv("other"), {}),
}
"""Where a guest answers all the same."""
OBSTACLES = {
    "off": (hyperv("h0", off), Reason.UNREACHABLE_OFF, "the VM is not running: its state is Off", "start it"),
    "twice": (hyperv("h1", twice), Reason.UNREACHABLE_VM, "several VMs of that name: 2fdad335-75ba-54ce-ae49-", "GUID"),
    "absent": (hyperv("h2", without), Reason.UNREACHABLE_VM, "; looked for WEB03", "set vm: to"),
    "unseen": (hyperv("h3", lambda _: []), Reason.UNREACHABLE_VM, "shows this account no VM at all", "Administrator"),
    "old": (
        hyperv("h4", build="9600", powershell="5.1"),
        Reason.UNREACHABLE_DIRECT,
        "no PowerShell Direct: build 9600 with PowerShell 5.1",
        "Server 2016",
    ),
    "refused": (hyperv("h5", fault=Fault.REFUSE), Reason.UNREACHABLE_REFUSED, "is refused", "start the service"),
    "denied": (hyperv("h6", fault=Fault.ACCESS_DENIED), Reason.PERMISSION_DENIED, "", ""),
    "cut": (hyperv("h7", fault=Fault.TRUNCATED), Reason.ANSWER_TRUNCATED, "", ""),
    "nowhere": (hyperv("full2"), Reason.UNREACHABLE_REFUSED, "; via h5.paris.corp.example: ", ""),
}
"""What stands in the way, and what is said of it; the last guest may be on a node that cannot be asked."""


@pytest.mark.timeout(180)
@pytest.mark.parametrize("choice", [Choice.REAL, Choice.DIRECT])
async def test_what_stands_in_the_way_is_said_with_its_cure(choice: Choice, make: Make) -> None:
    """By a real PowerShell, and by the lab that imitates one."""
    lab_engine = Recorder() if choice is Choice.REAL else DirectEngine()
    guests = [within(name, via, **system) for name, (via, system) in FINE.items()]
    guests += [within(name, via) for name, (via, *_) in OBSTACLES.items()]
    hosts = {via.name: via for via in (*(via for via, _ in FINE.values()), *(via for via, *_ in OBSTACLES.values()))}

    def several(inventory: str) -> str:
        for name, nodes in {"other": ["h2", "other", "h5"], "full2": ["h2", "h5"]}.items():
            inventory = inventory.replace(f'"via": "{name}.paris.corp.example"', f'"via": {json.dumps(nodes)}')
        for guest in guests:
            vm = "gone" if guest.name == "nowhere" else "WEB03"
            inventory = inventory.replace(f'{{"name": "{guest.name}"', f'{{"vm": "{vm}", "name": "{guest.name}"')
        return inventory

    reports = await scanned(lab_engine, make, fleet(*hosts.values(), *guests), text=several)
    for name, (_, system) in FINE.items():
        assert reports[name].trouble is None, reports[name].trouble
        assert reports[name].facts.meta["computer"] == name.upper()[:15]
        assert reports[name].facts.meta["language_mode"] == system.get("language_mode", "FullLanguage")
    for name, (via, reason, message, hint) in OBSTACLES.items():
        trouble = reports[name].trouble
        assert trouble is not None, name
        assert trouble.reason is reason, trouble
        assert name == "nowhere" or trouble.message.startswith(f"via {via.name}: ")
        assert message in trouble.message
        assert hint in trouble.hint


async def test_the_rejection_of_the_hosts_credential_names_that_one(make: Make) -> None:
    reports = await scanned(DirectEngine(), make, fleet(host(Fault.WRONG_PASSWORD), guest()))
    trouble = reports["web03"].trouble
    assert trouble is not None
    assert trouble.reason is Reason.AUTH_REJECTED
    assert "(credential audit: svc-audit@CORP.EXAMPLE)" in trouble.message


async def test_a_question_that_hangs_in_the_guest_costs_no_other(make: Make) -> None:
    book = playbook(*(probe(name, roles=(Role.GUEST,)) for name in ("a-hangs", "b-answers")))
    inside = guest().machine
    facts = {**inside.probes, "a-hangs": {"status": "timeout", "error": ""}, "b-answers": {"x": 1}}
    hanging = replace(guest(), machine=inside.model_copy(update={"probes": facts}))
    async with Lab(fleet(host(), hanging), engine=DirectEngine()) as lab:
        scan = make(lab, book)
        scan.hosts = scan.hosts[1:]
        (report,) = await scan.run(Watcher())
        assert lab.counters(HOST).commands == 2
    assert report.trouble is None, report.trouble
    reasons = {name: answer.reason for name, answer in report.facts.answers.items()}
    assert reasons == {"a-hangs": Reason.TIMEOUT_PROBE, "b-answers": None}


async def test_an_interrupted_scan_ends_at_once_and_leaves_no_shell(lab_engine: Recorder, make: Make) -> None:
    slow = playbook(probe("slow", "Start-Sleep -Seconds 30; @{ }", roles=(Role.GUEST,), timeout=60))
    what = fleet(host(), guest())
    async with Lab(what, engine=lab_engine) as lab:
        scan = make(lab, slow)

        async def stop() -> None:
            await anyio.sleep(2)
            scan.stop(Reason.CANCELLED)

        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(stop)
                reports = await scan.run(Watcher())
        assert lab.counters(HOST).shells_open == 0
    trouble = reports[1].trouble
    assert trouble is not None
    assert trouble.reason is Reason.CANCELLED


async def test_waiting_for_another_guests_logon_costs_no_time_of_the_visit(make: Make) -> None:
    """Two guests hang at their logon, as many as may find out about a password; the third one has all of its time."""

    class Hanging(DirectEngine):
        started = 0

        async def run(self, host: Machine, command: str, stdin: bytes, *, user: str = "") -> Outcome:
            type(self).started += 1
            if self.started <= 2:
                await anyio.sleep(60)
            return await super().run(host, command, stdin, user=user)

    ways = [hyperv(f"w{number}") for number in range(3)]
    guests = [within(f"g{number}", way) for number, way in enumerate(ways)]

    def alone(inventory: str) -> str:
        for each in guests:
            inventory = inventory.replace(f'{{"name": "{each.name}"', f'{{"vm": "web03", "name": "{each.name}"')
        return inventory

    async with Lab(fleet(*ways, *guests), engine=Hanging()) as lab:
        scan = make(lab, text=alone, host_timeout=9)
        scan.hosts = scan.hosts[3:]
        reports = await scan.run(Watcher())
    reasons = Counter(report.trouble.reason if report.trouble else None for report in reports)
    assert reasons == {Reason.TIMEOUT_HOST: 2, None: 1}


async def test_a_host_is_asked_for_four_guests_at_once_and_within_its_zone(make: Make) -> None:
    class Counting(DirectEngine):
        now = most = 0

        async def run(self, host: Machine, command: str, stdin: bytes, *, user: str = "") -> Outcome:
            self.now += 1
            self.most = max(self.most, self.now)
            await anyio.sleep(0.3)
            self.now -= 1
            return await super().run(host, command, stdin, user=user)

    guests = [within(f"g{number}", host()) for number in range(12)]

    def one_vm(inventory: str) -> str:
        for each in guests:
            inventory = inventory.replace(f'{{"name": "{each.name}"', f'{{"vm": "web03", "name": "{each.name}"')
        return inventory

    def in_zone(inventory: str) -> str:
        zone = inventory.replace(f'{{"name": "{HOST}"', f'{{"zone": "paris", "name": "{HOST}"')
        return f"zones: {{paris: {{concurrency: 2}}}}\n{one_vm(zone)}"

    for text, most in ((one_vm, 4), (in_zone, 2)):
        counting = Counting()
        async with Lab(fleet(host(), *guests), engine=counting) as lab:
            scan = make(lab, text=text)
            scan.hosts = scan.hosts[1:]
            reports = await scan.run(Watcher())
        assert not [report.trouble for report in reports if report.trouble]
        assert 2 <= counting.most <= most
