"""What is kept of a command's output while it comes: all that is worth it, little of a host that talks without end."""

from __future__ import annotations

import random

import pytest

from fleetscan.errors import TransportError
from fleetscan.powershell import envelope
from fleetscan.transports import Output
from fleetscan.transports.base import SIFT_BYTES

NONCE = "0123456789abcdef"


def lines(count: int) -> list[bytes]:
    """The lines of so many answers of some kilobytes each."""
    answers = ({"data": random.Random(number).randbytes(5_000).hex()} for number in range(count))  # noqa: S311 - filler
    return [
        line.encode() for number, answer in enumerate(answers) for line in envelope.encode(NONCE, f"p{number}", answer)
    ]


@pytest.mark.parametrize("size", [1, 777, 40_000, 300_000])
def test_answers_between_noise_are_all_read(size: int) -> None:
    """Wherever the network cuts: the answers are those that a look at the whole gives."""
    noise = [b"WARNING: " + b"x" * 500, b"", b"y" * 3_000]
    whole = b"\r\n".join(part for line in lines(40 if size > 1 else 12) for part in (line, *noise)) + b"\r\n"
    output = Output(sift=envelope.essence)
    for start in range(0, len(whole), size):
        output.add(whole[start : start + size])
    assert len(whole) > SIFT_BYTES
    assert envelope.decode(output.stdout, NONCE) == envelope.decode(whole, NONCE)
    assert envelope.decode(whole, NONCE).envelopes
    assert len(output.stdout) < len(whole)
    assert output.stdout.startswith(whole[:900])


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_endless_noise_takes_little_and_ends_at_the_limit(end: bytes) -> None:
    output = Output(limit=2_000_000, sift=envelope.essence)
    block = b"z" * 50_000 + end
    for _ in range(2_000_000 // 50_001):
        output.add(block)
        assert len(output.stdout) < 2 * SIFT_BYTES
    with pytest.raises(TransportError, match="more than 2000000 bytes"):
        output.add(block)
