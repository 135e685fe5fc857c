"""Programs of other people that judge what fleetscan writes. A test that lacks one is skipped, in CI it fails."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest


def needed(name: str, *alternatives: str) -> str:
    """The path of a program; skips the test where it is not installed."""
    for candidate in (name, *alternatives):
        found = shutil.which(candidate)
        if found:
            return found
    return _missing(f"{name} is not installed")


def needed_file(variable: str, what: str) -> Path:
    """The file that an environment variable names; skips the test where there is none."""
    path = Path(os.environ.get(variable, ""))
    if not path.is_file():
        _missing(f"{variable} does not name {what}")
    return path


def node(package: str, script: str, *arguments: str) -> Any:
    """Run a script that uses an npm package (NODE_PATH says where it is); returns the JSON that it prints."""
    program = needed("node")
    if not _has_package(package):
        _missing(f"the npm package {package} is not in NODE_PATH")
    done = subprocess.run(
        [program, "-e", script, "--", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
        encoding="utf-8",
    )
    return json.loads(done.stdout)


@functools.cache
def _has_package(package: str) -> bool:
    code = f"require.resolve({package!r})"
    return subprocess.run(["node", "-e", code], capture_output=True, check=False, timeout=20).returncode == 0


def _missing(reason: str) -> Any:
    (pytest.fail if os.environ.get("FLEETSCAN_REQUIRE_ALL") else pytest.skip)(reason)
