"""What this machine has for tests that need a real PowerShell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NO_POWERSHELL = "no PowerShell: set FLEETSCAN_PSHOST or install pwsh"


def powershell() -> str:
    """The path of a PowerShell that takes powershell.exe's switches; skips the test where there is none."""
    found = os.environ.get("FLEETSCAN_PSHOST") or shutil.which("pwsh")
    if not found:
        pytest.skip(NO_POWERSHELL)
    return found


def answers_of(script: str, texts: list[str], folder: Path) -> list[Any]:
    """What a script that reads the JSON file named by FLEETSCAN_TEXTS answers: one item for each text."""
    path, data = folder / "script.ps1", folder / "texts.json"
    path.write_text(script, encoding="ascii")
    data.write_text(json.dumps(texts), encoding="ascii")
    command = [powershell(), "-NoProfile", "-NonInteractive", "-File", str(path)]
    environment = {**os.environ, "FLEETSCAN_TEXTS": str(data)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=50, check=True)
    answers: list[Any] = json.loads(done.stdout)
    assert len(answers) == len(texts)
    return answers
