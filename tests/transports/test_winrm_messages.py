"""Input as pywinrm sends it; the answer to a Receive, in the shapes that hosts send and in those that they must not."""

from __future__ import annotations

import base64
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st
from winrm.protocol import Protocol

from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports.winrm_errors import translate
from fleetscan.transports.winrm_link import Progress
from fleetscan.transports.winrm_messages import (
    Received,
    create_message,
    created,
    delete_message,
    receive_message,
    received,
    send_message,
    signal_message,
)

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"


def answer(*streams: tuple[str, bytes], state: str = "", code: str = "") -> bytes:
    parts = "".join(f'<r:Stream Name="{name}">{base64.b64encode(data).decode()}</r:Stream>' for name, data in streams)
    ended = f"<r:ExitCode>{code}</r:ExitCode>" if code else ""
    told = f'<r:CommandState State="{SHELL}/CommandState/{state}">{ended}</r:CommandState>' if state else ""
    return f'<e xmlns:r="{SHELL}"><b><r:ReceiveResponse>{parts}{told}</r:ReceiveResponse></b></e>'.encode()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (answer(state="Running"), Received()),
        (answer(), Received()),
        (answer(("stdout", b"a"), ("stderr", b"b"), ("stdout", b"c")), Received(b"ac", b"b")),
        (answer(("stdout", "ü".encode()[:1]), ("stdout", "ü".encode()[1:])), Received("ü".encode())),
        (answer(("stdout", b""), state="Done", code="3"), Received(done=True, status=3)),
        (answer(state="Done", code="-1073741510"), Received(done=True, status=-1073741510)),
        (answer(("stdout", b"a"), state="Done"), Received(b"a", done=True)),
        (answer(state="Pending", code="3"), Received()),
    ],
)
def test_shapes(text: bytes, wanted: Received) -> None:
    assert received(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html><br></html>",
        answer(("stdin", b"a")),
        answer(("stdout", b"a")).replace(b"YQ==", b"Y"),
        answer(("stdout", b"a")).replace(b"YQ==", "ü".encode()),
        answer(state="Done", code="three"),
    ],
)
def test_garbage_is_garbled(text: bytes) -> None:
    with pytest.raises(Exception) as caught:
        received(text)
    assert translate(caught.value, Progress(stage=Stage.OUTPUT), "host").reason is Reason.PROTOCOL_GARBLED


def outcome(text: bytes) -> Received | Reason:
    try:
        return received(text)
    except Exception as error:  # noqa: BLE001 # the test is about all of them
        return translate(error, Progress(stage=Stage.OUTPUT), "host").reason


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_are_an_answer_or_garbled(noise: bytes, position: int) -> None:
    whole = answer(("stdout", b"some output"), state="Done", code="0")
    for text in (noise, whole[:position] + noise + whole[position:]):
        assert isinstance(outcome(text), Received) or outcome(text) is Reason.PROTOCOL_GARBLED


def test_ids_of_a_host_cannot_break_out_of_the_message() -> None:
    text = receive_message("<x>", '"/><y>', 20)
    assert b"&lt;x&gt;" in text
    assert said(fromstring(text))[f"{{{SHELL}}}DesiredStream"] == ("stdout stderr", {"CommandId": '"/><y>'})


@pytest.mark.parametrize("prefix", ["w", "wsman"])
@pytest.mark.parametrize(
    "body",
    [
        '<p:Selector Name="Other">2</p:Selector><b><p:Selector Name="ShellId">A1</p:Selector></b>',
        '<r:Shell><r:ShellId>A1</r:ShellId></r:Shell><p:Selector Name="ShellId">A1</p:Selector>',
        "<r:Shell><r:Owner/><r:ShellId>\r\n  A1\r\n</r:ShellId></r:Shell>",
    ],
)
def test_the_id_of_a_shell_is_found_wherever_it_stands(body: str, prefix: str) -> None:
    names = f'xmlns:{prefix}="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:r="{SHELL}"'
    assert created(f"<e {names}>{body.replace('p:', f'{prefix}:')}</e>".encode()) == "A1"
    assert created(f"<e {names}><r:Shell/></e>".encode()) == ""


def test_a_shell_is_opened_as_pywinrm_does_it() -> None:
    sent: list[str] = []
    theirs = Protocol("http://windows-host:5985/wsman", username="u", password="p", operation_timeout_sec=20)
    theirs.send_message = lambda text: sent.append(text) or "<e><s Name='ShellId'>A1</s></e>"
    theirs.open_shell(codepage=65001, idle_timeout="PT120S")
    unnamed = fromstring(create_message("", 20, idle_seconds=120, codepage=65001))
    assert said(unnamed) == said(fromstring(sent[0]))
    named = fromstring(create_message("A1", 20, idle_seconds=120, codepage=65001))
    assert said(named) == {**said(unnamed), f"{{{SHELL}}}Shell": ("", {"ShellId": "A1"})}


@pytest.mark.parametrize("end", [True, False])
def test_input_goes_out_as_pywinrm_sends_it(end: bool) -> None:
    sent: list[str] = []
    theirs = Protocol("http://windows-host:5985/wsman", username="u", password="p", operation_timeout_sec=20)
    theirs.send_message = sent.append
    theirs.send_command_input("S&1", "C<2", b"\x00text\xff", end=end)
    ours = fromstring(send_message("S&1", "C<2", 20, b"\x00text\xff", end=end))
    assert said(ours) == said(fromstring(sent[0]))


def test_commands_and_shells_are_ended_as_pywinrm_does_it() -> None:
    sent: list[str] = []
    theirs = Protocol("http://windows-host:5985/wsman", username="u", password="p", operation_timeout_sec=20)

    def related(text: str) -> str:
        sent.append(text)
        asked = next(part.text for part in fromstring(text).iter() if part.tag.endswith("MessageID"))
        return f"<e><RelatesTo>{asked}</RelatesTo></e>"

    theirs.send_message = related
    theirs.cleanup_command("S&1", "C<2")
    theirs.close_shell("S&1")
    ours = signal_message("S&1", "C<2", 20), delete_message("S&1", 20)
    assert [said(fromstring(text)) for text in ours] == [said(fromstring(text)) for text in sent]


def said(envelope: Element) -> dict[str, tuple[str, dict[str, str]]]:
    """Element → text and attributes, these without namespaces; the ids of message and session are their own."""
    return {
        part.tag: ((part.text or "").strip(), {name.rpartition("}")[2]: value for name, value in part.attrib.items()})
        for part in envelope.iter()
        if not part.tag.endswith(("MessageID", "SessionId"))
    }
