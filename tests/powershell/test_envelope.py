"""The envelope: what was sent comes back, and nothing else is taken for it."""

from __future__ import annotations

import base64
import gzip
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetscan.model.reasons import Reason
from fleetscan.powershell.envelope import CHUNK, LIMIT, decode, encode, ended, essence

NONCE = "0123456789abcdef"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def sent(name: str, value: object) -> bytes:
    return "\r\n".join(encode(NONCE, name, value)).encode("ascii") + b"\r\n"  # type: ignore[arg-type] # any JSON


@given(json_values)
def test_any_json_survives(value: object) -> None:
    assert decode(sent("probe", value), NONCE).envelopes["probe"].value == value


def test_a_long_answer_is_compressed_cut_and_put_together_in_any_order() -> None:
    value = {"vms": [{"name": f"vm{n}", "hash": hashlib.sha256(str(n).encode()).hexdigest()} for n in range(200)]}
    lines = encode(NONCE, "vms", value)
    assert len(lines) > 3
    assert all(len(line) < CHUNK + 200 for line in lines)
    shuffled = "\n".join(reversed(lines)).encode()
    assert decode(shuffled, NONCE).envelopes["vms"].value == value


def test_noise_around_and_before_the_marker_does_no_harm() -> None:
    noise = "WARNUNG: Gerät nicht bereit\r\n".encode("cp850")
    stdout = noise + b"Authorized use only> " + sent("probe", {"x": 1}) + noise + sent("_end", {})
    reading = decode(stdout, NONCE)
    assert reading.envelopes["probe"].value == {"x": 1}
    assert reading.complete


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_read_like_ascii(encoding: str) -> None:
    text = "\r\n".join(["Willkommen", *encode("aa", "p", {"x": 1}), *encode("aa", "_end", {})])
    for stdout in (text.encode(encoding), b"banner\n" + text.encode(encoding)):
        assert decode(stdout, "aa").envelopes["p"].value == {"x": 1}
        assert decode(essence(stdout), "aa").complete
        assert ended(stdout, "aa")


def test_an_answer_of_another_run_is_not_taken() -> None:
    reading = decode("\n".join(encode("ffff", "probe", {"x": 1})).encode(), NONCE)
    assert reading.foreign
    assert not reading.envelopes


def test_a_forged_second_answer_does_not_replace_the_first() -> None:
    reading = decode(sent("probe", {"x": 1}) + sent("probe", {"x": 2}), NONCE)
    assert reading.envelopes["probe"].value == {"x": 1}


def test_a_missing_part_is_truncation() -> None:
    lines = encode(NONCE, "vms", [hashlib.sha256(str(n).encode()).hexdigest() for n in range(200)])
    envelope = decode("\n".join(lines[:-1]).encode(), NONCE).envelopes["vms"]
    assert envelope.reason is Reason.ANSWER_TRUNCATED
    assert f"{len(lines) - 1} of {len(lines)}" in envelope.message


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.replace('{"x":1}', '{"x":2}'),
        lambda line: line.replace(" json 7 ", " json 8 "),
        lambda line: line.replace(" json ", " gzip "),
        lambda line: line[:-1],
    ],
)
def test_damage_is_seen(damage: object) -> None:
    [line] = encode(NONCE, "probe", {"x": 1})
    envelope = decode(damage(line).encode(), NONCE).envelopes["probe"]  # type: ignore[operator] # a lambda above
    assert envelope.reason is Reason.ANSWER_DAMAGED


@pytest.mark.parametrize("text", ['{"x": NaN}', "[" * 100_000, '{"x": 1', ""])
def test_what_is_not_json_is_damage(text: str) -> None:
    raw = text.encode()
    line = f"FLEETSCAN1 {NONCE} probe gzip {len(raw)} {hashlib.sha256(raw).hexdigest()} 1/1 "
    body = base64.b64encode(gzip.compress(raw))
    envelope = decode(line.encode() + body, NONCE).envelopes["probe"]
    assert envelope.reason is Reason.ANSWER_DAMAGED


def test_a_compression_bomb_is_not_unpacked() -> None:
    bomb = base64.b64encode(gzip.compress(b"0" * 50_000_000))
    for announced, reason in ((100, Reason.ANSWER_DAMAGED), (LIMIT + 1, Reason.PROBE_TOO_LARGE)):
        line = f"FLEETSCAN1 {NONCE} probe gzip {announced} - 1/1 ".encode()
        assert decode(line + bomb, NONCE).envelopes["probe"].reason is reason


def test_lines_from_sh_are_names_and_texts() -> None:
    raw = "status=ok\ndata.a.b=x=y\ndata.name=Zürich\nnoise\n".encode()
    line = f"FLEETSCAN1 {NONCE} probe lines {len(raw)} - 1/1 ".encode() + base64.b64encode(raw)
    value = decode(line, NONCE).envelopes["probe"].value
    assert value == {"status": "ok", "data.a.b": "x=y", "data.name": "Zürich"}


@pytest.mark.parametrize("nonce", ["aa", "bb"])
@pytest.mark.parametrize("name", ["_end", "probe"])
def test_the_end_is_seen_without_a_look_into_the_answers(name: str, nonce: str) -> None:
    stdout = "\n".join(["noise", *encode("aa", "p", {"x": 1}), *encode("aa", name, {})]).encode()
    assert ended(stdout, nonce) is decode(stdout, nonce).complete is ((name, nonce) == ("_end", "aa"))


@given(st.binary(max_size=300))
def test_any_bytes_go_in_and_no_exception_comes_out(noise: bytes) -> None:
    head = b"FLEETSCAN1 " + NONCE.encode() + b" probe json 7 - 1/1 "
    decode(noise, NONCE)
    decode(head + noise, NONCE)
