"""Many visits at once share one process: nothing that is made for one may change what another sees."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from fleetscan.model.host import WinRMAuth, WinRMSettings
from fleetscan.model.login import Login, Secret
from fleetscan.transports.winrm_link import Link
from fleetscan.transports.winrm_login import tls_context
from fleetscan.transports.winrm_shell import Shell

SETTINGS = WinRMSettings(scheme="https", auth=WinRMAuth.BASIC)
LOGIN = Login(username="svc-audit", password=Secret("x"))


@pytest.fixture
def restless() -> Iterator[None]:
    """Let threads take turns as often as Python can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_sessions_are_made_side_by_side(restless: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    tls = tls_context(SETTINGS, LOGIN)
    failures: list[KeyError] = []
    sessions = []

    def make() -> None:
        try:
            for _ in range(60):
                shell = Shell(Link(tls, "hv01", 5), SETTINGS, LOGIN, name="hv01", place="hv01:5986")
                sessions.append(shell._protocol.transport.build_session())
        except KeyError as error:  # as the environment of the process raises it
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(sessions) == 12 * 60
    assert all(not session.proxies and not session.trust_env for session in sessions)
