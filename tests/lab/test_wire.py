"""What goes over the wire, byte by byte: HTTP, SOAP and the faults of the protocol."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
import winrm.exceptions

from fleetscan.lab import Lab
from fleetscan.lab.soap import MalformedError, parse, seconds
from tests.lab.helpers import BASIC, NAME, Client, answer, ask, envelope, fleet, host, post

pytestmark = pytest.mark.anyio

RECEIVE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive"


async def test_a_stranger_learns_how_to_log_on_and_is_hung_up_on() -> None:
    async with Lab(fleet(host(scheme="http"))) as lab:
        status, headers, body = await ask(lab, post())
        assert (status, body) == (401, b"")
        assert headers["www-authenticate"] == ["Negotiate", "Kerberos"]
        assert headers["connection"] == ["close"]
        assert headers["server"] == ["Microsoft-HTTPAPI/2.0"]


async def test_identify_needs_no_logon_and_hides_the_version() -> None:
    async with Lab(fleet(host(scheme="http"))) as lab:
        status, headers, body = await ask(lab, post(b"<x/>", WSMANIDENTIFY="unauthenticated"))
        assert status == 200
        assert headers["content-type"] == ["application/soap+xml;charset=UTF-8"]
        assert b"<wsmid:ProductVersion>OS: 0.0.0 SP: 0.0 Stack: 3.0</wsmid:ProductVersion>" in body


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /wsman HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (post(path="/other"), 404),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (post(Authorization="Negotiate !!!"), 401),
        (post(Authorization="Negotiate TlRMTVNTUAADAAAA"), 401),
        (post(Authorization=BASIC), 401),
    ],
    ids=["get", "path", "tls-hello", "no-base64", "half-a-token", "basic-not-offered"],
)
async def test_what_is_not_a_request_is_refused(request_bytes: bytes, status: int) -> None:
    async with Lab(fleet(host(scheme="http"))) as lab:
        assert (await ask(lab, request_bytes))[0] == status
        assert lab.crashes == []


async def test_a_connection_is_kept_and_a_client_may_wait_for_100_continue() -> None:
    async with Lab(fleet(host(scheme="http"))) as lab:
        place = lab.place(NAME)
        reader, writer = await asyncio.open_connection(place.address, place.port)
        identify = post(b"<x/>", WSMANIDENTIFY="1", Expect="100-continue")
        for _ in range(2):
            writer.write(identify[:-4])
            assert (await answer(reader))[0] == 100
            writer.write(identify[-4:])
            assert (await answer(reader))[0] == 200
        writer.close()
        await writer.wait_closed()
        assert lab.counters(NAME).connections == 1
        assert lab.counters(NAME).requests == 2


async def test_clear_text_over_http_is_refused_after_the_logon() -> None:
    """AllowUnencrypted is false, as on every Windows that nobody has changed: HTTP 500 without a body."""
    async with Lab(fleet(host(scheme="http"))) as lab:
        with pytest.raises(winrm.exceptions.WinRMTransportError) as refused:
            await asyncio.to_thread(lambda: Client(lab, message_encryption="never").run("hostname"))
        assert refused.value.code == 500
        assert refused.value.response_text == ""
        assert lab.counters(NAME).shells_opened == 0


async def test_a_seal_of_another_connection_is_a_bad_request() -> None:
    """What a client meets that re-sends a sealed message after its connection was dropped."""

    def client() -> int:
        first, second = Client(lab), Client(lab)
        first.protocol.open_shell()
        second.protocol.open_shell()
        sealed = first.protocol.transport.encryption.prepare_encrypted_request(
            second.protocol.transport.session, second.protocol.transport.endpoint, b"<x/>"
        )
        return int(second.protocol.transport.session.send(sealed, timeout=5).status_code)

    async with Lab(fleet(host(scheme="http"))) as lab:
        assert await asyncio.to_thread(client) == 400
        assert lab.crashes == []


def fault(client: Client, body: bytes) -> tuple[int, Any]:
    """Send an envelope; the fault's code and the whole exception."""
    with pytest.raises(winrm.exceptions.WSManFaultError) as caught:
        client.protocol.send_message(body.decode())
    return caught.value.wsman_fault_code, caught.value


SHELL = '<w:SelectorSet><w:Selector Name="ShellId">{}</w:Selector></w:SelectorSet>'
DESIRED = '<rsp:Receive><rsp:DesiredStream CommandId="{}">stdout stderr</rsp:DesiredStream></rsp:Receive>'


async def test_faults_have_the_codes_and_the_shape_of_windows() -> None:
    def client() -> None:
        pywinrm = Client(lab)
        shell = pywinrm.protocol.open_shell()
        here = SHELL.format(shell)
        code, caught = fault(pywinrm, envelope(RECEIVE, DESIRED.format("C0FFEE"), header=here))
        assert (code, caught.fault_code, caught.fault_subcode) == (2150858843, "s:Sender", "w:InvalidSelectors")
        assert "command identifier that does not exist" in caught.response
        assert re.search(r'<f:WSManFault xmlns:f="[^"]*/wsmanfault" Code="2150858843" Machine="HV01">', caught.response)
        assert "<a:RelatesTo>uuid:1234</a:RelatesTo>" in caught.response
        code, caught = fault(pywinrm, envelope(RECEIVE, DESIRED.format("X"), header=SHELL.format("DEAD-BEEF")))
        assert code == 2150858843
        assert "ShellId DEAD-BEEF failed because the shell was not found" in caught.response
        assert fault(pywinrm, envelope(RECEIVE, header=here))[0] == 87
        assert fault(pywinrm, envelope("urn:nothing", header=here))[0] == 2150858754
        assert fault(pywinrm, envelope("http://schemas.xmlsoap.org/ws/2004/09/transfer/Create"))[0] == 2150858752

    async with Lab(fleet()) as lab:
        await asyncio.to_thread(client)
        assert lab.crashes == []


async def test_malformed_and_too_large_messages_are_refused() -> None:
    def client(body: bytes) -> int:
        pywinrm = Client(lab)
        with pytest.raises(winrm.exceptions.WinRMTransportError) as caught:
            pywinrm.protocol.send_message(body.decode())
        return int(caught.value.code)

    async with Lab(fleet()) as lab:
        for body in (b"<x", b"<x/>", b'<!DOCTYPE s [<!ENTITY a "b">]>' + envelope("a")):
            assert await asyncio.to_thread(client, body) == 400
        assert await asyncio.to_thread(client, envelope("a", "x" * 600_000)) == 413
        assert lab.crashes == []


@pytest.mark.parametrize(
    ("text", "value"), [("PT20S", 20), ("PT7200.000S", 7200), ("P0DT0H1M0.5S", 60.5), ("P1DT2H", 93600)]
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "PT", "20", "P", "PT20", "-PT1S"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError):
        seconds(text)


def test_a_request_with_a_bad_number_is_malformed() -> None:
    with pytest.raises(MalformedError):
        parse(envelope("a").replace(b"153600", b"many"))
    assert parse(envelope("a", timeout="PT600S")).timeout == 60  # MaxTimeoutms of Windows
