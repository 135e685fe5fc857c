"""Kerberos with a real KDC (MIT krb5) on this machine; the lab's listener accepts its tickets through GSSAPI."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from fleetscan.errors import TransportError
from fleetscan.model.host import WinRMAuth
from fleetscan.model.login import Login
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports import Output

from .conftest import NAME, VARIANTS, prepare

pytestmark = pytest.mark.anyio
SBIN = "/usr/sbin:/usr/local/sbin:/usr/bin"
TOOLS = {name: shutil.which(name, path=SBIN) for name in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")}
MISSING = [name for name, path in TOOLS.items() if path is None]
MISSING += [name for name in ("kerberos", "gssapi") if importlib.util.find_spec(name) is None]
if MISSING:
    pytest.skip(f"Kerberos needs {', '.join(MISSING)}", allow_module_level=True)

REALM = "LAB.EXAMPLE"
LOGIN = Login(username=f"svc-audit@{REALM}")


def run(tool: str, *arguments: str, stdin: str = "") -> None:
    path = TOOLS[tool]
    assert path is not None
    subprocess.run([path, *arguments], input=stdin.encode(), check=True, capture_output=True)


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A realm with a user who has a ticket, and the host's service in a key table."""
    folder = tmp_path_factory.mktemp("realm")
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "krb5.conf").write_text(
        f"[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n rdns = false\n"
        f" dns_canonicalize_hostname = false\n[realms]\n {REALM} = {{\n  kdc = {place}\n }}\n"
        f"[domain_realm]\n .lab.example = {REALM}\n"
    )
    (folder / "kdc.conf").write_text(
        f"[kdcdefaults]\n kdc_listen = {place}\n kdc_tcp_listen = {place}\n[realms]\n {REALM} = {{\n"
        f"  database_name = {folder}/principal\n  key_stash_file = {folder}/stash\n }}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KRB5_CONFIG", str(folder / "krb5.conf"))
        patch.setenv("KRB5_KDC_PROFILE", str(folder / "kdc.conf"))
        patch.setenv("KRB5_KTNAME", f"FILE:{folder}/keytab")
        patch.setenv("KRB5CCNAME", f"FILE:{folder}/cache")
        run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        run("kadmin.local", "-r", REALM, "-q", "addprinc -pw secret svc-audit")
        run("kadmin.local", "-r", REALM, "-q", f"addprinc -randkey HTTP/{NAME}")
        run("kadmin.local", "-r", REALM, "-q", f"ktadd -k {folder}/keytab HTTP/{NAME}")
        kdc = subprocess.Popen([str(TOOLS["krb5kdc"]), "-n", "-P", f"{folder}/pid"], stdout=subprocess.DEVNULL)
        try:
            wait_for(place)
            run("kinit", "svc-audit", stdin="secret\n")
            yield folder
        finally:
            kdc.terminate()
            kdc.wait(5)


def wait_for(place: str) -> None:
    host, _, port = place.partition(":")
    for _ in range(100):
        with suppress(OSError), socket.create_connection((host, int(port)), 1):
            return
        time.sleep(0.05)
    pytest.fail("the KDC does not listen")


@pytest.mark.parametrize("variant", ["winrm-http-ntlm", "winrm-https-ntlm"])
async def test_a_ticket_logs_on(realm: Path, variant: str) -> None:
    """The ticket goes out unasked: one request for the logon, and one connection."""
    output = Output()
    async with prepare(VARIANTS[variant], auth=WinRMAuth.KERBEROS) as ground:
        ground.login = LOGIN
        async with ground.connected() as connection:
            assert await connection.run("sort greet", b"x" * 7000, output) == 0
        assert (ground.counters.requests, ground.counters.connections) == (6, 1)
        assert ground.counters.shells_open == 0
    assert output.stdout.decode() == "Grüße aus Zürich\r\n"


async def test_a_strict_host_gets_its_channel_binding(realm: Path) -> None:
    strict = replace(VARIANTS["winrm-https-ntlm"], strict_channel_binding=True)
    async with prepare(strict, auth=WinRMAuth.KERBEROS) as ground:
        ground.login = LOGIN
        async with ground.connected() as connection:
            assert await connection.run("sort three", b"", Output()) == 3


@pytest.mark.parametrize(("username", "service"), [(f"nobody@{REALM}", "HTTP"), (f"svc-audit@{REALM}", "WSMAN")])
async def test_no_ticket_for_the_user_or_the_service(realm: Path, username: str, service: str) -> None:
    async with prepare(VARIANTS["winrm-http-ntlm"], auth=WinRMAuth.KERBEROS, spn_service=service) as ground:
        ground.login = Login(username=username)
        with pytest.raises(TransportError) as caught:
            await ground.connect()
        assert (caught.value.reason, caught.value.stage) == (Reason.AUTH_TICKET, Stage.LOGON)
        assert "kinit" in caught.value.hint
        assert ground.counters.requests == 0


async def test_a_cancelled_command_leaves_no_shell(realm: Path) -> None:
    async with prepare(VARIANTS["winrm-http-ntlm"], auth=WinRMAuth.KERBEROS) as ground:
        ground.login = LOGIN
        with anyio.move_on_after(0.3) as scope:
            async with ground.connected() as connection:
                await connection.run("sort slow", b"", Output())
        assert scope.cancelled_caught
        assert ground.counters.shells_open == 0
