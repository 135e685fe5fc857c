"""A small playbook in a folder of its own, to be spoilt by tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetscan.errors import InputError
from fleetscan.model.playbook import Playbook
from fleetscan.playbook import load

FILES = {
    "playbook.yaml": """\
title: A small playbook
version: "1.0"
description: Two probes and two checks.
articles:
  A-1: The service runs
  A-2: The machines are sound
""",
    "probes/services.yaml": """\
title: Services
roles: [hyperv, vmm]
needs: the right to query services
timeout: 30
order: 10
answer:
  services: {"*": {state: string, start: string}}
  count: int
  load: number?
  checked: time
""",
    "probes/services.ps1": """\
# Two services.
$found = @(Get-Service -Name @('vmms', 'Winmgmt') -ErrorAction SilentlyContinue)
$services = @{}
foreach ($service in $found) {
    $services["$($service.Name)".ToLower()] = @{ state = "$($service.Status)"; start = "$($service.StartType)" }
}
@{ services = $services; count = $found.Count; load = $null; checked = (Get-Date).ToUniversalTime().ToString('o') }
""",
    "probes/vms.yaml": """\
title: Virtual machines
roles: [hyperv]
needs: member of Hyper-V Administrators
answer:
  vms:
    - id: guid
      name: string
      state: string
      size: int
      backup?: {enabled: bool, status: int?, since: time?}
      disks: [{path: string, gib: number}]
""",
    "probes/vms.ps1": """\
$rows = foreach ($machine in @(Get-VM -ErrorAction Stop)) {
    $state = "$($machine.State)"
    @{ id = "$($machine.Id)"; name = "$($machine.Name)"; state = $state; size = 1; backup = $null; disks = @() }
}
@{ vms = @($rows) }
""",
    "checks/service-runs.yaml": """\
title: The service runs
why: Without it nothing works.
article: [A-1]
roles: [hyperv, vmm]
object: host
severity: critical
probes: [services]
pass: services.services.?vmms.?state.orValue("") == "Running"
observed: services.services.?vmms.?state.orValue("not installed")
expected: Running
message: The service vmms on {host.name} does not run.
remedy: {text: "Start it on {host.name}."}
reference: https://example.com/services
tags: [services]
""",
    "checks/backup-on.yaml": """\
title: Backup is on
why: Without it there is no backup.
article: [A-2]
roles: [hyperv]
object: vm
severity: high
probes: [vms]
when: vm.state == "Running"
pass: vm.?backup.?enabled.orValue(false)
warn: |
  has(vm.backup)
    && vm.size > 3
remedy: {text: "Enable it for {vm.name}.", action: enable-backup}
reference: https://example.com/backup
tags: [vms, backup]
""",
}


class Folder:
    """A playbook's folder that tests change file by file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        """Make a file."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="")

    def replace(self, name: str, old: str, new: str) -> None:
        """Change one place of a file."""
        text = (self.path / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    def remove(self, name: str) -> None:
        """Take a file away."""
        (self.path / name).unlink()

    def load(self) -> Playbook:
        """Load the folder."""
        return load(str(self.path))

    def mistakes(self) -> list[str]:
        """What loading complains about, with file names relative to the folder."""
        with pytest.raises(InputError) as caught:
            self.load()
        return [str(problem).replace(f"{self.path}/", "") for problem in caught.value.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A good playbook."""
    return Folder(tmp_path / "small")
