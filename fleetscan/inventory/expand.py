"""Ranges in host names: `hv[01:40].corp.example` is forty hosts."""

from __future__ import annotations

import itertools
import math
import re
import string

MAX_HOSTS = 10_000
"""Hosts that one text may stand for."""

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_RANGE = re.compile(r"(?P<first>\d{1,9}|[A-Za-z]):(?P<last>\d{1,9}|[A-Za-z])(?::(?P<step>\d{1,9}))?", re.ASCII)


class RangeError(ValueError):
    """A range that stands for nothing, or for too much. `cure` says what to write instead."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure


def expand(text: str) -> list[str]:
    """The names that a text stands for: itself without ranges, else one for each combination of their values.

    A range is `[first:last]` or `[first:last:step]`, both ends included, of numbers (leading zeros are kept) or of
    single letters. Raises RangeError.
    """
    parts = _BRACKETS.split(text)
    if "[" in "".join(parts[::2]) or "]" in "".join(parts[::2]):
        raise RangeError(f'"{text}" has a bracket without its partner', "write a range like [01:40]")
    ranges = [_values(text, part) for part in parts[1::2]]
    count = math.prod(len(values) for values in ranges)
    if count > MAX_HOSTS:
        raise _too_large(text, count)
    texts = [[part] for part in parts[::2]]
    alternated = [values for pair in zip(texts, [*ranges, [""]], strict=True) for values in pair]
    return ["".join(combination) for combination in itertools.product(*alternated)]


def _values(text: str, part: str) -> list[str]:
    match = _RANGE.fullmatch(part)
    if match is None:
        raise RangeError(f'"{text}": [{part}] is not a range', "write a range like [01:40], [a:d] or [01:09:2]")
    first, last, step = match["first"], match["last"], int(match["step"] or 1)
    if step == 0:
        raise RangeError(f'range "{text}" has a step of 0', f"write [{first}:{last}]")
    if first.isdigit() != last.isdigit():
        raise RangeError(f'range "{text}" mixes a number and a letter', "use two numbers or two letters")
    return _numbers(text, first, last, step) if first.isdigit() else _letters(text, first, last, step)


def _numbers(text: str, first: str, last: str, step: int) -> list[str]:
    padded = (first[0] == "0" and len(first) > 1) or (last[0] == "0" and len(last) > 1)
    if padded and len(first) != len(last):
        width = max(len(first), len(last))
        raise RangeError(
            f'range "{text}" has ends of different lengths', f"write [{first.zfill(width)}:{last.zfill(width)}]"
        )
    if int(first) > int(last):
        raise _reversed(text, first, last)
    numbers = range(int(first), int(last) + 1, step)
    if len(numbers) > MAX_HOSTS:
        raise _too_large(text, len(numbers))
    return [str(number).zfill(len(first) if padded else 0) for number in numbers]


def _letters(text: str, first: str, last: str, step: int) -> list[str]:
    alphabet = string.ascii_lowercase if first.islower() else string.ascii_uppercase
    if last not in alphabet:
        raise RangeError(f'range "{text}" mixes small and capital letters', f"write [{first}:{last.swapcase()}]")
    if first > last:
        raise _reversed(text, first, last)
    return list(alphabet[alphabet.index(first) : alphabet.index(last) + 1 : step])


def _reversed(text: str, first: str, last: str) -> RangeError:
    return RangeError(
        f'range "{text}" ends before it starts', f"write {text.replace(f'[{first}:{last}', f'[{last}:{first}')}"
    )


def _too_large(text: str, count: int) -> RangeError:
    return RangeError(f'range "{text}" stands for {count:,} hosts', f"use ranges of at most {MAX_HOSTS:,} hosts")
