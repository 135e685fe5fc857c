"""What the documents say of playbooks is so."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleetscan import rehearsal
from fleetscan.cli.playbook import app
from fleetscan.errors import InputError
from fleetscan.playbook import json_schemas
from fleetscan.playbook.gate import cmdlets, tools
from fleetscan.playbook.schema import CheckFile, DataFile, PlaybookFile, ProbeFile
from fleetscan.playbook.shape import Kind
from fleetscan.rehearsal.schema import BaseFile, Case, CaseFile, Expectation, HostEntry
from fleetscan.validate import Strict

ROOT = Path(__file__).parents[2]
TUTORIAL = Path(__file__).parent / "tutorial"
WRITING = (ROOT / "docs" / "writing-a-check.md").read_text(encoding="utf-8")
READ_ONLY = (ROOT / "docs" / "read-only.md").read_text(encoding="utf-8")

FILES = ["playbook.yaml", "probes/volumes.ps1", "probes/volumes.yaml", "checks/volume-has-room.yaml"]
TESTS = ["tests/bases/hv01.yaml", "tests/volume-has-room.yaml"]


def blocks(text: str) -> list[str]:
    """The contents of the fenced blocks."""
    return re.findall(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_tutorial_shows_its_files_as_they_are() -> None:
    assert blocks(WRITING) == [(TUTORIAL / name).read_text(encoding="utf-8") for name in FILES + TESTS]


def test_the_tutorial_works() -> None:
    """Its own tests say so, and leave nothing open."""
    done = CliRunner().invoke(app, ["test", str(TUTORIAL), "--strict"], catch_exceptions=False)
    assert (done.stdout, done.stderr, done.exit_code) == ("5 cases of 1 check: all as expected\n", "", 0)


MODELS = [PlaybookFile, CheckFile, ProbeFile, DataFile, CaseFile, BaseFile, Case, HostEntry, Expectation]


@pytest.mark.parametrize("model", MODELS)
def test_every_field_is_explained(model: type[Strict]) -> None:
    names = {field.alias or name for name, field in model.model_fields.items()}
    first_cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", WRITING, re.MULTILINE)
    assert names <= {word for cell in first_cells for word in re.findall(r"`(\w+)`", cell)}


def test_every_word_of_the_shape_language_is_explained() -> None:
    assert all(f"`{kind}`" in WRITING for kind in Kind)


def test_the_mistake_in_the_tutorial_is_said_like_this(tmp_path: Path) -> None:
    from tests.playbook.conftest import Folder

    folder = Folder(tmp_path / "house-rules")
    for path in sorted(folder.path.rglob("*.*")):
        path.unlink()
    for name in FILES:
        folder.write(
            name, (TUTORIAL / name).read_text(encoding="utf-8").replace("pass: disk.free_bytes", "pass: disk.free_byte")
        )
    (mistake,) = folder.mistakes()
    assert f"    {mistake}\n" in WRITING


def test_the_mistake_in_the_test_of_the_tutorial_is_said_like_this(tmp_path: Path) -> None:
    folder = tmp_path / "house-rules"
    shutil.copytree(TUTORIAL, folder)
    path = folder / "tests" / "volume-has-room.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("{free_bytes: 107", "{free_byte: 107"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(app, ["test", str(folder)], catch_exceptions=False)
    (mistake,) = caught.value.problems
    assert f"    {mistake}\n".replace(f"{folder.as_posix()}/", "") in WRITING


def test_the_published_schemas_are_those_of_the_program() -> None:
    for kind, schema in {**json_schemas(), **rehearsal.json_schemas()}.items():
        published = ROOT / "docs" / "schemas" / f"{kind}.schema.json"
        assert json.loads(published.read_text(encoding="utf-8")) == schema


def test_the_listed_commands_are_the_allowed_ones() -> None:
    rows = dict(re.findall(r"^\| ([\w.-]+) \| (`.*`) \|$", READ_ONLY, re.MULTILINE))
    assert {module: tuple(re.findall(r"`([^`]+)`", row)) for module, row in rows.items()} == cmdlets.modules()
    shell = re.search(r"^Shell: (.*)\.$", READ_ONLY, re.MULTILINE)
    assert shell is not None
    assert set(re.findall(r"`([^`]+)`", shell[1])) == set(tools.TOOLS)
