"""Every check of the built-in playbook against the cases of its `tests` folder, as `playbook test` runs them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from fleetscan.judge import judge
from fleetscan.model.facts import ProbeAnswer
from fleetscan.model.finding import Status
from fleetscan.model.reasons import Reason
from fleetscan.rehearsal import Rehearsal, gaps, rehearse
from tests.playbooks.support import builtin, suite

CHECKS = {check.id: check for check in builtin().checks}
CASES = [pytest.param(case, id=f"{case.check.id}: {case.case.name}") for case in suite().rehearsals]


@pytest.mark.parametrize("rehearsal", CASES)
def test_case(rehearsal: Rehearsal) -> None:
    """A check says of these facts what the case expects, in words without gaps."""
    (performance,) = rehearse(builtin(), [rehearsal])
    assert performance.differences == ()
    for finding in performance.findings:
        for text in (finding.message, finding.observed, finding.expected, finding.remedy):
            assert not re.search(r"(^|[\s(])\?([\s,.;:)]|$)", text), f"a part could not be computed: {text}"


def test_every_check_has_its_cases() -> None:
    """No check without a pass, a failure or warning, a near miss, and a case in which it does not apply."""
    assert gaps(builtin().checks, suite().rehearsals) == ()
    for check in CHECKS.values():
        cases = [rehearsal.case for rehearsal in suite().rehearsals if rehearsal.check is check]
        statuses = {expectation.status for case in cases for expectation in case.expect.values()}
        assert Status.NOT_APPLICABLE in statuses, check.id
        assert any(case.near for case in cases), f"{check.id} has no near miss"
        if check.fails is None and check.warns is None:
            assert Status.FAIL in statuses, check.id


@pytest.mark.parametrize("check", list(CHECKS))
def test_refused_is_not_assessed(check: str) -> None:
    """A probe that the host refuses is neither a pass nor a failure, whatever the other probes say."""
    rehearsal = next(rehearsal for rehearsal in suite().rehearsals if rehearsal.check.id == check)
    situation = rehearsal.situation
    only = replace(builtin(), checks=(rehearsal.check,))
    for probe in rehearsal.check.probes:
        refused = ProbeAnswer(probe=probe, data=None, reason=Reason.PERMISSION_DENIED)
        facts = replace(situation.facts, answers={**situation.facts.answers, probe: refused})
        found = judge(situation.host, facts, only)
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
