"""Keeps the secrets of one run, and hands them out at connect time only."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from fleetscan.credentials import sources
from fleetscan.credentials.redact import Redactor
from fleetscan.errors import InputError, Problem
from fleetscan.model.host import Credential, SecretKind, SecretSource
from fleetscan.model.login import Login, Secret


class Vault:
    """The logins of one run by the name of their credential. Safe to use from several threads.

    Every secret is fetched once. What failed fails again without another try, so that a broken command is not started
    for each of two thousand hosts.
    """

    def __init__(self, credentials: Mapping[str, Credential]) -> None:
        self._credentials = credentials
        self._locks = {name: threading.Lock() for name in credentials}
        self._logins: dict[str, Login | InputError] = {}
        self._secrets: dict[tuple[object, ...], Secret] = {}
        self._given_up = threading.Event()
        self.redactor = Redactor()
        """Knows every secret that was fetched."""

    def prepare(self, names: Iterable[str]) -> tuple[str, ...]:
        """Make sure that these credentials can be used, before anything is contacted; returns notices.

        Variables, files and the keyring are read, prompts are asked, key files are opened. Commands are started only
        when a host needs them. Raises InputError with everything that is missing.
        """
        problems: list[Problem] = []
        notices: list[str] = []
        wanted = set(names)
        for credential in (known for name, known in self._credentials.items() if name in wanted):
            problems += self._check_secrets(credential)
            problems += _check_files(credential)
            if not problems:
                notices += filter(None, map(sources.readable_by_others, _private_files(credential)))
        if problems:
            raise InputError(list(dict.fromkeys(problems)))
        return tuple(dict.fromkeys(notices))

    def login(self, name: str) -> Login:
        """The credential with its secrets. May take as long as its command; raises InputError."""
        with self._locks[name]:
            if name not in self._logins:
                try:
                    self._logins[name] = self._login(self._credentials[name])
                except InputError as error:
                    self._logins[name] = error
            known = self._logins[name]
        if isinstance(known, InputError):
            raise InputError(known.problems)
        return known

    def give_up(self) -> None:
        """End the commands that are under way, and start no other: nobody waits for their secrets any more."""
        self._given_up.set()

    def _login(self, credential: Credential) -> Login:
        return Login(
            username=credential.username,
            password=self._secret(credential.password, credential),
            private_key=credential.private_key,
            passphrase=self._secret(credential.passphrase, credential),
            certificate=credential.certificate,
            certificate_key=credential.certificate_key,
        )

    def _secret(self, source: SecretSource | None, credential: Credential) -> Secret | None:
        if source is None:
            return None
        key = (source.kind, source.value, source.argv, credential.username)
        if key not in self._secrets:
            text = sources.reveal(source, credential.username, self._given_up)
            self.redactor.add(text)
            self._secrets[key] = Secret(text)
        return self._secrets[key]

    def _check_secrets(self, credential: Credential) -> list[Problem]:
        problems: list[Problem] = []
        for source in _sources(credential):
            if source.kind is SecretKind.COMMAND:
                problems += sources.check_command(source)
                continue
            try:
                self._secret(source, credential)
            except InputError as error:
                problems += error.problems
        return problems


def _sources(credential: Credential) -> list[SecretSource]:
    return [source for source in (credential.password, credential.passphrase) if source is not None]


def _check_files(credential: Credential) -> list[Problem]:
    named = {
        "the private key": credential.private_key,
        "the certificate": credential.certificate,
        "the key of the certificate": credential.certificate_key,
    }
    return [
        problem
        for what, path in named.items()
        if path is not None
        for problem in sources.check_readable(credential.origin, path, what)
    ]


def _private_files(credential: Credential) -> list[str]:
    paths = [source.value for source in _sources(credential) if source.kind is SecretKind.FILE]
    return paths + [path for path in (credential.private_key, credential.certificate_key) if path is not None]
