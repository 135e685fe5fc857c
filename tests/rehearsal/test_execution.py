"""Cases whose probes are run: what the scripts find is what the cases say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleetscan.cli.playbook import app
from fleetscan.lab import PowerShellEngine
from fleetscan.playbook import locate
from tests.machine import NO_POWERSHELL
from tests.rehearsal.conftest import Rehearsed

pytestmark = pytest.mark.powershell


CHOSEN = ["--check", "vm-state-sound", "--check", "linux-vss-daemon", "--check", "vmms-running"]


@pytest.fixture(autouse=True)
def needs_powershell() -> None:
    """Without one the command ends with 2, which another test looks at."""
    if PowerShellEngine.find() is None:
        pytest.skip(NO_POWERSHELL)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the built-in playbook."""
    return Path(shutil.copytree(locate()[0], tmp_path / "asr-hyperv"))


def run(path: Path, *options: str) -> tuple[list[str], list[str], int]:
    done = CliRunner().invoke(app, ["test", str(path), "--execute", *options], catch_exceptions=False)
    return done.stdout.splitlines(), done.stderr.splitlines(), done.exit_code


def test_scripts_are_held_to_what_cases_say(copy: Path) -> None:
    """Windows and Linux, a refusal, a case that no stand-in can play, and a script that cannot see a service stop.

    That script's answers have their shape, and every case judges as expected: only running it tells.
    """
    path = copy / "tests" / "vm-state-sound.yaml"
    added = "\n  - name: refused\n    facts: {vms: {status: denied}}\n    expect: {sql01: not_assessed}\n"
    path.write_text(path.read_text(encoding="utf-8") + added, encoding="utf-8")
    probe = copy / "probes" / "host-services.ps1"
    script = probe.read_text(encoding="utf-8")
    assert '"$($service.Status)"' in script
    probe.write_text(script.replace('"$($service.Status)"', "'Running'"), encoding="utf-8")
    lines, notes, code = run(copy, *CHOSEN)
    assert lines[0].endswith("all as expected")
    *different, summary = lines[1:]
    ending = 'host-services: services.swprv.state: the facts say "Stopped", the script found "Running"'
    assert different
    assert all(": vmms-running: " in line and line.endswith(ending) for line in different)
    assert summary.endswith(f"answers of probes that were run: {len(different)} differ")
    assert int(summary.split()[0]) >= 12 + len(different)
    assert "skipped: vm-state-sound: a state that nobody knows: the stand-ins know no such state either" in notes
    assert code == 3


def test_probes_without_stand_ins_are_skipped(folder: Rehearsed) -> None:
    done = folder.test("--execute")
    assert done.stdout.splitlines()[1] == "0 answers of probes that were run: all as written"
    assert done.stderr == "skipped: volumes: the lab has no stand-ins for it\n"
    assert done.exit_code == 0
