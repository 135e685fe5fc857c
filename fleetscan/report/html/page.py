"""From a run to one HTML file: the document as data, our own script and style, a policy that allows no other."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import islice

from fleetscan.model.finding import Finding, Status
from fleetscan.model.run import HostReport, RunReport
from fleetscan.model.text import clean
from fleetscan.report import words
from fleetscan.report.html.document import document

SCRIPTS = (
    *("base", "model", "query", "parts", "filters", "grid"),
    *("finding", "hosts", "heat", "plots", "overview", "main"),
)
"""The files of the script, in the order in which they are read."""

WITHOUT_SCRIPT = 500
"""Problems that are listed for a reader whose browser runs no scripts."""

_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}
_SLOT = "\x00data\x00"


def render(report: RunReport) -> Iterator[str]:
    """The page, in parts: what stands before the data, the data, the rest."""
    before, after = _page(report).split(_SLOT)
    yield before
    yield json.dumps(document(report), allow_nan=False, separators=(",", ":")).translate(_ESCAPES)
    yield after


def _page(report: RunReport) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    labels = _labels()
    script, style = _script(), _asset("style.css")
    return environment.from_string(_asset("page.html.j2")).render(
        report=report,
        clean=clean,
        t=labels["en"],
        words=words,
        hosts=words.counted(_verdicts(report)),
        findings=words.counted(report.counts()),
        problems=list(islice(_problems(report), WITHOUT_SCRIPT)),
        script=script,
        style=style,
        script_hash=_hash(script),
        style_hash=_hash(style),
        slot=_SLOT,
    )


def _verdicts(report: RunReport) -> dict[Status, int]:
    verdicts = [host.verdict for host in report.hosts]
    return {status: verdicts.count(status) for status in Status}


def _problems(report: RunReport) -> Iterator[tuple[HostReport, Finding]]:
    return ((host, found) for host, found in report.findings() if found.status in (Status.FAIL, Status.WARN))


@cache
def _asset(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")


@cache
def _labels() -> dict[str, dict[str, str]]:
    labels: dict[str, dict[str, str]] = json.loads(_asset("labels.json"))
    return labels


@cache
def _script() -> str:
    """The whole script: one function, so that nothing of it is a name of the page."""
    labels = json.dumps(_labels(), separators=(",", ":")).translate(_ESCAPES)
    parts = [f"const LABELS = {labels};", *(_asset(f"{name}.js") for name in SCRIPTS)]
    text = '(() => {\n"use strict";\n' + "\n".join(parts) + "\n})();"
    assert not re.search("</script|<!--", text, re.IGNORECASE)  # noqa: S101 - our own files, and the page would break
    return text


def _hash(text: str) -> str:
    """The hash by which the policy knows an inline text: `sha256-…`."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
