"""The log that `--debug` shows: our own records, redacted, one line each. Libraries stay silent."""

from __future__ import annotations

import logging

from fleetscan.model.text import one_line


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.exc_info else one_line(text)


def log_to_stderr() -> None:
    """Show fleetscan's records on standard error. What libraries log may hold envelopes, and is not shown."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("fleetscan")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False


def redact_log(redactor: logging.Filter) -> None:
    """Let a redactor see every record before it is written."""
    for handler in logging.getLogger("fleetscan").handlers:
        handler.addFilter(redactor)
