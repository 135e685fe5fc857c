"""`python -m fleetscan.playbook.gate` proves the built-in probes and pins those that pass. Run it after a change."""

from __future__ import annotations

import sys
from pathlib import Path

from fleetscan import playbook
from fleetscan.playbook.readonly import PINS, examine, fingerprint

HEAD = "# The built-in probes as they were proven to be read-only; written by python -m fleetscan.playbook.gate\n"


def pins() -> str:
    """The file of pins; a probe that is not proven is left out of it."""
    lines = [
        f"{fingerprint(probe.text, probe.language)} {name}/{probe.id}\n"
        for name in playbook.builtin_names()
        for probe in playbook.load(name).probes.values()
        if not examine(probe.text, probe.language, probe.origin)
    ]
    return HEAD + "".join(sorted(lines, key=lambda line: line.partition(" ")[2]))


if __name__ == "__main__":
    path = Path(__file__).with_name(PINS)
    path.write_text(pins(), encoding="utf-8", newline="\n")
    print(path, file=sys.stderr)
