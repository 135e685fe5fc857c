"""CEL gets what the expressions of a check read, and nothing that they read is missing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fleetscan.model.playbook import JSON
from fleetscan.playbook import builtin_names, expression
from fleetscan.playbook.expression import Engine
from fleetscan.playbook.fields import read
from fleetscan.playbook.reads import Path, Reads
from fleetscan.rehearsal import rehearse
from tests.playbooks.support import builtin, suite

VM: JSON = {
    "name": "sql01",
    "replication": {"mode": 1, "health": {"code": 2, "text": "x"}},
    "disks": [{"path": "a", "gib": 1.0}],
    "mode": "replication",
}


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("vm.name == 'a'", {("name",)}),
        ("vm.replication.health.code == 2", {("replication", "health", "code")}),
        ("vm.?replication.?health.?code.orValue(0) == 2", {("replication", "health", "code")}),
        ("vm.replication['health'].code == 2", {("replication", "health", "code")}),
        ("has(vm.replication.health)", {("replication", "health")}),
        ("vm.replication.health == vm.name", {("replication", "health"), ("name",)}),
        ("vm[vm.mode].mode == 1", {()}),
        ("vm.replication[vm.mode].code == 2", {("replication",), ("mode",)}),
        ("vm.disks[0].path == 'a'", {("disks",)}),
        ("vm.disks.exists(d, d.path == vm.name)", {("disks",), ("name",)}),
        ("[vm].exists(v, v.name == 'a')", {()}),
        ("cel.bind(r, vm.replication, r.mode == 1)", {("replication",)}),
        ("vm.?replication.optMap(r, r.mode).orValue(0) == 1", {("replication",)}),
        ("(vm.mode == 'x' ? vm.replication : vm.replication.health).code == 2", {("mode",), ("replication",)}),
        ("size(vm) == 4", {()}),
        ("'name' in vm", {()}),
    ],
)
def test_the_paths_that_an_expression_reads(text: str, paths: set[Path]) -> None:
    tree = Engine(["vm"]).compile(text)[1]
    used = read(tree, {"vm": None}, {}).used["vm"]
    assert {path for path in used if not any(path[:size] in used for size in range(len(path)))} == paths
    engine = Engine(["vm"])
    program = engine.compile(text)[0]
    whole, part = (engine.bind({"vm": VM}).part(Reads({"vm": reads})).activation for reads in ([()], used))
    assert program.eval(part).plain_value() == program.eval(whole).plain_value()


def test_nothing_else_is_handed_over() -> None:
    values: dict[str, JSON] = {"vm": VM, "host": {"name": "hv01"}, "vms": {"vms": [VM]}}
    reads = Reads(
        {"vm": [("replication", "mode"), ("name",), ("gone", "x")], "host": [("name", "first")], "none": [()]}
    )
    assert reads.of(values) == {"vm": {"name": "sql01", "replication": {"mode": 1}}, "host": {"name": "hv01"}}


@pytest.mark.parametrize("name", builtin_names())
def test_every_case_of_the_built_in_playbooks_comes_to_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that the host said, and nothing remembered, an expression says what it says with what it reads."""
    sparing = [performance.findings for performance in rehearse(builtin(name), suite(name).rehearsals)]

    def everything(_: Reads, variables: Mapping[str, JSON]) -> dict[str, JSON]:
        return dict(variables)

    monkeypatch.setattr(Reads, "of", everything)
    monkeypatch.setattr(expression, "LONGEST_KNOWN", 0)
    assert [performance.findings for performance in rehearse(builtin(name), suite(name).rehearsals)] == sparing
