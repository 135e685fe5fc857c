"""A night that is kept on a server, and the server goes away in the middle: real PostgreSQL, real sockets."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from fleetscan.errors import ExitStatus
from tests import postgres
from tests.cli.conftest import FLEETSCAN, fleetscan
from tests.labs import running_lab

pytestmark = pytest.mark.timeout(180)


def test_a_server_that_goes_away_costs_nothing(tmp_path: Path) -> None:
    """The run ends with all its results, in a file that is named; the server takes them over when it is back."""
    programs = postgres.programs()
    if programs is None:
        pytest.skip("no PostgreSQL on this machine (Debian: apt-get install postgresql)")
    hosts = ("--hosts", "8", "--scheme", "http", "--powershell-seconds", "1")
    with postgres.running(programs) as cluster, running_lab(tmp_path, *hosts) as lab:
        store = ("--store", cluster.database("nights"))
        report = tmp_path / "night.csv"
        process = subprocess.Popen(
            [*FLEETSCAN, "scan", "-i", str(lab.inventory), "--concurrency", "2", "-o", str(report), *store],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, **lab.environment},
        )
        while lab.total("commands") < 4 and process.poll() is None:
            time.sleep(0.05)
        cluster.stop()
        output, errors = process.communicate(timeout=90)
        assert process.returncode == ExitStatus.INTERNAL, output + errors
        assert report.read_text(encoding="utf-8").count("hv0008.lab.example") > 10
        told = " ".join(output.replace("\\", "").split())
        assert "cannot be reached" in told
        assert postgres.PASSWORD not in output + errors
        spool = re.search(r"fleetscan runs import (\S+)", told)
        assert spool, told
        cluster.start()
        imported = fleetscan("runs", "import", spool[1].rstrip(".,;`"), *store, lab=lab)
        assert imported.returncode == 0, imported.stderr
        shown = fleetscan("runs", "show", "last", *store, lab=lab)
        assert "8 hosts:" in shown.stdout, shown.stdout + shown.stderr
