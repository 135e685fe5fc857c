"""`--waivers` and `fleetscan waivers`, as a user meets them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleetscan.errors import ExitStatus
from tests.cli.conftest import fleetscan
from tests.labs import RunningLab, running_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """One host with several failures."""
    options = ("--hosts", "1", "--base", "hv01.paris.corp.example", "--scheme", "http")
    with running_lab(tmp_path_factory.mktemp("waivers"), *options) as running:
        yield running


def write(folder: Path, *entries: dict[str, str], timezone: str = "UTC") -> str:
    path = folder / "waivers.yaml"
    common = {"owner": "Anna Durand", "ticket": "CHG-1", "reason": "Agreed with the application's owner."}
    waivers = [{**common, **entry} for entry in entries]
    path.write_text(json.dumps({"timezone": timezone, "waivers": waivers}), encoding="utf-8")  # JSON is YAML
    return str(path)


def day(offset: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=offset)).isoformat()


def test_waived_failures_stay_visible_and_cost_no_exit_code(lab: RunningLab, tmp_path: Path) -> None:
    table = tmp_path / "night.csv"
    options = ("scan", "-i", str(lab.inventory), "--check", "replication-not-paused", "-o", str(table))
    assert fleetscan(*options, lab=lab).returncode == ExitStatus.FINDINGS
    file = write(tmp_path, {"id": "pause", "check": "replication-not-paused", "expires": day(100)})
    done = fleetscan(*options, "--waivers", file, lab=lab)
    assert done.returncode == ExitStatus.COMPLIANT, done.stdout + done.stderr
    assert "No problems were found but those that are waived." in done.stdout
    assert f"waived until {day(100)} by Anna Durand" in " ".join(done.stdout.split())
    assert "1 host: 1 fail, 1 of them waived" in done.stdout
    assert "Remedy" not in done.stdout
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    failed = [row for row in rows if row["status"] == "fail"]
    assert failed
    assert {(row["waived"], row["waiver_id"], row["waiver_expires"]) for row in failed} == {("true", "pause", day(100))}
    everything = fleetscan(*options, "--waivers", file, "--all", lab=lab)
    assert "FAIL, waived" in everything.stdout


def test_one_that_expired_yesterday_does_not_count_and_one_that_ends_today_does(
    lab: RunningLab, tmp_path: Path
) -> None:
    options = ("scan", "-i", str(lab.inventory), "--check", "replication-not-paused")
    yesterday = write(tmp_path, {"id": "late", "check": "replication-not-paused", "expires": day(-2)})
    done = fleetscan(*options, "--waivers", yesterday, lab=lab)
    assert done.returncode == ExitStatus.FINDINGS
    told = "".join(done.stdout.split())  # a line may break anywhere in a path
    assert f"waiverlate({yesterday}:1:" in told
    assert f"expiredon{day(-2)}anddoesnotcount:1findingcountsagain(AnnaDurand,CHG-1)" in told
    soon = write(tmp_path, {"id": "soon", "check": "replication-not-paused", "expires": day(3)})
    done = fleetscan(*options, "--waivers", soon, lab=lab)
    assert done.returncode == ExitStatus.COMPLIANT
    assert "endsin3days" in "".join(done.stdout.split())


def test_one_that_matches_nothing_is_told(lab: RunningLab, tmp_path: Path) -> None:
    file = write(
        tmp_path,
        {"id": "idle", "check": "vmms-running", "expires": day(100)},
        {"id": "elsewhere", "check": "vmms-running", "host": "hv77", "expires": day(100)},
        {"id": "unasked", "check": "replication-health", "expires": day(100)},
    )
    done = fleetscan("scan", "-i", str(lab.inventory), "--check", "vmms-running", "--waivers", file, lab=lab)
    told = " ".join(done.stdout.split())
    assert done.returncode == ExitStatus.COMPLIANT
    assert "waiver idle" in told
    assert "matches nothing: its check finds nothing amiss there" in told
    assert 'is for no host: "hv77" matches no host or group' in told
    assert "unasked" not in told


def test_mistakes_in_waivers_contact_nobody(lab: RunningLab, tmp_path: Path) -> None:
    before = lab.total("connections")
    file = write(
        tmp_path,
        {"check": "replication-not-pausd", "expires": day(100)},
        {"check": "vmms-running", "expires": "tomorrow"},
    )
    done = fleetscan("scan", "-i", str(lab.inventory), "--waivers", file, lab=lab)
    assert done.returncode == ExitStatus.BAD_INPUT
    assert 'did you mean "replication-not-paused"?' in done.stderr
    assert '"tomorrow" is no day; write it as 2026-12-31' in done.stderr
    assert "2 mistakes; nothing was contacted." in done.stderr
    assert lab.total("connections") == before


def test_waivers_are_listed_with_the_days_that_they_have_left(lab: RunningLab, tmp_path: Path) -> None:
    file = write(
        tmp_path,
        {"id": "a", "check": "vmms-running", "expires": day(100)},
        {"id": "b", "check": "guest-*", "host": "hv0001", "object": "sql01", "expires": day(-1)},
        {"id": "c", "check": "vmms-running", "host": "hv0002", "expires": day(1)},
    )
    done = fleetscan("waivers", "check", file, "-i", str(lab.inventory))
    lines = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line}
    assert done.returncode == 0, done.stderr
    assert lines["a"][-1] == "100"
    assert lines["b"][-1] == "expired"
    assert lines["b"][2] == "hv0001.lab.example"
    assert "none" in lines["c"]
    assert "3 waivers, 1 expired; no mistakes." in done.stdout
    assert 'waiver c is for no host: "hv0002" matches no host or group' in done.stderr


def test_the_listing_tells_every_mistake_of_waivers_and_inventory(tmp_path: Path) -> None:
    file = write(tmp_path, {"check": "no-such-check", "expires": day(1)})
    done = fleetscan("waivers", "check", file, "-i", str(tmp_path / "none.yaml"))
    assert done.returncode == ExitStatus.BAD_INPUT
    assert "none.yaml: cannot be read" in done.stderr
    assert 'has no check "no-such-check"' in done.stderr


def test_the_schema_is_printed() -> None:
    done = fleetscan("waivers", "schema")
    published = Path(__file__).parents[2] / "docs" / "schemas" / "waivers.schema.json"
    assert json.loads(done.stdout) == json.loads(published.read_text(encoding="utf-8"))
