"""What a logon over WinRM needs from this machine, checked before anything is contacted: secrets, extras, TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

import winrm.transport

from fleetscan.errors import TransportError
from fleetscan.model.host import WinRMAuth, WinRMSettings
from fleetscan.model.login import Login
from fleetscan.model.reasons import Reason, Stage

_contexts: dict[tuple[object, ...], ssl.SSLContext] = {}


def installed(auth: WinRMAuth) -> bool:
    """Whether this machine has what a way to log on needs."""
    have = {
        WinRMAuth.KERBEROS: winrm.transport.HAVE_KERBEROS,
        WinRMAuth.CREDSSP: winrm.transport.HAVE_CREDSSP,
    }
    return bool(have.get(auth, True))


def told_as_missing(auth: WinRMAuth) -> tuple[str, str]:
    """What to say of a way to log on that is not installed, and its cure."""
    return f"{auth} needs a part of fleetscan that is not installed", f'pip install "fleetscan[{auth}]"'


def check(settings: WinRMSettings, login: Login) -> None:
    """Raise TransportError for what is known to fail."""
    auth = settings.auth
    if not installed(auth):
        raise _trouble(Reason.AUTH_METHOD, *told_as_missing(auth))
    if settings.scheme != "https" and auth in (WinRMAuth.BASIC, WinRMAuth.CERTIFICATE):
        text = f"{auth} is done over https only: over http the password would be readable, or no proof be given"
        raise _trouble(Reason.AUTH_METHOD, text, "set winrm.scheme to https, or winrm.auth to kerberos or ntlm")
    missing = _missing(auth, login)
    if missing:
        raise _trouble(Reason.AUTH_SECRET, f"{auth} needs {missing}")


def tls_context(settings: WinRMSettings, login: Login) -> ssl.SSLContext:
    """The TLS settings, shared by all hosts that have the same: reading the authorities costs 14 ms of CPU.

    Raises TransportError if a file cannot be used.
    """
    pair = (login.certificate, login.certificate_key) if settings.auth is WinRMAuth.CERTIFICATE else None
    key = (settings.ca_file, settings.insecure_skip_tls_verification, pair)
    if key not in _contexts:
        context = _authorities(settings)
        if pair is not None:
            _load_pair(context, login)
        _contexts[key] = context
    return _contexts[key]


def _authorities(settings: WinRMSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:  # ssl.SSLError is one
        text = f"the authorities in {settings.ca_file} cannot be read: {error.strerror or error}"
        raise _trouble(Reason.TLS_UNTRUSTED, text, "winrm.ca_file must be a readable PEM file") from error
    if settings.insecure_skip_tls_verification:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _load_pair(context: ssl.SSLContext, login: Login) -> None:
    secret = login.passphrase.reveal() if login.passphrase is not None else ""
    try:
        # Without a password OpenSSL would ask for one on the terminal.
        context.load_cert_chain(login.certificate or "", login.certificate_key, password=lambda: secret)
    except OSError as error:
        text = f"the client certificate {login.certificate} cannot be used: {error.strerror or error}"
        raise _trouble(
            Reason.AUTH_SECRET, text, "both files must be PEM, and the passphrase that of the key"
        ) from error
    context.post_handshake_auth = True  # with TLS 1.3, http.sys asks for the certificate after the handshake


def _missing(auth: WinRMAuth, login: Login) -> str:
    """What the login lacks, "" for nothing."""
    if auth is WinRMAuth.KERBEROS:
        return ""
    if auth is WinRMAuth.CERTIFICATE:
        files = {"certificate": login.certificate, "certificate_key": login.certificate_key}
        lacking = (name for name, path in files.items() if not path or not Path(path).is_file())
        return next((f"a readable file as `{name}`" for name in lacking), "")
    if not login.username:
        return "a user name"
    if login.password is None:
        return "a password"
    if auth is WinRMAuth.BASIC and not f"{login.username}{login.password.reveal()}".isascii():
        return "an ASCII user name and password: how Basic encodes other characters is not agreed upon"
    return ""


def _trouble(reason: Reason, text: str, hint: str = "") -> TransportError:
    return TransportError(reason, Stage.CREDENTIAL, text, hint=hint)
