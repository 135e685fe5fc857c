"""The limit of open files lowers the number of visits, with a notice, instead of breaking them."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "possible"),
    [(1024, 4096, 64, 64), (100, 4096, 64, 64), (128, 128, 64, 16), (20, 20, 64, 1), (256, 512, 200, 112)],
)
def test_visits_fit_the_open_files(soft: int, hard: int, wanted: int, possible: int) -> None:
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        f"from fleetscan.scan.capacity import affordable\nprint(*affordable({wanted}), sep='|')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    number, _, notice = done.stdout.strip().partition("|")
    assert int(number) == possible
    assert bool(notice) == (possible < wanted)
