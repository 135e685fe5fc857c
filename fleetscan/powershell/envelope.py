"""The form in which a host's answers come back.

A line is `FLEETSCAN1 <nonce> <name> <encoding> <length> <sha256 or -> <i>/<n> <chunk>`, ASCII, with whatever else the
host prints around it. The nonce is fresh for each visit, so that neither a banner nor hostile text can forge an answer;
length and hash are those of the decoded bytes. Encodings: `json`; `gzip` (base64 of gzip of JSON, where the language
mode of the host allows it); `lines` (base64 of `name=value` lines, from `sh`).
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fleetscan.errors import ProbeError
from fleetscan.model.playbook import JSON
from fleetscan.model.reasons import Reason

MARKER = "FLEETSCAN1"
HOST = "_host"
END = "_end"
REFUSED = "_refused"

CHUNK = 1000
GZIP_FROM = 4000
LIMIT = 16 * 1024 * 1024
"""Bytes that one decoded answer may have."""

_LINE = re.compile(
    rb"FLEETSCAN1 (?P<nonce>[0-9a-f]+) (?P<name>[a-z0-9_-]{1,64}) (?P<encoding>json|gzip|lines) (?P<length>\d{1,9}) "
    rb"(?P<sha>[0-9a-f]{64}|-) (?P<index>\d{1,6})/(?P<count>\d{1,6}) (?P<chunk>[\x20-\x7e]*)"
)
_WIDE = b"F\0L\0E\0E\0T\0S\0C\0A\0N"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One answer: its value, or why there is none."""

    name: str
    value: JSON = None
    reason: Reason | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that could be read from one command's output."""

    envelopes: Mapping[str, Envelope]
    foreign: bool
    """Whether there were lines with another nonce: the answer of another run, or a forgery."""

    @property
    def complete(self) -> bool:
        """Whether the payload came to its end."""
        return END in self.envelopes


@dataclass(frozen=True, slots=True)
class _Head:
    encoding: str
    length: int
    sha: str
    count: int


def encode(nonce: str, name: str, value: JSON) -> list[str]:
    """The lines, without line ends, that carry a value: what a host's payload prints (the lab answers with it)."""
    raw = json.dumps(value, separators=(",", ":")).encode()
    encoding, body = "json", raw.decode()
    if len(raw) > GZIP_FROM:
        encoding, body = "gzip", base64.b64encode(gzip.compress(raw, mtime=0)).decode()
    chunks = [body[start : start + CHUNK] for start in range(0, len(body), CHUNK)]
    head = f"{MARKER} {nonce} {name} {encoding} {len(raw)} {hashlib.sha256(raw).hexdigest()}"
    return [f"{head} {index}/{len(chunks)} {chunk}" for index, chunk in enumerate(chunks, 1)]


def essence(stdout: bytes | bytearray) -> bytes:
    """The lines of an output that `decode` reads; it reads the same out of them."""
    return b"\n".join(match[0] for match in _matches(stdout))


def ended(stdout: bytes | bytearray, nonce: str) -> bool:
    """Whether the payload came to its end; `decode` says so too, in many times the time."""
    return any((match["name"], match["nonce"]) == (END.encode(), nonce.encode()) for match in _matches(stdout))


def decode(stdout: bytes | bytearray, nonce: str) -> Reading:
    """Read all envelopes of this nonce; any bytes go in, damaged ones come out with their reason."""
    heads: dict[str, _Head] = {}
    chunks: dict[str, dict[int, bytes]] = {}
    foreign = False
    for match in _matches(stdout):
        if match["nonce"].decode() != nonce:
            foreign = True
            continue
        name = match["name"].decode()
        head = _Head(match["encoding"].decode(), int(match["length"]), match["sha"].decode(), int(match["count"]))
        # The first head of a name stands: a second one could only be a repetition, or an attempt to replace it.
        if heads.setdefault(name, head) == head:
            chunks.setdefault(name, {}).setdefault(int(match["index"]), bytes(match["chunk"]))
    return Reading({name: _open(name, head, chunks[name]) for name, head in heads.items()}, foreign)


def _matches(stdout: bytes | bytearray) -> Iterator[re.Match[bytes]]:
    """Our lines, without the zero bytes of UTF-16, which a script around the shell may write, like PowerShell's `>`."""
    return _LINE.finditer(stdout.replace(b"\0", b"") if _WIDE in stdout else stdout)


def _open(name: str, head: _Head, chunks: Mapping[int, bytes]) -> Envelope:
    try:
        if sorted(chunks) != list(range(1, head.count + 1)):
            raise ProbeError(Reason.ANSWER_TRUNCATED, f"{len(chunks)} of {head.count} parts of the answer arrived")
        raw = _decode_body(head, b"".join(chunks[index] for index in sorted(chunks)))
        if len(raw) != head.length or (head.sha != "-" and hashlib.sha256(raw).hexdigest() != head.sha):
            raise ProbeError(Reason.ANSWER_DAMAGED, "the answer does not have the length or hash that it names")
        return Envelope(name, _lines(raw) if head.encoding == "lines" else _json(raw))
    except ProbeError as error:
        return Envelope(name, reason=error.reason, message=error.message)


def _decode_body(head: _Head, body: bytes) -> bytes:
    if head.length > LIMIT:
        raise ProbeError(Reason.PROBE_TOO_LARGE, f"the answer has {head.length} bytes; {LIMIT} are accepted")
    if head.encoding == "json":
        return body
    try:
        raw = base64.b64decode(body, validate=True)
        if head.encoding == "gzip":
            # One byte more than announced is enough to see that the announcement is wrong.
            raw = zlib.decompressobj(wbits=31).decompress(raw, head.length + 1)
    except (binascii.Error, zlib.error) as error:
        raise ProbeError(Reason.ANSWER_DAMAGED, f"the answer cannot be unpacked: {error}") from None
    return raw


def _json(raw: bytes) -> JSON:
    def refuse(constant: str) -> JSON:
        raise ValueError(f"{constant} is not JSON")

    try:
        value: JSON = json.loads(raw, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ProbeError(Reason.ANSWER_DAMAGED, f"the answer is not JSON: {error}") from None
    return value


def _lines(raw: bytes) -> JSON:
    pairs = (line.partition("=") for line in raw.decode("utf-8", "replace").split("\n") if "=" in line)
    return {key.strip(): value for key, _, value in pairs}
