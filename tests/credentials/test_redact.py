"""Secrets are taken out of texts."""

from __future__ import annotations

import base64
import io
import logging

from hypothesis import given
from hypothesis import strategies as st

from fleetscan.credentials import Redactor


def redactor(*secrets: str) -> Redactor:
    made = Redactor()
    for secret in secrets:
        made.add(secret)
    return made


def test_nothing_known_nothing_changed() -> None:
    assert Redactor().redact("as it is") == "as it is"


def test_longer_secrets_go_first() -> None:
    assert redactor("horse", "correct horse").redact("correct horse, horse") == "***, ***"


def test_secrets_are_texts_not_patterns() -> None:
    assert redactor("a.c*").redact("abcc a.c*") == "abcc ***"


@given(
    secret=st.text(min_size=8, max_size=20),
    before=st.text(max_size=8),
    after=st.text(max_size=8),
    encoding=st.sampled_from(["utf-8", "utf-16-le"]),
)
def test_encoded_secrets_are_found_wherever_they_stand(secret: str, before: str, after: str, encoding: str) -> None:
    encoded = base64.b64encode(f"{before}{secret}{after}".encode(encoding, "replace")).decode()
    known = secret.encode(encoding, "replace").decode(encoding)
    redacted = redactor(known).redact(encoded)
    assert "***" in redacted
    # What is left of it, at both ends, are the characters that it shares with its neighbours.
    kept = base64.b64decode(f"{redacted.split('***')[0]}===="[: len(redacted.split("***")[0]) // 4 * 4])
    assert len(kept) <= len(before.encode(encoding, "replace")) + 2


def test_a_header_of_basic_authentication_is_redacted() -> None:
    header = "Authorization: Basic " + base64.b64encode(b"CORP\\alice:correct horse").decode()
    redacted = redactor("correct horse").redact(header)
    assert redacted.startswith("Authorization: Basic Q09SUFxhbGljZT")
    assert "***" in redacted
    assert b"horse" not in base64.b64decode(redacted.split()[-1].replace("***", "") + "=" * 3)


def test_log_records_are_redacted_with_their_exceptions() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(redactor("correct horse"))
    log = logging.Logger("test")
    log.addHandler(handler)
    log.warning("said %s", "correct horse")
    try:
        raise ValueError("correct horse")
    except ValueError:
        log.exception("failed")
    text = stream.getvalue()
    assert text.startswith("said ***\nfailed\nTraceback")
    assert text.endswith("ValueError: ***\n")
    assert "horse" not in text


def test_a_secret_too_short_to_hide_does_not_mangle_what_people_read() -> None:
    redactor = Redactor()
    redactor.add("x")
    redactor.add("long enough")
    assert redactor.redact("hv01.paris.corp.example: long enough") == "hv01.paris.corp.example: ***"
