"""The files for schedulers, and the commands of docs/nightly.md, as they stand there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from fleetscan.errors import ExitStatus
from tests.cli.conftest import StartLab, fleetscan, start_lab

__all__ = ["start_lab"]

DOCS = Path(__file__).parents[2] / "docs"
UNATTENDED = DOCS / "unattended"
TASKS = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def in_the_service() -> list[str]:
    text = (UNATTENDED / "fleetscan.service").read_text(encoding="utf-8").replace("\\\n", " ")
    return shlex.split(re.search("ExecStart=(.*)", text)[1])[1:]  # type: ignore[index] # it is there


def in_the_crontab() -> list[str]:
    lines = (UNATTENDED / "fleetscan.cron").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line[:1].isdigit())
    return line.split()[7:]


def in_the_task() -> list[str]:
    return (task().findtext(f"{TASKS}Actions/{TASKS}Exec/{TASKS}Arguments") or "").split()


def task() -> ET.Element:
    return ET.fromstring((UNATTENDED / "fleetscan-task.xml").read_bytes())  # noqa: S314 - a file of our own


def test_systemd_takes_the_service_and_the_timer(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    for name in ("fleetscan.service", "fleetscan.timer"):
        text = (UNATTENDED / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("/opt/fleetscan/bin/fleetscan", sys.executable), encoding="utf-8")
    units = [str(tmp_path / name) for name in ("fleetscan.service", "fleetscan.timer")]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_task_is_what_the_windows_task_scheduler_reads() -> None:
    content = (UNATTENDED / "fleetscan-task.xml").read_bytes()
    assert content.startswith(b"\xff\xfe")
    assert b"\r\x00\n\x00" in content
    root = task()
    assert root.tag == f"{TASKS}Task"
    assert root.get("version") == "1.4"
    assert {child.tag.removeprefix(TASKS) for child in root} == {
        "RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"
    }  # fmt: skip
    principal = root.find(f"{TASKS}Principals/{TASKS}Principal")
    assert principal is not None
    assert principal.get("id") == root.find(f"{TASKS}Actions").get("Context")  # type: ignore[union-attr] # it is there
    assert root.findtext(f"{TASKS}Settings/{TASKS}MultipleInstancesPolicy") == "IgnoreNew"
    command = root.findtext(f"{TASKS}Actions/{TASKS}Exec/{TASKS}Command")
    assert command is not None
    assert command.endswith("fleetscan.exe")


def test_all_three_schedulers_run_the_same_command() -> None:
    def bare(words: list[str]) -> list[str]:
        return [re.split(r"[\\/]", word)[-1] for word in words]

    assert bare(in_the_service()) == bare(in_the_crontab()) == bare(in_the_task())


@pytest.mark.timeout(300)
def test_the_commands_of_the_page_work_one_after_the_other(start_lab: StartLab, tmp_path: Path) -> None:
    lab = start_lab("--hosts", "2", "--base", "hv01.paris.corp.example", "--scheme", "http")
    waivers = tmp_path / "waivers.yaml"
    entry = "{check: replication-not-paused, owner: o, ticket: t, reason: r, expires: 2099-12-31}"
    waivers.write_text(f"waivers:\n  - {entry}\n", encoding="utf-8")
    names = {"inventory.yaml": str(lab.inventory), "waivers.yaml": str(waivers)}
    text = (DOCS / "nightly.md").read_text(encoding="utf-8")
    page = [line for block in re.findall("```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    commands = [*page, shlex.join(["fleetscan", *in_the_service()]), "fleetscan runs diff"]
    assert len(commands) > 8
    outputs = []
    for command in commands:
        words = [names.get(Path(word).name, word) for word in shlex.split(command)[1:]]
        words = [re.sub(r"^[\w/]*?(\w+\.(csv|json|log))$", rf"{tmp_path}/\1", word) for word in words]
        done = fleetscan(*words, lab=lab)
        assert done.returncode in (ExitStatus.COMPLIANT, ExitStatus.FINDINGS), (command, done.stderr)
        outputs.append(done.stdout)
    quiet = [text for command, text in zip(commands, outputs, strict=True) if "--quiet" in command]
    assert all(len(text.splitlines()) == 1 for text in quiet)
    assert "still failing" in quiet[-1]
    assert (tmp_path / "fleetscan.log").read_text(encoding="utf-8").count(" begins: 2 hosts") == 2
    assert (tmp_path / "night.csv").exists()
