"""What a silent or refusing host is told to be."""

from __future__ import annotations

import pytest

from fleetscan.model.reasons import Reason
from fleetscan.powershell.answers import explain_silence
from fleetscan.powershell.clixml import error_text
from fleetscan.powershell.envelope import Reading, decode, encode

CLIXML = (
    b'#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    b'<Obj S="progress" RefId="0"><MS><PR N="Record"><AV>Module werden vorbereitet.</AV></PR></MS></Obj>'
    b'<S S="Error">At line:1 char:1_x000D__x000A_</S><S S="Error">This script contains malicious content '
    b"&amp; was blocked _xD83D__xDE00_ _x001B_[2J_x000D__x000A_</S>"
    b'<S S="Error">    + FullyQualifiedErrorId : ScriptContainedMaliciousContent_x000D__x000A_</S></Objs>'
)


def test_errors_are_taken_out_of_clixml_and_progress_is_not() -> None:
    text = error_text(CLIXML)
    assert "malicious content & was blocked 😀" in text
    assert "vorbereitet" not in text
    assert "\x1b" not in text
    assert "_x000D_" not in text


def test_plain_errors_stay_plain() -> None:
    assert error_text(b"bash: sh: not found\n") == "bash: sh: not found"


@pytest.mark.parametrize(
    ("stdout", "stderr", "reason"),
    [
        (b"", CLIXML, Reason.BLOCKED_ANTIMALWARE),
        (b"", b"System.OutOfMemoryException", Reason.QUOTA_MEMORY),
        (b"", b"", Reason.ANSWER_MISSING),
        (b"Access is denied.", b"", Reason.ANSWER_MISSING),
        ("\n".join(encode("ee", "p", {})).encode(), b"", Reason.ANSWER_FOREIGN),
        ("\n".join(encode("aa", "p", {})).encode(), b"", Reason.ANSWER_TRUNCATED),
        (
            "\n".join(encode("aa", "_refused", {"reason": "powershell", "detail": "PowerShell 2.0"})).encode(),
            b"",
            Reason.BLOCKED_POWERSHELL,
        ),
    ],
)
def test_silence_has_a_reason(stdout: bytes, stderr: bytes, reason: Reason) -> None:
    trouble = explain_silence(decode(stdout, "aa"), stdout, stderr, 1)
    assert trouble is not None
    assert trouble.reason is reason


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        (0x800705AA, Reason.QUOTA_MEMORY, "0x800705AA"),
        (-1073741801, Reason.QUOTA_MEMORY, "0xC0000017"),
        (0xC0000142, Reason.ANSWER_MISSING, "0xC0000142"),
        (4294967295, Reason.ANSWER_MISSING, "0xFFFFFFFF"),
        (9009, Reason.ANSWER_MISSING, "exit status 9009;"),
        (None, Reason.ANSWER_MISSING, "no exit status"),
    ],
)
def test_the_exit_status_of_a_silent_host_tells_want_of_memory(status: int | None, reason: Reason, told: str) -> None:
    """WinRM tells 32 bits, as a number with or without a sign."""
    trouble = explain_silence(decode(b"", "aa"), b"", b"", status)
    assert trouble is not None
    assert trouble.reason is reason
    assert told in trouble.message
    assert trouble.hint


def test_a_complete_answer_is_no_silence() -> None:
    stdout = "\n".join(encode("aa", "_end", {})).encode()
    assert explain_silence(decode(stdout, "aa"), stdout, CLIXML, 1) is None
    assert Reading({}, False).complete is False
