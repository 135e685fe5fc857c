"""What an installed fleetscan brings along: from the wheel, and from the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return folder / done.stdout.strip().splitlines()[-1]


def test_the_wheel_holds_every_playbook_inventory_script_and_fact(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for source, target in (("playbooks", "fleetscan/_data/playbooks"), ("inventory", "fleetscan/_data/inventory")):
        files = [path for path in (ROOT / source).rglob("*") if path.is_file() and not path.name.startswith(".")]
        assert files
        assert {f"{target}/{path.relative_to(ROOT / source).as_posix()}" for path in files} <= names
    inside = [
        path
        for path in (ROOT / "fleetscan").rglob("*")
        if path.suffix in {".ps1", ".sh", ".yaml", ".py", ".js", ".css", ".json", ".j2"}
    ]
    assert {path.relative_to(ROOT).as_posix() for path in inside} <= names
    assert not [name for name in names if name.startswith("tests/")]


def test_the_installed_wheel_finds_its_playbook_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """The wheel is unpacked beside nothing else of ours; the libraries are those of this environment."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "import fleetscan\n"
        f"assert fleetscan.__file__.startswith({str(site)!r}), fleetscan.__file__\n"
        "from fleetscan import playbook\n"
        "book = playbook.load(None)\n"
        "from fleetscan.store import open_store\n"
        "open_store('runs.db').close()\n"  # made by the migrations, which must be there
        "print(book.name, len(book.checks))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("asr-hyperv ")


def test_the_checkout_finds_its_playbook_and_example() -> None:
    from fleetscan import inventory, playbook

    assert "asr-hyperv" in playbook.builtin_names()
    assert inventory.load([str(ROOT / "inventory" / "example.yaml")]).hosts


def test_the_version_is_said_once() -> None:
    from fleetscan import __version__

    done = subprocess.run([sys.executable, "-m", "fleetscan", "--version"], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == f"fleetscan {__version__}"
