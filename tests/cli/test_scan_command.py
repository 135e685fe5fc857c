"""`fleetscan scan` as a user meets it: output, exit codes, signals, pipes, mistakes."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fleetscan.errors import ExitStatus
from tests.cli.conftest import FLEETSCAN, StartLab, fleetscan
from tests.labs import RunningLab

ONE = ("--hosts", "1", "--base", "hv02.paris.corp.example", "--scheme", "http")
"""One healthy Hyper-V host."""
TROUBLED = ("--hosts", "2", "--base", "hv01.paris.corp.example")


def test_a_healthy_host_is_compliant(start_lab: StartLab) -> None:
    lab = start_lab(*ONE)
    done = fleetscan("scan", "-i", str(lab.inventory), lab=lab)
    assert done.returncode == ExitStatus.COMPLIANT, done.stdout
    assert "1 host: 1 pass" in done.stdout
    assert done.stderr == ""


def test_findings_are_shown_with_cause_and_cure_and_every_format_has_all_of_them(
    start_lab: StartLab, tmp_path: Path
) -> None:
    lab = start_lab(*TROUBLED)
    table, document = tmp_path / "night.csv", tmp_path / "night.json"
    done = fleetscan("scan", "-i", str(lab.inventory), "-o", str(table), "-o", str(document), lab=lab)
    assert done.returncode == ExitStatus.FINDINGS
    assert "backup-service-enabled" in done.stdout
    assert "Remedy:" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    findings = json.loads(document.read_text(encoding="utf-8"))["findings"]
    assert len(rows) == len(findings) > 100
    assert {row["host"] for row in rows} == {"hv0001.lab.example", "hv0002.lab.example"}


def test_severity_decides_what_fails(start_lab: StartLab) -> None:
    lab = start_lab(*TROUBLED)
    options = ("scan", "-i", str(lab.inventory), "--check", "replication-not-paused", "--quiet")
    assert fleetscan(*options, "--fail-on", "critical", lab=lab).returncode == ExitStatus.COMPLIANT
    assert fleetscan(*options, "--fail-on", "high", lab=lab).returncode == ExitStatus.FINDINGS


def test_an_unreachable_host_is_not_assessed_and_is_in_every_row(start_lab: StartLab) -> None:
    lab = start_lab(*ONE, "--fault", "refuse")
    done = fleetscan("scan", "-i", str(lab.inventory), "-o", "csv=-", lab=lab)
    assert done.returncode == ExitStatus.INCOMPLETE
    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert {row["status"] for row in rows} == {"not_assessed", "not_applicable"}
    assert {row["reason_code"] for row in rows if row["status"] == "not_assessed"} == {"unreachable.refused"}


def test_a_node_alone_is_compliant_and_says_what_its_cluster_was_not_asked(start_lab: StartLab) -> None:
    lab = start_lab("--engine", "direct")
    result = fleetscan("scan", "-i", str(lab.inventory), "-l", "hv02.paris.corp.example", "--no-store", lab=lab)
    assert result.returncode == 0
    told = " ".join(result.stdout.split())
    assert "other hosts too, which this run left out: 6 of its findings are not assessed" in told


def test_quiet_is_one_line(start_lab: StartLab) -> None:
    lab = start_lab(*ONE)
    done = fleetscan("scan", "-i", str(lab.inventory), "--quiet", lab=lab)
    assert len(done.stdout.splitlines()) == 1
    assert "exit 0" in done.stdout


def test_a_dry_run_contacts_nobody(untouched: RunningLab) -> None:
    lab = untouched
    done = fleetscan("scan", "-i", str(lab.inventory), "--dry-run", lab=lab)
    assert done.returncode == 0
    assert "hv0001.lab.example" in done.stdout
    assert lab.total("connections") == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("-l", "hv00001*"), '"hv00001*" matches no host'),
        (("--check", "backup-servce-enabled"), 'did you mean "backup-service-enabled"'),
        (("-p", "asr-hyperw"), 'did you mean "asr-hyperv"'),
        (("-o", "night.xls"), "-o night.xls"),
        (("-o", "no/such/folder/night.csv"), "there is no folder"),
        (("-o", "a.csv", "-o", "a.csv"), "the same file"),
        (("--quiet", "--all"), "exclude each other"),
        (("--concurrency", "0"), "--concurrency"),
        (("--host-timeout", "inf"), "--host-timeout"),
        (("--host-timeout", "nan"), "--host-timeout"),
        (("--host-timeout", "1e12"), "--host-timeout"),
        (("--connect-timeout", "inf"), "--connect-timeout"),
        (("--run-timeout", "1e300"), "--run-timeout"),
        (("--sample", "999999999d"), "'999999999d' is too long"),
        (("-i", "no-such.yaml"), "no-such.yaml"),
    ],
)
def test_a_mistake_ends_the_run_before_anything_is_contacted(
    untouched: RunningLab, arguments: tuple[str, ...], expected: str
) -> None:
    lab = untouched
    done = fleetscan("scan", "-i", str(lab.inventory), *arguments, lab=lab)
    assert done.returncode == ExitStatus.BAD_INPUT
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert lab.total("connections") == 0


@pytest.mark.parametrize("taken", ["inventory", "link", "waivers", "log", "store"])
def test_a_report_never_takes_the_place_of_a_file_that_the_run_uses(
    untouched: RunningLab, tmp_path: Path, taken: str
) -> None:
    lab = untouched
    waivers, log, store, link = (tmp_path / name for name in ("waivers.yaml", "scan.log", "runs.db", "link"))
    waivers.write_text("waivers: []\n", encoding="utf-8")
    link.symlink_to(lab.inventory)
    file = {"inventory": lab.inventory, "link": link, "waivers": waivers, "log": log, "store": store}[taken]
    before = lab.inventory.read_bytes()
    options = ("--waivers", str(waivers), "--log-file", str(log), "--store", str(store), "-o", f"csv={file}")
    done = fleetscan("scan", "-i", str(lab.inventory), *options, lab=lab)
    assert done.returncode == ExitStatus.BAD_INPUT
    assert f"-o csv={file}: the report would take the place of a file that this run uses" in done.stderr
    assert lab.inventory.read_bytes() == before
    assert waivers.read_text(encoding="utf-8") == "waivers: []\n"
    assert lab.total("connections") == 0


def test_the_mistakes_of_all_inputs_are_told_at_once(tmp_path: Path) -> None:
    inventory, waivers = tmp_path / "hosts.yaml", tmp_path / "waivers.yaml"
    inventory.write_text("host: {}\n", encoding="utf-8")
    waivers.write_text("waiver: []\n", encoding="utf-8")
    done = fleetscan("scan", "-i", str(inventory), "-o", "a.xyz", "--waivers", str(waivers), "--check", "nonesuch")
    assert done.returncode == ExitStatus.BAD_INPUT
    told = done.stderr.splitlines()
    for place in ("-o a.xyz: ", "--check: ", f"{inventory}:1:1: ", f"{waivers}:1:1: "):
        assert any(line.startswith(place) for line in told), place
    assert told[-1].endswith("mistakes; nothing was contacted.")


def test_a_missing_password_variable_is_named_with_its_place(untouched: RunningLab) -> None:
    lab = untouched
    done = fleetscan("scan", "-i", str(lab.inventory))
    assert done.returncode == ExitStatus.BAD_INPUT
    assert "lab.yaml:" in done.stderr
    assert "is not set" in done.stderr
    assert lab.total("connections") == 0


def test_no_secret_is_in_any_output(start_lab: StartLab, tmp_path: Path) -> None:
    lab = start_lab(*ONE, "--fault", "unauthorized")
    canary = "Tr0ub4dor&3-canary"
    wrong = dict.fromkeys(lab.environment, canary)
    done = fleetscan(
        "--debug",
        "scan",
        "-i",
        str(lab.inventory),
        "-o",
        str(tmp_path / "x.csv"),
        "-o",
        str(tmp_path / "x.json"),
        **wrong,
    )
    assert done.returncode == ExitStatus.INCOMPLETE
    written = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "x.csv", tmp_path / "x.json"))
    assert "auth.rejected" in written
    assert canary not in done.stdout + done.stderr + written


def test_the_log_tells_the_steps_of_a_visit_wherever_debug_is_written(start_lab: StartLab) -> None:
    lab = start_lab(*ONE)
    done = fleetscan("scan", "-i", str(lab.inventory), "--check", "vmms-running", "--debug", lab=lab)
    assert done.returncode == ExitStatus.COMPLIANT
    assert "hv0001.lab.example: logon after " in done.stderr
    assert "hv0001.lab.example: answer after " in done.stderr
    assert not set(lab.environment.values()) & set(done.stderr.split())


def start(lab: RunningLab, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **lab.environment}
    return subprocess.Popen(
        [*FLEETSCAN, "scan", "-i", str(lab.inventory), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no way to send Ctrl+C to one process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_scan_reports_what_is_finished(start_lab: StartLab, tmp_path: Path, number: int) -> None:
    lab = start_lab("--hosts", "40", "--scheme", "http", "--powershell-seconds", "0.5")
    document = tmp_path / "cut.json"
    process = start(lab, "--concurrency", "4", "-o", str(document))
    while not lab.total("commands"):
        time.sleep(0.1)
    time.sleep(2)
    began = time.monotonic()
    process.send_signal(number)
    output, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert process.returncode == ExitStatus.INTERRUPTED
    assert "Stopping" in errors
    assert "Traceback" not in errors
    assert "interrupted" in output
    hosts = json.loads(document.read_text(encoding="utf-8"))["hosts"]
    assert len(hosts) == 40
    finished = [host for host in hosts if not host["trouble"]]
    assert 0 < len(finished) < 40
    assert {host["trouble"]["reason"] for host in hosts if host["trouble"]} == {"cancelled"}
    assert lab.total("shells_open") == 0


def test_a_reader_that_goes_away_is_no_error(start_lab: StartLab) -> None:
    lab = start_lab(*TROUBLED)
    process = start(lab, "--all")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == ExitStatus.FINDINGS
    assert errors == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_log_that_a_full_disk_does_not_take_is_told_of_and_costs_nothing(start_lab: StartLab) -> None:
    lab = start_lab(*ONE)
    done = fleetscan("scan", "-i", str(lab.inventory), "--quiet", "--log-file", "/dev/full", lab=lab)
    assert done.returncode == ExitStatus.COMPLIANT
    assert done.stderr.splitlines() == [
        "notice: the log file /dev/full cannot be written: [Errno 28] No space left on device"
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_full_disk_does_not_cost_the_results(start_lab: StartLab, tmp_path: Path) -> None:
    lab = start_lab("--hosts", "1", "--scheme", "http", "--powershell-seconds", "1.5")
    folder = tmp_path / "reports"
    folder.mkdir()
    process = start(lab, "-o", str(folder / "night.csv"))
    while not lab.total("commands"):
        time.sleep(0.05)
    shutil.rmtree(folder)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == ExitStatus.INTERNAL
    assert "the report is in" in errors
    spare = Path(errors.split("the report is in ", 1)[1].split()[0].rstrip(";"))
    assert spare.read_text(encoding="utf-8").startswith('"run_id"')
    spare.unlink()
    assert "hv0001.lab.example" in output


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no way to send Ctrl+C to one process")
def test_an_impatient_second_ctrl_c_does_not_cost_the_reports(start_lab: StartLab, tmp_path: Path) -> None:
    lab = start_lab("--hosts", "40", "--scheme", "http", "--powershell-seconds", "0.5")
    table = tmp_path / "cut.csv"
    process = start(lab, "--concurrency", "4", "-o", str(table))
    while not lab.total("commands"):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == ExitStatus.INTERRUPTED
    assert "Traceback" not in errors
    with table.open(encoding="utf-8", newline="") as stream:
        assert len({row["host"] for row in csv.DictReader(stream)}) == 40


def test_the_next_command_asks_the_same_of_the_hosts_that_were_not_assessed(start_lab: StartLab) -> None:
    lab = start_lab(*ONE[:1], "9", *ONE[2:], "--fault", "refuse")
    options = ("scan", "-i", str(lab.inventory), "--check", "vmms-*", "--tag", "events", "--no-store")
    done = fleetscan(*options, lab=lab, COLUMNS="300")
    again = next(line for line in done.stdout.splitlines() if line.startswith("Again: "))
    assert again == (
        f"Again: fleetscan scan -i {lab.inventory} --check 'vmms-*' --tag events -l 'hv[0001:0009].lab.example'"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_full_disk_behind_standard_output_does_not_cost_the_report(start_lab: StartLab) -> None:
    lab = start_lab(*ONE)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*FLEETSCAN, "scan", "-i", str(lab.inventory), "-o", "csv=-"],
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, **lab.environment},
        )
    assert done.returncode == ExitStatus.INTERNAL
    spare = Path(done.stderr.split("the report is in ", 1)[1].split()[0].rstrip(";"))
    assert spare.read_text(encoding="utf-8").count("hv0001.lab.example") > 10
    spare.unlink()


@pytest.mark.skipif(sys.platform == "win32", reason="closes the stream by a shell")
def test_closed_streams_are_no_error(start_lab: StartLab) -> None:
    lab = start_lab(*ONE)
    line = shlex.join([*FLEETSCAN, "scan", "-i", str(lab.inventory)])
    environment = {**os.environ, **lab.environment}
    done = subprocess.run(["sh", "-c", f"{line} <&- >&- 2>&-"], env=environment, timeout=60)
    assert done.returncode == ExitStatus.COMPLIANT


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("ignored", [False, True], ids=["told", "nohup"])
def test_a_closed_terminal_does_not_cost_the_reports(start_lab: StartLab, tmp_path: Path, ignored: bool) -> None:
    """It ends the scan in order; one that is to outlive its terminal goes on to the end."""
    import pty

    lab = start_lab("--hosts", "20", "--scheme", "http", "--powershell-seconds", "0.5")
    document = tmp_path / "cut.json"
    master, terminal = pty.openpty()
    action = signal.SIG_IGN if ignored else signal.SIG_DFL
    process = subprocess.Popen(
        [*FLEETSCAN, "scan", "-i", str(lab.inventory), "--concurrency", "2", "-o", str(document)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, **lab.environment},
        preexec_fn=lambda: signal.signal(signal.SIGHUP, action),
    )
    os.close(terminal)
    while not any(host["commands"] for host in lab.counters().values()):
        time.sleep(0.1)
    os.close(master)
    process.send_signal(signal.SIGHUP)
    status = process.wait(40)
    hosts = json.loads(document.read_text(encoding="utf-8"))["hosts"]
    assert len(hosts) == 20
    assert (status == ExitStatus.INTERRUPTED) is not ignored
    assert any(host["trouble"] for host in hosts) is not ignored
    assert sum(host["shells_open"] for host in lab.counters().values()) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_behind_a_pager_the_table_fits_the_terminal(start_lab: StartLab, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl
    import pty
    import struct
    import termios

    monkeypatch.delenv("COLUMNS", raising=False)
    lab = start_lab(*TROUBLED)
    _, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 72, 0, 0))
    line = [*FLEETSCAN, "scan", "-i", str(lab.inventory)]
    environment = {**os.environ, **lab.environment}
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=terminal, env=environment, timeout=60)
    assert 60 < max(len(text) for text in done.stdout.decode().splitlines()) <= 72


def test_an_ascii_terminal_gets_characters_that_look_alike(start_lab: StartLab) -> None:
    lab = start_lab(*TROUBLED)
    done = fleetscan("scan", "-i", str(lab.inventory), lab=lab, PYTHONIOENCODING="ascii", COLUMNS="80")
    assert done.stdout.isascii()
    assert " - hyperv - FAIL - " in done.stdout
    assert "~" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files by a shell")
@pytest.mark.parametrize("options", [["--quiet"], ["-o", "json=-"]], ids=["quiet", "standard output"])
def test_a_store_that_is_full_is_told_of_where_no_table_says_it(
    start_lab: StartLab, tmp_path: Path, options: list[str]
) -> None:
    lab = start_lab("--hosts", "3", "--base", "hv01.paris.corp.example", "--scheme", "http")
    words = ["scan", "-i", str(lab.inventory), "--store", str(tmp_path / "runs.db"), *options]
    environment = {**os.environ, **lab.environment}
    line = f"ulimit -f 330; {shlex.join([*FLEETSCAN, *words])}"
    done = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == ExitStatus.INTERNAL
    assert done.stderr.startswith(f"notice: {tmp_path}/runs.db: cannot write "), done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files by a shell")
def test_a_disk_without_any_room_for_the_store_is_a_mistake_before_the_scan(
    untouched: RunningLab, tmp_path: Path
) -> None:
    words = ["scan", "-i", str(untouched.inventory), "--store", str(tmp_path / "runs.db")]
    environment = {**os.environ, **untouched.environment}
    line = f"ulimit -f 0; {shlex.join([*FLEETSCAN, *words])} 2>&1 | cat"
    done = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, encoding="utf-8", timeout=60)
    assert done.stdout.startswith(f"{tmp_path}/runs.db: the disk ")
    assert done.stdout.endswith("nothing was contacted.\n")
    assert untouched.total("connections") == 0
