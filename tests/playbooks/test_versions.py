"""The dated table of versions and the checks that judge by it hold the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetscan.yamlfile import read
from tests.playbooks.support import builtin

TABLE: Any = read(Path(__file__).parents[2] / "playbooks/asr-hyperv/data/azure-site-recovery-versions.yaml").data
CHECKS = {check.id: check for check in builtin().checks}


def _number(version: str) -> int:
    major, minor, build, revision = map(int, version.split("."))
    return major * 10**12 + minor * 10**9 + build * 10**4 + revision


@pytest.mark.parametrize(
    ("part", "check"), [("agent", "recovery-services-agent-version"), ("provider", "site-recovery-provider-version")]
)
def test_table_and_check_agree(part: str, check: str) -> None:
    """The newest version passes; the oldest supported one, four versions behind, is only warned of."""
    rollups = TABLE["rollups"]
    assert [entry["rollup"] for entry in rollups] == sorted((entry["rollup"] for entry in rollups), reverse=True)
    newest, oldest = rollups[0][part], rollups[4][part]
    entry = CHECKS[check]
    assert entry.warns is not None
    assert entry.expected is not None
    assert f">= {_number(newest)}" in entry.passes.source
    assert f">= {_number(oldest)}" in entry.warns.source
    assert newest in entry.expected.source
    assert TABLE["as_of"] in entry.expected.source
