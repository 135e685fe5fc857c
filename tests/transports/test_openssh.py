"""SSH against a real OpenSSH server, which runs as the user who runs the tests."""

from __future__ import annotations

import asyncio
import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import asyncssh
import pytest

from fleetscan.errors import TransportError
from fleetscan.model.host import Host, SSHSettings, TransportName
from fleetscan.model.login import Login, Secret
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports import Output, ssh

pytestmark = pytest.mark.anyio
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
if SSHD is None:
    pytest.skip("OpenSSH's sshd is not installed", allow_module_level=True)


@dataclass
class Server:
    """A running sshd, and the files around it."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def host(self, *, known_hosts: Path | None = None, address: str = "127.0.0.1") -> Host:
        return Host(
            name="lin01.corp.example",
            address=address,
            roles=(),
            transport=TransportName.SSH,
            ssh=SSHSettings(port=self.port, known_hosts=str(known_hosts or self.folder / "known_hosts")),
        )

    @property
    def login(self) -> Login:
        return Login(username=getpass.getuser(), private_key=str(self.folder / "user"))

    def log(self) -> str:
        time.sleep(0.05)  # sshd writes after it has answered
        return (self.folder / "log").read_text()

    def known(self, name: str, key: str, marker: str = "") -> str:
        return f"{marker}[{name}]:{self.port} {(self.folder / key).with_suffix('.pub').read_text()}"


def make_key(path: Path, kind: str = "ssh-ed25519", passphrase: str | None = None) -> asyncssh.SSHKey:
    key = asyncssh.generate_private_key(kind)
    key.write_private_key(str(path), passphrase=passphrase)
    path.chmod(0o600)
    key.write_public_key(str(path.with_suffix(".pub")))
    return key


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def run_sshd(folder: Path, options: str = "") -> Server:
    user, host_key = make_key(folder / "user"), make_key(folder / "host")
    assert host_key.get_fingerprint() != user.get_fingerprint()
    (folder / "authorized").write_bytes(user.export_public_key())
    port = free_port()
    (folder / "config").write_text(
        f"{options}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\n"
        f"AuthorizedKeysFile {folder}/authorized\nPidFile {folder}/pid\nStrictModes no\nUsePAM no\n"
        "PermitRootLogin yes\nLogLevel VERBOSE\n"
    )
    with suppress(OSError):
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists on it where it is started by root
    assert SSHD is not None
    command = [SSHD, "-D", "-f", f"{folder}/config", "-E", f"{folder}/log"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = Server(folder, port, process)
    (folder / "known_hosts").write_text(server.known("127.0.0.1", "host"))
    for _ in range(100):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return server
        time.sleep(0.05)
    process.kill()
    process.wait()
    pytest.fail(f"sshd does not listen: {(folder / 'log').read_text()}")


Start = Callable[..., Server]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a server with further options."""
    servers: list[Server] = []

    def begin(options: str = "") -> Server:
        servers.append(run_sshd(tmp_path_factory.mktemp("sshd"), options))
        return servers[-1]

    yield begin
    for server in servers:
        server.process.terminate()
        server.process.wait(5)


@pytest.fixture(scope="module")
def server(start: Start) -> Server:
    return start()


@asynccontextmanager
async def connected(host: Host, login: Login):  # type: ignore[no-untyped-def] # an async generator of SSHConnection
    connection = await ssh.connect(host, login, connect_timeout=3.0, on_stage=lambda _: None, showing=nullcontext)
    try:
        yield connection
    finally:
        await connection.aclose()


async def refusal(host: Host, login: Login) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await ssh.connect(host, login, connect_timeout=3.0, on_stage=lambda _: None, showing=nullcontext)
    return caught.value


async def script(server: Server, text: bytes, output: Output | None = None) -> int | None:
    async with connected(server.host(), server.login) as connection:
        status: int | None = await connection.run("sh -s", text, output or Output())
        return status


async def test_a_script_runs(server: Server) -> None:
    output = Output()
    status = await script(server, "printf 'Zürich'; printf 'Fehler' >&2; exit 3".encode(), output)
    assert (status, output.stdout.decode(), output.stderr) == (3, "Zürich", b"Fehler")


async def test_large_amounts_pass_in_both_directions(server: Server) -> None:
    output = Output()
    data = bytes(range(256)) * 4096
    async with connected(server.host(), server.login) as connection:
        assert await connection.run("cat", data, output) == 0
    assert bytes(output.stdout) == data


async def test_a_killed_command_has_no_exit_status(server: Server) -> None:
    assert await script(server, b"kill -9 $$") is None


