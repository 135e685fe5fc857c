"""The playbooks that come with fleetscan: found in a checkout and in a wheel, and quick to load."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

from fleetscan import playbook
from fleetscan.model.playbook import Language
from fleetscan.playbook.gate.__main__ import pins
from fleetscan.playbook.readonly import PINS, examine, prove

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"


def test_a_checkout_has_them_beside_the_package() -> None:
    assert playbook.builtin_names() == tuple(sorted(path.parent.name for path in PLAYBOOKS.glob("*/playbook.yaml")))
    assert "asr-hyperv" in playbook.builtin_names()


def test_a_wheel_has_them_in_the_package(tmp_path: Path) -> None:
    """A copy of the package with its data inside, as a wheel is unpacked, in a process of its own."""
    package = tmp_path / "fleetscan"
    shutil.copytree(PLAYBOOKS.parent / "fleetscan", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PLAYBOOKS / "asr-hyperv", package / "_data" / "playbooks" / "from-the-wheel")
    program = "from fleetscan import playbook as p; print(p.builtin_names(), len(p.load('from-the-wheel').checks))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, cwd=tmp_path, check=True
    )
    assert done.stdout == f"('from-the-wheel',) {len(playbook.load().checks)}\n"


def test_the_default_is_the_playbook_of_the_article() -> None:
    assert playbook.load().name == "asr-hyperv"


def test_every_item_of_the_article_is_known() -> None:
    book = playbook.load()
    assert book.articles
    assert {item for check in book.checks for item in check.article} <= set(book.articles)


def test_the_proof_is_quick() -> None:
    """Ten times the budget of 2.5 ms a probe: this finds a square where a line should be, not a busy machine."""
    probes = [probe for probe in playbook.load().probes.values() if probe.language is Language.POWERSHELL]
    start = time.process_time()
    for probe in probes:
        assert examine(probe.text, probe.language, probe.origin) == []
    assert time.process_time() - start < 0.025 * len(probes)


def test_every_builtin_probe_is_proven_and_pinned() -> None:
    """If this fails after a change to a probe or to the gate: run `python -m fleetscan.playbook.gate`."""
    found = files("fleetscan.playbook.gate").joinpath(PINS).read_text(encoding="utf-8")
    assert found == pins()
    assert len(found.splitlines()) == 1 + sum(len(playbook.load(name).probes) for name in playbook.builtin_names())


def test_no_script_changes_case_by_the_language_of_its_host() -> None:
    """In Turkish, MSiSCSI in lower case has no dot on its last letter, and is a name that nobody asks for."""
    scripts = [*PLAYBOOKS.glob("*/probes/*.ps1"), *(PLAYBOOKS.parent / "fleetscan" / "powershell").glob("*.ps1")]
    assert len(scripts) > 30
    found = {path.name for path in scripts if re.search(r"\.To(Lower|Upper)\(", path.read_text(encoding="utf-8"))}
    assert found == set()


def test_a_pinned_probe_that_is_changed_by_a_byte_is_looked_at() -> None:
    probe = playbook.load().probes["host-services"]
    assert prove(probe.text, probe.language, "x") == []
    assert prove(f"{probe.text}\nStop-VM", probe.language, "x")


def test_a_scan_with_the_builtin_playbook_needs_no_parser() -> None:
    program = "import sys; from fleetscan import playbook as p; p.load(); print('tree_sitter' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
