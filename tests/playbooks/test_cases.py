"""Every check of the built-in playbook against the cases in `cases/<check-id>.yaml`.

base    the host of the healthy fleet that the cases start from
cases   name, `set` (path → value, changes to the facts), `host` and `meta` (likewise), `near` for a near miss,
        `expect`: status, and reason, observed, message, object where they matter
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from fleetscan.lab import Machine
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Role
from fleetscan.model.reasons import Reason
from fleetscan.yamlfile import read
from tests.playbooks.support import HERE, as_host, builtin, facts_of, findings_of, healthy, simulated

NOW = "2026-11-24T22:00:00Z"
CHECKS = {check.id: check for check in builtin().checks}


def _documents() -> dict[str, Any]:
    return {path.stem: read(path).data for path in sorted((HERE / "cases").glob("*.yaml"))}


DOCUMENTS = _documents()


def _cases() -> Iterator[Any]:
    for check, document in DOCUMENTS.items():
        for case in document["cases"]:
            yield pytest.param(check, document["base"], case, id=f"{check}: {case['name']}")


def _changed(probes: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = deepcopy(dict(probes))
    for path, value in changes.items():
        *steps, last = path.split(".")
        place: Any = result
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[int(last) if isinstance(place, list) else last] = value
    return result


def _findings(check: str, base: str, case: Mapping[str, Any]) -> list[Finding]:
    fleet = healthy()
    spec = simulated(fleet, base)
    system = spec.machine.os.model_copy(update={"now": NOW})
    probes = _changed(spec.machine.probes, case.get("set", {}))
    machine = Machine(name=base, os=system, probes=probes)
    host = as_host(fleet, spec)
    changes = dict(case.get("host", {}))
    if "roles" in changes:
        changes["roles"] = tuple(Role(role) for role in changes["roles"])
    facts = facts_of(machine, case.get("meta"))
    return [finding for finding in findings_of(replace(host, **changes), facts) if finding.check_id == check]


@pytest.mark.parametrize(("check", "base", "case"), list(_cases()))
def test_case(check: str, base: str, case: dict[str, Any]) -> None:
    """A check says of these facts what the case expects, in words without gaps."""
    expect = case["expect"]
    found = _findings(check, base, case)
    if "object" in expect:
        found = [finding for finding in found if finding.object_name == expect["object"]]
    assert len(found) == 1
    (finding,) = found
    assert (finding.status, finding.message) == (expect["status"], finding.message)
    if "reason" in expect:
        assert finding.reason == expect["reason"]
    if "observed" in expect:
        assert finding.observed == expect["observed"]
    if "message" in expect:
        assert expect["message"] in finding.message
    if "remedy" in expect:
        assert expect["remedy"] in finding.remedy
    for text in (finding.message, finding.observed, finding.expected, finding.remedy):
        assert not re.search(r"(^|[\s(])\?([\s,.;:)]|$)", text), f"a part could not be computed: {text}"


def test_every_check_has_its_cases() -> None:
    """No check without a pass, a failure or warning, a near miss, and a case in which it does not apply."""
    assert DOCUMENTS.keys() == CHECKS.keys()
    for check, document in DOCUMENTS.items():
        statuses = {case["expect"]["status"] for case in document["cases"]}
        assert Status.PASS in statuses, check
        assert statuses & {Status.FAIL, Status.WARN}, check
        assert Status.NOT_APPLICABLE in statuses, check
        assert any(case.get("near") for case in document["cases"]), f"{check} has no near miss"
        if CHECKS[check].fails is None and CHECKS[check].warns is None:
            assert Status.FAIL in statuses, check


@pytest.mark.parametrize("check", list(CHECKS))
def test_refused_is_not_assessed(check: str) -> None:
    """A probe that the host refuses is neither a pass nor a failure, whatever the other probes say."""
    base = DOCUMENTS[check]["base"]
    for probe in CHECKS[check].probes:
        found = _findings(check, base, {"set": {probe: {"status": "denied"}}})
        assert found
        for finding in found:
            assert (finding.status, finding.reason) == (Status.NOT_ASSESSED, Reason.PERMISSION_DENIED)


@pytest.mark.parametrize("check", list(CHECKS))
def test_words(check: str) -> None:
    """Each check tells people what is expected, what was found, what is wrong, and what to do, with a page to read."""
    entry = CHECKS[check]
    assert entry.observed is not None
    assert entry.expected is not None
    assert entry.message is not None
    assert entry.why
    assert entry.tags
    assert entry.reference.startswith("https://learn.microsoft.com/")
