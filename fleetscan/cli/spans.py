"""Spans of time as people write them, and the budget of a visit that holds a sample."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from fleetscan.errors import InputError

HOST_SECONDS = 120.0
"""What a visit to one host may take where nobody says otherwise; a sample comes on top."""
WEEK, DAY = 604_800, 86_400
"""Seconds: the most for a visit to one host, and for a sample within it."""
SAMPLE_MARGIN = 10.0
"""Seconds that a visit needs beside the sample, at the least."""
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([smhd]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


LAST = "last"
"""As a sample: no second reading, but the one of the last run."""


def span(text: str | float) -> float:
    """Seconds from `300`, `90s`, `5m`, `1.5h` or `1d`."""
    match = _SPAN.fullmatch(str(text).strip().lower())
    if match is None:
        raise typer.BadParameter(f"'{text}' is no duration; write 300, 90s, 5m, 1h or 1d")
    return float(match[1]) * _UNITS[match[2]]


HostTimeout = Annotated[
    float | None,
    typer.Option(
        "--host-timeout",
        min=1,
        max=WEEK,
        metavar="S",
        help="Seconds for the visit to one host [120, and the time of --sample].",
        show_default=False,
    ),
]


def sample_of(text: str) -> str:
    """A sample as it is kept: `last`, or its seconds."""
    if text.strip().lower() == LAST:
        return LAST
    seconds = span(text)
    if seconds > DAY:
        raise typer.BadParameter(f"'{text}' is too long for two readings of one visit; write 5m to 15m, at most 1d")
    return f"{seconds:g}"


def sample_seconds(sample: str | None) -> float:
    """How far apart the two readings of one visit are; 0 where there is one."""
    return span(sample) if sample and sample != LAST else 0.0


Sample = Annotated[
    str | None,
    typer.Option(
        "--sample",
        metavar="DURATION|last",
        parser=sample_of,
        show_default=False,
        help="Read running totals (churn) twice, so far apart: 5m to 15m tell the churn of now; "
        "last: compare with the last run's.",
    ),
]


def host_seconds(host_timeout: float | None, sample: float) -> float:
    """The budget of a visit. Raises InputError for one that a sample does not fit into."""
    if host_timeout is None:
        return HOST_SECONDS + sample
    if sample and host_timeout <= sample + SAMPLE_MARGIN:
        raise InputError.of(
            f"--host-timeout {host_timeout:g}",
            f"a sample of {sample:g} s does not fit into it",
            f"write {sample + HOST_SECONDS:g}, or leave the option out",
        )
    return host_timeout
