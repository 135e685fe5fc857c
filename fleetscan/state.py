"""Where fleetscan keeps what one run leaves for the next."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_state_path

VARIABLE = "FLEETSCAN_STATE_DIR"


def folder() -> Path:
    """The user's: `FLEETSCAN_STATE_DIR`, else what the system has for such things. It may not exist yet."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else user_state_path("fleetscan")
