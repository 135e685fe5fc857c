"""How many hosts this machine can visit at once: each visit holds open files, and systems limit those."""

from __future__ import annotations

import sys

HANDLES_PER_VISIT = 4
"""Two connections, and what a name look-up or a key file needs meanwhile."""
HANDLES_OF_OUR_OWN = 64


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
