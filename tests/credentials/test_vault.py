"""Secrets: fetched once, from where the inventory says, and shown to nobody."""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from fleetscan.credentials import Vault, sources
from fleetscan.errors import InputError
from fleetscan.model.host import Credential, SecretKind, SecretSource

ORIGIN = "hosts.yaml:3:9"
posix = pytest.mark.skipif(os.name != "posix", reason="file modes and pseudo-terminals are POSIX")


def credential(kind: SecretKind, value: str, *argv: str, name: str = "audit", **more: str) -> Credential:
    password = SecretSource(kind, value, ORIGIN, argv)
    return Credential(name=name, username="svc-audit", password=password, origin="hosts.yaml:2:1", **more)  # type: ignore[arg-type]


def vault(*credentials: Credential) -> Vault:
    return Vault({made.name: made for made in credentials})


def password(made: Credential) -> str:
    """The password that a visit would get."""
    prepared = vault(made)
    prepared.prepare([made.name])
    secret = prepared.login(made.name).password
    assert secret is not None
    return secret.reveal()


def complaint(action: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        action()
    return str(caught.value)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def command(*argv: str) -> Credential:
    return credential(SecretKind.COMMAND, " ".join(argv), *argv)


def test_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    made = credential(SecretKind.ENV, "FLEETSCAN_TEST")
    monkeypatch.setenv("FLEETSCAN_TEST", "correct horse ")
    assert password(made) == "correct horse "
    monkeypatch.setenv("FLEETSCAN_TEST", "")
    assert complaint(lambda: password(made)) == (
        f"{ORIGIN}: the environment variable FLEETSCAN_TEST is empty; a secret has at least one character"
    )
    monkeypatch.delenv("FLEETSCAN_TEST")
    assert complaint(lambda: vault(made).prepare(["audit"])) == (
        f"{ORIGIN}: the environment variable FLEETSCAN_TEST is not set; "
        "set it before you start fleetscan: export FLEETSCAN_TEST=…"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"correct horse",
        b"correct horse\n",
        b"correct horse\r\nsecond line\r\n",
        b"\xef\xbb\xbfcorrect horse\n",
        "correct horse\r\n".encode("utf-16"),
    ],
)
def test_a_file_holds_it_in_its_first_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert password(credential(SecretKind.FILE, str(path))) == "correct horse"


