"""The playbooks that come with fleetscan: found in a checkout and in a wheel, and quick to load."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from fleetscan import playbook
from fleetscan.model.playbook import Language
from fleetscan.playbook.readonly import prove

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
        assert prove(probe.text, probe.language, probe.origin) == []
    assert time.process_time() - start < 0.025 * len(probes)
