"""Text that means harm, and runs that carry it in every field that a host or a file can fill."""

from __future__ import annotations

from hypothesis import strategies as st

from fleetscan.model.facts import HostFacts, ProbeAnswer
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Host, Role
from fleetscan.model.playbook import ObjectType, Severity
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import HostReport, RunReport, Trouble
from tests.report.factory import PAYLOAD, START, run, visit

TEXTS = (
    "=cmd|'/c calc'!A1",
    "  =1+1",
    "\t=1+1",
    "+1",
    "-5",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\rx",
    "＝1+1",
    '"',
    '","',
    "a,b;c\td",
    "two\nlines",
    "two\r\nlines\r\n\r\n",
    "\n",
    "\x85\u2028\u2029\x0b\x0c\x1c\x1d\x1e",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m",
    "\u202egnp.exe",
    "\u2066\u200f\u061c\ufeff",
    "null\x00byte",
    "\ud800 lone \udfff",
    "sql\u200b01",
    "\U000e0041\U000e0042",
    "\U000f0000\U000f0001\U0010fffd\ue000",
    "e\u0301" * 40,
    "Z" + "\u0300\u0301\u0302\u0303" * 50,
    "\u0301 begins with an accent",
    "กำไรที่",
    "한국어 서버",
    "受注サーバー01" * 20,
    "👩\u200d💻 💾",
    "x" * 300,
    "word " * 60,
    "hv01 hv02",
    "\x01",
    "__" * 200,
    "",
    " ",
)

texts = st.one_of(
    st.sampled_from(TEXTS),
    st.text(st.characters(exclude_categories=())),
    st.text(st.characters(categories=("Cc", "Cf", "Cs", "Co", "Mn", "Zl", "Zp")), max_size=8),
    st.text("=+-@\t\r\n\"', 0a", max_size=8),
)

_names = st.one_of(texts, st.from_regex(r"\A[a-z]{1,3}[0-9]{1,4}\.[a-z]{1,5}\Z"))
_undecided = [reason for reason in Reason if reason not in (Reason.CRITERION_FAIL, Reason.CRITERION_WARN)]


@st.composite
def findings(draw: st.DrawFn, host: str) -> Finding:
    status = draw(st.sampled_from(Status))
    return Finding(
        host=host,
        check_id=draw(st.one_of(st.sampled_from(["check-a", "check-b"]), texts)),
        check_title=draw(texts),
        article=tuple(draw(st.lists(texts, max_size=2))),
        severity=draw(st.sampled_from(Severity)),
        object_type=draw(st.sampled_from(ObjectType)),
        object_id=draw(texts),
        object_name=draw(_names),
        status=status,
        reason=None if status is Status.PASS else draw(st.sampled_from(Reason)),
        message=draw(texts),
        expected=draw(texts),
        observed=draw(texts),
        remedy=draw(texts),
        action=draw(st.sampled_from(["", "mend"])),
        reference=draw(texts),
        evidence_ref=draw(texts),
    )


_data = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(texts, inner, max_size=2)),
    max_leaves=4,
)


@st.composite
def visits(draw: st.DrawFn) -> HostReport:
    name = draw(_names)
    where = Host(
        name=name,
        address=draw(st.one_of(st.just(name), texts)),
        roles=tuple(draw(st.lists(st.sampled_from(Role), min_size=1, max_size=2, unique=True))),
        groups=(draw(texts),),
        zone=draw(st.one_of(st.just("z"), texts)),
        cluster=draw(texts),
        vmm_server=draw(texts),
    )
    trouble = None
    if draw(st.booleans()):
        reason = draw(st.sampled_from(_undecided))
        trouble = Trouble(reason=reason, stage=draw(st.sampled_from(Stage)), message=draw(texts), hint=draw(texts))
    answer = ProbeAnswer(probe="p", data=draw(st.dictionaries(texts, _data, max_size=2)), ms=3, sha256=PAYLOAD)
    never = draw(st.booleans())
    return visit(
        where,
        draw(st.lists(findings(name), max_size=4)),
        trouble=trouble,
        facts=HostFacts(meta={"computer": draw(texts)}, answers={draw(texts): answer}, payload_sha256=PAYLOAD),
        started_at=None if never else START,
        ended_at=None if never else START,
        seconds=draw(st.floats(min_value=0, max_value=1e6)),
        attempts=draw(st.integers(0, 3)),
    )


@st.composite
def runs(draw: st.DrawFn) -> RunReport:
    return run(
        draw(st.lists(visits(), max_size=4)),
        notices=tuple(draw(st.lists(texts, max_size=1))),
        playbook=draw(texts),
        interrupted=draw(st.booleans()),
    )
