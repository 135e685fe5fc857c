"""The parts of docs/reports.md that are made from the code. `python -m tests.reference` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from fleetscan.errors import ExitStatus
from fleetscan.model.playbook import Severity
from fleetscan.report import FORMATS
from fleetscan.report.prometheus import METRICS
from fleetscan.report.rows import COLUMNS
from fleetscan.report.tickets import FIELDS, PLAIN, State

PAGE = Path(__file__).parents[1] / "docs" / "reports.md"
_PART = re.compile(r"(?<=<!-- from the code: )([\w ]+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)


def page(text: str) -> str:
    """The page with every part as the code has it."""
    return _PART.sub(lambda match: f"{match[1]}{match[2]}{PARTS[match[1]]}", text)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _state(state: State) -> str:
    source = Path(__file__).parents[1] / "fleetscan" / "report" / "tickets" / "ticket.py"
    found = re.search(
        rf'{state.name} = "{state.value}"\n    """(.*?)"""', source.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found is not None
    return " ".join(found[1].split())


PARTS = {
    "formats": _table(
        ["Format", "Suffix", "For"], ([f"`{name}`", f"`{form.suffix}`", form.purpose] for name, form in FORMATS.items())
    ),
    "columns": _table(["Column", "Meaning"], ([f"`{name}`", told] for name, told in COLUMNS.items())),
    "ticket fields": _table(["Column", "Meaning"], ([f"`{name}`", told] for name, told in FIELDS.items())),
    "ticket states": _table(["State", "Meaning"], ([f"`{state.value}`", _state(state)] for state in State)),
    "due days": _table(
        ["Severity", "Days"], ([severity.value, str(PLAIN.due_days.get(severity, "none"))] for severity in Severity)
    ),
    "metrics": _table(["Metric", "Labels", "Meaning"], ([f"`{m.name}`", _code(m.labels), m.help] for m in METRICS)),
    "exit codes": _table(["Code", "Meaning"], ([str(status.value), status.meaning] for status in ExitStatus)),
}


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
