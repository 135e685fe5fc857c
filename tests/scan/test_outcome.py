"""What a run tells its caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fleetscan.errors import ExitStatus
from fleetscan.model.finding import Status
from fleetscan.model.reasons import Reason
from fleetscan.scan.outcome import exit_status
from tests.report.factory import finding, host, run, visit

LEFT_OUT = finding("hv01", "vm-hosts-ready", Status.NOT_ASSESSED, vm="sql01", reason=Reason.ACROSS_LEFT_OUT)


@pytest.mark.parametrize(
    ("findings", "status"),
    [
        ([], ExitStatus.COMPLIANT),
        ([replace(LEFT_OUT, reason=Reason.ACROSS_NOT_ASSESSED)], ExitStatus.INCOMPLETE),
        ([LEFT_OUT], ExitStatus.COMPLIANT),
        ([LEFT_OUT, finding("hv01", "vmms-running", Status.ERROR)], ExitStatus.INCOMPLETE),
        ([LEFT_OUT, finding("hv01", "vmms-running", Status.FAIL)], ExitStatus.FINDINGS),
    ],
)
def test_what_was_left_out_on_purpose_is_nothing_incomplete(findings: Sequence[object], status: ExitStatus) -> None:
    made = run([visit(host("hv01"), [finding("hv01", "winmgmt-running"), *findings])])  # type: ignore[list-item]
    assert exit_status(made) is status
