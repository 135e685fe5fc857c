"""Logons: who is let in, who is counted, and what TLS and channel binding change."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests.exceptions
import winrm.exceptions

from fleetscan.lab import Fault, Fleet, Lab
from fleetscan.lab.accounts import Account, Accounts
from fleetscan.lab.fleet import DEFAULT_ACCOUNT
from tests.lab.helpers import NAME, Client, Done, fleet, host, visit

pytestmark = pytest.mark.anyio

REJECTED = winrm.exceptions.InvalidCredentialsError


async def attempt(lab: Lab, name: str = NAME, **changes: Any) -> Done:
    return await asyncio.to_thread(lambda: Client(lab, name, **changes).run("whoami"))


@pytest.mark.parametrize("username", ["CORP\\svc-audit", "corp\\SVC-Audit", "svc-audit"])
@pytest.mark.parametrize("auth", ["ntlm", "basic"])
async def test_a_name_may_be_given_with_or_without_its_domain(auth: str, username: str) -> None:
    async with Lab(fleet(host(auth=auth))) as lab:
        assert (await attempt(lab, username=username)).stdout == f"{username.lower()}\r\n".encode()
        assert lab.counters(NAME).failed_logons == {}


async def test_a_principal_name_logs_on() -> None:
    upn = Account("svc-audit@CORP.EXAMPLE", "pass-word-1")
    async with Lab(Fleet(hosts=(host(),), accounts={"audit": upn})) as lab:
        assert (await attempt(lab, username=upn.username, password=upn.password)).code == 0


@pytest.mark.parametrize("auth", ["ntlm", "basic"])
async def test_wrong_passwords_are_counted_by_user(auth: str) -> None:
    async with Lab(fleet(host(auth=auth))) as lab:
        for username in ("CORP\\svc-audit", "CORP\\svc-audit", "nobody"):
            with pytest.raises(REJECTED):
                await attempt(lab, username=username, password="wrong")
        assert lab.counters(NAME).failed_logons == {"CORP\\svc-audit": 2, "nobody": 1}
        assert lab.counters(NAME).logons == 0
        assert lab.counters(NAME).shells_opened == 0


async def test_each_host_has_its_own_users_and_the_environment_is_put_back() -> None:
    before = os.environ.get("NTLM_USER_FILE")
    wrong = host("hv02", fault=Fault.WRONG_PASSWORD)
    nobody = host("hv03", fault=Fault.UNAUTHORIZED)
    async with Lab(fleet(host(), wrong, nobody)) as lab:
        results = await asyncio.gather(
            *(attempt(lab, name) for name in (NAME, "hv02", "hv03") for _ in range(3)), return_exceptions=True
        )
        assert [type(result) for result in results] == [Done] * 3 + [REJECTED] * 6
        assert lab.counters("hv02").failed_logons == lab.counters("hv03").failed_logons == {"CORP\\svc-audit": 3}
        assert (await attempt(lab, "hv02", password=DEFAULT_ACCOUNT.password + "!")).code == 0
    assert os.environ.get("NTLM_USER_FILE") == before


async def test_basic_is_refused_where_it_is_not_offered() -> None:
    async with Lab(fleet(host(), host("hv02", auth="basic"))) as lab:
        with pytest.raises(REJECTED):
            await attempt(lab, transport="basic")
        with pytest.raises(REJECTED):
            await attempt(lab, "hv02", transport="ntlm")


@pytest.mark.parametrize("strict", [False, True])
async def test_channel_binding_is_demanded_where_it_is_strict(strict: bool) -> None:
    async with Lab(fleet(host(strict_channel_binding=strict))) as lab:
        assert (await attempt(lab)).code == 0
        if strict:
            with pytest.raises(REJECTED):
                await attempt(lab, send_cbt=False)
            assert lab.counters(NAME).failed_logons == {"CORP\\svc-audit": 1}
        else:
            assert (await attempt(lab, send_cbt=False)).code == 0


async def test_a_wrong_channel_is_refused_even_where_binding_is_relaxed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens when something on the way breaks TLS open and makes it anew."""
    monkeypatch.setattr("requests_ntlm.requests_ntlm._get_certificate_hash", lambda _: b"\x01" * 32)
    async with Lab(fleet()) as lab:
        with pytest.raises(REJECTED):
            await attempt(lab)
        assert lab.counters(NAME).failed_logons == {"CORP\\svc-audit": 1}


