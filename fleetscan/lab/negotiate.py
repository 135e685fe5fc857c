"""The accepting side of Negotiate, bound to one connection, and the sealing of messages (MS-WSMV 2.2.9.1).

NTLM is always there. Kerberos is, too, where the `gssapi` package is installed and KRB5_KTNAME names a key table.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from fleetscan.lab.accounts import selected

_BOUNDARY = b"--Encrypted Boundary"
_LENGTH = re.compile(rb"OriginalContent:[^\r\n]*;\s*Length=(\d+)", re.IGNORECASE)
_PROTOCOL = re.compile(r'protocol="?([^";]+)"?', re.IGNORECASE)
_OCTETS = b"Content-Type: application/octet-stream\r\n"
_NTLM = b"NTLMSSP\0"
_AV_CHANNEL_BINDINGS = struct.pack("<HH", 10, 16)  # MS-NLMP 2.2.2.1


class LogonRefused(Exception):  # noqa: N818 # an outcome of a logon
    """The token is not acceptable; `username` is who tried, "" where the token does not say."""

    def __init__(self, username: str) -> None:
        super().__init__(username)
        self.username = username


class SealError(ValueError):
    """A sealed message cannot be opened with the key of this connection."""


class Acceptor:
    """One logon on one connection."""

    def __init__(self, users: Path, certificate_hash: bytes | None, *, strict: bool) -> None:
        self._users = users
        self._strict = strict
        self._bindings = None
        if certificate_hash is not None:
            self._bindings = GssChannelBindings(application_data=b"tls-server-end-point:" + certificate_hash)
        self._context: spnego.ContextProxy | None = None

    @property
    def user(self) -> str:
        """Who has logged on, "" while nobody has."""
        if self._context is None or not self._context.complete:
            return ""
        return self._context.client_principal or ""

    def step(self, token: bytes) -> bytes:
        """Take a token of the client, give the answer to it (may be empty); raises LogonRefused."""
        message = token[token.find(_NTLM) :] if _NTLM in token else b""
        with selected(self._users):
            try:
                if self._context is None or self._context.complete:
                    options = spnego.NegotiateOptions.use_negotiate
                    self._context = spnego.server(protocol="negotiate", options=options)
                bound = self._strict or _names_channel(message)
                return self._context.step(token, channel_bindings=self._bindings if bound else None) or b""
            except (SpnegoError, ValueError, struct.error, IndexError, KeyError) as error:
                self._context = None
                raise LogonRefused(username(message)) from error

    def unseal(self, content_type: str, body: bytes) -> bytes:
        """The message within a multipart/encrypted body; raises SealError."""
        if self._context is None or not self._context.complete:
            raise SealError("nobody has logged on to this connection")
        _, _, rest = body.partition(_BOUNDARY + b"\r\n")
        head, _, rest = rest.partition(_BOUNDARY + b"\r\n")
        length, (_, marker, data) = _LENGTH.search(head), rest.partition(_OCTETS)
        end = data.rfind(_BOUNDARY + b"--")
        if length is None or not marker or end < 4 or "multipart/encrypted" not in content_type:
            raise SealError("not a multipart/encrypted body")
        size = int.from_bytes(data[:4], "little")
        try:
            message = self._context.unwrap_winrm(data[4 : 4 + size], data[4 + size : end])
        except SpnegoError as error:
            raise SealError(str(error)) from error
        if len(message) != int(length[1]):
            raise SealError("the length differs")
        return message

    def seal(self, content_type: str, message: bytes) -> tuple[str, bytes]:
        """A content type and a body as the request had them, around a message."""
        assert self._context is not None  # noqa: S101 # only an unsealed request is answered with a seal
        match = _PROTOCOL.search(content_type)
        protocol = match[1] if match else "application/HTTP-SPNEGO-session-encrypted"
        wrapped = self._context.wrap_winrm(message)
        length = len(message) + wrapped.padding_length
        body = b"".join(
            (
                _BOUNDARY + b"\r\n\tContent-Type: " + protocol.encode() + b"\r\n",
                b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" % length,
                _BOUNDARY + b"\r\n\t" + _OCTETS,
                len(wrapped.header).to_bytes(4, "little") + wrapped.header + wrapped.data,
                _BOUNDARY + b"--\r\n",
            )
        )
        return f'multipart/encrypted;protocol="{protocol}";boundary="Encrypted Boundary"', body


def _field(message: bytes, offset: int) -> bytes:
    """The data of a field of an AUTHENTICATE message: length, allocated, position (MS-NLMP 2.2.1.3)."""
    if len(message) < offset + 8 or message[8:12] != b"\3\0\0\0":
        return b""
    length, _, position = struct.unpack_from("<HHI", message, offset)
    return message[position : position + length]


def username(message: bytes) -> str:
    """Who an NTLM AUTHENTICATE message claims to be, as DOMAIN\\name or name."""
    domain, name = (_field(message, offset).decode("utf-16-le", "replace") for offset in (28, 36))
    return f"{domain}\\{name}" if domain else name


def _names_channel(message: bytes) -> bool:
    """Whether an NTLMv2 response holds the hash of a channel. CbtHardeningLevel Relaxed checks it only then."""
    pairs = _field(message, 20)[44:]
    while len(pairs) >= 4:
        kind, length = struct.unpack_from("<HH", pairs)
        if kind == 0:
            return False
        if pairs[:4] == _AV_CHANNEL_BINDINGS:
            return any(pairs[4:20])
        pairs = pairs[4 + length :]
    return False
