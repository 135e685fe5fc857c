"""What the documents say of playbooks is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fleetscan.judge import judge
from fleetscan.model.facts import HostFacts, ProbeAnswer
from fleetscan.model.finding import Status
from fleetscan.model.host import Host, Role
from fleetscan.model.playbook import JSON
from fleetscan.playbook import json_schemas, load
from fleetscan.playbook.gate import cmdlets, tools
from fleetscan.playbook.schema import CheckFile, DataFile, PlaybookFile, ProbeFile
from fleetscan.playbook.shape import Kind

ROOT = Path(__file__).parents[2]
TUTORIAL = Path(__file__).parent / "tutorial"
WRITING = (ROOT / "docs" / "writing-a-check.md").read_text(encoding="utf-8")
READ_ONLY = (ROOT / "docs" / "read-only.md").read_text(encoding="utf-8")

FILES = ["playbook.yaml", "probes/volumes.ps1", "probes/volumes.yaml", "checks/volume-has-room.yaml"]


def blocks(text: str) -> list[str]:
    """The contents of the fenced blocks."""
    return re.findall(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_tutorial_shows_its_files_as_they_are() -> None:
    assert blocks(WRITING) == [(TUTORIAL / name).read_text(encoding="utf-8") for name in FILES]


@pytest.mark.parametrize(
    ("free", "status", "text"),
    [
        (20, Status.PASS, ""),
        (10, Status.WARN, "Volume D: (data) of hv01 has 10 GiB left."),
        (3, Status.FAIL, "Volume D: (data) of hv01 has 3 GiB left."),
    ],
)
def test_the_tutorial_works(free: int, status: Status, text: str) -> None:
    book = load(str(TUTORIAL))
    gib = 1024**3
    answer: JSON = {
        "disks": [{"id": "v1", "name": "D:", "label": "data", "bytes": 100 * gib, "free_bytes": free * gib}]
    }
    data = book.probes["volumes"].validate(answer)
    host = Host(name="hv01", address="hv01", roles=(Role.HYPERV,))
    (finding,) = judge(host, HostFacts(answers={"volumes": ProbeAnswer(probe="volumes", data=data)}), book)
    assert (finding.status, finding.object_name, finding.observed) == (status, "D:", f"{free} % free")
    if text:
        assert finding.message == text


@pytest.mark.parametrize("model", [PlaybookFile, CheckFile, ProbeFile, DataFile])
def test_every_field_is_explained(model: type[PlaybookFile | CheckFile | ProbeFile | DataFile]) -> None:
    names = {field.alias or name for name, field in model.model_fields.items()}
    assert names <= set(re.findall(r"^\| `(\w+)` \|", WRITING, re.MULTILINE))


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


def test_the_published_schemas_are_those_of_the_program() -> None:
    for kind, schema in json_schemas().items():
        published = ROOT / "docs" / "schemas" / f"{kind}.schema.json"
        assert json.loads(published.read_text(encoding="utf-8")) == schema


def test_the_listed_commands_are_the_allowed_ones() -> None:
    rows = dict(re.findall(r"^\| ([\w.-]+) \| (`.*`) \|$", READ_ONLY, re.MULTILINE))
    assert {module: tuple(re.findall(r"`([^`]+)`", row)) for module, row in rows.items()} == cmdlets.modules()
    shell = re.search(r"^Shell: (.*)\.$", READ_ONLY, re.MULTILINE)
    assert shell is not None
    assert set(re.findall(r"`([^`]+)`", shell[1])) == set(tools.TOOLS)