async def test_there_is_no_terminal_and_no_environment_of_ours(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_FLEETSCAN", "leak")
    output = Output()
    await script(server, b"test -t 0 || echo none; echo $LC_FLEETSCAN$SSH_AUTH_SOCK", output)
    assert output.stdout.split() == [b"none"]


async def test_the_users_ssh_configuration_is_not_read(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text(
        f"Host *\n  ProxyCommand touch {tmp_path}/ran\n  UserKnownHostsFile\n  User mallory\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    assert await script(server, b"exit 0") == 0
    assert not (tmp_path / "ran").exists()


async def test_a_cut_in_the_middle_is_told(start: Start) -> None:
    server = start()
    output = Output()
    async with connected(server.host(), server.login) as connection:
        with pytest.raises(TransportError) as caught:
            await connection.run("sh -s", b"echo before; sleep 0.2; kill -9 $PPID", output)
    assert (caught.value.reason, caught.value.stage) == (Reason.UNREACHABLE_RESET, Stage.OUTPUT)
    assert caught.value.retryable is False
    assert bytes(output.stdout) == b"before\n"


@pytest.mark.parametrize("passphrase", ["right", "wrong", None])
async def test_keys_with_a_passphrase(server: Server, tmp_path: Path, passphrase: str | None) -> None:
    key = tmp_path / "key"
    shutil.copy(server.folder / "user", key)
    await anyio.run_process(["ssh-keygen", "-p", "-a", "2", "-P", "", "-N", "right", "-f", str(key)])
    secret = Secret(passphrase) if passphrase is not None else None
    login = replace(server.login, private_key=str(key), passphrase=secret)
    if passphrase == "right":
        async with connected(server.host(), login) as connection:
            assert await connection.run("sh -s", b"exit 0", Output()) == 0
        return
    before = server.log()
    error = await refusal(server.host(), login)
    assert (error.reason, error.stage) == (Reason.AUTH_SECRET, Stage.CREDENTIAL)
    assert server.log() == before


@pytest.mark.parametrize("content", [None, "no key"])
async def test_unreadable_keys_contact_nobody(server: Server, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "key").write_text(content)
    before = server.log()
    error = await refusal(server.host(), replace(server.login, private_key=str(tmp_path / "key")))
    assert (error.reason, error.stage) == (Reason.AUTH_SECRET, Stage.CREDENTIAL)
    assert server.log() == before


async def test_a_rejected_key_is_shown_once(start: Start, tmp_path: Path) -> None:
    server = start()
    make_key(tmp_path / "stranger")
    error = await refusal(server.host(), replace(server.login, private_key=str(tmp_path / "stranger")))
    assert (error.reason, error.stage, error.retryable) == (Reason.AUTH_REJECTED, Stage.LOGON, False)
    assert server.log().count("Failed publickey") == 1


@pytest.mark.parametrize("options", ["", "MaxAuthTries 1"])
async def test_a_rejected_password_is_tried_once(start: Start, options: str) -> None:
    """At MaxAuthTries sshd does not say that the password is wrong: it ends the connection."""
    server = start(options)
    error = await refusal(server.host(), Login(username=getpass.getuser(), password=Secret("wrong")))
    assert (error.reason, error.retryable) == (Reason.AUTH_REJECTED, False)
    assert server.log().count("Failed password") == 1


async def test_a_key_and_a_password_are_not_both_tried(start: Start, tmp_path: Path) -> None:
    server = start()
    make_key(tmp_path / "stranger")
    login = replace(server.login, private_key=str(tmp_path / "stranger"), password=Secret("wrong"))
    assert (await refusal(server.host(), login)).reason is Reason.AUTH_REJECTED
    assert "Failed password" not in server.log()


async def test_a_method_that_is_not_offered(start: Start) -> None:
    server = start("PasswordAuthentication no\nKbdInteractiveAuthentication no")
    error = await refusal(server.host(), Login(username=getpass.getuser(), password=Secret("wrong")))
    assert (error.reason, error.retryable) == (Reason.AUTH_METHOD, False)
    assert "it offers publickey" in error.message


async def test_a_host_that_wants_a_key_and_a_password_rejects_neither(start: Start) -> None:
    """Counted as a rejection, two such hosts would stop the account everywhere."""
    server = start("AuthenticationMethods publickey,password")
    error = await refusal(server.host(), server.login)
    assert (error.reason, error.retryable) == (Reason.AUTH_METHOD, False)
    assert "asks for password" in error.message
    assert "Partial publickey" in server.log()


async def test_no_session_is_to_be_had(start: Start) -> None:
    server = start("MaxSessions 0")
    async with connected(server.host(), server.login) as connection:
        with pytest.raises(TransportError) as caught:
            await connection.run("sh -s", b"exit 0", Output())
    assert (caught.value.reason, caught.value.retryable) == (Reason.QUOTA_SHELLS, True)


async def test_too_many_at_the_door_may_try_again(start: Start) -> None:
    server = start("MaxStartups 2:100:2")
    with ExitStack() as waiting:
        held = 0
        while held < 2:
            stranger = waiting.enter_context(socket.create_connection(("127.0.0.1", server.port), 5))
            held += stranger.recv(3) == b"SSH"
            await anyio.sleep(0.02)
        error = await refusal(server.host(), server.login)
    assert (error.reason, error.retryable) == (Reason.UNREACHABLE_RESET, True)


async def known_hosts_say(server: Server, tmp_path: Path, text: str, *, address: str = "127.0.0.1") -> TransportError:
    (tmp_path / "known").write_text(text)
    return await refusal(server.host(known_hosts=tmp_path / "known", address=address), server.login)


async def test_an_unknown_host_is_shown_by_its_fingerprint(server: Server, tmp_path: Path) -> None:
    fingerprint = asyncssh.read_public_key(str(server.folder / "host.pub")).get_fingerprint()
    before = server.log().count("Accepted")
    for known_hosts in (tmp_path / "missing", server.folder / "host.pub"):
        if known_hosts.exists():
            error = await known_hosts_say(server, tmp_path, "# nobody\n")
        else:
            error = await refusal(server.host(known_hosts=known_hosts), server.login)
        assert (error.reason, error.stage, error.retryable) == (Reason.HOSTKEY_UNKNOWN, Stage.CONNECT, False)
        assert fingerprint in error.message
        assert f"ssh-keyscan -p {server.port} 127.0.0.1" in error.hint
    assert server.log().count("Accepted") == before


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
async def test_a_changed_host_is_a_hard_stop(server: Server, tmp_path: Path, kind: str) -> None:
    """Also where the known key is of a kind that the host does not have any more."""
    make_key(tmp_path / "old", kind)
    line = server.known("127.0.0.1", str(tmp_path / "old"))
    error = await known_hosts_say(server, tmp_path, line)
    assert (error.reason, error.retryable) == (Reason.HOSTKEY_CHANGED, False)
    assert "SHA256:" in error.message


async def test_a_revoked_key_is_a_hard_stop(server: Server, tmp_path: Path) -> None:
    text = server.known("127.0.0.1", "host") + server.known("127.0.0.1", "host", "@revoked ")
    error = await known_hosts_say(server, tmp_path, text)
    assert error.reason is Reason.HOSTKEY_CHANGED


async def test_a_damaged_known_hosts_file_is_named(server: Server, tmp_path: Path) -> None:
    error = await known_hosts_say(server, tmp_path, "onlyoneword\n")
    assert error.reason is Reason.HOSTKEY_UNKNOWN
    assert str(tmp_path / "known") in error.message


@pytest.mark.parametrize("name", ["127.0.0.1", "lin01.corp.example"])
@pytest.mark.parametrize("hashed", [False, True])
async def test_a_host_is_known_by_its_address_or_its_name(
    server: Server, tmp_path: Path, name: str, hashed: bool
) -> None:
    known = tmp_path / "known"
    known.write_text(server.known(name, "host"))
    if hashed:
        await anyio.run_process(["ssh-keygen", "-H", "-f", str(known)])
        assert name not in known.read_text()
    async with connected(server.host(known_hosts=known), server.login) as connection:
        assert await connection.run("sh -s", b"exit 0", Output()) == 0


async def test_host_certificates(start: Start, tmp_path: Path) -> None:
    authority = make_key(tmp_path / "ca")
    server = start()
    certificate = authority.generate_host_certificate(
        asyncssh.read_public_key(str(server.folder / "host.pub")), "host", principals=["lin01.corp.example"]
    )
    certificate.write_certificate(str(server.folder / "host-cert.pub"))
    other = start(f"HostCertificate {server.folder}/host-cert.pub\nHostKey {server.folder}/host")
    known = tmp_path / "known"
    known.write_text(other.known("lin01.corp.example", str(tmp_path / "ca"), "@cert-authority "))
    async with connected(other.host(known_hosts=known), other.login) as connection:
        assert await connection.run("sh -s", b"exit 0", Output()) == 0


async def test_a_port_that_speaks_something_else() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listener:
        settings = SSHSettings(port=listener.sockets[0].getsockname()[1])
        host = Host(name="x", address="127.0.0.1", roles=(), ssh=settings)
        error = await refusal(host, Login(username="x", password=Secret("x")))
    assert error.reason in (Reason.PROTOCOL_GARBLED, Reason.UNREACHABLE_RESET)
