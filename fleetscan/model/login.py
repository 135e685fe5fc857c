"""What a transport needs to log on. A secret shows itself to nobody but the call that reveals it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn


class Secret:
    """A text that prints, formats, pickles and serialises as `***`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Call it where the text is used, and keep no copy."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __format__(self, _: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A credential with its secrets, made for one visit."""

    username: str
    password: Secret | None = None
    private_key: str | None = None
    passphrase: Secret | None = None
    certificate: str | None = None
    certificate_key: str | None = None
