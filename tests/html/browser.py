"""Where Chromium is on this machine, and how it is started."""

from __future__ import annotations

import os
import shutil
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)


def launch(driver: Any) -> Any:
    """Start it without a window; its sandbox refuses to run as root."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if root else [])
