"""NTLM over HTTP in two steps: what the host asks, and our proof.

requests_ntlm does both within one request, after a first one that only learns that a logon is needed, and that Windows
answers by closing the connection. Here the first token goes out unasked, which saves a request and a connection. It
holds nothing of the account, so a host that never answers it holds up no other logon; the proof is a step of its own.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import TypeAlias

import requests
import spnego
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from requests_ntlm.requests_ntlm import ShimSessionSecurity
from spnego._ntlm_raw.crypto import ntowfv1  # spnego exports no MD4, and OpenSSL 3 has none
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import NegotiateOptions

from fleetscan.model.login import Login
from fleetscan.transports.winrm_errors import logon_trouble
from fleetscan.transports.winrm_link import Link

Send: TypeAlias = Callable[[str], requests.Response]
"""Sends an empty request with that Authorization header."""

_SCHEMES = ("Negotiate", "NTLM")
"""Windows offers the first, and takes plain NTLM tokens under that name; other listeners may know the second alone."""


class NtlmHandshake:
    """One logon on one connection. Raises the errors of its libraries, and TransportError."""

    def __init__(self, send: Send, link: Link, login: Login, *, name: str, bind: bool) -> None:
        """`name` is the host's; `bind`: tie the logon to the TLS channel, where there is one."""
        self._authorized = send
        self._name = name
        self._link = link
        self._login = login
        self._bind = bind
        self._scheme = _SCHEMES[0]
        self._context: spnego.ContextProxy
        self._challenge = b""

    def ask(self) -> None:
        """Send the first token, which only says what we can do, and keep the host's challenge."""
        for scheme in _SCHEMES:
            if scheme != _SCHEMES[0] and scheme.lower() not in self._link.progress.offered:
                break
            self._scheme, self._context = scheme, self._client()
            response = self._send(self._context.step())
            if response.status_code != 401:
                response.raise_for_status()
                raise ValueError("the host let us in without asking who we are")
            self._challenge = _token(response, scheme)
            if self._challenge:
                self._link.progress.challenged = True
                return
        raise logon_trouble(self._link.progress, proven=False)

    def prove(self) -> ShimSessionSecurity:
        """Answer the challenge; what seals the messages from here on."""
        response = self._send(self._context.step(self._challenge))
        if response.status_code == 401:
            raise logon_trouble(self._link.progress, proven=True)
        response.raise_for_status()
        return ShimSessionSecurity(self._context)

    def _client(self) -> spnego.ContextProxy:
        password = self._login.password.reveal() if self._login.password is not None else ""
        # From a password spnego would compute an LM hash, in pure Python, which NTLMv2 never uses.
        credential = spnego.NTLMHash(username=self._login.username, nt_hash=ntowfv1(password).hex())
        certificate = self._link.certificate() if self._bind else None
        return spnego.client(
            credential,
            protocol="ntlm",
            hostname=self._name,
            service="http",
            channel_bindings=channel_bindings(certificate) if certificate is not None else None,
            options=NegotiateOptions.use_ntlm,
        )

    def _send(self, token: bytes | None) -> requests.Response:
        return self._authorized(f"{self._scheme} {base64.b64encode(token or b'').decode('ascii')}")


def _token(response: requests.Response, scheme: str) -> bytes:
    """What follows the name of the scheme in a 401 answer; b"" for nothing."""
    found = re.search(rf"(?:^|,)\s*{scheme}\s+([^\s,]+)", response.headers.get("WWW-Authenticate", ""), re.IGNORECASE)
    if found is None:
        return b""
    try:
        return base64.b64decode(found[1], validate=True)
    except binascii.Error as error:
        raise ValueError(f"the challenge of the host is no base64: {error}") from error


def channel_bindings(certificate: bytes) -> GssChannelBindings:
    """What ties a logon to the channel of that certificate (DER): `tls-server-end-point` of RFC 5929, section 4.1."""
    try:
        algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    except UnsupportedAlgorithm:
        algorithm = None
    if algorithm is None or algorithm.name in ("md5", "sha1"):
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(certificate)
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest.finalize())
