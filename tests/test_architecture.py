"""The rooms and the arrows between them: who may import whom, and what help must not load."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "fleetscan"

# Everything may import errors, model and the version; the rest is named. cli may import everything.
ARROWS = {
    "model": set(),
    "errors": {"model"},
    "state": set(),
    "suggest": set(),
    "yamlfile": set(),
    "factfile": {"suggest", "yamlfile"},
    "validate": {"suggest", "yamlfile"},
    "inventory": {"suggest", "validate", "yamlfile"},
    "playbook": {"suggest", "validate", "yamlfile"},
    "credentials": set(),
    "transports": set(),
    "powershell": set(),
    "judge": {"totals"},
    "scan": {"transports", "powershell", "judge", "credentials", "state", "store"},
    "totals": set(),
    "profile": {"totals"},
    "rehearsal": {"factfile", "judge", "lab", "playbook", "powershell", "suggest", "validate", "yamlfile"},
    "store": {"state", "suggest"},
    "report": {"suggest", "totals", "validate", "yamlfile"},
    "waivers": {"inventory", "playbook", "suggest", "validate", "yamlfile"},
    "lab": {"factfile", "powershell", "suggest", "validate", "yamlfile"},
}
SHARED = {"errors", "model"}

# The only rooms that may know these libraries.
HOMES = {
    "winrm": {"transports"},
    "requests": {"transports"},
    "urllib3": {"transports"},
    "asyncssh": {"transports", "lab"},
    "spnego": {"transports", "lab"},
    "h11": {"lab"},
    "cel_expr_python": {"playbook"},
    "tree_sitter": {"playbook"},
    "yaml": {"yamlfile"},
    "tabulate": {"report", "cli"},
    "rich": {"cli"},
    "typer": {"cli"},
    "jinja2": {"report"},
    "keyring": {"credentials"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "filelock": {"cli"},
    "platformdirs": {"state"},
}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if room not in {"__init__", "__main__", "_data"}:
            yield room, path


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a module imports at run time, wherever the statement stands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            if node.module == "fleetscan":
                yield from (f"fleetscan.{alias.name}" for alias in node.names)
            else:
                yield node.module


@pytest.mark.parametrize("room", sorted(ARROWS))
def test_arrows_point_one_way(room: str) -> None:
    allowed = ARROWS[room] | SHARED | {room, "__version__"}
    for owner, path in modules():
        if owner == room:
            used = {name.split(".")[1] for name in imports(path) if name.startswith("fleetscan.")}
            assert used <= allowed, f"{path.relative_to(ROOT)} imports {sorted(used - allowed)}"


def test_model_imports_nothing_but_itself() -> None:
    for room, path in modules():
        if room == "model":
            assert {name.split(".")[1] for name in imports(path) if name.startswith("fleetscan.")} <= {"model"}


def test_every_room_is_on_the_map() -> None:
    assert {room for room, _ in modules()} == set(ARROWS) | {"cli"}


@pytest.mark.parametrize("library", sorted(HOMES))
def test_a_library_is_known_in_its_home_only(library: str) -> None:
    users = {room for room, path in modules() if any(name.split(".")[0] == library for name in imports(path))}
    assert users <= HOMES[library]
    assert users, f"nobody uses {library} any more"


HEAVY = (
    *("winrm", "requests", "asyncssh", "cel_expr_python", "tree_sitter", "yaml", "tabulate", "sqlalchemy", "alembic"),
    "fleetscan.lab",
)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["scan", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['fleetscan', *{arguments!r}]\n"
        "from fleetscan.__main__ import main\n"
        "try:\n    main()\n"
        f"finally:\n    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stderr.strip().splitlines()[-1] == "[]"