async def test_a_user_without_password_has_none_to_guess() -> None:
    users = Accounts((Account("keyed"),))
    assert users.find("KEYED") is not None
    assert not users.verify("keyed", "")


def ssl_error(text: str) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, requests.exceptions.SSLError) and text in str(error)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.TLS_EXPIRED, ssl_error("certificate has expired")),
        (Fault.TLS_NAME, ssl_error("certificate is not valid for '127.0.0.1'")),
        (Fault.TLS_SELF_SIGNED, ssl_error("self-signed certificate")),
        (Fault.TLS_HANDSHAKE, ssl_error("handshake failure")),
        (Fault.TLS_ABSENT, lambda error: isinstance(error, requests.exceptions.SSLError)),
    ],
)
async def test_tls_goes_wrong_in_the_way_that_was_asked_for(
    fault: Fault, expected: Callable[[BaseException], bool]
) -> None:
    async with Lab(fleet(host(fault=fault))) as lab:
        with pytest.raises(requests.exceptions.RequestException) as caught:
            await visit(lab)
        assert expected(caught.value), caught.value
        assert lab.crashes == []


async def test_a_certificate_holds_the_name_of_its_host() -> None:
    import ssl

    async with Lab(fleet(host("hv07.lab.example"))) as lab:
        place = lab.place("hv07.lab.example")
        context = ssl.create_default_context(cafile=lab.ca_file)
        _, writer = await asyncio.open_connection(
            place.address, place.port, ssl=context, server_hostname="hv07.lab.example"
        )
        writer.close()
        await writer.wait_closed()
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await asyncio.open_connection(place.address, place.port, ssl=context, server_hostname="hv08.lab.example")
        await asyncio.sleep(0.05)
        assert lab.crashes == []


async def test_hosts_share_a_file_of_users_unless_they_differ() -> None:
    hosts = [host(f"hv{number}") for number in range(5)]
    async with Lab(fleet(*hosts, replace(hosts[0], machine=host("hv9").machine, fault=Fault.WRONG_PASSWORD))) as lab:
        assert len(list(lab.folder.glob("ntlm-*"))) == 2


async def test_a_client_certificate_logs_its_user_on() -> None:
    users = {"audit": Account("CORP\\svc-cert"), "other": Account("CORP\\somebody")}
    certified = frozenset(users)
    one = Fleet(hosts=(host(auth="certificate"),), accounts=users, certificates=certified)
    async with Lab(one) as lab:
        file = str(lab.certificate_file("audit"))
        done = await attempt(lab, cert_pem=file, cert_key_pem=file)
        assert done.stdout == b"corp\\svc-cert\r\n"
        with pytest.raises(REJECTED):
            await attempt(lab, transport="ntlm")
    stranger = Fleet(hosts=(host(auth="certificate"),), accounts={"other": users["other"]})
    async with Lab(one) as lab, Lab(stranger) as elsewhere:
        file = str(lab.certificate_file("audit"))
        with pytest.raises(requests.exceptions.RequestException):
            await attempt(elsewhere, cert_pem=file, cert_key_pem=file)
        assert elsewhere.counters(NAME).logons == 0


async def test_a_certificate_of_nobody_is_rejected_and_counted() -> None:
    async with Lab(Fleet(hosts=(host(auth="certificate"),), accounts={})) as lab:
        file = lab.folder / "nobody.pem"
        lab._authority.client_files("nobody", file)
        with pytest.raises(REJECTED):
            await attempt(lab, cert_pem=str(file), cert_key_pem=str(file))
        assert lab.counters(NAME).failed_logons == {"nobody": 1}
