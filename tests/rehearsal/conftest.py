"""The playbook of the tutorial with tests of its own, to be spoilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fleetscan.cli.playbook import app
from fleetscan.errors import InputError

TUTORIAL = Path(__file__).parents[1] / "playbook" / "tutorial"
CASES = "tests/volume-has-room.yaml"
BASE = "tests/bases/hv01.yaml"


class Rehearsed:
    """A folder with a playbook whose files tests change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        shutil.copytree(TUTORIAL, path)

    def write(self, name: str, text: str) -> None:
        """Make a file."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Change a text that is there once."""
        text = (self.path / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        self.write(name, text.replace(old, new))

    def test(self, *options: str) -> Result:
        """Run `fleetscan playbook test`; what it raises rises."""
        return CliRunner().invoke(app, ["test", str(self.path), *options], catch_exceptions=False)

    def mistakes(self, *options: str) -> list[str]:
        """What is wrong, with paths relative to the folder."""
        with pytest.raises(InputError) as caught:
            self.test(*options)
        return [str(problem).replace(f"{self.path.as_posix()}/", "") for problem in caught.value.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Rehearsed:
    """A fresh copy."""
    return Rehearsed(tmp_path / "house-rules")
