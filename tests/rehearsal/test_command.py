"""`fleetscan playbook test`: what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema
import pytest
from typer.testing import CliRunner

from fleetscan import yamlfile
from fleetscan.cli.playbook import app
from fleetscan.errors import InputError
from tests.rehearsal.conftest import BASE, CASES, Rehearsed


def test_all_is_as_expected(folder: Rehearsed) -> None:
    done = folder.test("-v")
    assert done.stdout.splitlines() == [
        "ok: volume-has-room: half empty",
        "ok: volume-has-room: a tenth is left",
        "ok: volume-has-room: a byte less than a twentieth",
        "ok: volume-has-room: a volume without a size",
        "ok: volume-has-room: the host refuses to answer",
        "5 cases of 1 check: all as expected",
    ]
    assert (done.stderr, done.exit_code) == ("", 0)


DIFFERENT = {
    "status": ('"D:": pass', '"D:": warn', "3:5: volume-has-room: half empty: [D:] expected warn, found pass"),
    "reason": (
        "permission.denied",
        "probe.failed",
        (
            "21:5: volume-has-room: the host refuses to answer: [-] expected not_assessed (probe.failed), "
            "found not_assessed (permission.denied): the account may not ask this; "
            "needed: the right to read WMI remotely (member of Administrators)"
        ),
    ),
    "observed": (
        "observed: 50 % free",
        "observed: 50 %",
        '3:5: volume-has-room: half empty: [C:] expected observed "50 %", found "50 % free"',
    ),
    "message": (
        "has 10 GiB left",
        "has 9 GiB left",
        (
            '7:5: volume-has-room: a tenth is left: [D:] expected "D: (data) of hv01 has 9 GiB left" in the message, '
            'found "Volume D: (data) of hv01 has 10 GiB left."'
        ),
    ),
    "remedy": (
        "away from C:",
        "away from D:",
        (
            '12:5: volume-has-room: a byte less than a twentieth: [C:] expected "away from D:" in the remedy, '
            'found "On hv01, move virtual disks away from C: or extend it."'
        ),
    ),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_a_difference_is_one_line_and_exit_3(folder: Rehearsed, what: str) -> None:
    old, new, line = DIFFERENT[what]
    folder.replace(CASES, old, new)
    done = folder.test()
    assert done.stdout.replace(f"{folder.path.as_posix()}/", "").splitlines() == [
        f"{CASES}:{line}",
        "5 cases of 1 check: 1 failed",
    ]
    assert done.exit_code == 3


def test_a_check_that_is_spoilt_fails_its_cases(folder: Rehearsed) -> None:
    """The border of the check is moved by one, and only the case beside the border sees it."""
    folder.replace("checks/volume-has-room.yaml", "disk.bytes * 5", "disk.bytes * 4")
    done = folder.test()
    assert "a byte less than a twentieth: [C:] expected fail, found warn (criterion.warn)" in done.stdout
    assert done.exit_code == 3


def test_several_differences_stand_on_one_line(folder: Rehearsed) -> None:
    old, new = "107374182400, free_bytes: 53687091200}", "9, free_bytes: 0}"
    folder.replace(BASE, old + "\n      - {id: v2", new + "\n      - {id: v2")
    folder.replace(CASES, '"D:": pass', '"D:": fail')
    lines = folder.test().stdout.splitlines()
    assert lines[0].endswith("[C:] expected pass, found fail (criterion.fail); [D:] expected fail, found pass")
    assert lines[-1] == "5 cases of 1 check: 3 failed"


def test_what_is_not_tried_is_a_warning_and_strictly_exit_3(folder: Rehearsed) -> None:
    folder.write(CASES, "based_on: hv01\ncases:\n  - {name: well, expect: {'C:': pass, 'D:': pass}}\n")
    warning = "warning: 1 of 1 checks has no failing case: volume-has-room\n"
    assert (folder.test().stderr, folder.test().exit_code) == (warning, 0)
    assert (folder.test("--strict").stderr, folder.test("--strict").exit_code) == (warning, 3)


def test_without_tests(folder: Rehearsed) -> None:
    (folder.path / CASES).unlink()
    done = folder.test()
    assert (done.stdout, done.exit_code) == ("0 cases of 0 checks: all as expected\n", 0)
    assert done.stderr == "warning: 1 of 1 checks has no case: volume-has-room\n"
    assert folder.test("--strict").exit_code == 3


def test_cases_in_a_folder(folder: Rehearsed) -> None:
    (folder.path / CASES).rename(folder.path / "moved.yaml")
    folder.write("tests/volume-has-room/first.yaml", (folder.path / "moved.yaml").read_text(encoding="utf-8"))
    folder.write("tests/volume-has-room/more.yaml", "cases: [{name: no answer, expect: {'-': not_assessed}}]\n")
    assert folder.test().stdout == "6 cases of 1 check: all as expected\n"


def test_one_check_of_many() -> None:
    done = CliRunner().invoke(app, ["test", "asr-hyperv", "--check", "vmms-*"], catch_exceptions=False)
    assert done.stdout.endswith("cases of 2 checks: all as expected\n")


def test_times_move_with_the_clock_of_the_host(folder: Rehearsed) -> None:
    """A plain host has a clock that stands still: a test that passes today passes next year."""
    folder.replace(
        "checks/volume-has-room.yaml",
        'observed: string(disk.free_bytes * 100 / disk.bytes) + " % free"',
        "observed: host.now + host.os_build + host.culture",
    )
    folder.replace(CASES, "observed: 50 % free", 'observed: "2026-01-01T12:00:00Z20348en-US"')
    folder.replace(CASES, "observed: 10 % free", 'observed: "2027-02-03T04:05:06Z9600fr-FR"')
    folder.replace(
        CASES,
        "  - name: a tenth is left\n",
        "  - name: a tenth is left\n    host: {now: '2027-02-03T04:05:06Z', os_build: '9600', culture: fr-FR}\n",
    )
    assert folder.test().stdout == "5 cases of 1 check: all as expected\n"


def test_objects_of_one_name_go_by_their_ids(folder: Rehearsed) -> None:
    folder.replace(BASE, '{id: v1, name: "C:"', '{id: v1, name: "D:"')
    folder.write(CASES, "based_on: hv01\ncases:\n  - {name: two, expect: {v1: pass, v2: pass}}\n")
    assert folder.test().exit_code == 0


def test_without_powershell_nothing_is_executed(folder: Rehearsed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLEETSCAN_PSHOST", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="there is no PowerShell to run probes in; install PowerShell 7"):
        folder.test("--execute")


def test_the_process_ends_with_2_for_mistakes(folder: Rehearsed) -> None:
    folder.replace(CASES, "near: true", "neer: true")
    command = [sys.executable, "-m", "fleetscan", "playbook", "test", str(folder.path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "13:5: cases[2]: unknown key" in done.stderr


@pytest.mark.parametrize(("kind", "name"), [("test", CASES), ("base", BASE)])
def test_the_schemas_fit_the_files(folder: Rehearsed, kind: str, name: str) -> None:
    schema = json.loads(CliRunner().invoke(app, ["schema", kind]).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    data = yamlfile.read(folder.path / name).data
    assert isinstance(data, dict)
    validator.validate(data)
    assert not validator.is_valid({**data, "unknown": 1})
    assert not validator.is_valid({**data, "host": {"roles": ["desktop"]}})
    if kind == "test":
        assert not validator.is_valid({"cases": []})
        assert not validator.is_valid({"cases": [{"name": "x", "expect": {"D:": "passed"}}]})
