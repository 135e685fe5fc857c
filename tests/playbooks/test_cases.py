"""Every check of the built-in playbooks against the cases of their `tests` folders, as `playbook test` runs them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from fleetscan.judge import judge
from fleetscan.model.facts import ProbeAnswer
from fleetscan.model.finding import Status
from fleetscan.model.playbook import Check
from fleetscan.model.reasons import Reason
from fleetscan.playbook import builtin_names
from fleetscan.rehearsal import Rehearsal, gaps, rehearse
from tests.playbooks.support import builtin, suite

CHECKS = [pytest.param(name, check, id=check.id) for name in builtin_names() for check in builtin(name).checks]
CASES = [
    pytest.param(name, case, id=f"{case.check.id}: {case.case.name}")
    for name in builtin_names()
    for case in suite(name).rehearsals
]


@pytest.mark.parametrize(("playbook", "rehearsal"), CASES)
def test_case(playbook: str, rehearsal: Rehearsal) -> None:
    """A check says of these facts what the case expects, in words without gaps."""
    (performance,) = rehearse(builtin(playbook), [rehearsal])
    assert performance.differences == ()
    for finding in performance.findings:
        for text in (finding.message, finding.observed, finding.expected, finding.remedy):
            assert not re.search(r"(^|[\s(])\?([\s,.;:)]|$)", text), f"a part could not be computed: {text}"


@pytest.mark.parametrize("playbook", builtin_names())
def test_every_check_has_its_cases(playbook: str) -> None:
    """No check without a pass, a failure or warning, a near miss, and a case in which it does not apply."""
    checks, rehearsals = builtin(playbook).checks, suite(playbook).rehearsals
    assert gaps(checks, rehearsals) == ()
    for check in checks:
        cases = [rehearsal.case for rehearsal in rehearsals if rehearsal.check.id == check.id]
        statuses = {expectation.status for case in cases for expectation in case.expect.values()}
        assert Status.NOT_APPLICABLE in statuses, check.id
        assert any(case.near for case in cases), f"{check.id} has no near miss"
        if check.fails is None and check.warns is None:
            assert Status.FAIL in statuses, check.id


@pytest.mark.parametrize(("playbook", "check"), CHECKS)
def test_refused_is_not_assessed(playbook: str, check: Check) -> None:
    """A probe that the host refuses is neither a pass nor a failure, whatever the other probes say."""
    rehearsal = next(rehearsal for rehearsal in suite(playbook).rehearsals if rehearsal.check.id == check.id)
    situation = rehearsal.situation
    only = replace(builtin(playbook), checks=(check,))
    for probe in check.probes:
        refused = ProbeAnswer(probe=probe, data=None, reason=Reason.PERMISSION_DENIED)
        facts = replace(situation.facts, answers={**situation.facts.answers, probe: refused})
        found = judge(situation.host, facts, only)
        assert found
        for finding in found:
            assert (finding.status, finding.reason) == (Status.NOT_ASSESSED, Reason.PERMISSION_DENIED)


@pytest.mark.parametrize(("playbook", "check"), CHECKS)
def test_words(playbook: str, check: Check) -> None:
    """Each check tells people what is expected, what was found, what is wrong, and what to do, with a page to read."""
    assert check.observed is not None
    assert check.expected is not None
    assert check.message is not None
    assert check.why
    assert check.tags
    assert check.reference.startswith("https://learn.microsoft.com/")
    assert set(check.article) <= set(builtin(playbook).articles)
