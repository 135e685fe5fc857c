"""The README says what is so: its table and CSV are the demo's, its commands exist, its links lead somewhere."""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fleetscan.report.rows import COLUMNS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
VOLATILE = {"run_id", "assessed_at", "evidence_ref", "payload_sha256"}


def block(name: str) -> list[str]:
    """The lines of the fenced block after a marker."""
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)\n```", README, re.DOTALL)
    assert found, f"the README has no block {name}"
    return found[1].split("\n")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What `fleetscan demo` prints on 100 columns, and the CSV that it writes."""
    path = tmp_path_factory.mktemp("demo") / "demo.csv"
    environment = {key: value for key, value in os.environ.items() if key != "FLEETSCAN_PSHOST"} | {"COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-m", "fleetscan", "demo", "-o", str(path)],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "simulated" in done.stderr
    return done.stdout, path


def steady(line: str) -> str:
    """The line without what differs from run to run: ids, times, seconds."""
    line = re.sub(r"run \d{8}-\d{4}-\w{4}", "run ID", line)
    line = re.sub(r"· \d+(\.\d+)? s$", "· N s", line)
    line = re.sub(r"port \d+", "port N", line)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", line)


def test_the_table_is_the_demos(demo: tuple[str, Path]) -> None:
    printed = iter([steady(line) for line in demo[0].splitlines()])
    for line in block("demo: table"):
        if line.strip() != "…":
            assert steady(line) in printed, f"the demo no longer prints, in this order: {line}"


def test_the_csv_is_the_demos(demo: tuple[str, Path]) -> None:
    header, record = csv.reader(block("demo: csv"))
    assert header == list(COLUMNS)
    shown = dict(zip(header, record, strict=True))
    with demo[1].open(encoding="utf-8", newline="") as stream:
        [row] = [row for row in csv.DictReader(stream) if row["finding_key"] == shown["finding_key"]]
    assert {name: value for name, value in row.items() if name not in VOLATILE} == {
        name: value for name, value in shown.items() if name not in VOLATILE
    }


def test_the_inventory_loads(tmp_path: Path) -> None:
    from fleetscan import inventory

    text = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert text
    path = tmp_path / "fleet.yaml"
    path.write_text(text[1], encoding="utf-8")
    loaded = inventory.load([str(path)])
    assert [host.name for host in loaded.hosts][:2] == ["hv01.paris.corp.example", "hv02.paris.corp.example"]


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_commands_exist(path: Path) -> None:
    """Every `fleetscan …` of the documents names commands and options that the program has."""
    from typer.main import get_command

    from fleetscan.cli import app

    text = re.sub(r"\\\n\s*", "", path.read_text(encoding="utf-8"))  # a command may go on in the next line
    for line in re.findall(r"(?:^ {4}|^\$ |`)(?:\w+=\S+ )?fleetscan ([^`\n]+)", text, re.MULTILINE):
        command = get_command(app)
        for word in shlex.split(line.split("  #")[0].split(" | ")[0].rstrip("…. "), posix=True):
            if hasattr(command, "commands") and word in command.commands:
                command = command.commands[word]
            elif word.startswith("-") and word != "-":
                known = {option for parameter in command.params for option in parameter.opts}
                assert word.split("=")[0] in known | {"--help"}, f"{path.name}: fleetscan {line}: {word}"
