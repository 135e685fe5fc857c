"""A lock by name, so that two nights do not overlap. The system drops it with its process, however that ends."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from fleetscan.errors import BusyError, InputError

log = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def check_name(name: str | None) -> str | None:
    """The name of a lock, if it is one. Raises InputError."""
    if name is not None and not _NAME.fullmatch(name):
        raise InputError.of(f"--lock {name[:100]}", "this is no name for a lock", "write letters, digits, . _ or -")
    return name


@contextmanager
def exclusive(name: str | None) -> Iterator[None]:
    """Hold the lock of that name, or none. Raises BusyError if another process of this user has it.

    Its file holds nothing and stays: what counts is that a living process has it locked. Who that is stands in a file
    beside it, since Windows lets nobody read a file that is locked.
    """
    if name is None:
        yield
        return
    from filelock import FileLock, Timeout

    path = _path(name)
    holder = path.with_suffix(".holder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        lock.acquire(timeout=0)
    except Timeout:
        raise BusyError(
            f"another scan holds the lock {name}{_described(holder)}; nothing was contacted",
            hint="wait until it has ended, or end it",
        ) from None
    except OSError as error:
        raise InputError.of(f"--lock {name}", f"{path} cannot be locked: {error.strerror}", "free it") from error
    try:
        _sign(holder)
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


@contextmanager
def making(run_id: str) -> Iterator[None]:
    """Hold the lock of one run while it is made: nobody on this machine is to go on with it meanwhile."""
    name = f"run-{run_id}"
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive(name))
        except BusyError as error:
            who = _described(_path(name).with_suffix(".holder"))
            raise BusyError(f"the run {run_id} is being made just now{who}; nothing was contacted") from error
        except InputError as error:  # a state folder that cannot be written to is no reason not to scan
            log.info("no lock for run %s: %s", run_id, error.message)
        yield
    with contextlib.suppress(OSError):
        _path(name).unlink(missing_ok=True)  # nobody wants it any more; a killed run leaves its file


def maker(run_id: str) -> str:
    """Who on this machine is making that run just now; empty for nobody."""
    from filelock import FileLock, Timeout

    path = _path(f"run-{run_id}")
    if not path.exists():
        return ""
    try:
        with FileLock(path).acquire(timeout=0):
            return ""
    except Timeout:
        return _described(path.with_suffix(".holder")) or " (another process)"
    except OSError:
        return ""


def _path(name: str) -> Path:
    from fleetscan import state

    return state.folder() / "locks" / f"{name}.lock"


def _sign(holder: Path) -> None:
    now = datetime.now(UTC)
    text = json.dumps({"pid": os.getpid(), "machine": platform.node(), "since": f"{now:%Y-%m-%dT%H:%M:%SZ}"})
    with contextlib.suppress(OSError):
        holder.write_text(text, encoding="utf-8")


def _described(holder: Path) -> str:
    """Who holds it, if that can be read: it may be about to be written, or just gone."""
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        return f" (process {int(who['pid'])} on {who['machine']}, since {who['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
