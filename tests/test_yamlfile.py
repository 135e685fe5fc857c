"""YAML with the place of every value."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetscan.errors import InputError
from fleetscan.yamlfile import MAX_BYTES, Document, dump, read


@pytest.fixture(params=[True, False], ids=["libyaml", "python"], autouse=True)
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs with both parsers: PyYAML has none in C where it was built without libyaml."""
    if request.param and not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")
    monkeypatch.setattr(yaml, "__with_libyaml__", request.param)


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
        ("<<", "<<"),
        ("y", "y"),
        ("0b11", "0b11"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ('!!int "5"', 5),
        ("! 5", 5),
        ("!", None),
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
        ("|2-\n    a\n   b\n\n", "  a\n b"),
        (">+\n  a\n  b\n\n   c\n", "a b\n\n c\n\n"),
        ("|\r\n  a\r\n", "a\n"),
        ("|\n\n  a\tb\n", "\na\tb\n"),
        (r'"\/\x41\u00e9\U0001F600\N\L\P\_"', "/Aé😀\x85\u2028\u2029\xa0"),
        (r'"\ud83d\ude00"', "😀"),
        ("'a\n\n  b'", "a\nb"),
        ('"a \\\n  b"', "a b"),
        ("1" * 101 + "x", "1" * 101 + "x"),
        ("1_" * 60 + "0", "1_" * 60 + "0"),
    ],
)
def test_only_what_json_would_convert_is_converted(text: str, value: object) -> None:
    data = document(f"key: {text}\n").data
    assert data == {"key": value}
    assert isinstance(data, dict)
    assert type(data["key"]) is type(value)


