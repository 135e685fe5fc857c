"""What can be seen of the page without a browser: the policy, the escapes, the labels, and that nothing is lost."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from fleetscan.model.run import RunReport
from fleetscan.model.text import clean
from fleetscan.report.html.page import SCRIPTS, render
from fleetscan.report.rows import rows
from tests.html import fleets
from tests.report import hostile, morning
from tests.report.factory import run

ASSETS = files("fleetscan.report.html") / "assets"
DATA = re.compile('<script type="application/json" id="data">(.*?)</script>', re.DOTALL)
RUNS = [
    morning.fleet,
    morning.mixed,
    lambda: morning.dead(30),
    lambda: fleets.large(30, 3),
    fleets.hostile,
    lambda: run([]),
]


def page(report: RunReport) -> str:
    return "".join(render(report))


def data(text: str) -> Any:
    [found] = DATA.findall(text)
    return json.loads(found)


def told(document: Any) -> Iterator[dict[str, str]]:
    """Every finding, put together again as the page does it."""
    texts, kinds = document["strings"], document["kinds"]
    for number, runs in enumerate(document["runs"]):
        host = texts[document["hosts"][number][0]]
        digests = {texts[p]: texts[d] for p, d in zip(*[iter(document["digests"][number])] * 2, strict=True)}
        objects = document["objects"][number]
        for kind, first, count in zip(*[iter(runs)] * 3, strict=True):
            for place in range(first, first + count):
                name, identity = (texts[objects[2 * place + part]] for part in (0, 1))
                stands = {"\x01": host, "\x02": name, "\x03": identity}
                whole = {
                    column: re.sub("[\x01-\x03]", lambda found, by=stands: by[found[0]], texts[kinds[column][kind]])
                    for column in ("reason", "message", "expected", "observed", "remedy", "evidence")
                }
                check = [texts[part] for part in document["checks"][kinds["check"][kind]]]
                waiver = document["waivers"][kinds["waiver"][kind]]
                yield {
                    "host": host,
                    "object_id": identity,
                    "object_name": name,
                    "check_id": check[0],
                    "check_title": check[1],
                    "article": check[2],
                    "severity": check[3],
                    "object_type": check[4],
                    "reference": check[5],
                    "status": document["statuses"][kinds["status"][kind]],
                    "reason_code": whole["reason"],
                    "message": whole["message"],
                    "expected": whole["expected"],
                    "observed": whole["observed"],
                    "remedy": whole["remedy"],
                    "waiver_id": texts[waiver[0]] if waiver else "",
                    "evidence_ref": ";".join(f"{p}@{digests[p]}" for p in whole["evidence"].split(";") if p),
                }


@pytest.mark.parametrize("make", RUNS)
def test_every_finding_is_in_the_page_as_it_is_in_the_csv(make: Callable[[], RunReport]) -> None:
    report = make()
    document = data(page(report))
    found = list(told(document))
    expected = [{key: clean(str(row[key])) for key in found[0]} for row in rows(report)] if found else []
    assert len(found) == report.counts().total()
    assert found == expected
    counted = {
        status: count for status, count in zip(document["statuses"], document["run"]["counts"], strict=True) if count
    }
    assert counted == {status.value: count for status, count in report.counts().items() if count}
    verdicts = {s: n for s, n in zip(document["statuses"], document["run"]["verdicts"], strict=True) if n}
    assert verdicts == Counter(host.verdict.value for host in report.hosts)


@pytest.mark.parametrize("make", RUNS)
def test_the_map_counts_what_the_run_counts(make: Callable[[], RunReport]) -> None:
    """Each cell: the worst status of a section on the hosts of the row, and how many findings have it."""
    report = make()
    document = data(page(report))
    seen: list[int] = []
    for row in document["heat"]["rows"]:
        seen += row["hosts"]
        for column, section in enumerate(document["heat"]["sections"]):
            found = [
                document["statuses"].index(finding.status)
                for number in row["hosts"]
                for finding in report.hosts[number].findings
                if section in {item.split("-")[0] for item in clean(";".join(finding.article)).split(";")}
            ]
            status, count = row["cells"][2 * column : 2 * column + 2]
            assert (status, count) == (
                (min(found), found.count(min(found))) if found else (len(document["statuses"]), 0)
            )
    assert sorted(seen) == list(range(len(report.hosts)))


@given(report=hostile.runs())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_gives_a_page_that_holds_all_findings(report: RunReport) -> None:
    text = page(report)
    assert len(list(told(data(text)))) == report.counts().total()
    text.encode()


def test_hostile_text_ends_no_element_and_turns_no_direction() -> None:
    text = page(fleets.hostile())
    [inside] = DATA.findall(text)
    assert inside.isascii()
    assert not set("<>&") & set(inside)
    assert len(re.findall("<script", text)) == 2
    assert len(re.findall("</script", text)) == 2
    assert "<img" not in text
    bidi = re.compile("[\u202a-\u202e\u2066-\u2069\u2028\u2029\u200e\u200f\x00-\x08]")
    shown = [
        string
        for string in data(text)["strings"]
        if bidi.sub("", string.translate({1: None, 2: None, 3: None})) != string.translate({1: None, 2: None, 3: None})
    ]
    assert shown == []
    assert not bidi.search(DATA.sub("", text))


def test_the_policy_names_our_script_and_our_style_and_nothing_else() -> None:
    text = page(morning.fleet())
    [policy] = re.findall('http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    [script] = re.findall("<script>(.*?)</script>", text, re.DOTALL)
    [style] = re.findall("<style>(.*?)</style>", text, re.DOTALL)

    def digest(inline: str) -> str:
        return "sha256-" + base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()

    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules == {
        "default-src": "'none'",
        "script-src": f"'{digest(script)}'",
        "style-src": f"'{digest(style)}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_the_page_has_no_style_attribute_no_handler_and_no_address_of_elsewhere() -> None:
    text = DATA.sub("", page(fleets.hostile()))
    markup = re.sub("<script>.*?</script>|<style>.*?</style>", "", text, flags=re.DOTALL)
    tags = re.findall(r"<[a-z][^>]*>", markup)
    assert tags
    assert not [tag for tag in tags if re.search(r"\s(style|on\w+)=", tag)]
    assert not [tag for tag in tags if re.search(r'\s(src|href)="(?!#|data:)', tag)]


LABELS: dict[str, dict[str, str]] = json.loads((ASSETS / "labels.json").read_text(encoding="utf-8"))
SOURCES = {name: (ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS}


def test_both_languages_have_the_same_labels_with_the_same_parts() -> None:
    english, french = LABELS["en"], LABELS["fr"]
    assert list(english) == list(french)
    for key, text in english.items():
        parts = [set(re.findall(r"{(\w+)}", label)) for label in (text, french[key])]
        assert parts[0] == parts[1], key
        assert french[key].count("|") <= 1
        assert text.count("|") <= 1


def test_every_label_that_is_asked_for_exists_and_every_label_is_used() -> None:
    everything = "\n".join([*SOURCES.values(), (ASSETS / "page.html.j2").read_text(encoding="utf-8")])
    asked = set(re.findall(r'(?:\bt\(|label\(|t\[)"([\w.]+)"', everything))
    assert asked <= set(LABELS["en"])
    quoted = set(re.findall(r'"([a-z][\w.]*)"', everything))
    prefixes = tuple(re.findall(r"`([a-z]+\.)\$\{", everything))
    unused = [key for key in LABELS["en"] if key not in quoted and not key.startswith(prefixes)]
    assert unused == ["churn.note", "churn.written.note", "waived.no"]  # `${key}.note`, and one of a list of two


def test_the_script_makes_no_markup_from_text() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|fetch\(|XMLHttp|import\("
    )
    assert not [name for name, text in SOURCES.items() if forbidden.search(text)]
    assert {path.name for path in ASSETS.iterdir() if path.name.endswith(".js")} == {f"{name}.js" for name in SCRIPTS}
