"""A credential's name in, a secret out, at connect time only."""

from __future__ import annotations

from fleetscan.credentials.redact import Redactor
from fleetscan.credentials.vault import Vault

__all__ = ["Redactor", "Vault"]
