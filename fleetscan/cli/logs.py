"""The logs: what `--debug` shows, and what `--log-file` keeps. Our own records, redacted, one line each.

Libraries stay silent: what they log may hold envelopes.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

from fleetscan.errors import InputError
from fleetscan.model.text import one_line

FILE_BYTES = 5 * 1024 * 1024
OLD_FILES = 5
"""A log file that has grown to FILE_BYTES becomes FILE.1, and so on up to this number."""


class _OneLine(logging.Formatter):
    """One line a record; times are UTC."""

    @staticmethod
    def converter(seconds: float | None) -> time.struct_time:
        return time.gmtime(seconds)

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.exc_info else one_line(text)


class _File(RotatingFileHandler):
    """A log file that cannot be written to any more is told of once, and is no reason to fail."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=OLD_FILES, encoding="utf-8")
        self._told = False

    def close(self) -> None:
        """Close it. What a full disk did not take was told already."""
        with contextlib.suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the signature of logging's
        if not self._told:
            self._told = True
            print(f"notice: the log file {self.baseFilename} cannot be written: {sys.exc_info()[1]}", file=sys.stderr)


def notice(text: str) -> None:
    """Tell the user something that is no error, and log it."""
    print(f"notice: {text}", file=sys.stderr)
    logging.getLogger(__name__).info("notice: %s", text)


def log_to_stderr() -> None:
    """Show fleetscan's records on standard error."""
    _add(logging.StreamHandler(), logging.DEBUG, "%(asctime)s %(levelname)s %(name)s %(message)s")


@contextmanager
def log_to_file(path: str | None) -> Iterator[None]:
    """Keep what a run did in a file, if one is named. Raises InputError if it cannot be opened."""
    if path is None:
        yield
        return
    try:
        handler = _File(Path(path).expanduser())
    except OSError as error:
        message = f"the log file cannot be opened: {error.strerror}"
        raise InputError.of(f"--log-file {path}", message, "name a file in a folder that may be written to") from error
    _add(handler, logging.INFO, "%(asctime)sZ %(levelname)s %(process)d %(message)s", "%Y-%m-%dT%H:%M:%S")
    try:
        yield
    finally:
        logging.getLogger("fleetscan").removeHandler(handler)
        handler.close()


def redact_log(redactor: logging.Filter) -> None:
    """Let a redactor see every record before it is written."""
    for handler in logging.getLogger("fleetscan").handlers:
        handler.addFilter(redactor)


def _add(handler: logging.Handler, level: int, form: str, day: str | None = None) -> None:
    handler.setLevel(level)
    handler.setFormatter(_OneLine(form, day))
    logger = logging.getLogger("fleetscan")
    logger.addHandler(handler)
    logger.setLevel(min(level, logger.level or level))
    logger.propagate = False
