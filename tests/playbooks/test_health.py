"""The playbook hyperv-health: nothing but files, judged, proven and asked like the first one.

health/cases/<check-id>.yaml holds the cases of a check, as `cases/` does for the first playbook; `object` picks one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import anyio
import pytest

from fleetscan.judge import judge
from fleetscan.lab import DirectEngine, Fleet, Machine, PowerShellEngine, load
from fleetscan.model.facts import HostFacts
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Host, Role
from fleetscan.model.playbook import Playbook
from fleetscan.model.reasons import Reason
from fleetscan.playbook import load as load_playbook
from fleetscan.yamlfile import read
from tests.playbooks.support import HERE, LANGUAGES, as_host, facts_of, simulated, speaking, visit

FOLDER = HERE / "health"
NOW = "2026-11-24T22:00:00Z"
DOCUMENTS: dict[str, Any] = {path.stem: read(path).data for path in sorted((FOLDER / "cases").glob("*.yaml"))}
GOOD = (Status.PASS, Status.NOT_APPLICABLE)
NAMES = ["hv-one", "hv-empty", "hv-alone", "hv-node", "hv-refs", "vmm"]


@cache
def book() -> Playbook:
    return load_playbook("hyperv-health")


@cache
def fleet() -> Fleet:
    return load(FOLDER / "fleet")


def machine(name: str, changes: Mapping[str, Any] | None = None) -> tuple[Host, Machine]:
    """A host of the fleet at a fixed time, with changes to its facts (path → value)."""
    spec = simulated(fleet(), name)
    probes: Any = deepcopy(dict(spec.machine.probes))
    for path, value in (changes or {}).items():
        *steps, last = path.split(".")
        place = probes
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[int(last) if isinstance(place, list) else last] = value
    changed = spec.machine.model_copy(update={"probes": probes})
    return as_host(fleet(), spec), speaking(changed, "en-US", now=NOW)


def judged(host: Host, facts: HostFacts, check: str = "") -> list[Finding]:
    return [finding for finding in judge(host, facts, book()) if check in ("", finding.check_id)]


def trouble(findings: list[Finding]) -> list[str]:
    return [
        f"{f.check_id} {f.object_name}: {f.status} {f.observed} {f.message}" for f in findings if f.status not in GOOD
    ]


def cases() -> Iterator[Any]:
    for check, document in DOCUMENTS.items():
        for case in document["cases"]:
            yield pytest.param(check, document["base"], case, id=f"{check}: {case['name']}")


@pytest.mark.parametrize(("check", "base", "case"), list(cases()))
def test_case(check: str, base: str, case: dict[str, Any]) -> None:
    """A check says of these facts what the case expects, in words without gaps."""
    host, changed = machine(base, case.get("set"))
    if "host" in case:
        host = replace(host, roles=tuple(Role(role) for role in case["host"]["roles"]))
    found = judged(host, facts_of(changed, book=book()), check)
    found = [finding for finding in found if finding.object_name == case.get("object", finding.object_name)]
    assert len(found) == 1
    (finding,) = found
    expect = case["expect"]
    assert finding.status == expect["status"], finding.message
    assert finding.reason == expect.get("reason", finding.reason)
    assert finding.observed == expect.get("observed", finding.observed)
    assert expect.get("message", "") in finding.message
    assert expect.get("remedy", "") in finding.remedy
    for text in (finding.message, finding.observed, finding.expected, finding.remedy):
        assert not re.search(r"(^|[\s(])\?([\s,.;:)]|$)", text), f"a part could not be computed: {text}"


def test_every_check_has_its_cases() -> None:
    """No check without a pass, a failure or warning, a near miss, and a case in which it does not apply."""
    assert DOCUMENTS.keys() == {check.id for check in book().checks}
    for check, document in DOCUMENTS.items():
        statuses = {case["expect"]["status"] for case in document["cases"]}
        assert {Status.PASS, Status.NOT_APPLICABLE} <= statuses, check
        assert statuses & {Status.FAIL, Status.WARN}, check
        assert any(case.get("near") for case in document["cases"]), f"{check} has no near miss"


def test_every_check_tells_people_all() -> None:
    for check in book().checks:
        assert None not in (check.observed, check.expected, check.message), check.id
        assert check.why
        assert check.tags
        assert check.reference.startswith("https://learn.microsoft.com/")
    assert {item for check in book().checks for item in check.article} == set(book().articles)


@pytest.mark.parametrize("name", NAMES)
def test_no_false_alarm(name: str) -> None:
    """The facts of a healthy machine come to passes, and to some of them."""
    host, healthy = machine(f"{name}.example")
    findings = judged(host, facts_of(healthy, book=book()))
    assert trouble(findings) == []
    assert sum(finding.status is Status.PASS for finding in findings) >= 4


@pytest.mark.parametrize("check", list(DOCUMENTS))
def test_refused_is_not_assessed(check: str) -> None:
    (probe,) = next(entry.probes for entry in book().checks if entry.id == check)
    host, refused = machine(DOCUMENTS[check]["base"], {probe: {"status": "denied"}})
    found = judged(host, facts_of(refused, book=book()), check)
    assert {(finding.status, finding.reason) for finding in found} == {(Status.NOT_ASSESSED, Reason.PERMISSION_DENIED)}


def known(value: object) -> object:
    """Without nulls: null and missing mean the same, for shapes and for expressions."""
    if isinstance(value, Mapping):
        return {key: known(item) for key, item in value.items() if item is not None}
    return [known(item) for item in value] if isinstance(value, list) else value


def comparable(facts: HostFacts) -> dict[str, object]:
    return {name: (answer.reason, answer.message, known(answer.data)) for name, answer in facts.answers.items()}


TROUBLED: dict[str, dict[str, Any]] = {
    "hv-node.example": {
        "cluster-volumes.disks.0.access": "FileSystemRedirected",
        "cluster-volumes.disks.0.access_code": 3,
        "cluster-volumes.disks.0.redirect_reason": 5,
        "cluster-volumes.disks.1.state": "Failed",
        "cluster-volumes.disks.1.state_code": 4,
        "pending-restart": {"servicing": True, "windows_update": True, "file_count": 7, "files": list("abcde")},
        "time-service.lost": "now-3h",
        "winrm-listeners.listeners.1.certificate": None,
    },
    "hv-one.example": {"time-service.service": None, "time-service.follows": None, "time-service.servers": None},
}


@pytest.mark.anyio
@pytest.mark.powershell
@pytest.mark.parametrize("language", LANGUAGES)
async def test_real_scripts_find_what_the_facts_say(powershell: PowerShellEngine, language: str) -> None:
    """Asked by the real scripts, healthy and troubled machines answer as their facts do, in every language."""

    async def look(name: str, changes: dict[str, Any], mode: str) -> None:
        host, spec = machine(name, changes)
        spec = speaking(spec, language, language_mode=mode)
        direct = comparable(await visit(DirectEngine(), spec, host.roles, book=book()))
        real = await visit(powershell, spec, host.roles, book=book())
        assert comparable(real) == direct
        assert not changes or trouble(judged(host, real))
        assert changes or trouble(judged(host, real)) == []

    async with anyio.create_task_group() as group:
        for name in NAMES:
            group.start_soon(look, f"{name}.example", {}, "FullLanguage")
        for name, changes in TROUBLED.items():
            group.start_soon(look, name, changes, "ConstrainedLanguage")


@pytest.mark.anyio
@pytest.mark.powershell
@pytest.mark.parametrize("language", ["en-US", "fr-FR", "de-DE"])
async def test_refusals(powershell: PowerShellEngine, language: str) -> None:
    """A refusal is told by its category or code, never by its words, and says which right is needed."""
    for probe in book().probes.values():
        _, spec = machine("hv-node.example", {probe.id: {"status": "denied"}})
        facts = await visit(powershell, speaking(spec, language), [Role.HYPERV], only=probe.id, book=book())
        answer = facts.answers[probe.id]
        assert (answer.data, answer.reason) == (None, Reason.PERMISSION_DENIED), probe.id
        assert probe.needs in answer.message
