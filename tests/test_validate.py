"""What pydantic finds, in the words of the user."""

from __future__ import annotations

from enum import StrEnum

import pytest

from fleetscan.validate import Strict, check
from fleetscan.yamlfile import read


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Inner(Strict):
    count: int = 0
    flag: bool = False
    ratio: float = 0.0


class Outer(Strict):
    title: str
    size: Size = Size.SMALL
    words: str | list[str] = ""
    either: Inner | str = ""
    inner: Inner | None = None
    named: dict[str, Inner] | None = None
    many: list[Inner] | None = None


KNOWN = "known keys: title, size, words, either, inner, named, many"


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("size: small", ['1:1: "title" is missing; add it']),
        ("title: 1.10", ["1:8: title: must be a text; quote it"]),
        ("title: [x]", ["1:8: title: must be a text"]),
        ("title: null", ["1:8: title: must be a text; write one"]),
        ("title: x\nsize: lage", ['2:7: size: "lage" is not one of small, large; did you mean "large"?']),
        ("title: x\nsize: 3", ["2:7: size: must be one of small, large"]),
        ("title: x\nsise: small", ['2:1: unknown key "sise"; did you mean "size"?']),
        (
            "title: x\nzzz: small",
            [f'2:1: unknown key "zzz"; {KNOWN}'],
        ),
        ("title: x\nwords: {a: 1}", ["2:8: words: must be a text or a list"]),
        ("title: x\nwords: [a, 1]", ["2:12: words[1]: must be a text; quote it"]),
        ("title: x\ninner: 7", ["2:8: inner: must be a mapping; write key: value"]),
        ("title: x\ninner: {count: many}", ["2:16: inner.count: must be a whole number"]),
        ("title: x\ninner: {count: 1.5}", ["2:16: inner.count: must be a whole number"]),
        ("title: x\ninner: {flag: maybe}", ["2:15: inner.flag: must be true or false"]),
        ("title: x\ninner: {ratio: much}", ["2:16: inner.ratio: must be a number"]),
        ("title: x\ninner: {cuont: 1}", ['2:9: inner: unknown key "cuont"; did you mean "count"?']),
        ("title: x\nnamed: {a: {cuont: 1}}", ['2:13: named.a: unknown key "cuont"; did you mean "count"?']),
        ("title: x\nmany: [{}, {cuont: 1}]", ['2:13: many[1]: unknown key "cuont"; did you mean "count"?']),
        (
            "title: x\nmany: {}",
            ["2:7: many: must be a list; write [first, second]"],
        ),
        (
            'title: "a\\eb"\n"\\e[2J": 1',
            [f'2:1: unknown key "␛[2J"; {KNOWN}'],
        ),
    ],
)
def test_mistakes_have_a_place_and_a_cure(text: str, complaints: list[str]) -> None:
    document = read("f.yaml", text)
    value, problems = check(Outer, document.data, document)
    assert value is None
    assert [str(problem).removeprefix("f.yaml:") for problem in problems] == complaints


def test_a_part_of_a_document_is_checked_at_its_place() -> None:
    document = read("f.yaml", "a:\n  - {count: x}\n")
    _, problems = check(Inner, {"count": "x"}, document, ("a", 0))
    assert [str(problem) for problem in problems] == ["f.yaml:2:13: a[0].count: must be a whole number"]


def test_what_is_right_comes_back_typed() -> None:
    document = read("f.yaml", "title: x\nsize: large\ninner: {flag: yes}\n")
    value, problems = check(Outer, document.data, document)
    assert problems == []
    assert value == Outer(title="x", size=Size.LARGE, inner=Inner(flag=True))
