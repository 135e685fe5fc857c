"""What only all hosts together can tell: machines on two hosts are told once, checks across hosts see every host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fleetscan.judge import conclude, judge
from fleetscan.model.facts import HostFacts
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Host, Role
from fleetscan.model.playbook import JSON, Across, ObjectType, Playbook, Relation
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import HostReport, Trouble
from tests.factory import host, playbook, probe
from tests.judge.test_judge import Rule, Variables, Words, check, facts

NIGHT = datetime(2026, 1, 1, 2, tzinfo=UTC)


def others(variables: Variables) -> list[dict[str, JSON]]:
    return [h for h in variables["hosts"] if not h["here"]]  # type: ignore[union-attr,index,call-overload,misc]


def ready(variables: Variables) -> JSON:
    statuses = [f["status"] for h in others(variables) for f in h["findings"]]  # type: ignore[union-attr,index,call-overload]
    return all(status in ("pass", "not_applicable") for status in statuses)


def across(*relations: Relation, named: str = "") -> Across:
    rule = Rule(lambda v: v["vms"].get(named, [])) if named else None  # type: ignore[union-attr]
    return Across(hosts=relations, checks=("agent",), named=rule)


AGENT = check("agent", object=ObjectType.HOST, passes=Rule(lambda v: v["vms"]["agent"] == 1))  # type: ignore[index,call-overload]
MACHINE = check("machine", passes=Rule(lambda _: True))
MOVABLE = check(
    "movable",
    when=Rule(lambda v: bool(others(v))),
    passes=Rule(ready),
    observed=Rule(lambda v: [str(h["name"]) for h in others(v)]),
    across=across(Relation.CLUSTER, Relation.SEEN, named="nodes"),
)


def book(*more: object) -> Playbook:
    return playbook(probe("vms"), checks=(AGENT, MACHINE, MOVABLE, *more))  # type: ignore[arg-type]


def machine(name: str = "sql01", **more: JSON) -> dict[str, JSON]:
    return {"id": f"id-{name}", "name": name, **more}


def report(
    name: str,
    *machines: dict[str, JSON],
    agent: int = 1,
    minute: int = 0,
    nodes: Sequence[str] = (),
    plays: Playbook | None = None,
    **settings: object,
) -> HostReport:
    return judged(host(name, **settings), {"vms": list(machines), "agent": agent, "nodes": list(nodes)}, minute, plays)


def judged(where: Host, answer: dict[str, JSON], minute: int, plays: Playbook | None) -> HostReport:
    known = facts(vms=answer)
    known = replace(known, meta={**known.meta, "computer": where.name.partition(".")[0].upper()})
    return HostReport(
        host=where,
        started_at=NIGHT,
        ended_at=NIGHT + timedelta(minutes=minute),
        facts=known.packed(),
        findings=judge(where, known, plays or book()),
    )


def unreached(name: str, **settings: object) -> HostReport:
    where = host(name, **settings)
    trouble = Trouble(reason=Reason.UNREACHABLE_REFUSED, stage=Stage.CONNECT, message="the connection is refused")
    findings = judge(where, HostFacts(), book(), trouble)
    return HostReport(
        host=where, started_at=NIGHT, ended_at=NIGHT, facts=HostFacts(), findings=findings, trouble=trouble
    )


def found(reports: Sequence[HostReport], where: str, check_id: str) -> list[Finding]:
    return [f for r in reports for f in r.findings if f.host == where and f.check_id == check_id]


def outcome(reports: Sequence[HostReport], check_id: str = "movable") -> tuple[Status, Reason | None, str]:
    [finding] = found(conclude(book(), reports), "hv01.example", check_id)
    return finding.status, finding.reason, finding.observed


def test_before_all_hosts_are_visited_a_check_across_hosts_passes_nobody() -> None:
    [finding] = found([report("hv01.example", machine())], "hv01.example", "movable")
    assert (finding.status, finding.reason) == (Status.NOT_ASSESSED, Reason.ACROSS_PENDING)


def test_hosts_of_the_same_cluster_count() -> None:
    here = report("hv01.example", machine(), cluster="c1")
    well = report("hv02.example", cluster="c1")
    assert outcome([here, well]) == (Status.PASS, None, "hv02.example")
    sick = report("hv02.example", agent=0, cluster="c1")
    assert outcome([here, sick]) == (Status.FAIL, Reason.CRITERION_FAIL, "hv02.example")
    elsewhere = report("hv02.example", agent=0, cluster="c2")
    assert outcome([here, elsewhere])[0] is Status.NOT_APPLICABLE


def test_hosts_without_a_cluster_are_no_cluster() -> None:
    assert outcome([report("hv01.example", machine()), report("hv02.example", agent=0)])[0] is Status.NOT_APPLICABLE


@pytest.mark.parametrize("name", ["hv02", "HV02.EXAMPLE", "Hv02"])
def test_a_host_is_found_by_the_names_that_its_neighbours_use(name: str) -> None:
    assert outcome([report("hv01.example", machine(), nodes=[name]), report("hv02.example", agent=0)])[2] == (
        "hv02.example"
    )


def test_a_short_name_that_two_hosts_have_is_neither() -> None:
    here = report("hv01.example", machine(), nodes=["hv02"])
    twins = [report("hv02.example"), report("hv02.other", agent=0)]
    assert outcome([here, *twins])[1] is Reason.ACROSS_UNKNOWN_HOST


def test_a_node_that_the_run_has_not_is_never_a_pass() -> None:
    status, reason, _ = outcome([report("hv01.example", machine(), nodes=["hv03"])])
    assert (status, reason) == (Status.NOT_ASSESSED, Reason.ACROSS_UNKNOWN_HOST)


def test_a_node_that_was_left_out_of_the_run_is_told_and_makes_no_host_worse() -> None:
    here = report("hv01.example", machine(), cluster="c1", nodes=["HV03"])
    others = [host("hv02.example", cluster="c1"), host("hv03.example"), host("hv04.example", cluster="c2")]
    [concluded] = conclude(book(), [here], others)
    [finding] = found([concluded], "hv01.example", "movable")
    assert (finding.status, finding.reason) == (Status.NOT_ASSESSED, Reason.ACROSS_LEFT_OUT)
    assert finding.message == "hv02.example was left out of this run; hv03.example was left out of this run"
    assert (concluded.verdict, concluded.open_verdict) == (Status.PASS, Status.PASS)
    assert replace(concluded, findings=tuple(concluded.findings)).verdict is Status.PASS
    assert conclude(book(), [concluded], others) == (concluded,)


def test_what_else_is_missing_outweighs_what_was_left_out() -> None:
    left = [host("hv02.example", cluster="c1")]
    here = report("hv01.example", machine(), cluster="c1", nodes=["hv03"])
    [blind] = conclude(book(), [here], left)
    assert found([blind], "hv01.example", "movable")[0].reason is Reason.ACROSS_UNKNOWN_HOST
    assert blind.verdict is Status.NOT_ASSESSED
    reports = [here, unreached("hv04.example", cluster="c1")]
    assert found(conclude(book(), reports, left), "hv01.example", "movable")[0].reason is Reason.ACROSS_NOT_ASSESSED
    reports = [here, report("hv04.example", agent=0, cluster="c1")]
    assert found(conclude(book(), reports, left), "hv01.example", "movable")[0].status is Status.FAIL


def test_a_check_may_warn_of_hosts_that_nobody_knows() -> None:
    warns = replace(
        MOVABLE,
        passes=Rule(lambda v: all(h["known"] for h in others(v))),
        warns=Rule(lambda _: True),
    )
    plays = playbook(probe("vms"), checks=(AGENT, MACHINE, warns))
    here = report("hv01.example", machine(), cluster="c1", nodes=["hv03"], plays=plays)
    [concluded] = conclude(plays, [here])
    assert found([concluded], "hv01.example", "movable")[0].status is Status.WARN
    [concluded] = conclude(
        plays, [report("hv01.example", machine(), nodes=["hv03"], plays=plays)], [host("hv03.example")]
    )
    assert found([concluded], "hv01.example", "movable")[0].reason is Reason.ACROSS_LEFT_OUT
    reports = [here, unreached("hv04.example", cluster="c1")]
    assert found(conclude(plays, reports), "hv01.example", "movable")[0].reason is Reason.ACROSS_NOT_ASSESSED


def test_a_node_that_was_not_reached_is_never_a_pass_and_says_why() -> None:
    reports = [report("hv01.example", machine(), cluster="c1"), unreached("hv02.example", cluster="c1")]
    [finding] = found(conclude(book(), reports), "hv01.example", "movable")
    assert (finding.status, finding.reason) == (Status.NOT_ASSESSED, Reason.ACROSS_NOT_ASSESSED)
    assert finding.message == "hv02.example: agent could not be judged (unreachable.refused: the connection is refused)"


def test_a_host_that_is_no_such_host_is_never_a_pass() -> None:
    reports = [report("hv01.example", machine(), cluster="c1"), report("sql02", cluster="c1", roles=(Role.GUEST,))]
    assert outcome(reports)[:2] == (Status.NOT_ASSESSED, Reason.ACROSS_NOT_ASSESSED)


def test_a_failure_counts_whatever_else_is_unknown() -> None:
    reports = [
        report("hv01.example", machine(), cluster="c1", nodes=["hv09"]),
        report("hv02.example", agent=0, cluster="c1"),
    ]
    assert outcome(reports)[0] is Status.FAIL


def test_a_host_that_was_not_reached_keeps_its_own_reason() -> None:
    [finding] = found(conclude(book(), [unreached("hv01.example")]), "hv01.example", "movable")
    assert (finding.status, finding.reason) == (Status.NOT_ASSESSED, Reason.UNREACHABLE_REFUSED)


def test_an_expression_that_lists_no_hosts_is_an_error() -> None:
    bad = replace(MOVABLE, across=replace(across(Relation.SEEN), named=Rule(lambda _: 3)))
    plays = playbook(probe("vms"), checks=(AGENT, bad))
    reports = conclude(plays, [report("hv01.example", machine(), plays=plays)])
    assert [f.reason for f in found(reports, "hv01.example", "movable")] == [Reason.CHECK_EXPRESSION]


def test_a_machine_on_two_hosts_is_told_where_it_was_seen_last() -> None:
    early = report("hv01.example", machine(), machine("web03"), minute=1)
    late = report("hv02.example", machine(), minute=5)
    concluded = conclude(book(), [early, late])
    moved, stayed = found(concluded, "hv01.example", "machine")
    assert (moved.status, moved.reason) == (Status.NOT_APPLICABLE, Reason.OBJECT_MOVED)
    assert "hv02.example" in moved.message
    assert stayed.status is Status.PASS
    assert [f.status for f in found(concluded, "hv02.example", "machine")] == [Status.PASS]
    assert [f.observed for f in found(concluded, "hv02.example", "movable")] == ["hv01.example"]


def test_a_replica_is_no_second_machine() -> None:
    concluded = conclude(
        book(), [report("hv01.example", machine()), report("hv02.example", machine(replica=True), minute=5)]
    )
    assert [f.status for r in concluded for f in r.findings if f.check_id == "machine"] == [Status.PASS, Status.PASS]


def test_a_later_run_over_more_hosts_keeps_nothing_of_an_earlier_conclusion() -> None:
    early, late = report("hv01.example", machine(), minute=1), report("hv02.example", machine(), minute=5)
    once = conclude(book(), [early, late])
    back = report("hv02.example", minute=9)
    again = conclude(book(), [once[0], back])
    assert [f.status for f in found(again, "hv01.example", "machine")] == [Status.PASS]
    assert conclude(book(), once) == once


def test_a_fleet_is_named_after_what_its_hosts_share() -> None:
    fleet = check(
        "fleet",
        object=ObjectType.FLEET,
        passes=Rule(lambda v: all(f["status"] == "pass" for h in v["hosts"] for f in h["findings"])),  # type: ignore[union-attr,index,call-overload]
        message=Words("{fleet[name]} differs"),
        across=across(Relation.CLUSTER),
    )
    plays = book(fleet)
    reports = conclude(
        plays,
        [
            report("hv01.example", cluster="c1", plays=plays),
            report("hv02.example", cluster="c1", agent=0, plays=plays),
            report("hv03.example", plays=plays),
        ],
    )
    told = [(f.host, f.object_name, f.status) for r in reports for f in r.findings if f.check_id == "fleet"]
    assert told == [
        ("hv01.example", "c1", Status.FAIL),
        ("hv02.example", "c1", Status.FAIL),
        ("hv03.example", "hv03.example", Status.PASS),
    ]
    assert found(reports, "hv01.example", "fleet")[0].message == "c1 differs"


def test_a_guest_is_found_by_the_id_that_it_tells() -> None:
    inside = check("inside", object=ObjectType.GUEST, roles=(Role.GUEST,), passes=Rule(lambda _: True))
    outside = check(
        "outside",
        passes=Rule(lambda v: len(v["hosts"]) == 1),  # type: ignore[arg-type]
        observed=Rule(lambda v: [str(h["name"]) for h in v["hosts"]]),  # type: ignore[union-attr,index,call-overload]
        across=Across(hosts=(Relation.GUEST,), checks=()),
    )
    plays = playbook(probe("vms"), checks=(inside, outside))
    guest = judged(host("db", roles=(Role.GUEST,)), {"guest": {"id": "ID-SQL01", "name": "sql01"}}, 0, plays)
    reports = conclude(plays, [report("hv01.example", machine(), machine("web03"), plays=plays), guest])
    told = {f.object_name: (f.status, f.observed) for f in found(reports, "hv01.example", "outside")}
    assert told == {"sql01": (Status.PASS, "db"), "web03": (Status.FAIL, "")}


def test_a_guest_is_helped_by_what_its_host_says_and_waits_for_nobody() -> None:
    inside = check(
        "inside",
        object=ObjectType.GUEST,
        roles=(Role.GUEST,),
        passes=Rule(lambda v: bool(v["hosts"])),
        observed=Rule(lambda v: [f"{h['name']} {f['check']} {f['status']}" for h in v["hosts"] for f in h["findings"]]),  # type: ignore[union-attr,index,call-overload]
        across=Across(hosts=(Relation.MACHINE,), checks=("machine", "agent")),
    )
    plays = playbook(probe("vms"), checks=(AGENT, MACHINE, inside))
    guest = judged(host("db", roles=(Role.GUEST,)), {"guest": {"id": "ID-SQL01", "name": "sql01"}}, 0, plays)
    owner = report("hv01.example", machine(), machine("web03"), plays=plays)

    def said(*reports: HostReport) -> tuple[Status, str]:
        [finding] = found(conclude(plays, [guest, *reports]), "db", "inside")
        return finding.status, finding.observed

    assert said(owner) == (Status.PASS, "hv01.example machine pass, hv01.example agent pass")
    assert said(report("hv02.example", machine("web03"), plays=plays)) == (Status.FAIL, "")
    silent = replace(owner, findings=tuple(f for f in owner.findings if f.check_id != "agent"))
    assert said(silent) == (Status.PASS, "hv01.example machine pass")


def test_a_machine_that_only_other_probes_name_is_judged_too() -> None:
    plays = playbook(probe("vms"), probe("more"), checks=(AGENT, MOVABLE))
    known = facts(vms={"vms": [], "agent": 1, "nodes": []}, more={"vms": [machine("late")]})
    where = host("hv01.example")
    visit = HostReport(host=where, started_at=NIGHT, ended_at=NIGHT, facts=known, findings=judge(where, known, plays))
    [finding] = found(conclude(plays, [visit]), "hv01.example", "movable")
    assert (finding.object_name, finding.status) == ("late", Status.NOT_APPLICABLE)
