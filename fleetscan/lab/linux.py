"""The engine that really runs a Linux guest's script: this machine's `sh`, in a small root made from the facts.

The script names absolute paths. They are led into the root by a change to its text, so that neither rights nor a
container are needed; commands that would tell of this machine have stand-ins in front of the path.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from fleetscan.lab.commands import payload, run_builtin
from fleetscan.lab.direct import DirectEngine, outcome_of
from fleetscan.lab.engine import Outcome
from fleetscan.lab.facts import Machine
from fleetscan.lab.processes import run
from fleetscan.model.playbook import JSON

PROBE = "linux-integration"
"""The probe whose facts the root shows."""
_PATH = re.compile(rb"(?<![\w.$\"'}/-])/(?=(?:etc|proc|sys|var|opt|usr|sbin|bin|dev/vmbus)/)")
_DAEMONS = {"vss": "hv_vss_daemon", "kvp": "hv_kvp_daemon"}


class ShEngine:
    """Runs the payload of Linux guests in `sh`. What has no facts to make a root from is answered by DirectEngine."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._direct = DirectEngine()

    @staticmethod
    def find() -> ShEngine | None:
        """The engine, on a POSIX system that has `sh`; None elsewhere."""
        program = shutil.which("sh")
        return ShEngine(program) if program and sys.platform != "win32" else None

    async def run(self, machine: Machine, command: str, stdin: bytes, *, user: str = "") -> Outcome:
        """Run the payload with its arguments."""
        asked = payload(command, stdin)
        if asked is None:
            return run_builtin(machine, user, command, stdin)
        if any(probe != PROBE or outcome_of(machine, probe)["status"] != "ok" for probe in asked.probes):
            return await self._direct.run(machine, command, stdin, user=user)
        with tempfile.TemporaryDirectory(prefix="fleetscan-lab-") as folder:
            root = Path(folder)
            _furnish(root, machine)
            script = _PATH.sub(f"{folder}/".encode(), stdin)
            environment = {
                "PATH": f"{root}/standins{os.pathsep}{os.environ.get('PATH', '')}",
                "LANG": machine.os.language,
            }
            return await run(self._program, shlex.split(command)[1:], script, environment=environment, folder=root)

    async def aclose(self) -> None:
        """No process outlives its command."""


def _furnish(root: Path, machine: Machine) -> None:
    """Make the files and commands of the machine."""
    facts = machine.probes[PROBE]
    assert isinstance(facts, dict)  # noqa: S101 # only answers of the declared shape come here
    for path, content in _files(facts):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    if folder := _text(facts, "script", "folder"):
        (root / f"usr/local/ASR/{folder}/scripts/customscript.sh").chmod(_mode(_text(facts, "script", "rights")))
    for path in _directories(facts):
        (root / path).mkdir(parents=True, exist_ok=True)
    standins = root / "standins"
    standins.mkdir()
    for name, text in (("uname", _uname(machine, facts)), ("ps", _ps(facts)), ("systemctl", _systemctl(facts))):
        (standins / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (standins / name).chmod(0o700)


def _text(facts: Mapping[str, JSON], *names: str) -> str:
    value: JSON = dict(facts)
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else str(value)


def _true(facts: Mapping[str, JSON], *names: str) -> bool:
    return _text(facts, *names) == "True"


def _files(facts: Mapping[str, JSON]) -> Iterator[tuple[str, bytes]]:
    pool = {
        "VirtualMachineId": _text(facts, "guest", "id").upper(),
        "VirtualMachineName": _text(facts, "guest", "name"),
    }
    if pool["VirtualMachineId"]:
        records = (key.encode().ljust(512, b"\0") + value.encode().ljust(2048, b"\0") for key, value in pool.items())
        yield "var/lib/hyperv/.kvp_pool_3", b"".join(records)
    release = f'ID={_text(facts, "distribution")}\nVERSION_ID="{_text(facts, "distribution_version")}"\n'
    if _text(facts, "distribution"):
        yield "etc/os-release", release.encode()
    yield "proc/1/comm", b"systemd\n"
    if _true(facts, "vss", "installed"):
        yield f"usr/sbin/{_DAEMONS['vss']}", b""
    if folder := _text(facts, "script", "folder"):
        yield f"usr/local/ASR/{folder}/scripts/customscript.sh", b""
    if _true(facts, "vss", "device"):
        yield "dev/vmbus/hv_vss", b""


def _mode(rights: str) -> int:
    """The number of rights such as -rwxr-x---."""
    return int("".join("0" if letter == "-" else "1" for letter in rights[1:]) or "0", 2)


def _directories(facts: Mapping[str, JSON]) -> Iterator[str]:
    if _true(facts, "hyperv"):
        yield "sys/bus/vmbus"


def _uname(machine: Machine, facts: Mapping[str, JSON]) -> str:
    release = shlex.quote(_text(facts, "kernel") or machine.os.build)
    name = shlex.quote(_text(facts, "guest", "name") or machine.computer)
    return f"case $1 in -n) echo {name} ;; -r) echo {release} ;; *) echo Linux ;; esac"


def _ps(facts: Mapping[str, JSON]) -> str:
    """The names of the processes, whatever is asked."""
    databases = facts.get("applications")
    running = [str(name) for name in databases] if isinstance(databases, list) else []
    running += [
        _text(facts, service, "daemon") or program
        for service, program in _DAEMONS.items()
        if _true(facts, service, "running")
    ]
    return f"printf '%s\\n' systemd sshd {shlex.join(running)}"


def _systemctl(facts: Mapping[str, JSON]) -> str:
    unit = _text(facts, "vss", "unit")
    answers = {
        "LoadState": "loaded",
        "ActiveState": _text(facts, "vss", "unit_state"),
        "UnitFileState": _text(facts, "vss", "unit_enabled"),
    }
    cases = " ".join(f"--property={name}) echo {name}={shlex.quote(value)} ;;" for name, value in answers.items())
    return f'[ "$3" = {shlex.quote(unit)} ] || {{ echo LoadState=not-found; exit 0; }}\ncase $2 in {cases} esac'
