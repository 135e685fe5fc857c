"""The example, the documents and the schema agree with the program."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from fleetscan import yamlfile
from fleetscan.inventory import json_schema, load, select
from fleetscan.inventory.csv_file import COLUMNS
from fleetscan.inventory.schema import SettingsEntry, SSHEntry, WinRMEntry
from fleetscan.model.host import SecretKind
from tests.inventory.conftest import LOGIN

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "inventory" / "example.yaml"
DOCUMENTS = [ROOT / "docs" / "inventory.md", ROOT / "docs" / "credentials.md"]
FLEET = "groups: {fleet: {roles: [hyperv], hosts: [hv01]}}\n"


def blocks(language: str) -> list[tuple[str, str]]:
    """Name and text of every block of a language in the documents."""
    return [
        (f"{path.name}:{number}", text)
        for path in DOCUMENTS
        for number, text in enumerate(
            re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        )
    ]


def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(("name", "text"), blocks("yaml"), ids=[name for name, _ in blocks("yaml")])
def test_every_yaml_block_is_an_inventory_that_an_editor_accepts(
    write: Callable[..., str], name: str, text: str
) -> None:
    files = [write(text)]
    if "hosts:" not in text:
        files.append(write(FLEET, "fleet.yaml"))
    assert load(files).hosts
    validator().validate(yamlfile.read(name, text).data)


@pytest.mark.parametrize(("name", "text"), blocks("csv"), ids=[name for name, _ in blocks("csv")])
def test_every_csv_block_is_an_inventory(write: Callable[..., str], name: str, text: str) -> None:
    assert len(load([write(text, "hosts.csv"), write(LOGIN)]).hosts) == text.count("\n") - 1


def test_there_are_blocks() -> None:
    assert (len(blocks("yaml")), len(blocks("csv"))) == (9, 1)


def test_the_host_of_the_document_is_what_the_document_says(write: Callable[..., str]) -> None:
    text = next(text for _, text in blocks("yaml") if "france-ca.pem" in text)
    lyon = next(host for host in load([write(text)]).hosts if host.name == "hv01.lyon.example")
    assert [role.value for role in lyon.roles] == ["hyperv", "vmm"]
    assert lyon.winrm.ca_file is not None
    assert lyon.winrm.ca_file.endswith("france-ca.pem")
    assert lyon.credential == "lyon-audit"


def table(path: Path, heading: str) -> list[str]:
    """The first column of the table under a heading."""
    part = re.split(rf"^#+ {heading}$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1]
    rows = re.split(r"^#", part, flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| (`.+?) \|", rows, re.MULTILINE)
    return [text for cell in cells for text in re.findall(r"`([^`]+)`", cell)]


def test_every_setting_is_in_the_table() -> None:
    nested = [f"winrm.{name}" for name in WinRMEntry.model_fields] + [f"ssh.{name}" for name in SSHEntry.model_fields]
    flat = [name for name in SettingsEntry.model_fields if name not in ("winrm", "ssh")]
    assert sorted(table(DOCUMENTS[0], "Settings")) == sorted([*flat, *nested])
    assert {*nested, *flat} <= set(COLUMNS)


def test_every_source_of_secrets_is_in_the_table() -> None:
    words = [re.match(r"\{(\w+):", text) for text in table(DOCUMENTS[1], "Where secrets come from")]
    assert sorted(word[1] for word in words if word) == sorted(SecretKind)


@pytest.mark.parametrize("pattern", table(DOCUMENTS[0], "Patterns"))
def test_every_pattern_of_the_table_selects_from_the_example(pattern: str) -> None:
    assert select(load([str(EXAMPLE)]), pattern)


def test_the_example_loads_and_an_editor_accepts_it() -> None:
    inventory = load([str(EXAMPLE)])
    assert len(inventory.hosts) == 41 + 4 + 2 + 1 + 8 + 5
    assert inventory.notices == ()
    validator().validate(yamlfile.read(EXAMPLE).data)


@pytest.mark.parametrize(
    "text",
    [
        "groups: {a: {rols: []}}",
        "credentials: {a: {username: b, password: c}}",
        "credentials: {a: {username: b, password: {env: c, file: d}}}",
        "groups: {a: {winrm: {port: 0}}}",
        "groups: {a: {winrm: {auth: digest}}}",
        "groups: {a: {hosts: [{address: b}]}}",
        "zones: {a: {concurrency: many}}",
    ],
)
def test_an_editor_sees_the_same_mistakes(text: str) -> None:
    assert not validator().is_valid(yamlfile.read("x", text).data)


def test_the_schema_is_json() -> None:
    assert json.loads(json.dumps(json_schema()))["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_published_schema_is_that_of_the_program() -> None:
    path = ROOT / "docs" / "schemas" / "inventory.schema.json"
    assert json.loads(path.read_text(encoding="utf-8")) == json_schema()  # fleetscan inventory schema > this file
