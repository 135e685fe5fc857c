"""The guard of logons: how often a password can be rejected, whatever the hosts do."""

from __future__ import annotations

import anyio
import pytest

from fleetscan.errors import TransportError
from fleetscan.model.host import Credential
from fleetscan.model.reasons import Reason, Stage
from fleetscan.scan import guard as guard_module
from fleetscan.scan.guard import LogonGuard

pytestmark = pytest.mark.anyio

AUDIT = Credential(name="audit", username="svc-audit@CORP.EXAMPLE")


class Hosts:
    """Many hosts that try to log on at once; counts what reaches the wire."""

    def __init__(self, guard: LogonGuard, credential: Credential = AUDIT) -> None:
        self.guard = guard
        self.credential = credential
        self.tried: list[str] = []
        self.stopped: list[str] = []
        self.under_way = 0
        self.most_under_way = 0

    async def log_on(self, name: str, outcome: Reason | None, seconds: float = 0.01) -> None:
        try:
            async with self.guard.logon(self.credential, name):
                self.tried.append(name)
                self.under_way += 1
                self.most_under_way = max(self.most_under_way, self.under_way)
                try:
                    await anyio.sleep(seconds)
                finally:
                    self.under_way -= 1
                if outcome is not None:
                    raise TransportError(outcome, Stage.LOGON, "no")
        except TransportError as error:
            if error.reason is Reason.AUTH_STOPPED:
                self.stopped.append(name)


async def test_a_wrong_password_is_tried_on_two_hosts_one_after_the_other() -> None:
    guard = LogonGuard()
    hosts = Hosts(guard)
    async with anyio.create_task_group() as group:
        for number in range(200):
            group.start_soon(hosts.log_on, f"h{number}", Reason.AUTH_REJECTED)
    assert len(hosts.tried) == 2
    assert hosts.most_under_way == 1
    assert len(hosts.stopped) == 198
    assert "svc-audit@CORP.EXAMPLE was rejected by h0 and h1" in guard.notices[0]


async def test_the_first_logon_goes_alone_and_opens_the_way() -> None:
    hosts = Hosts(LogonGuard())
    async with anyio.create_task_group() as group:
        group.start_soon(hosts.log_on, "first", None, 0.1)
        for number in range(20):
            group.start_soon(hosts.log_on, f"h{number}", None)
        await anyio.sleep(0.05)
        assert hosts.tried == ["first"]
    assert len(hosts.tried) == 21
    assert hosts.most_under_way == AUDIT.parallel_logons


async def test_single_rejections_between_successes_do_not_stop_a_good_password() -> None:
    hosts = Hosts(LogonGuard())
    async with anyio.create_task_group() as group:
        for number in range(40):
            group.start_soon(hosts.log_on, f"h{number}", Reason.AUTH_REJECTED if number % 10 == 5 else None)
    assert len(hosts.tried) == 40
    assert not hosts.stopped


async def test_a_password_that_changes_in_mid_scan_is_tried_at_most_as_often_as_logons_run_at_once() -> None:
    hosts = Hosts(LogonGuard())
    await hosts.log_on("first", None)
    async with anyio.create_task_group() as group:
        for number in range(100):
            group.start_soon(hosts.log_on, f"h{number}", Reason.AUTH_REJECTED)
    assert len(hosts.tried) - 1 <= AUDIT.parallel_logons


async def test_an_unreachable_first_host_says_nothing_about_the_password() -> None:
    hosts = Hosts(LogonGuard())
    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(hosts.log_on, f"dead{number}", Reason.UNREACHABLE_REFUSED)
        group.start_soon(hosts.log_on, "alive", None)
    assert len(hosts.tried) == 6
    assert not hosts.stopped


async def test_a_hung_first_host_holds_the_others_up_for_seconds_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "PATIENCE", 0.1)
    hosts = Hosts(LogonGuard())
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(hosts.log_on, "hung", None, 60)
            group.start_soon(hosts.log_on, "second", None)
            group.start_soon(hosts.log_on, "third", None)
            await anyio.sleep(3)
            group.cancel_scope.cancel()
    assert set(hosts.tried) == {"hung", "second", "third"}


async def test_hung_logons_do_not_use_up_the_places_of_a_proven_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "PATIENCE", 0.1)
    hosts = Hosts(LogonGuard())
    await hosts.log_on("first", None)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            for number in range(AUDIT.parallel_logons):
                group.start_soon(hosts.log_on, f"hung{number}", None, 60)
            await anyio.sleep(0.2)
            for number in range(20):
                group.start_soon(hosts.log_on, f"h{number}", None)
            await anyio.sleep(3)
            group.cancel_scope.cancel()
    assert len([name for name in hosts.tried if name.startswith("h") and name[1].isdigit()]) == 20


async def test_one_account_is_one_account_whatever_the_credential_is_called() -> None:
    guard = LogonGuard()
    first = Hosts(guard)
    second = Hosts(guard, Credential(name="other", username="SVC-AUDIT@corp.example"))
    await first.log_on("a", Reason.AUTH_REJECTED)
    await second.log_on("b", Reason.AUTH_REJECTED)
    await first.log_on("c", None)
    assert first.stopped == ["c"]


async def test_a_wrong_password_is_not_saved_by_the_right_one_of_another_credential() -> None:
    guard = LogonGuard()
    right = Hosts(guard)
    wrong = Hosts(guard, Credential(name="old", username=AUDIT.username))
    await right.log_on("first", None)
    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(right.log_on, f"r{number}", None)
            group.start_soon(wrong.log_on, f"w{number}", Reason.AUTH_REJECTED)
    assert len(wrong.tried) == 2
    assert wrong.most_under_way == 1
    assert len(right.tried) == 21
    assert guard.notices[0].startswith("credential old was rejected by ")
