"""Mistakes in expressions that CEL cannot see are found when a playbook is loaded."""

from __future__ import annotations

import pytest

from tests.playbook.conftest import Folder

CHECK = "checks/backup-on.yaml"
PASS = "pass: vm.?backup.?enabled.orValue(false)"

MISTAKES = {
    "vm.bakcup.enabled": ('4 there is no field "bakcup"', 'did you mean "backup"?'),
    "vm.backup.enabeld": ('11 there is no field "enabeld"', 'did you mean "enabled"?'),
    "vm.?bakcup.?enabled.orValue(false)": ('5 there is no field "bakcup"', "backup"),
    "vm.?backup.?enabeld.orValue(false)": ('13 there is no field "enabeld"', "enabled"),
    'vm["bakcup"].enabled': ('5 there is no field "bakcup"', "backup"),
    'vm[?"bakcup"].hasValue()': ('6 there is no field "bakcup"', "backup"),
    "has(vm.bakcup)": ('8 there is no field "bakcup"', "backup"),
    "has(vm.backup.enabeld)": ('15 there is no field "enabeld"', "enabled"),
    "vm.disks.exists(d, d.gbi > 1.0)": ('22 there is no field "gbi"', "gib"),
    "vm.disks.all(d, has(d.gbi))": ('23 there is no field "gbi"', "gib"),
    "vm.disks[0].pth == 'x'": ('13 there is no field "pth"', "path"),
    "vm.disks.filter(d, d.gib > 1.0).map(d, d.pth).size() > 0": ('42 there is no field "pth"', "path"),
    "vm.disks.map(d, d.path).exists(p, p.x == 1)": ('37 a text has no field "x"', ""),
    "vm.disks.gib > 1": ('10 a list has no field "gib"', ""),
    "cel.bind(b, vm.backup, b.enabeld)": ('26 there is no field "enabeld"', "enabled"),
    "vm.?backup.optMap(b, b.enabeld).orValue(false)": ('24 there is no field "enabeld"', "enabled"),
    "vms.vms.exists(v, v.bakcup.enabled)": ('21 there is no field "bakcup"', "backup"),
    "host.nme == 'x'": ('6 there is no field "nme"', "name"),
    "vmm.size > 1": ('1 there is no variable or function "vmm"', "vm"),
    "services.count > 1": ('1 the probe "services" is not among the probes of this check', "add services"),
    "disk.size > 1": ("1 a check with object: vm has no `disk`", ""),
    "guest.name == 'x'": ("1 a check with object: vm has no `guest`", ""),
    "vm.state == 1": ("10 == compares a text with a number", ""),
    "vm.size != 'x'": ("9 != compares a number with a text", ""),
    "vm.backup.enabled == 'true'": ("19 == compares true or false with a text", ""),
    "vm.backup == null": ("11 null is dropped", "has(a.b)"),
    "vm.?backup == vm.backup": ("12 == compares an optional value", ".orValue(…)"),
    "vm.backup.since < host.now": ("17 < compares times as texts", "timestamp(…)"),
    "host.now - timestamp(vm.backup.since) < duration('1h')": (
        "10 - cannot join a text and a timestamp",
        "timestamp(…)",
    ),
    "timestamp(host.now) > vm.backup.since": ("21 > compares a timestamp with a text", "timestamp(…)"),
    "vm.size + 'a' == '1'": ("9 + cannot join a number and a text", "string(…)"),
    "vm.size / 2.5 > 1.0": ("9 / cannot mix whole numbers and others", "double(…)"),
    "vm.state && true": ("3 && needs true or false, this is a text", ""),
    "!vm.size": ("4 ! needs true or false, this is a number", ""),
    "vm.?backup.?enabled || true": ("|| does not take", ""),
    "vm.size.startsWith('a')": ("19 startsWith() needs a text, this is a number", ""),
    "1 in host.roles": ("3 `in` looks for a number among items that are each a text", ""),
    "vm.state.exists(c, c == 'x')": ("3 a loop needs a list, this is a text", ""),
    "vm.state": ("1 the expression gives a text, not true or false", ""),
    "vm.backup": ("1 the expression gives an object, not true or false", ""),
    "vm.size + 1": ("1 the expression gives a number, not true or false", ""),
    "'x'": ("1 the expression gives a text, not true or false", ""),
    "vm.name.size()": ("1 the expression gives a number, not true or false", ""),
    "vm.?backup.?enabled": ("1 the expression gives an optional value", ".orValue(…)"),
    "vm.state ==": ("12 mismatched input end of the expression", ""),
}

