"""What the tests of inventories share: files in a folder of their own."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetscan.errors import InputError
from fleetscan.inventory import load
from fleetscan.model.host import Host, Inventory

LOGIN = "defaults: {credential: audit}\ncredentials: {audit: {username: audit@CORP.EXAMPLE}}\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Write a file and return its path."""

    def write(text: str, name: str = "hosts.yaml") -> str:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def read(write: Callable[..., str]) -> Callable[[str], Inventory]:
    """The inventory that a YAML text makes."""
    return lambda text: load([write(text)])


@pytest.fixture
def complaints(write: Callable[..., str], tmp_path: Path) -> Callable[[str], list[str]]:
    """The mistakes of a YAML text, without the folder."""

    def complaints(text: str) -> list[str]:
        with pytest.raises(InputError) as caught:
            load([write(text)])
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return complaints


def hosts_of(inventory: Inventory) -> dict[str, Host]:
    """The hosts by name."""
    return {host.name: host for host in inventory.hosts}
