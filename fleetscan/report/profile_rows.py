"""A profile as CSV and as JSON: a row for the fleet, each host, each machine and each disk, alike in both."""

from __future__ import annotations

import json
from collections.abc import Iterator

from fleetscan.model.profile import MEGABYTE, Load, ProfileReport, ProfileRow
from fleetscan.report.csv_rows import harmless, on_one_line, table
from fleetscan.report.options import DEFAULTS, ReportOptions
from fleetscan.report.words import utc

Value = str | int | float | None
FORMATS = ("csv", "json")
"""What a profile can be written as."""

_DAY = 86_400


def render(report: ProfileReport, name: str, options: ReportOptions = DEFAULTS) -> Iterator[str]:
    """The report in one of FORMATS, in parts."""
    return _csv(report, options) if name == "csv" else _json(report)


def columns(row: ProfileRow) -> dict[str, Value]:
    """A row by the names of its columns. MB are 1,048,576 bytes, GB 1,024 of them; Mbit are 1,000,000 bits."""
    return {
        "scope": row.scope.value,
        "host": row.host,
        "vm_id": row.vm_id,
        "vm": row.vm,
        "disk": row.disk,
        "size_bytes": row.size_bytes,
        "samples": row.samples,
        **_load("churn", "mb_per_second", row.churn, MEGABYTE),
        "churn_gb_per_day": round(row.churn.average * _DAY / MEGABYTE / 1024, 3),
        **_load("iops", "", row.iops, 1),
        **_load("throughput", "mb_per_second", row.throughput, MEGABYTE),
        "needed_mbit_per_second": _megabits(row.needed_bits),
        "needed_90_mbit_per_second": _megabits(row.needed_bits_90),
        "limit_mbit_per_second": _megabits(row.limit_bits),
        "storage": row.storage,
        "status": row.status.value,
        "message": row.message,
    }


def _csv(report: ProfileReport, options: ReportOptions) -> Iterator[str]:
    rows = [columns(row) for row in report.rows]
    return table(rows[0], ([_text(value) for value in row.values()] for row in rows), options)


def _json(report: ProfileReport) -> Iterator[str]:
    head = {
        "started_at": utc(report.started_at),
        "ended_at": utc(report.ended_at),
        "interval_seconds": report.interval,
        "samples_planned": report.planned,
        "samples_taken": report.taken,
        "rpo_seconds": report.rpo,
        "growth": report.growth,
        "machines_not_replicated": report.unreplicated,
        "interrupted": report.interrupted,
        "damaged_lines": report.damaged,
        "restarted_totals": report.restarted,
        "data": [{"id": source.id, "as_of": source.as_of, "source": source.source} for source in report.data],
    }
    gaps = [
        {
            "host": gap.host,
            "missed": gap.missed,
            "of": gap.of,
            "reason_code": gap.last_reason,
            "message": gap.last_message,
        }
        for gap in report.gaps
    ]
    rows = [columns(row) for row in report.rows]
    document = {"fleetscan": report.tool_version, "profile": head, "gaps": gaps, "rows": rows}
    yield json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _load(name: str, unit: str, load: Load, divisor: int) -> dict[str, Value]:
    end = f"_{unit}" if unit else ""
    parts = {"average": load.average, "p95": load.p95, "peak": load.peak}
    return {f"{name}_{part}{end}": round(value / divisor, 3) for part, value in parts.items()}


def _megabits(bits: float | None) -> float | None:
    return None if bits is None else round(bits / 1_000_000, 3)


def _text(value: Value) -> str:
    """Numbers are never negative: only texts can be taken for formulas."""
    if isinstance(value, str):
        return harmless(on_one_line(value))
    return "" if value is None else str(value)