@pytest.mark.parametrize("version", ["1.1", "1.2", "1.3"])
def test_a_directive_does_not_change_that(version: str) -> None:
    assert document(f"%YAML {version}\n---\nkey: NO\n").data == {"key": "NO"}


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("[http://a:80/b?c=d, a:b, C:, ::1, fe80::1, a?]", ["http://a:80/b?c=d", "a:b", "C:", "::1", "fe80::1", "a?"]),
        ("{a:1, b: C:, c: ::1}", {"a:1": None, "b": "C:", "c": "::1"}),
        ('{"a":1,"b":[],"c":}', {"a": 1, "b": [], "c": None}),
        ('{\n\t"a": [\n\t\t1,\n\t\t2\n\t]\n}\n', {"a": [1, 2]}),
        ("[a: 1, ? b : 2, c, ]", [{"a": 1}, {"b": 2}, "c"]),
        ("a: &défaut 1\nb: *défaut\nc: &hv.paris:5 2\nd: [*hv.paris:5, 3]\n", {"a": 1, "b": 1, "c": 2, "d": [2, 3]}),
        ("a: &x 1\nb: *x\nc: &x 2\nd: *x\n", {"a": 1, "b": 1, "c": 2, "d": 2}),
        ("*x : 1", "found undefined alias 'x'"),
        ("&x a: 1\n*x : 2\n", 'the key "a" is here twice'),
        ("? a\n: 1\n? b\n", {"a": 1, "b": None}),
        ('"<<": 1\n"\\0a": 2\n', {"<<": 1, "\0a": 2}),
        (f"{'k' * 1000}: 1\n? {'k' * 2000}\n: 2\n", {"k" * 1000: 1, "k" * 2000: 2}),
        (f"{'k' * 1100}: 1\n", "mapping values are not allowed here"),
        ("\ufeffa: 1\nb: \ufeffx\n", {"a": 1, "b": "\ufeffx"}),
        ("--- # nothing\n...\n# more of it\n", None),
        ("a: |#c\n", "expected chomping or indentation indicators, but found '#'"),
        ("a: x\ty\nb: 1\n", "a tab stands where only spaces may"),
        ("a: 1\r\tb: 2\r", "a tab stands where only spaces may"),
        (": 1\n", "expected <block end>, but found ':'"),
        ("a: 1\n...\nb: 2\n", "the document ends before this"),
    ],
)
def test_what_parsers_disagree_on_is_decided(text: str, data: object) -> None:
    if isinstance(data, str):
        assert data in "\n".join(complaints(text))
    else:
        assert document(text).data == data


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


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("é😀: {ü: '😀', b: 1}\n", (1, 17)),
        ("a: 1\r\nb: 2\r\n", (2, 4)),
        ("a: 1\rb: 2\r", (2, 4)),
        ("\ufeffb: 1\n", (1, 4)),
        ("b: &x !!str a\n", (1, 4)),
        ("b:\na: 1\n", (1, 2)),
        ("b: # later\na: 1\n", (1, 2)),
        ("{b: , a: 1}\n", (1, 3)),
        ("{b: \n  , a: 1}\n", (1, 3)),
        ("{b}\n", (1, 3)),
        ("? b\n\n? a\n", (1, 4)),
    ],
)
def test_columns_count_characters_and_nothing_has_a_place_beside_its_key(text: str, place: tuple[int, int]) -> None:
    loc = ("é😀", "b") if text.startswith("é") else ("b",)
    assert document(text).position(loc) == place


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
                "but got '<stream end>'; close the bracket that opens in line 1, or put a comma between its parts"
            ),
        ),
        (
            "a:\n  b: 1\n c: 2\n",
            (
                "file.yaml:3:2: is not valid YAML: while parsing a block mapping, expected <block end>, "
                "but found '<block mapping start>'; indent it as far as the lines it belongs to"
            ),
        ),
        (
            "a: 'x\nb: y\n",
            (
                "file.yaml:3:1: is not valid YAML: while scanning a quoted scalar, found unexpected end of stream; "
                "close the quote that opens in line 1"
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
        ("[" * 5000, "file.yaml:1:51: the document is nested too deeply; use at most 50 levels"),
        (
            "".join(f"{' ' * n}a:\n" for n in range(2000)),
            "file.yaml:50:50: the document is nested too deeply; use at most 50 levels",
        ),
        ("- " * 5000, "file.yaml:1:101: the document is nested too deeply; use at most 50 levels"),
        ("? " * 5000, "file.yaml:1:101: the document is nested too deeply; use at most 50 levels"),
        (
            'a: "x\\UFFFFFFFF"\n',
            (
                "file.yaml:1:8: is not valid YAML: while scanning a double-quoted scalar, "
                "found an escape that stands for no character"
            ),
        ),
        (
            'a: "x\\ud800"\n',
            (
                "file.yaml:1:4: is not valid YAML: while scanning a double-quoted scalar, "
                "found an escape that stands for no character"
            ),
        ),
        ("a: \ud800\n", "file.yaml:1:4: the character U+D800 is not allowed in YAML; remove it"),
        ("a: \x07\n", "file.yaml:1:4: the character U+0007 is not allowed in YAML; remove it"),
        (
            "é: a\u2028b\n",
            (
                r"file.yaml:1:5: the character U+2028 is not allowed in YAML; "
                r"remove it, or write \L between double quotes"
            ),
        ),
        ("a: !custom {}\n", "file.yaml:1:4: the tag !custom is not known; remove the tag"),
        ("!x a: !!set {b}\n", "file.yaml:1:7: the tag tag:yaml.org,2002:set is not known; remove the tag"),
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


PIECES = (
    *(
        "a",
        "1e3",
        "NO",
        "~",
        "<<",
        "é",
        "😀",
        ": ",
        ":",
        ":\n",
        "- ",
        "-",
        "\n",
        "\n  ",
        " ",
        "? ",
        "?",
        "[",
        "]",
        "{",
        "}",
    ),
    *(
        ",",
        ", ",
        '"x"',
        "'y'",
        '"',
        '"a":',
        " # c",
        "#",
        "|\n",
        ">-\n",
        "|2",
        "&x ",
        "*x",
        "*x : ",
        "&a:b ",
        "&é ",
        "!t ",
    ),
    *("! ", "!!str ", "---\n", "...\n", "%YAML 1.2\n", "\t", "\ufeff", "\u2028", "\r\n", "\r", "C:", "::1", "b?c"),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_both_parsers_say_the_same(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if yaml.__with_libyaml__:
            said = outcome(text)
            patch.setattr(yaml, "__with_libyaml__", False)
            assert outcome(text) == said


def outcome(text: str) -> object:
    """What reading makes of a text: the data and the places of what has a key, or only that it is refused."""
    try:
        found = document(text)
    except InputError:
        return "refused"
    top = found.data if isinstance(found.data, dict) else {}
    return repr(found.data), [found.position((key,)) for key in top if key]


TEXTS = st.text(max_size=8) | st.sampled_from(
    (
        "1e3",
        "0o17",
        "0x1F",
        "-1.5",
        "1_000",
        "NO",
        "y",
        "=",
        "<<",
        "~",
        "null",
        "",
        " ",
        "a: b",
        "- a",
        "#",
        "\r\n",
        "k" * 200,
    )
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(TEXTS, JSON, max_size=3))
def test_what_is_dumped_reads_back(data: dict[str, object]) -> None:
    assert document(dump(data)).data == (data or {})  # type: ignore[arg-type] # what hypothesis makes is plain
