"""What a scan may take of this machine: open files, which systems limit, and memory, which threads would waste."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator

HANDLES_PER_VISIT = 4
"""Two connections, and what a name look-up or a key file needs meanwhile."""
HANDLES_OF_OUR_OWN = 64

# malloc.h of glibc
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 32 * 1024
"""Bytes from which a block is given back to the system as soon as it is free."""


def affordable(concurrency: int) -> tuple[int, str]:
    """The number of visits at once that the limit of open files allows, and a notice if it is less than asked for.

    The limit is raised for this process where the system lets it; Windows has none that matters.
    """
    if sys.platform == "win32":
        return concurrency, ""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = concurrency * HANDLES_PER_VISIT + HANDLES_OF_OUR_OWN
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return concurrency, ""
    ceiling = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if ceiling > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
        soft = ceiling
    possible = max((soft - HANDLES_OF_OUR_OWN) // HANDLES_PER_VISIT, 1)
    if possible >= concurrency:
        return concurrency, ""
    return possible, f"{possible} hosts at once instead of {concurrency}: this machine allows only {soft} open files"


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """While many visits run: what is loaded by now is not searched for garbage, and all threads share one heap."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    _share_one_heap(libc)
    gc.collect()
    gc.freeze()
    gc.collect()  # all is searched when a quarter is new since the last time: from now on, a quarter of nearly nothing
    try:
        yield
    finally:
        gc.unfreeze()
        _give_back(libc)


def _share_one_heap(libc: ctypes.CDLL | None) -> None:
    """glibc gives each thread a heap of its own, against a contention that Python's lock prevents anyhow.

    With 64 threads that is 20 to 50 MB. Other C libraries have no such heaps, and no `mallopt` or one without effect.
    """
    mallopt = getattr(libc, "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        # Fixed, since glibc would raise them for good after the first large answer that was freed.
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _LARGE)


def _give_back(libc: ctypes.CDLL | None) -> None:
    """Return to the system what the visits have left free between what is kept: the reports are about to need some."""
    trim = getattr(libc, "malloc_trim", None)
    if trim is not None:
        trim(0)
