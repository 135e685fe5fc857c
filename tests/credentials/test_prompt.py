"""Secrets that a person types, on a real terminal and without one."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

PROGRAM = """
from fleetscan.credentials import Vault
from fleetscan.errors import InputError
from fleetscan.model.host import Credential, SecretKind, SecretSource
source = SecretSource(SecretKind.PROMPT, "Password of CORP\\\\alice:", "hosts.yaml:3:9")
vault = Vault({name: Credential(name=name, username="alice", password=source) for name in ("a", "b")})
try:
    vault.prepare(["a", "b"])
    print("length", len(vault.login("a").password.reveal()), len(vault.login("b").password.reveal()))
except InputError as error:
    print("refused", error)
"""


def test_without_a_terminal_a_prompt_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        input="hunter2\n",
        capture_output=True,
        text=True,
        timeout=20,
        start_new_session=True,  # no controlling terminal
    )
    assert done.stdout == (
        "refused hosts.yaml:3:9: there is no terminal to ask for the secret; "
        "start fleetscan on a terminal, or use env, file, command or keyring\n"
    )
    assert done.stderr == ""


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX")
def test_on_a_terminal_a_prompt_is_asked_once_and_not_echoed() -> None:
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM])  # noqa: S606 - the program above
    shown = _read_until(terminal, b"alice: ")
    os.write(terminal, b"hunter2\n")
    shown += _read_until(terminal, b"length 7 7")
    os.waitpid(child, 0)
    os.close(terminal)
    assert shown.count(b"Password of CORP\\alice: ") == 1
    assert b"hunter2" not in shown


def _read_until(terminal: int, wanted: bytes) -> bytes:
    seen = b""
    deadline = time.monotonic() + 20
    while wanted not in seen and time.monotonic() < deadline:
        seen += os.read(terminal, 1024)
    return seen
