"""How SSH servers ask for a proof: by which methods, with which questions, and for how many proofs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import pytest

from fleetscan.errors import TransportError
from fleetscan.model.host import Host, SSHSettings, TransportName
from fleetscan.model.login import Login, Secret
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports import Output, ssh

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse battery staple"
LOGIN = Login(username="svc-audit", password=Secret(PASSWORD))
HIDDEN, SEEN = ("Mot de passe : ", False), ("Code: ", True)
Questions = tuple[tuple[str, bool], ...]


@dataclass
class Door(asyncssh.SSHServer):
    """A server that asks these rounds of questions, takes a password where `direct`, and remembers what it was told."""

    rounds: Sequence[Questions] = ()
    direct: bool = False
    right: str = PASSWORD
    hangs_up: bool = False
    answers: list[str] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.line = conn

    def session_requested(self) -> bool:
        if self.hangs_up:
            self.line.abort()
        return False

    def kbdint_auth_supported(self) -> bool:
        return bool(self.rounds)

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str):  # type: ignore[no-untyped-def] # asyncssh's own
        self.left = list(self.rounds)
        return "", "", "", self.left.pop(0)

    def validate_kbdint_response(self, username: str, responses: Sequence[str]):  # type: ignore[no-untyped-def] # asyncssh's own
        self.answers += responses
        if self.left:
            return "", "", "", self.left.pop(0)
        return self.answers == [self.right]

    def password_auth_supported(self) -> bool:
        return self.direct

    def validate_password(self, username: str, password: str) -> bool:
        self.passwords.append(password)
        return password == self.right


@asynccontextmanager
async def standing(door: Door, folder: Path, **options: object) -> AsyncIterator[Host]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(lambda: door, "127.0.0.1", 0, server_host_keys=[key], **options)
    async with server:
        port = server.get_port()
        (folder / "known").write_bytes(b"[127.0.0.1]:%d %s" % (port, key.export_public_key()))
        settings = SSHSettings(port=port, known_hosts=str(folder / "known"))
        yield Host(name="lin01", address="127.0.0.1", roles=(), transport=TransportName.SSH, ssh=settings)


async def trouble(host: Host) -> TransportError | None:
    try:
        line = await ssh.connect(host, LOGIN, connect_timeout=3.0, on_stage=lambda _: None, showing=nullcontext)
    except TransportError as error:
        return error
    await line.aclose()
    return None


@pytest.mark.parametrize("rounds", [[(HIDDEN,)], [(), (HIDDEN,), ()]])
async def test_a_password_answers_a_question_where_that_is_the_only_way(
    rounds: list[Questions], tmp_path: Path
) -> None:
    door = Door(rounds)
    async with standing(door, tmp_path) as host:
        assert await trouble(host) is None
    assert door.answers == [PASSWORD]


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("rounds", [[(HIDDEN,)], [(HIDDEN,), (HIDDEN,)]])
async def test_a_wrong_password_is_told_once_however_often_it_is_asked_for(
    direct: bool, rounds: list[Questions], tmp_path: Path
) -> None:
    door = Door(rounds, direct=direct, right="another one")
    async with standing(door, tmp_path) as host:
        error = await trouble(host)
    assert error is not None
    assert (error.reason, error.stage, error.retryable) == (Reason.AUTH_REJECTED, Stage.LOGON, False)
    assert door.passwords + door.answers == [PASSWORD]


@pytest.mark.parametrize("rounds", [[(SEEN,)], [(HIDDEN, HIDDEN)], [(HIDDEN,), (SEEN,)]])
async def test_questions_for_more_than_a_password_are_no_rejection(rounds: list[Questions], tmp_path: Path) -> None:
    door = Door(rounds)
    async with standing(door, tmp_path) as host:
        error = await trouble(host)
    assert error is not None
    assert (error.reason, "wants more" in error.message) == (Reason.AUTH_METHOD, True)
    assert rounds[-1][0][0].strip() in error.message
    assert door.answers == [PASSWORD] * (len(rounds) - 1)


@pytest.mark.parametrize(("hangs_up", "reason"), [(True, Reason.PROTOCOL_CLOSED), (False, Reason.QUOTA_SHELLS)])
async def test_a_connection_that_ends_where_a_session_begins_is_no_quota(
    hangs_up: bool, reason: Reason, tmp_path: Path
) -> None:
    async with standing(Door(direct=True, hangs_up=hangs_up), tmp_path) as host:
        line = await ssh.connect(host, LOGIN, connect_timeout=3.0, on_stage=lambda _: None, showing=nullcontext)
        with pytest.raises(TransportError) as caught:
            await line.run("hostname", b"", Output())
        await line.aclose()
    assert (caught.value.reason, caught.value.stage) == (reason, Stage.COMMAND)


async def test_no_algorithm_in_common_is_told_or_at_least_guessed(tmp_path: Path) -> None:
    """Which of the two depends on whether the host hangs up before asyncssh has compared the lists."""
    async with standing(Door(direct=True), tmp_path, encryption_algs=["aes128-cbc"]) as host:
        error = await trouble(host)
    assert error is not None
    assert error.reason in (Reason.PROTOCOL_FAULT, Reason.UNREACHABLE_RESET)
    assert "algorithm in common" in error.message + error.hint