FINE = [
    "vm.size > 1.5",
    "vm.disks.exists(d, d.gib > 1)",
    "vm.disks.map(d, d.gib).all(g, g < 5.0)",
    "timestamp(host.now) - timestamp(vm.backup.since) < duration('1h')",
    "vm.?backup.optMap(b, b.enabled).orValue(false)",
    "cel.bind(b, vm.backup, b.enabled)",
    "'hyperv' in host.roles && host.?elevated.orValue(false)",
    "vms.vms.exists(v, v.id == vm.id)",
    "size(vm.disks) > 0 ? vm.backup.enabled : false",
    "string(vm.size) == '1' || vm.name.lowerAscii().matches('^a')",
    "vm.disks.all(d, d.path in ['a', 'b'])",
    "{'a': vm.size}['a'] == 1",
    "vm.backup.?since.hasValue() && timestamp(vm.backup.since) + duration('1h') < timestamp(host.now)",
    "vm.disks.map(vm, vm.path).size() == 1",
    "math.greatest(vm.size, 3) > 3",
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES.items())
def test_mistakes(folder: Folder, text: str, expected: tuple[str, str]) -> None:
    folder.replace(CHECK, PASS, f"pass: |\n  {text}")
    message, cure = expected
    column, _, message = message.partition(" ") if message[0].isdigit() else ("", "", message)
    found = folder.mistakes()
    assert len(found) == 1, found
    place = f"{CHECK}:10:{int(column) + 2}: pass: " if column else f"{CHECK}:10:"
    assert found[0].startswith(place), found
    assert message in found[0]
    assert cure in found[0]


@pytest.mark.parametrize("text", FINE)
def test_what_is_right_is_taken(folder: Folder, text: str) -> None:
    folder.replace(CHECK, PASS, f"pass: |\n  {text}")
    folder.load()


def test_maps_take_any_key(folder: Folder) -> None:
    expression = "services.services.?whatever.?state.orValue('') == 'x' && services.services.all(k, k != '')"
    folder.replace(
        "checks/service-runs.yaml",
        'pass: services.services.?vmms.?state.orValue("") == "Running"',
        f"pass: {expression}",
    )
    folder.load()


def test_what_is_in_a_map_is_known(folder: Folder) -> None:
    folder.replace("checks/service-runs.yaml", '.?vmms.?state.orValue("") == ', ".vmms.stat == ")
    assert folder.mistakes() == ['checks/service-runs.yaml:8:30: pass: there is no field "stat"; did you mean "state"?']


def test_entries_of_several_probes_are_one_object(folder: Folder) -> None:
    folder.write(
        "probes/replicas.yaml",
        "title: Replicas\nroles: [hyperv]\nneeds: x\nanswer:\n  vms: [{id: guid, name: string, health: string}]\n",
    )
    folder.write("probes/replicas.ps1", "@{ vms = @() }\n")
    folder.replace(CHECK, "probes: [vms]", "probes: [vms, replicas]")
    folder.replace(CHECK, PASS, "pass: vm.health == 'Normal' && vm.size > 0")
    folder.load()


def test_templates_are_read_too(folder: Folder) -> None:
    folder.replace(CHECK, "{vm.name}", "{vm.nmae}")
    assert folder.mistakes() == [f'{CHECK}:13:35: remedy.text: there is no field "nmae"; did you mean "name"?']


def test_a_value_that_is_shown_may_be_anything_but_optional(folder: Folder) -> None:
    folder.replace(CHECK, "remedy:", "observed: vm.disks\nremedy:")
    folder.load()
    folder.replace(CHECK, "observed: vm.disks", "observed: vm.?backup")
    assert "gives an optional value" in folder.mistakes()[0]
