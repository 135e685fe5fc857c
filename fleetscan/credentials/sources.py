"""Where secrets come from: one function for each kind of source, each raising InputError with the place of the source.

No message holds a secret, nor anything that a command wrote.
"""

from __future__ import annotations

import codecs
import contextlib
import getpass
import locale
import os
import shutil
import stat
import subprocess
import threading
import time
import warnings
from pathlib import Path

from fleetscan.errors import InputError, Problem
from fleetscan.model.host import SecretKind, SecretSource
from fleetscan.model.text import one_line

COMMAND_SECONDS = 30.0
_POLL_SECONDS = 0.2
_MAX_BYTES = 64 * 1024


def problem_at(origin: str, message: str, cure: str = "") -> Problem:
    """A mistake at `file:line:column`, or in the file when `origin` is only that."""
    source, *numbers = origin.rsplit(":", 2)
    if len(numbers) == 2 and all(number.isdigit() for number in numbers):
        return Problem(source, message, cure, int(numbers[0]), int(numbers[1]))
    return Problem(origin, message, cure)


def reveal(source: SecretSource, username: str, given_up: threading.Event) -> str:
    """The secret itself, which is not empty; raises InputError. A command is ended once it is `given_up`."""
    if source.kind is SecretKind.KEYRING:
        text = _keyring(source, username)
    elif source.kind is SecretKind.COMMAND:
        text = _command(source, given_up)
    else:
        text = {
            SecretKind.ENV: _environment,
            SecretKind.FILE: _file,
            SecretKind.PROMPT: _prompt,
        }[source.kind](source)
    if not text:
        raise _error(source, f"{_named(source)} is empty", "a secret has at least one character")
    return text


def check_command(source: SecretSource) -> list[Problem]:
    """Whether the program of a command exists, without starting it. A line for the shell is not looked into."""
    if source.argv and shutil.which(source.argv[0]) is None:
        message = f'the program "{one_line(source.argv[0])}" is not found'
        return [problem_at(source.origin, message, "install it, or write its full path")]
    return []


def readable_by_others(path: str) -> str:
    """A notice when a file that holds a secret is open to other users; POSIX only, elsewhere the mode says nothing."""
    mode = stat.S_IMODE(Path(path).stat().st_mode) if os.name == "posix" else 0
    return f"{path} is open to other users (mode {mode:04o}): chmod 600 {path}" if mode & 0o077 else ""


def check_readable(origin: str, path: str, what: str) -> list[Problem]:
    """Whether a file can be opened."""
    try:
        with Path(path).open("rb"):
            return []
    except OSError as error:
        return [problem_at(origin, f"{what} {path}: {error.strerror}", "correct the path, or its permissions")]


def _error(source: SecretSource, message: str, cure: str) -> InputError:
    return InputError([problem_at(source.origin, message, cure)])


def _named(source: SecretSource) -> str:
    return {
        SecretKind.ENV: f"the environment variable {source.value}",
        SecretKind.FILE: f"the first line of {source.value}",
        SecretKind.COMMAND: "the first line that the command wrote",
        SecretKind.PROMPT: "the answer to the prompt",
        SecretKind.KEYRING: f"the entry of {source.value} in the keyring",
    }[source.kind]


def _environment(source: SecretSource) -> str:
    text = os.environ.get(source.value)
    if text is None:
        cure = f"set it before you start fleetscan: export {source.value}=…"
        raise _error(source, f"the environment variable {source.value} is not set", cure)
    return text


def _file(source: SecretSource) -> str:
    problems = check_readable(source.origin, source.value, "the file")
    if problems:
        raise InputError(problems)
    with Path(source.value).open("rb") as file:
        return _first_line(source, file.read(_MAX_BYTES))


def _first_line(source: SecretSource, content: bytes) -> str:
    """The first line of UTF-8, of UTF-16 with its mark (what `>` writes in Windows PowerShell), or of the locale."""
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", locale.getpreferredencoding(do_setlocale=False)):
        try:
            return content.decode(encoding).partition("\n")[0].rstrip("\r")
        except UnicodeDecodeError:
            continue
    raise _error(source, f"{_named(source)} is not text", "save it as UTF-8")


def _command(source: SecretSource, given_up: threading.Event) -> str:
    try:
        process = subprocess.Popen(
            source.argv or source.value,
            shell=not source.argv,  # the user wrote a line for the shell instead of a list of words
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, ValueError) as error:
        message = f"the command cannot be started: {getattr(error, 'strerror', None) or error}"
        raise _error(source, message, "check its path") from error
    content = _written(process, given_up)
    if content is None:
        message = f"the command did not end within {COMMAND_SECONDS:g} s"
        if given_up.is_set():
            message = "the command was ended, because the scan was"
        raise _error(source, message, "run it by hand; it must not ask anything")
    if process.returncode:
        message = f"the command failed with exit status {process.returncode}"
        raise _error(source, message, "run it by hand to see why; what it wrote is not shown here")
    return _first_line(source, content)


def _written(process: subprocess.Popen[bytes], given_up: threading.Event) -> bytes | None:
    """What a command writes until it ends; None if it had to be killed. Never waits for children that outlive it."""
    deadline = time.monotonic() + COMMAND_SECONDS
    while not given_up.is_set() and time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=_POLL_SECONDS)[0]
    process.kill()
    process.wait()
    if process.stdout is not None and os.name == "posix":  # on Windows a thread of subprocess still reads it
        process.stdout.close()
    return None


def _prompt(source: SecretSource) -> str:
    with warnings.catch_warnings():
        # Without a terminal getpass warns and reads standard input, echoing what is typed.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(f"{one_line(source.value).removesuffix(':')}: ")
        except (getpass.GetPassWarning, EOFError, OSError) as error:
            cure = "start fleetscan on a terminal, or use env, file, command or keyring"
            raise _error(source, "there is no terminal to ask for the secret", cure) from error


def _keyring(source: SecretSource, username: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        cure = "pip install fleetscan[keyring]"
        raise _error(source, "the Python package keyring is not installed", cure) from error
    try:
        text = keyring.get_password(source.value, username)
    except KeyringError as error:
        raise _error(source, f"the keyring cannot be read: {type(error).__name__}", "unlock it") from error
    if text is None:
        cure = f"keyring set {source.value} {username}"
        raise _error(source, f"the keyring has no entry {source.value} for {username}", cure)
    return str(text)
