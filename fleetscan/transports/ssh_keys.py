"""The keys of SSH: whom we trust to be a host, and how we prove who we are."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import asyncssh
from asyncssh.public_key import get_default_certificate_algs, get_default_public_key_algs

from fleetscan.errors import TransportError
from fleetscan.model.host import Host, SSHSettings
from fleetscan.model.login import Login
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports.resolve import Address, identity

_DEFAULT_PORT = 22
_SALT = os.urandom(16)
_known_hosts: dict[tuple[str, int, int], asyncssh.SSHKnownHosts] = {}
_private_keys: dict[tuple[str, int, bytes], asyncssh.SSHKey] = {}


@dataclass(frozen=True, slots=True)
class Trust:
    """What the known-hosts file says of one host."""

    file: Path
    host_keys: tuple[asyncssh.SSHKey, ...] = ()
    authorities: tuple[asyncssh.SSHKey, ...] = ()
    revoked: tuple[asyncssh.SSHKey, ...] = ()

    @property
    def known(self) -> bool:
        """Whether anything can be trusted for this host."""
        return bool(self.host_keys or self.authorities)

    def algorithms(self) -> list[str]:
        """Host-key algorithms in order of preference: those of the known keys first, so that these are shown to us.

        The others follow, so that a host whose key was replaced by one of another type is seen to be changed.
        """
        known = [algorithm for key in self.host_keys for algorithm in key.sig_algorithms]
        certified = get_default_certificate_algs() if self.authorities else []
        every = [*certified, *known, *get_default_public_key_algs()]
        return list(dict.fromkeys(algorithm.decode("ascii") for algorithm in every))

    def trouble(self, host: Host, shown: asyncssh.SSHKey | None) -> TransportError:
        """Why the key that a host has shown is not trusted. `shown` is None for a revoked key or a bad certificate."""
        place = f"{host.address}:{host.ssh.port}"
        if shown is None:
            text = f"the key of {place} is revoked in {self.file}, or its certificate does not hold"
            return TransportError(Reason.HOSTKEY_CHANGED, Stage.CONNECT, text)
        print_ = f"{shown.get_algorithm()} {shown.get_fingerprint()}"
        if self.known:
            return TransportError(
                Reason.HOSTKEY_CHANGED,
                Stage.CONNECT,
                f"{place} shows the key {print_}, but {self.file} knows another one",
                hint="the host was set up anew, or somebody is in between: ask its owner before you change the file",
            )
        port = "" if host.ssh.port == _DEFAULT_PORT else f" -p {host.ssh.port}"
        return TransportError(
            Reason.HOSTKEY_UNKNOWN,
            Stage.CONNECT,
            f"{self.file} has no key of {place}, which shows {print_}",
            hint=f"compare the fingerprint with the host's own, then: ssh-keyscan{port} {host.address} >> {self.file}",
        )


def trust(host: Host, address: Address) -> Trust:
    """What is known of a host under its address, its name and its IP address; raises TransportError."""
    path = _known_hosts_file(host.ssh)
    known = _read_known_hosts(path)
    if known is None:
        return Trust(path)
    port = None if host.ssh.port == _DEFAULT_PORT else host.ssh.port
    keys: list[asyncssh.SSHKey] = []
    authorities: list[asyncssh.SSHKey] = []
    revoked: list[asyncssh.SSHKey] = []
    for name in dict.fromkeys((host.address, identity(host))):
        found = known.match(name, address.ip, port)
        keys += found[0]
        authorities += found[1]
        revoked += found[2]
    return Trust(path, tuple(keys), tuple(authorities), tuple(revoked))


def private_key(login: Login) -> asyncssh.SSHKey:
    """The key that a login names, decrypted once per process; raises TransportError before anything is contacted."""
    path = login.private_key or ""
    passphrase = login.passphrase.reveal() if login.passphrase is not None else None
    try:
        stamp = Path(path).stat().st_mtime_ns
        secret = hashlib.blake2b((passphrase or "").encode(), key=_SALT).digest()
        entry = (path, stamp, secret)
        if entry not in _private_keys:
            _private_keys[entry] = asyncssh.read_private_key(path, passphrase)
        return _private_keys[entry]
    except (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as error:
        raise TransportError(
            Reason.AUTH_SECRET,
            Stage.CREDENTIAL,
            f"the private key {path} cannot be used: {error}",
            hint="the file must be readable, a private key, and the passphrase its own",
        ) from error


def _known_hosts_file(settings: SSHSettings) -> Path:
    return Path(settings.known_hosts).expanduser() if settings.known_hosts else Path.home() / ".ssh" / "known_hosts"


def _read_known_hosts(path: Path) -> asyncssh.SSHKnownHosts | None:
    """The parsed file, shared between hosts until it changes; None where there is none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    entry = (str(path), stat.st_mtime_ns, stat.st_size)
    if entry not in _known_hosts:
        try:
            _known_hosts[entry] = asyncssh.read_known_hosts(str(path))
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error
    return _known_hosts[entry]


def _unreadable(path: Path, error: Exception) -> TransportError:
    text = f"the known-hosts file {path} cannot be read: {error}"
    return TransportError(Reason.HOSTKEY_UNKNOWN, Stage.CREDENTIAL, text, hint="correct the file, or ssh.known_hosts")
