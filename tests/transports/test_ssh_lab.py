"""SSH against simulated hosts: the faults that only they have, and how many logons are made at once."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import anyio
import pytest

from fleetscan.errors import TransportError
from fleetscan.lab import Fault, Fleet, Lab
from fleetscan.model.host import Host, SSHSettings, TransportName
from fleetscan.model.login import Login
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports import Output, ssh

from .conftest import NAME, VARIANTS, Commands, faulty, prepare

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("fault", "reason", "stage"),
    [
        (Fault.HOSTKEY_CHANGED, Reason.HOSTKEY_CHANGED, Stage.CONNECT),
        (Fault.HOSTKEY_UNKNOWN, Reason.HOSTKEY_UNKNOWN, Stage.CONNECT),
        (Fault.CHANNEL_REFUSED, Reason.QUOTA_SHELLS, Stage.COMMAND),
    ],
)
async def test_faults_of_ssh(fault: Fault, reason: Reason, stage: Stage) -> None:
    async with prepare(faulty("ssh-windows-cmd", fault)) as ground:
        with pytest.raises(TransportError) as caught:
            async with ground.connected() as connection:
                await connection.run("sort lines", b"", Output())
        assert (caught.value.reason, caught.value.stage) == (reason, stage)
        assert ground.counters.failed_logons == {}
        assert ground.counters.logons == (1 if fault is Fault.CHANNEL_REFUSED else 0)


async def test_a_key_logs_on() -> None:
    spec = VARIANTS["ssh-linux"]
    async with Lab(Fleet(hosts=(spec,), keys=frozenset({"audit"})), engine=Commands()) as lab:
        place = lab.place(NAME)
        settings = SSHSettings(port=place.port, known_hosts=str(lab.folder / "known_hosts"))
        host = Host(name=NAME, address=place.address, roles=(), transport=TransportName.SSH, ssh=settings)
        login = Login(username=lab.account("audit").username, private_key=str(lab.key_file("audit")))
        connection = await ssh.connect(host, login, connect_timeout=3.0, on_stage=lambda _: None, showing=nullcontext)
        assert await connection.run("sort three", b"", Output()) == 3
        await connection.aclose()
        assert lab.counters(NAME).failed_logons == {}


async def test_handshakes_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "MAX_HANDSHAKES", 2)
    most = 0

    async def visit() -> None:
        nonlocal most
        async with ground.connected() as connection:
            most = max(most, ssh._limiter().borrowed_tokens)
            await connection.run("sort lines", b"", Output())

    async with prepare(replace(VARIANTS["ssh-linux"], latency=0.01)) as ground:
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(visit)
        assert ground.counters.logons == 8
    assert most <= 2
    assert ssh._limiter().borrowed_tokens == 0
    assert ssh._limiter().total_tokens == 2
