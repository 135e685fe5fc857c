"""The terminal: golden screens, what must be on them, and that nothing breaks their frame."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetscan.errors import ExitStatus
from fleetscan.model.finding import Status
from fleetscan.model.host import Role
from fleetscan.model.playbook import DataSource, Severity
from fleetscan.model.reasons import Reason
from fleetscan.model.run import RunReport
from fleetscan.model.text import display_width
from fleetscan.report.table import render
from tests.report import morning
from tests.report.factory import finding, host, run, unreached, visit, vm_id
from tests.report.hostile import TEXTS, runs

GOLDEN = Path(__file__).parent / "golden"
Show = Literal["problems", "all", "quiet"]
ANSI = re.compile(r"\x1b\[(?:31|33|36|0)m")


def screen(report: RunReport, width: int = 100, show: Show = "problems", *, color: bool = False) -> str:
    return render(
        report,
        width=width,
        color=color,
        show=show,
        written=["nightly.csv (141 rows)", "nightly.json (141 findings)"],
        exit_status=ExitStatus.FINDINGS,
        again="fleetscan scan -i inventory/paris.yaml -l hv09.paris.corp.example",
        plan="fleetscan plan 20261124-0200-k3f7 --check",
    )


def widths(text: str) -> set[int]:
    return {display_width(line) for line in text.split("\n")}


@pytest.mark.parametrize(
    ("name", "report", "width", "show"),
    [
        ("fleet-80", morning.fleet, 80, "problems"),
        ("fleet-100", morning.fleet, 100, "problems"),
        ("fleet-140", morning.fleet, 140, "problems"),
        ("fleet-all-100", morning.fleet, 100, "all"),
        ("fleet-quiet-100", morning.fleet, 100, "quiet"),
        ("many-80", morning.many, 80, "problems"),
        ("dead-80", morning.dead, 80, "problems"),
        ("mixed-100", morning.mixed, 100, "problems"),
    ],
)
def test_screens_are_as_they_were_approved(name: str, report: type[RunReport], width: int, show: Show) -> None:
    """FLEETSCAN_GOLDEN=write writes them anew: look at each of them before it is committed."""
    path = GOLDEN / f"{name}.txt"
    text = screen(report(), width, show) + "\n"
    if os.environ.get("FLEETSCAN_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


@settings(max_examples=100, deadline=None)
@given(runs(), st.integers(40, 150), st.sampled_from(["problems", "all", "quiet"]))
def test_no_text_breaks_the_frame(report: RunReport, width: int, show: Show) -> None:
    text = screen(report, width, show)
    assert max(widths(text)) <= width
    text.encode()
    assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") and char != "\n"]
    assert not set(text) & set("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    assert not any(char >= "\U000f0000" for char in text)
    assert all(line == line.rstrip() for line in text.split("\n"))
    colored = screen(report, width, show, color=True)
    assert ANSI.sub("", colored) == text


@pytest.mark.parametrize("text", TEXTS)
def test_known_harm_keeps_its_columns_in_line(text: str) -> None:
    """The column after a hostile cell begins where it begins in every other row."""
    name = "hv01.example"
    rows = [
        finding(name, "some-check", Status.FAIL, vm=vm, observed="MARK", severity=Severity.LOW)
        for vm in ("plain", text)
    ]
    lines = [line for line in screen(run([visit(host(name), rows)]), 120).split("\n") if "MARK" in line]
    assert len({display_width(line.partition("MARK")[0]) for line in lines}) == 1
    assert len(lines) == (1 if text == "plain" else 2)


@pytest.mark.parametrize("width", [0, 1, 20, 39, 40])
def test_a_narrow_terminal_still_shows_what_is_wrong(width: int) -> None:
    text = screen(morning.fleet(), width)
    assert max(widths(text)) <= 40
    assert "hv07.paris.corp.example" in text
    assert "FAIL" in text
    assert "unreachable.refused" in text


def test_two_thousand_hosts_with_one_fault_fit_on_one_screen() -> None:
    """Of the approved screens, which are compared above: rendering them takes seconds."""
    for name in ("many-80", "dead-80"):
        lines = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
        assert len(lines) <= 24
        assert sum("hv[0001-2000].paris.corp.example" in line for line in lines) == 1
        assert any("2,000 hosts" in line for line in lines)


def test_a_fleet_that_fails_in_many_ways_names_each_check_and_each_host() -> None:
    report = morning.mixed()
    text = screen(report)
    failing = {found.check_id for _, found in report.findings() if found.status is Status.FAIL}
    assert all(f"\nFAIL    {severity}" in text for severity in ("critical", "high", "medium", "low"))
    assert all(re.search(rf"^FAIL .* {check} ", text, re.MULTILINE) for check in failing)
    assert "hv[016-031,048-060].paris.corp.example" in text
    assert "--all" in text
    assert len(text.split("\n")) < 100


def test_the_rows_by_check_keep_to_a_screen() -> None:
    names = [f"hv{number:02}.example" for number in range(20)]
    hosts = [visit(host(name), [finding(name, f"check-{name[2:4]}", Status.FAIL)]) for name in names]
    text = screen(run(hosts))
    assert len(re.findall(r"^FAIL ", text, re.MULTILINE)) == 12
    assert "… and 8 more checks" in text


def test_problems_come_before_warnings_and_critical_before_high() -> None:
    text = screen(morning.fleet())
    places = [
        text.index(mark)
        for mark in (
            "FAIL    critical  sql01",
            "FAIL    high      web03",
            "warn    medium    web03",
            "hv09",
            "· WARN ·",
        )
    ]
    assert places == sorted(places)


def test_one_remedy_names_all_objects_of_a_check() -> None:
    text = screen(morning.fleet())
    assert text.count("Remedy: Enable the backup integration service of sql08, web08, app08, file08.") == 1
    assert "each VM gets no application-consistent snapshots" in text


def test_a_remedy_is_shown_whole_and_a_command_in_it_keeps_the_id_of_its_object() -> None:
    name = "hv01.example"
    steps = " ".join(f"Step {number} is to do as the handbook of this house says." for number in range(8))
    found = [finding(name, "check", Status.FAIL, vm=vm, remedy=f"Get-VM -Id {vm_id(vm)}. {steps} End.") for vm in "ab"]
    flat = " ".join(screen(run([visit(host(name), found[:1])]), 80).split())
    assert f"Remedy: Get-VM -Id {vm_id('a')}. {steps} End." in flat
    assert "Remedy: Get-VM -Id <id>. Step 0" in screen(run([visit(host(name), found)]))


def test_objects_that_share_a_row_are_still_named() -> None:
    name, vms = "hv01.example", [f"{word}-{number:02}" for word in ("sql", "web", "file") for number in range(1, 5)]
    found = [
        finding(name, "check", Status.FAIL, vm=vm, observed="off", message=f"{vm} is off", remedy=f"Switch {vm} on.")
        for vm in vms
    ]
    text = screen(run([visit(host(name), found)]))
    assert re.search(r"FAIL +high +12 VMs +check +off", text)
    assert "check: each VM is off" in text
    assert "Remedy: Switch sql-[01-04], web-[01-04], file-[01-04] on." in text
    longer = [replace(each, remedy="Switch it on.") for each in found]
    assert "    VMs: sql-[01-04], web-[01-04], file-[01-04]\n" in screen(run([visit(host(name), longer)]))


def test_a_host_with_very_many_failures_is_told_in_short() -> None:
    name = "hv01.example"
    found = [
        finding(name, f"check-{number:02}", Status.FAIL, vm=f"vm{vm}", observed=f"{vm} %", remedy="Mend it.")
        for number in range(20)
        for vm in range(10)
    ]
    report = run([visit(host(name), found)])
    text = screen(report)
    assert len(re.findall(r"^  FAIL ", text, re.MULTILINE)) == 15
    assert "… and 5 more rows" in text
    assert text.count("Remedy: ") == 5
    assert "… and the remedies of 15 more checks" in text
    assert "--all" in text
    assert "--all" not in screen(run([visit(host(name), found[:1])]))


def test_what_passes_or_does_not_apply_is_shown_on_demand_only() -> None:
    report = run([visit(host("hv01"), [finding("hv01", "fine"), finding("hv01", "elsewhere", Status.NOT_APPLICABLE)])])
    assert "fine" not in screen(report)
    assert "elsewhere" not in screen(report)
    assert "No problems were found." in screen(report)
    assert "fine" in screen(report, show="all")
    assert "elsewhere" in screen(report, show="all")


def test_a_host_that_was_cut_off_shows_its_failures_and_its_trouble() -> None:
    lost = unreached(host("hv01.example"), ["late-check"], Reason.TIMEOUT_HOST, message="not finished within 60 s")
    failed = finding("hv01.example", "early-check", Status.FAIL, observed="bad")
    text = screen(run([replace(lost, findings=(failed, *lost.findings))]))
    assert "FAIL · timeout.host" in text
    assert "not finished within 60 s" in text
    assert re.search(r"FAIL +high +this host +early-check +bad", text)


def test_hosts_in_different_trouble_are_not_folded() -> None:
    reasons = (Reason.UNREACHABLE_DNS, Reason.AUTH_REJECTED, Reason.UNREACHABLE_DNS)
    hosts = [unreached(host(f"hv{n}"), ["check"], reason, message="no") for n, reason in enumerate(reasons, 1)]
    text = screen(run(hosts))
    assert "hv[1,3] · 2 hosts · hyperv · NOT ASSESSED · unreachable.dns" in text
    assert "hv2 · hyperv · NOT ASSESSED · auth.rejected" in text


def test_hosts_with_the_same_findings_are_folded_and_others_are_not() -> None:
    def one(number: int, observed: str) -> object:
        name = f"hv{number}.example"
        found = finding(
            name, "check", Status.FAIL, observed=observed, message=f"{name} is broken", remedy=f"Mend hv{number}."
        )
        return visit(host(name), [found])

    text = screen(run([one(1, "a"), one(2, "b"), one(3, "a")]))  # type: ignore[list-item] # typed loosely above
    assert "hv[1,3].example · 2 hosts" in text
    assert "check: each host is broken" in text
    assert "Remedy: Mend each host." in text
    assert "\nhv2.example · hyperv · FAIL" in text
    assert "Remedy: Mend hv2." in text


def test_no_host_name_is_ever_cut() -> None:
    names = ["a" * 60 + "." + "b" * 60 + ".example", "hv07.paris.corp.example", "主机" * 12 + ".example"]
    hosts = [visit(host(name), [finding(name, f"check-{i}", Status.FAIL)]) for i, name in enumerate(names)]
    for width in (40, 80, 100):
        text = re.sub(r"\n +", "", screen(run(hosts), width))
        assert all(name in text for name in names)


def test_colours_are_three_and_only_on_words_of_status() -> None:
    text = screen(morning.fleet(), color=True)
    painted = set(re.findall(r"\x1b\[(\d+)m([^\x1b]*)\x1b\[0m", text))
    assert painted == {
        ("31", "FAIL"),
        ("33", "warn"),
        ("33", "WARN"),
        ("36", "NOT"),
        ("36", "ASSESSED"),
        ("36", "not"),
        ("36", "assessed"),
        ("36", "error"),
    }


@pytest.mark.parametrize("status", ExitStatus)
def test_the_last_lines_say_how_the_process_ends(status: ExitStatus) -> None:
    text = render(morning.fleet(), width=200, exit_status=status, again="fleetscan scan -i x.yaml")
    lines = text.split("\n")
    assert lines[-1] == "Again: fleetscan scan -i x.yaml"
    assert lines[-2].startswith(f"Exit {status.value}: {status.meaning}")


def test_a_long_command_can_be_copied_from_the_screen() -> None:
    again = "fleetscan scan -i inventory/paris.yaml -i inventory/lyon.yaml -l hv09.paris.corp.example,hv10.paris.corp"
    lines = render(morning.fleet(), width=60, again=again).split("\n")
    start = lines.index("Again:") + 1
    assert all(line.endswith(" \\") for line in lines[start:-1])
    assert " ".join(" ".join(lines[start:]).replace("\\", "").split()) == again


def test_notices_and_interruption_stand_at_the_top() -> None:
    text = screen(run([], notices=("TLS was not verified for hv01",), interrupted=True))
    assert text.split("\n")[1].startswith("Interrupted")
    assert text.split("\n")[2] == "Notice: TLS was not verified for hv01"


def test_old_lists_are_told_with_their_age() -> None:
    lists = (
        DataSource(id="versions", as_of="2025-10", source="https://example.com/new"),
        DataSource(id="matrix", as_of="2026-05", source="https://example.com/matrix"),
    )
    told = [line for line in screen(run([], data=lists), 120).split("\n") if "list" in line]
    assert told == [
        "Old lists: versions (2025-10, 13 months). `fleetscan playbook show` names sources, --data takes newer ones."
    ]


def test_quiet_is_one_line_that_fits() -> None:
    assert screen(morning.fleet(), 200, "quiet") == (
        "12 hosts: 3 pass, 5 warn, 3 fail, 1 not assessed · "
        "141 findings: 107 pass, 8 warn, 7 fail, 1 error, 10 not assessed, 8 not applicable · exit 3 · 8.4 s"
    )
    for width in (40, 60, 80, 100):
        line = screen(morning.fleet(), width, "quiet")
        assert "\n" not in line
        assert len(line) <= width
        assert line.startswith("12 hosts")


def test_more_zones_than_a_screen_has_lines_still_add_up() -> None:
    hosts = [visit(host(f"hv{n}", zone=f"zone{n:02}"), [finding(f"hv{n}", "check")]) for n in range(40)]
    hosts.append(visit(host("bad", Role.VMM, zone="zone99"), [finding("bad", "check", Status.FAIL)]))
    lines = screen(run(hosts)).split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("Fleet"))
    rows = lines[start + 1 : lines.index("", start)]
    assert len(rows) == 12
    assert rows[0].startswith("zone99/vmm")
    assert sum(int(re.split(r"  +", row)[1]) for row in rows) == 41


def test_a_failure_without_words_is_told_by_what_is_required() -> None:
    found = finding("hv01", "check", Status.FAIL, check_title="vmms runs", message="vmms runs")
    assert "check: required: vmms runs" in screen(run([visit(host("hv01"), [found])]))


def test_a_cell_that_is_far_too_long_gives_way_before_the_others_lose_anything() -> None:
    wanted = "5.24.902.11 or newer (list of 2025-10)"
    failed = finding("hv1.example", "agent-version", Status.FAIL, observed="x" * 100, expected=wanted)
    text = screen(run([visit(host("hv1.example"), [failed])]), width=150)
    assert wanted in text
    assert "x" * 50 in text


def test_hosts_beyond_the_screen_still_say_why_they_were_not_assessed() -> None:
    reasons = [reason for reason in Reason if reason.family in {"unreachable", "tls", "quota", "protocol", "answer"}]
    names = (f"hv{number:02}.example" for number in range(len(reasons)))
    reports = [unreached(host(name), ["check"], reason) for name, reason in zip(names, reasons, strict=True)]
    assert len(reports) > 12
    lines = screen(run(reports)).split("\n")
    rest = lines[lines.index("More hosts that were not assessed:") + 1 :]
    told = [line.split(" · ")[0].strip() for line in rest[: rest.index("")]]
    assert told
    assert set(told) <= {reason.value for reason in reasons}
