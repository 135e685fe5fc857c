"""Loading a playbook: what is good comes compiled, what is wrong is told with place and cure, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetscan.errors import ExpressionError, InputError
from fleetscan.model.host import Role
from fleetscan.model.playbook import Language, ObjectType, Severity
from fleetscan.playbook import load, select
from fleetscan.playbook.shape import Kind
from tests.playbook.conftest import FILES, Folder

VM = "checks/backup-on.yaml"
SERVICE = "checks/service-runs.yaml"
VMS = "probes/vms.yaml"
ONLY_READS = "a probe only reads; docs/read-only.md lists the commands that it may call"
OTHER_KEY = "add them, or use another key"
PASS = "pass: vm.?backup.?enabled.orValue(false)"


def test_a_good_playbook(folder: Folder) -> None:
    book = folder.load()
    assert (book.name, book.title, book.version) == ("small", "A small playbook", "1.0")
    assert [check.id for check in book.checks] == ["service-runs", "backup-on"]
    assert dict(book.articles) == {"A-1": "The service runs", "A-2": "The machines are sound"}
    check = book.checks[1]
    assert (check.object, check.severity, check.roles) == (ObjectType.VM, Severity.HIGH, (Role.HYPERV,))
    assert (check.probes, check.article, check.tags) == (("vms",), ("A-2",), ("vms", "backup"))
    assert check.remedy.action == "enable-backup"
    assert check.fails is None
    probe = book.probes["vms"]
    assert (probe.language, probe.timeout, probe.order) == (Language.POWERSHELL, 60, 50)
    assert probe.origin.endswith("small/probes/vms.yaml")


def test_what_is_loaded_works(folder: Folder) -> None:
    check = folder.load().checks[1]
    book = folder.load()
    check = book.checks[1]
    vm = {"id": "1", "name": "sql01", "state": "Running", "size": 4, "backup": {"enabled": False}, "disks": []}
    bound = book.bind({"host": {"name": "hv01"}, "vm": vm, "vms": {"vms": [vm]}})
    assert check.when is not None
    assert check.warns is not None
    assert check.when.evaluate(bound) is True
    assert check.passes.evaluate(bound) is False
    assert check.warns.evaluate(bound) is True
    assert check.warns.position.endswith("backup-on.yaml:11")
    assert check.remedy.text.render(bound) == "Enable it for sql01."


def test_a_verdict_that_is_none_is_an_error(folder: Folder) -> None:
    folder.write(
        "probes/vms.yaml", FILES["probes/vms.yaml"].replace("disks: [", 'extra: {"*": string}\n      disks: [')
    )
    folder.replace(VM, PASS, "pass: 'vm.size > 3 ? true : dyn(vm.extra[\"a\"])'")
    book = folder.load()
    bound = book.bind({"vm": {"size": 1, "extra": {"a": "y"}}})
    with pytest.raises(ExpressionError, match=r"it gave 'y', not true or false"):
        book.checks[1].passes.evaluate(bound)


def test_checks_stand_in_the_order_of_the_article_items(folder: Folder) -> None:
    folder.replace("playbook.yaml", "  A-1: The service runs\n  A-2: The machines are sound", "  A-2: x\n  A-1: y")
    assert [check.id for check in folder.load().checks] == ["backup-on", "service-runs"]


def test_line_ends_of_windows_are_the_same(folder: Folder) -> None:
    for name, text in FILES.items():
        folder.write(name, text.replace("\n", "\r\n"))
    assert "\r" not in folder.load().probes["vms"].text


FLEET_CURE = "add across: {hosts: [cluster]}, or write host, vm, disk or guest"
RELATIONS = "cluster, vmm_server, seen, guest, machine"
GUEST_CURE = "write seen, or object: guest"

MISTAKES = {
    "misspelt key": (
        [(VM, "severity: high", "severty: high")],
        [f'{VM}:1:1: "severity" is missing; add it', f'{VM}:6:1: unknown key "severty"; did you mean "severity"?'],
    ),
    "unknown severity": (
        [(VM, "severity: high", "severity: urgent")],
        [f'{VM}:6:11: severity: "urgent" is not one of critical, high, medium, low, info'],
    ),
    "unknown role": (
        [(VM, "roles: [hyperv]", "roles: [hyprv]")],
        [f'{VM}:4:9: roles[0]: "hyprv" is not one of hyperv, vmm, guest, linux-guest; did you mean "hyperv"?'],
    ),
    "unknown object": (
        [(VM, "object: vm", "object: vmm")],
        [f'{VM}:5:9: object: "vmm" is not one of host, vm, guest, disk, fleet; did you mean "vm"?'],
    ),
    "no roles": ([(VM, "roles: [hyperv]", "roles: []")], [f"{VM}:4:8: roles: is empty; name at least one"]),
    "no probes": ([(VM, "probes: [vms]", "probes: []")], [f"{VM}:7:9: probes: is empty; name at least one"]),
    "a role that the probe lacks": (
        [(VM, "roles: [hyperv]", "roles: [hyperv, vmm]")],
        [f'{VM}:7:10: the probe "vms" is not asked on hosts with role vmm; add the role there, or remove it here'],
    ),
    "unknown probe": ([(VM, "probes: [vms]", "probes: [vm]")], [f'{VM}:7:10: unknown probe "vm"; did you mean "vms"?']),
    "listed in vain": (
        [(VM, "probes: [vms]", "probes: [vms, services]")],
        [f'{VM}:7:15: nothing of the probe "services" is read; remove it'],
    ),
    "no objects": (
        [
            (VM, "probes: [vms]", "probes: [services]"),
            (VM, "when: vm.state", "when: services.count > 0 #"),
            (VM, PASS, "pass: 'true'"),
            (VM, "warn: |\n  has(vm.backup)\n    && vm.size > 3\n", ""),
        ],
        [f'{VM}:7:9: none of the probes lists objects of type vm under "vms"; add a probe whose answer has vms'],
    ),
    "unknown article item": (
        [(VM, "[A-2]", "[A-3]")],
        [f'{VM}:3:11: unknown article item "A-3"; did you mean "A-2"?'],
    ),
    "no article item": (
        [(VM, "article: [A-2]\n", "")],
        [f'{VM}:1:1: "article" is missing; name the items that the check answers'],
    ),
    "no why": ([(VM, "why: Without it there is no backup.\n", "")], [f'{VM}:1:1: "why" is missing; add it']),
    "no remedy": (
        [(VM, 'remedy: {text: "Enable it for {vm.name}.", action: enable-backup}\n', "")],
        [f'{VM}:1:1: "remedy" is missing; add it'],
    ),
    "no reference": (
        [(VM, "reference: https://example.com/backup\n", "")],
        [f'{VM}:1:1: "reference" is missing; add it'],
    ),
    "no address": (
        [(VM, "https://example.com/backup", "example.com")],
        [f'{VM}:14:12: reference: "example.com" is no address; write https://…'],
    ),
    "open brace": (
        [(VM, "{vm.name}", "{vm.name")],
        [f"{VM}:13:31: remedy.text: a `{{` without `}}` behind it; write {{{{ for a literal brace"],
    ),
    "closing brace": (
        [(VM, "{vm.name}", "} {vm.name}")],
        [f"{VM}:13:31: remedy.text: a `}}` without `{{` before it; write }}}} for a literal brace"],
    ),
    "an id": (
        [(VM, "title: Backup", "id: backup\ntitle: Backup")],
        [f'{VM}:1:1: unknown key "id"; remove it: the id is the name of the file'],
    ),
    "a truth instead of a text": ([(VM, PASS, "pass: true")], [f"{VM}:9:7: pass: must be a text; quote it"]),
    "a tag twice": ([(VM, "[vms, backup]", "[vms, vms]")], [f'{VM}:15:7: tags: "vms" is here twice; remove one']),
    "object fleet": (
        [(SERVICE, "object: host", "object: fleet")],
        [f"{SERVICE}:5:9: a check of a fleet must say which hosts that is; {FLEET_CURE}"],
    ),
    "hosts of a check that looks at one": (
        [(VM, PASS, "pass: hosts.all(h, h.assessed)")],
        [f"{VM}:9:7: pass: only a check across hosts has `hosts`; add across: {{hosts: [cluster]}}"],
    ),
    "no such relation": (
        [(VM, PASS, f"{PASS}\nacross: {{hosts: [clutser]}}")],
        [f'{VM}:10:18: across.hosts[0]: "clutser" is not one of {RELATIONS}; did you mean "cluster"?'],
    ),
    "comparing what is not about hosts": (
        [(VM, PASS, f"{PASS}\nacross: {{hosts: [seen], checks: [service-run, backup-on]}}")],
        [
            f'{VM}:10:34: unknown check "service-run"; did you mean "service-runs"?',
            f'{VM}:10:47: "backup-on" is no check of a single host; name one with object: host',
        ],
    ),
    "the machine of what is no guest": (
        [(VM, PASS, f"{PASS}\nacross: {{hosts: [machine], checks: [service-runs]}}")],
        [
            f"{VM}:10:17: machine is for checks of guests: it means the hosts that run the guest; {GUEST_CURE}",
        ],
    ),
    "looking for hosts among the hosts": (
        [(VM, PASS, f"{PASS}\nacross: {{hosts: [seen], named: 'hosts.map(h, h.name)'}}")],
        [f"{VM}:10:33: across.named: it is asked to find the hosts; use what the probes of this host report"],
    ),
    "a typo in what is known of another host": (
        [(VM, PASS, "pass: hosts.all(h, h.finding.all(f, f.status == 'pass'))\nacross: {hosts: [seen]}")],
        [f'{VM}:9:22: pass: there is no field "finding"; did you mean "findings"?'],
    ),
    "unknown shape": (
        [(VMS, "state: string", "state: strng")],
        [f'{VMS}:8:14: "strng" is no shape; did you mean "string"?'],
    ),
    "a number as shape": (
        [(VMS, "state: string", "state: 5")],
        [
            f"{VMS}:8:14: 5 is no shape; write {', '.join(Kind)}, {{key: shape}} or [shape]",
        ],
    ),
    "two shapes in a list": (
        [(VMS, "[{path: string, gib: number}]", "[string, int]")],
        [f"{VMS}:11:14: a list needs exactly one shape, that of its items; write [string] or [{{key: shape}}]"],
    ),
    "null in a list": (
        [(VMS, "[{path: string, gib: number}]", "[string?]")],
        [f"{VMS}:11:15: the items of a list cannot be null; leave the null ones out in the probe"],
    ),
    "a star beside others": (
        [(VMS, "since: time?}", '"*": int}')],
        [f'{VMS}:10:51: "*" cannot stand beside other keys; put it into an object of its own'],
    ),
    "a key that is no name": (
        [(VMS, "size: int", '"my size": int'), (VM, "&& vm.size > 3", "&& true")],
        [f'{VMS}:9:7: "my size" is no name for a key; use letters, digits and _'],
    ),
    "a key twice": (
        [(VMS, "size: int", "size: int\n      size?: int")],
        [f'{VMS}:10:7: the key "size" is here twice; remove one'],
    ),
    "objects without ids": (
        [(VMS, "id: guid", "id: string")],
        [f'{VMS}:6:5: "vms" lists objects of type vm: each needs `id: guid` and `name: string`; {OTHER_KEY}'],
    ),
    "a write": (
        [("probes/vms.ps1", "$rows = f", "Set-Service -Name vmms -StartupType Disabled\n$rows = f")],
        [
            f"probes/vms.ps1:1:1: the command `Set-Service` is not known to be read-only; {ONLY_READS}",
        ],
    ),
    "a role in another language": (
        [("probes/services.yaml", "roles: [hyperv, vmm]", "roles: [hyperv, vmm, linux-guest]")],
        ["probes/services.yaml:2:22: linux-guest is asked in another language; write the probe as .sh"],
    ),
    "an unquoted version": (
        [("playbook.yaml", 'version: "1.0"', "version: 1.0")],
        ["playbook.yaml:2:10: version: must be a text; quote it"],
    ),
    "many at once": (
        [
            (VM, "vm.state ==", "vm.stat =="),
            (VM, "&& vm.size > 3", "&& vm.size > 'x'"),
            (SERVICE, "severity: critical", "severity: fatal"),
            ("probes/services.ps1", "$services = @{}", "$services = @{}\nStop-Service -Name x"),
            ("playbook.yaml", "title: ", "titel: "),
        ],
        [
            f'{VM}:8:10: when: there is no field "stat"; did you mean "state"?',
            f"{VM}:12:16: warn: > compares a number with a text",
            f'{SERVICE}:6:11: severity: "fatal" is not one of critical, high, medium, low, info',
            'playbook.yaml:1:1: "title" is missing; add it',
            'playbook.yaml:1:1: unknown key "titel"; did you mean "title"?',
            f"probes/services.ps1:4:1: the command `Stop-Service` is not known to be read-only; {ONLY_READS}",
        ],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(folder: Folder, name: str) -> None:
    changes, expected = MISTAKES[name]
    for file, old, new in changes:
        folder.replace(file, old, new)
    assert folder.mistakes() == expected


FORM = {
    "twice": (
        "severity: high",
        "severity: high\nseverity: low",
        '7:1: the key "severity" is here twice; line 6 has it already',
    ),
    "tab": (
        "  has(vm.backup)",
        "\t\thas(vm.backup)",
        "11:1: is not valid YAML: a tab stands where only spaces may; replace it by spaces",
    ),
    "no severity": (
        "severity: high",
        "severity: urgent",
        '6:11: severity: "urgent" is not one of critical, high, medium, low, info',
    ),
    "no reference": ("reference: https://example.com/backup", "# none", '1:1: "reference" is missing; add it'),
    "no article": (
        "article: [A-2]",
        "article: A-2",
        "3:10: article: must be a list; write [first, second]",
    ),
    "unknown key": ("tags: [vms, backup]", "tag: vms", '15:1: unknown key "tag"; did you mean "tags"?'),
}


@pytest.mark.parametrize("name", FORM)
def test_a_mistake_of_form_hides_none_of_meaning(folder: Folder, name: str) -> None:
    old, new, told = FORM[name]
    folder.replace(VM, old, new)
    folder.replace(VM, "for {vm.name}", "for {vm.nam}")
    folder.replace(VM, PASS, "pass: vm.sise > 1")
    found = folder.mistakes()
    assert f"{VM}:{told}" in found
    moved = new.count("\n")
    assert f'{VM}:{9 + moved}:10: pass: there is no field "sise"; did you mean "size"?' in found
    assert f'{VM}:{13 + moved}:35: remedy.text: there is no field "nam"; did you mean "name"?' in found
    assert len(found) == 3


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("timeout: 30", "timeout: 0", "4:10: timeout: must be at least 1; write 1 or more"),
        ("needs: the right to query services", "need: x", '3:1: unknown key "need"; did you mean "needs"?'),
        ("roles: [hyperv, vmm]", "roles: [hyperw]", '2:9: roles[0]: "hyperw" is not one of'),
    ],
)
def test_a_mistake_in_a_description_hides_none_of_the_script(folder: Folder, old: str, new: str, told: str) -> None:
    folder.replace("probes/services.yaml", old, new)
    folder.write("probes/services.ps1", "Set-Service -Name vmms -StartupType Disabled\n")
    found = folder.mistakes()
    assert any(line.startswith(f"probes/services.yaml:{told}") for line in found)
    assert f"probes/services.ps1:1:1: the command `Set-Service` is not known to be read-only; {ONLY_READS}" in found


def test_a_mistake_in_a_description_hides_none_of_the_answer(folder: Folder) -> None:
    folder.replace("probes/services.yaml", "order: 10", "order: -1")
    folder.replace("probes/services.yaml", "count: int", "count: [integer]")
    assert folder.mistakes()[-2:] == [
        "probes/services.yaml:5:8: order: must be at least 0; write 0 or more",
        'probes/services.yaml:8:11: "integer" is no shape; did you mean "int"?',
    ]


def test_what_is_missing_at_the_end_of_an_expression_is_missing_on_its_line(folder: Folder) -> None:
    folder.replace(VM, PASS, "pass: (vm.size > 1")
    (found,) = folder.mistakes()
    assert found.startswith(f"{VM}:9:19: pass: missing ')' at end of the expression")


def test_a_probe_that_no_check_uses(folder: Folder) -> None:
    folder.remove(VM)
    assert folder.mistakes() == [f"{VMS}: no check uses this probe; add a check, or remove the probe"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("checks/Backup On.yaml", '"Backup On" cannot be an id; name the file with small letters'),
        ("checks/backup_on.yaml", '"backup_on" cannot be an id; name the file with small letters'),
        ("checks/notes.txt", "is not a file of a playbook: only .yaml is read here; remove or rename it"),
        ("checks/more.yml", "is not a file of a playbook: only .yaml is read here; remove or rename it"),
        ("probes/alone.ps1", "the script has no description; write probes/alone.yaml beside it"),
        ("probes/vm.yaml", '"vm" means something else in expressions; choose another name'),
    ],
)
def test_files_with_wrong_names(folder: Folder, name: str, message: str) -> None:
    folder.write("probes/vm.ps1", "@{ a = 1 }\n")
    folder.write("probes/vm.yaml", "title: x\nroles: [hyperv]\nneeds: x\nanswer: {a: int}\n")
    folder.write(name, (folder.path / name).read_text() if (folder.path / name).exists() else "@{ a = 1 }\n")
    assert any(found.startswith(f"{name}: {message}") for found in folder.mistakes())


def test_a_probe_needs_one_script(folder: Folder) -> None:
    folder.write("probes/vms.ps1", "\n")
    assert folder.mistakes() == ["probes/vms.ps1: the script is empty; write what the probe reports"]
    folder.remove("probes/vms.ps1")
    assert folder.mistakes() == [f"{VMS}: the probe has no script; keep one of vms.ps1 and vms.sh beside it"]
    folder.write("probes/vms.ps1", "@{}\n")
    folder.write("probes/vms.sh", "echo a=1\n")
    assert folder.mistakes() == [f"{VMS}: the probe has two scripts; keep one of vms.ps1 and vms.sh beside it"]


def test_an_action_must_exist_where_there_are_actions(folder: Folder) -> None:
    folder.write("actions/enable-backups.yaml", "x: 1\n")
    assert folder.mistakes() == [f'{VM}:13:52: unknown action "enable-backup"; did you mean "enable-backups"?']


@pytest.mark.parametrize("name", ["checks", "probes"])
def test_a_folder_is_missing(folder: Folder, name: str) -> None:
    for file in list((folder.path / name).iterdir()):
        file.unlink()
    (folder.path / name).rmdir()
    message = "the folder cannot be read: No such file or directory; a playbook has the folders checks and probes"
    assert f"{name}: {message}" in folder.mistakes()


def test_bytes_that_are_no_text(folder: Folder) -> None:
    (folder.path / VM).write_bytes(b"title: \xff\n")
    (folder.path / "probes/vms.ps1").write_bytes(b"# \xff\n")
    assert f"{VM}:1:8: the file is not UTF-8; save it as UTF-8" in folder.mistakes()
    assert "probes/vms.ps1:1:3: the file is not UTF-8; save it as UTF-8" in folder.mistakes()


def test_a_probe_for_linux(folder: Folder) -> None:
    folder.write(
        "probes/daemon.yaml",
        "title: x\nroles: [linux-guest]\nneeds: x\nanswer:\n  guest: {id: guid?, name: string}\n  running: bool\n",
    )
    folder.write("probes/daemon.sh", "echo guest.name=x\necho running=true\n")
    folder.write(
        "checks/daemon-runs.yaml",
        FILES[SERVICE]
        .replace("[hyperv, vmm]", "[linux-guest]")
        .replace("object: host", "object: guest")
        .replace("[services]\npass", "[daemon]\npass")
        .replace('services.services.?vmms.?state.orValue("") == "Running"', "daemon.running && guest.name != ''")
        .replace("observed: services.services.?vmms.?state", "observed: guest.?id"),
    )
    book = folder.load()
    assert book.probes["daemon"].validate({"guest.name": "x", "running": "true"}) == {
        "guest": {"name": "x"},
        "running": True,
    }


def test_no_such_playbook(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"asr-hyprv: there is no such playbook; did you mean \"asr-hyperv\"\?"):
        load("asr-hyprv")
    with pytest.raises(InputError, match=r"the folder holds no playbook.yaml"):
        load(str(tmp_path))


def test_select_keeps_the_probes_that_are_needed(folder: Folder) -> None:
    book = folder.load()
    assert select(book, [], []).checks == book.checks
    chosen = select(book, ["backup-*"], [])
    assert [check.id for check in chosen.checks] == ["backup-on"]
    assert list(chosen.probes) == ["vms"]
    assert [check.id for check in select(book, [], ["services", "backup"]).checks] == ["service-runs", "backup-on"]
    assert [check.id for check in select(book, ["*"], ["vms"]).checks] == ["backup-on"]


def test_select_keeps_the_probe_that_says_who_a_guest_is(folder: Folder) -> None:
    for name in ("identity", "disks"):
        folder.write(f"probes/{name}.ps1", "@{ count = 1 }\n")
        guest = "  guest: {id: guid?, name: string}\n" if name == "identity" else ""
        folder.write(f"probes/{name}.yaml", f"title: x\nroles: [guest]\nneeds: x\nanswer:\n{guest}  count: int\n")
    folder.write(
        "checks/few-disks.yaml",
        FILES[SERVICE]
        .replace("[hyperv, vmm]", "[guest]")
        .replace("object: host", "object: guest")
        .replace("[services]\npass", "[disks]\npass")
        .replace('services.services.?vmms.?state.orValue("") == "Running"', "disks.count < 5")
        .replace('observed: services.services.?vmms.?state.orValue("not installed")', "observed: guest.name"),
    )
    book = folder.load()
    assert set(select(book, ["few-disks"], []).probes) == {"identity", "disks"}
    assert set(select(book, ["service-runs"], []).probes) == {"services"}


@pytest.mark.parametrize(
    ("checks", "tags", "message"),
    [
        (["backup-off"], [], 'the playbook has no check "backup-off"; did you mean "backup-on"?'),
        (["zzz*"], [], 'the playbook has no check "zzz*"; it has service-runs, backup-on'),
        ([], ["zzz"], 'the playbook has no tag "zzz"; there are backup, services, vms'),
        ([], ["backups"], 'the playbook has no tag "backups"; did you mean "backup"?'),
        (["backup-on"], ["services"], "no check has one of these ids and one of these tags"),
    ],
)
def test_select_knows_what_it_does_not_know(folder: Folder, checks: list[str], tags: list[str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        select(folder.load(), checks, tags)
    assert message in str(caught.value)
