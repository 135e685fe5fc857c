"""What a user asks of a scan: all that decides what comes out of it, and the command that asks it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from fleetscan.model.playbook import Severity

STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The options of `scan` that say what is asked of whom, and what is written. Paths are as the user wrote them."""

    inventory: tuple[str, ...] = ()
    limit: str | None = None
    playbook: str | None = None
    data: str | None = None
    waivers: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    fail_on: Severity = Severity.LOW
    concurrency: int = 64
    connect_timeout: float = 10.0
    host_timeout: float = 120.0
    run_timeout: float = 0.0
    sample: str | None = None
    """What totals are read against: seconds to a second reading, or `last` for that of the last run."""

    def files(self) -> tuple[str, ...]:
        """The files that it reads one by one; those of folders are left out."""
        return tuple(path for path in (*self.inventory, *self.waivers) if path != STDIN)

    def command(self) -> str:
        """The command without a host pattern; empty where it cannot be given again: standard input was read."""
        if STDIN in self.inventory:
            return ""
        return shlex.join(["fleetscan", "scan", *replace(self, limit=None, output=())._words()])

    def bare(self) -> str:
        """The command without hosts and checks, for any folder: a look at single ones begins with it.

        Empty as `command` is.
        """
        return replace(self._absolute(), check=(), tag=()).command() if STDIN not in self.inventory else ""

    def record(self) -> str:
        """The whole command, its paths absolute: it means the same from any folder."""
        return shlex.join(["fleetscan", "scan", *self._absolute()._words()])

    @classmethod
    def parse(cls, command: str) -> Request:
        """What `record` wrote. Raises ValueError for anything else."""
        words = shlex.split(command)[2:]
        if len(words) % 2:
            raise ValueError(f"{words[-1]} has no value")
        known = {_option(field.name): field for field in fields(cls)}
        values: dict[str, Any] = {}
        for option, text in zip(words[::2], words[1::2], strict=True):
            if option not in known:
                raise ValueError(f"{option} is not known")
            field = known[option]
            kind: Any = type(field.default)
            if kind is tuple:
                values[field.name] = (*values.get(field.name, ()), text)
            else:
                values[field.name] = text if field.default is None else kind(text)
        return cls(**values)

    def _absolute(self) -> Request:
        folder = self.playbook is not None and Path(self.playbook).is_dir()
        return replace(
            self,
            inventory=tuple(map(_absolute, self.inventory)),
            playbook=_absolute(self.playbook) if self.playbook and folder else self.playbook,
            data=_absolute(self.data) if self.data else None,
            waivers=tuple(map(_absolute, self.waivers)),
            output=tuple(map(_absolute_target, self.output)),
        )

    def _words(self) -> Iterator[str]:
        """The options that are not what they are without being given."""
        for field in fields(self):
            value = getattr(self, field.name)
            for one in value if isinstance(value, tuple) else [value]:
                if value != field.default:
                    yield from (_option(field.name), f"{one:g}" if isinstance(one, float) else str(one))


_SHORT = {"inventory": "-i", "limit": "-l", "playbook": "-p", "output": "-o"}


def _option(name: str) -> str:
    return _SHORT.get(name) or f"--{name.replace('_', '-')}"


def _absolute(path: str) -> str:
    return path if path == STDIN else str(Path(path).expanduser().absolute())


def _absolute_target(option: str) -> str:
    from fleetscan.report import target

    wanted = target(option)
    return f"{wanted.format}={_absolute(wanted.path)}"
