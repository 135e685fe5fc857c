"""The probe of Linux guests, run by the sh of this machine: what the lab's root cannot show."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.playbooks.support import builtin

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs the /proc of Linux")


def _answer(path: str) -> dict[str, str]:
    script = builtin().probes["linux-integration"].text
    done = subprocess.run(
        ["/bin/sh"], input=script, capture_output=True, text=True, check=True, env={"PATH": path}, timeout=60
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize("ps", ["exit 1", None], ids=["a ps that knows no -e", "ps as it is"])
def test_processes_are_seen_with_and_without_ps(tmp_path: Path, ps: str | None) -> None:
    """A daemon and a database that run are found by their names; the database once, though it has two processes."""
    sleep = shutil.which("sleep")
    assert sleep is not None
    folder = tmp_path / "bin"
    folder.mkdir()
    if ps is not None:
        (folder / "ps").write_text(f"#!/bin/sh\n{ps}\n", encoding="utf-8")
        (folder / "ps").chmod(0o755)
    running = []
    try:
        for name in ("hypervvssd", "postgres", "postgres"):
            program = tmp_path / name
            if not program.exists():
                shutil.copy(sleep, program)
            running.append(subprocess.Popen([program, "30"]))
        answer = _answer(f"{folder}{os.pathsep}{os.environ['PATH']}")
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert (answer["vss.running"], answer["vss.daemon"]) == ("true", "hypervvssd")
    assert [value for key, value in answer.items() if key.startswith("applications.")].count("postgres") == 1
