"""The checks of versions compare number by number, with the numbers of the dated list, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetscan.judge import judge
from fleetscan.model.finding import Status
from fleetscan.model.playbook import Playbook
from fleetscan.playbook import load
from tests.playbooks.support import as_host, builtin, facts_of, healthy, simulated

LIST = """\
title: Our own list
as_of: "2027-03-01"
source: https://intranet.example/site-recovery
data:
  provider: {newest: 6.1.0007.3, oldest_supported: 5.25.0101.9}
  agent: {newest: 2.0.9940.0, oldest_supported: 2.0.9938.0}
"""


@pytest.fixture
def own(tmp_path: Path) -> Playbook:
    """The playbook with a list of the user's."""
    (tmp_path / "azure-site-recovery.yaml").write_text(LIST, encoding="utf-8")
    return load("asr-hyperv", data=str(tmp_path))


def _judged(book: Playbook, part: str, version: str) -> tuple[Status, str]:
    spec = simulated(healthy(), "hv-one.example")
    probes = spec.machine.probes
    agents = probes["azure-agents"]
    assert isinstance(agents, dict)
    about = agents[part]
    assert isinstance(about, dict)
    changed = {**probes, "azure-agents": {**agents, part: {**about, "version": version}}}
    facts = facts_of(spec.machine.model_copy(update={"probes": changed}))
    check = "site-recovery-provider-version" if part == "site_recovery" else "recovery-services-agent-version"
    (finding,) = (f for f in judge(as_host(healthy(), spec), facts, book) if f.check_id == check)
    return finding.status, finding.expected


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("6.1.7.3", Status.PASS),
        ("6.1.0007.0003", Status.PASS),
        ("6.1.10.0", Status.PASS),
        ("6.1.7.2", Status.WARN),
        ("5.25.101.10", Status.WARN),
        ("5.25.0101.9", Status.WARN),
        ("5.25.101.8", Status.FAIL),
        ("5.9.902.11", Status.FAIL),
        ("10.0.20348.1", Status.ERROR),
    ],
)
def test_four_numbers_of_the_users_list(own: Playbook, version: str, status: Status) -> None:
    """Neither leading zeros nor the length of a number count; another major version is another program."""
    assert _judged(own, "site_recovery", version) == (status, "6.1.0007.3 or newer (list of 2027-03-01)")


def test_leading_zeros_in_the_builtin_list() -> None:
    """Microsoft writes 5.24.0902.11 for what a file calls 5.24.902.11."""
    assert _judged(builtin(), "site_recovery", "5.24.0902.11")[0] is Status.PASS
    assert _judged(builtin(), "site_recovery", "5.24.0902.10")[0] is Status.WARN


def test_the_report_can_tell_whose_list_it_was(own: Playbook) -> None:
    sources = {source.id: source for source in own.data}
    assert sources["azure-site-recovery"].as_of == "2027-03-01"
    assert sources["azure-site-recovery"].origin.endswith("/azure-site-recovery.yaml")
    assert sources["support-matrix"].origin == "playbooks/asr-hyperv/data/support-matrix.yaml"
