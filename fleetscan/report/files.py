"""Writing a report so that it is there whole or not at all, and somewhere else rather than nowhere."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from fleetscan.errors import FleetscanError, Problem

Parts = Callable[[], Iterator[bytes]]
"""Gives a report from its beginning, in parts: a large one is never in memory as a whole."""


def place(path: Path) -> str:
    """The file that a path means in the end: absolute, links followed, case folded where the system does so."""
    return os.path.normcase(_resolved(path))


def obstacles(path: Path) -> list[Problem]:
    """Why the file could not be written; nothing is changed or left behind by the attempt."""
    name = str(path)
    try:
        real = _resolved(path)
        if real.is_dir():
            return [Problem(name, "is a folder", "name a file in it")]
        if _is_special(path):
            path.lstat()  # what is no device and no open stream would be made: a file in memory
            return []
        if real.exists():
            with real.open("ab"):
                pass
        if not real.parent.is_dir():
            return [Problem(name, f"there is no folder {real.parent}", "create it, or name another")]
        with tempfile.TemporaryFile(dir=real.parent):
            pass
    except OSError as error:
        return [Problem(name, f"cannot be written: {_words(error)}", "choose another file, or free this one")]
    return []


def write(path: Path, parts: Parts, *, spare: str) -> None:
    """Write all parts to the path, in the place of what was there.

    Where that fails (disk full, no right, open in a spreadsheet) all of them go to a new file in the system's folder
    for temporary files, its name beginning with `spare`, readable by its owner only; FleetscanError says so.
    """
    try:
        if _is_special(path):
            with path.open("wb") as stream:
                stream.writelines(parts())
        else:
            _replace(_resolved(path), parts)
    except OSError as error:
        _write_spare(path, parts, spare, error)


def write_standard_output(parts: Parts, *, spare: str) -> None:
    """Write bytes to standard output as they are. A reader that went away has read enough.

    Where the disk behind it is full, the whole report goes to a new file, as with `write`; FleetscanError says so.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.writelines(parts())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _close_standard_output()
    except OSError as error:
        _close_standard_output()
        _write_spare(Path("standard output"), parts, spare, error)


def _close_standard_output() -> None:
    """What is still buffered would raise once more when the interpreter closes the stream."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _resolved(path: Path) -> Path:
    home = str(path).startswith(("~/", "~\\"))
    try:
        return (path.expanduser() if home else path).resolve()
    except RuntimeError:
        return path.absolute()  # links in a circle, or nobody's home: opening it says so better


def _is_special(path: Path) -> bool:
    """A device, a pipe, or another name of an open stream (/dev/stdout): it is written to, not replaced."""
    return Path("/dev") in path.parents or (path.exists() and not path.is_file() and not path.is_dir())


def _replace(path: Path, parts: Parts) -> None:
    draft = path.with_name(f".fleetscan-{secrets.token_hex(6)}.tmp")
    try:
        with draft.open("xb") as stream:
            stream.writelines(parts())
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def _write_spare(path: Path, parts: Parts, spare: str, cause: OSError) -> None:
    trouble = f"cannot write {path}: {_words(cause)}"
    try:
        descriptor, name = tempfile.mkstemp(suffix="".join(path.suffixes[-2:]), prefix=spare)
        with os.fdopen(descriptor, "wb") as stream:
            stream.writelines(parts())
    except OSError as error:
        raise FleetscanError(
            f"{trouble}; nor can a temporary file be written: {_words(error)}",
            hint="free some space, or name a file on another disk",
        ) from cause
    raise FleetscanError(f"{trouble}; the report is in {name}", hint="it is complete: move it") from cause


def _words(error: OSError) -> str:
    in_use = isinstance(error, PermissionError) and os.name == "nt"
    return (error.strerror or str(error)) + (" (is it open in another program?)" if in_use else "")
