"""YAML with the place of every value."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetscan.errors import InputError
from fleetscan.yamlfile import MAX_BYTES, Document, dump, read


def document(text: str) -> Document:
    return read("file.yaml", text)


def complaints(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        document(text)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("0123", "0123"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-01-31", "2026-01-31"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("+1", "+1"),
        ("=", "="),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("5", 5),
        ("-7", -7),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.10", 1.1),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("''", ""),
        ("|\n  a\n  b\n", "a\nb\n"),
    ],
)
def test_only_what_json_would_convert_is_converted(text: str, value: object) -> None:
    data = document(f"key: {text}\n").data
    assert data == {"key": value}
    assert isinstance(data, dict)
    assert type(data["key"]) is type(value)


def test_an_old_directive_does_not_change_that() -> None:
    assert document("%YAML 1.1\n---\nkey: NO\n").data == {"key": "NO"}


TEXT = """\
# comment
groups:
  paris:
    hosts:
      - hv01
      - {name: hv02, winrm: {port: 1}}
  lyon: &lyon {zone: a}
  again: *lyon
"""


@pytest.mark.parametrize(
    ("loc", "value", "key"),
    [
        ((), (2, 1), (2, 1)),
        (("groups",), (3, 3), (2, 1)),
        (("groups", "paris", "hosts", 0), (5, 9), (5, 9)),
        (("groups", "paris", "hosts", 1, "winrm", "port"), (6, 36), (6, 30)),
        (("groups", "paris", "hosts", 1, "missing"), (6, 9), (6, 9)),
        (("groups", "paris", "hosts", 7), (5, 7), (4, 5)),
        (("groups", "paris", "hosts", 1, "HostEntry", "winrm"), (6, 29), (6, 22)),
        (("groups", "again", "zone"), (7, 22), (7, 16)),
    ],
)
def test_every_value_has_a_place(loc: tuple[str | int, ...], value: tuple[int, int], key: tuple[int, int]) -> None:
    assert document(TEXT).position(loc) == value
    assert document(TEXT).position(loc, key=True) == key


def test_an_empty_document_has_no_data() -> None:
    assert document("# nothing\n").data is None
    assert document("").position(("a",)) == (1, 1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "a: 1\n\tb: 2\n",
            "file.yaml:2:1: is not valid YAML: a tab stands where only spaces may; replace it by spaces",
        ),
        (
            "a: b: c\n",
            (
                "file.yaml:1:5: is not valid YAML: mapping values are not allowed here; "
                "quote a text that holds a colon and a space; check the indentation"
            ),
        ),
        (
            "a: 1\n---\nb: 2\n",
            (
                "file.yaml:2:1: is not valid YAML: a second document begins here; keep one document a file: "
                "remove the line `---`"
            ),
        ),
        (
            "a: [1\n",
            (
                "file.yaml:2:1: is not valid YAML: while parsing a flow sequence, expected ',' or ']', "
                "but got '<stream end>'"
            ),
        ),
        ("a: \x00\n", "file.yaml:1:4: the character U+0000 is not allowed in YAML; remove it"),
        ("a: !vault x\n", "file.yaml:1:4: the tag !vault is not known; remove the tag"),
        (
            "a: {<<: {b: 1}}\n",
            "file.yaml:1:5: merge keys (`<<`) are not read; write the keys out, or repeat whole values by aliases",
        ),
        ("? [1]\n: 2\n", "file.yaml:1:3: a list or a mapping cannot be a key; use a text as key, or quote the value"),
        ("a: &x [*x]\n", "file.yaml:1:4: the document is nested too deeply; use at most 50 levels"),
        ("[" * 60 + "]" * 60, "file.yaml:1:51: the document is nested too deeply; use at most 50 levels"),
        ("[" * 5000, "file.yaml:1:1: the document is nested too deeply; use at most 50 levels"),
        ('a: "\\UFFFFFFFF"\n', "file.yaml: is not valid YAML: Python int too large to convert to C int"),
        (f"a: {'9' * 5000}\n", "file.yaml:1:4: a number of 5000 characters; quote it if it is a text"),
        ("#" * (MAX_BYTES + 1), "file.yaml: the file is larger than 5 MiB; split it into several files"),
    ],
    ids=lambda value: value[:20],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, complaint: str) -> None:
    assert complaints(text) == [complaint]


def test_all_duplicate_keys_are_told() -> None:
    assert complaints("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        'file.yaml:2:11: the key "c" is here twice; line 2 has it already',
        'file.yaml:3:1: the key "a" is here twice; line 1 has it already',
    ]


def test_an_alias_bomb_is_refused_at_once() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    start = time.monotonic()
    (complaint,) = complaints("l0: &l0 boom\n" + levels)
    assert time.monotonic() - start < 5
    assert "aliases repeat more than 10000 values; write them out, or use fewer aliases" in complaint


def test_bad_bytes_have_their_place(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\nb: \xff\n")
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value) == f"{path}:2:4: the file is not UTF-8; save it as UTF-8"


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes("\ufeffa: ü\n".encode())
    assert read(path).data == {"a": "ü"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=8).filter(str.isprintable),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abNO1~ü", max_size=4), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text("abNO1~ü", max_size=4), JSON, max_size=3))
def test_what_is_dumped_reads_back(data: dict[str, object]) -> None:
    assert document(dump(data)).data == (data or {})  # type: ignore[arg-type] # what hypothesis makes is plain