def test_a_file_may_hold_any_language(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("pässwörd→", encoding="utf-8")
    assert password(credential(SecretKind.FILE, str(path))) == "pässwörd→"


def test_a_file_that_is_missing_or_empty(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    made = credential(SecretKind.FILE, str(path))
    assert complaint(lambda: password(made)) == (
        f"{ORIGIN}: the file {path}: No such file or directory; correct the path, or its permissions"
    )
    path.write_text("\ncorrect horse")
    assert complaint(lambda: password(made)) == (
        f"{ORIGIN}: the first line of {path} is empty; a secret has at least one character"
    )


@posix
def test_files_that_are_open_to_others_are_pointed_out(tmp_path: Path) -> None:
    secret, key = tmp_path / "secret", tmp_path / "key"
    secret.write_text("correct horse")
    key.write_text("key")
    made = credential(SecretKind.FILE, str(secret), private_key=str(key))
    secret.chmod(0o640)
    key.chmod(0o604)
    assert vault(made).prepare(["audit"]) == (
        f"{secret} is open to other users (mode 0640): chmod 600 {secret}",
        f"{key} is open to other users (mode 0604): chmod 600 {key}",
    )
    secret.chmod(stat.S_IRUSR)
    key.chmod(0o600)
    assert vault(made).prepare(["audit"]) == ()


def test_a_command_without_a_shell() -> None:
    assert password(command(*python("print('a $HOME b'); print('second')"))) == "a $HOME b"


def test_a_command_of_the_shell() -> None:
    assert password(credential(SecretKind.COMMAND, "echo correct horse")) == "correct horse"


def test_a_command_that_fails_says_nothing_of_what_it_wrote() -> None:
    made = command(*python("import sys; print('correct horse'); sys.exit('battery staple')"))
    said = complaint(lambda: password(made))
    assert said == (
        f"{ORIGIN}: the command failed with exit status 1; run it by hand to see why; what it wrote is not shown here"
    )


def test_a_command_that_does_not_exist_is_told_before_anything_is_contacted() -> None:
    made = command("fleetscan-no-such-program", "x")
    assert complaint(lambda: vault(made).prepare(["audit"])) == (
        f'{ORIGIN}: the program "fleetscan-no-such-program" is not found; install it, or write its full path'
    )
    assert complaint(lambda: vault(made).login("audit")) == (
        f"{ORIGIN}: the command cannot be started: No such file or directory; check its path"
    )


def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "COMMAND_SECONDS", 0.3)
    made = command(*python("import time; print('correct horse', flush=True); time.sleep(30)"))
    with pytest.raises(InputError) as caught:
        vault(made).login("audit")
    assert str(caught.value) == (
        f"{ORIGIN}: the command did not end within 0.3 s; run it by hand; it must not ask anything"
    )
    assert caught.value.__cause__ is None


def test_a_command_is_ended_with_the_scan_though_a_child_of_it_holds_the_output() -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(5)'])"
    prepared = vault(command(*python(child)))
    threading.Timer(0.5, prepared.give_up).start()
    began = time.monotonic()
    assert "the command was ended" in complaint(lambda: prepared.login("audit"))
    assert time.monotonic() - began < 3


def test_a_command_runs_when_it_is_needed_and_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    made = command(*python(f"open({str(log)!r}, 'a').write('run '); print('correct horse')"))
    prepared = vault(made)
    prepared.prepare(["audit"])
    assert not log.exists()
    threads = [threading.Thread(target=prepared.login, args=("audit",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.read_text() == "run "
    assert prepared.login("audit") is prepared.login("audit")


def test_a_command_that_failed_is_not_tried_for_every_host(tmp_path: Path) -> None:
    log = tmp_path / "log"
    prepared = vault(command(*python(f"open({str(log)!r}, 'a').write('run '); raise SystemExit(2)")))
    first, second = (complaint(lambda: prepared.login("audit")) for _ in range(2))
    assert first == second
    assert log.read_text() == "run "


def test_a_command_gets_no_standard_input() -> None:
    read, write = os.pipe()
    os.write(write, b"an inventory\n")
    os.close(write)
    before = os.dup(0)
    os.dup2(read, 0)
    try:
        assert password(command(*python("import sys; print(repr(sys.stdin.read()))"))) == "''"
        assert os.read(0, 100) == b"an inventory\n"
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(read)


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring of one entry."""

    priority = 1  # type: ignore[assignment]
    locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("correct horse")
        return "correct horse" if (service, username) == ("fleetscan", "svc-audit") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@pytest.fixture
def memory_keyring() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_an_entry_of_the_keyring(memory_keyring: MemoryKeyring) -> None:
    assert password(credential(SecretKind.KEYRING, "fleetscan")) == "correct horse"
    assert complaint(lambda: password(credential(SecretKind.KEYRING, "other"))) == (
        f"{ORIGIN}: the keyring has no entry other for svc-audit; keyring set other svc-audit"
    )
    memory_keyring.locked = True
    assert complaint(lambda: password(credential(SecretKind.KEYRING, "fleetscan"))) == (
        f"{ORIGIN}: the keyring cannot be read: KeyringLocked; unlock it"
    )


def test_without_the_package_the_keyring_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert complaint(lambda: password(credential(SecretKind.KEYRING, "fleetscan"))) == (
        f"{ORIGIN}: the Python package keyring is not installed; pip install fleetscan[keyring]"
    )


def test_everything_that_is_missing_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLEETSCAN_TEST", raising=False)
    first = credential(SecretKind.ENV, "FLEETSCAN_TEST", private_key=str(tmp_path / "gone"))
    second = credential(
        SecretKind.FILE,
        str(tmp_path / "gone-too"),
        name="other",
        certificate=str(tmp_path),
        certificate_key=str(tmp_path / "k"),
    )
    unused = credential(SecretKind.ENV, "FLEETSCAN_TEST_UNUSED", name="unused")
    with pytest.raises(InputError) as caught:
        vault(first, second, unused).prepare(["audit", "other", "audit"])
    assert [(problem.line, problem.column, problem.message) for problem in caught.value.problems] == [
        (3, 9, "the environment variable FLEETSCAN_TEST is not set"),
        (2, 1, f"the private key {tmp_path / 'gone'}: No such file or directory"),
        (3, 9, f"the file {tmp_path / 'gone-too'}: No such file or directory"),
        (2, 1, f"the certificate {tmp_path}: Is a directory"),
        (2, 1, f"the key of the certificate {tmp_path / 'k'}: No such file or directory"),
    ]


def test_a_login_has_what_the_credential_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETSCAN_TEST", "correct horse")
    source = SecretSource(SecretKind.ENV, "FLEETSCAN_TEST", ORIGIN)
    made = Credential(name="a", username="u", private_key="k", passphrase=source, certificate="c", certificate_key="ck")
    login = vault(made).login("a")
    assert (login.username, login.private_key, login.certificate, login.certificate_key) == ("u", "k", "c", "ck")
    assert login.password is None
    assert login.passphrase is not None
    assert login.passphrase.reveal() == "correct horse"
    assert "correct horse" not in repr(login)


def test_the_redactor_knows_what_was_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETSCAN_TEST", "correct horse")
    prepared = vault(credential(SecretKind.ENV, "FLEETSCAN_TEST"))
    prepared.prepare(["audit"])
    assert prepared.redactor.redact("password=correct horse.") == "password=***."
