"""The command line: parse, call, print, exit. Rooms are imported when a command needs them, so that help is fast."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Annotated, NoReturn

import typer

from fleetscan import __version__
from fleetscan.cli import inventory, playbook, runs, waivers
from fleetscan.cli.demo import demo
from fleetscan.cli.profile import profile
from fleetscan.cli.scan import scan
from fleetscan.errors import BusyError, ExitStatus, FleetscanError, InputError

EXIT_CODES = "Exit codes: " + " · ".join(f"{status.value} {status.meaning}" for status in ExitStatus)

SHOWN_PROBLEMS = 50
"""A file of another kind has a mistake on every line; nobody reads them all."""

_PLAINER = "fleetscan.plainer"
_RICH, _PLAIN = "·…’‘“”–—", "-~''\"\"--"
_LOOK_ALIKES: dict[int, str] = defaultdict(
    lambda: "?", {ord(rich): plain for rich, plain in zip(_RICH, _PLAIN, strict=True)}
)
"""Characters of a screen for terminals that have only ASCII; none is wider than what it stands for."""

app = typer.Typer(
    name="fleetscan",
    help="Read-only compliance scans of Hyper-V fleets over WinRM and SSH.",
    epilog=EXIT_CODES,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command(epilog=EXIT_CODES)(demo)
app.command(epilog=EXIT_CODES)(scan)
app.command(epilog=EXIT_CODES)(profile)
app.add_typer(inventory.app, name="inventory", help="Look at inventories: what a scan would contact, and how.")
app.add_typer(playbook.app, name="playbook", help="Look at playbooks: what a scan asks, and how it judges.")
app.add_typer(runs.app, name="runs", help="Look at the runs that were kept: list, show, compare, judge again, remove.")
app.add_typer(waivers.app, name="waivers", help="Look at waivers: what is accepted as it is, and until when.")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fleetscan {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - the callback acts on it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and a log on standard error.")] = False,
) -> None:
    """Options of every command."""
    context.obj = debug
    if debug:
        from fleetscan.cli.logs import log_to_stderr

        log_to_stderr()


def run() -> NoReturn:
    """Run a command and exit; the one place that turns an error into a message and a status."""
    _mend_streams()
    program, *words = sys.argv
    debug = "--debug" in words
    if debug:  # wherever it was written: it belongs to all commands
        sys.argv = [program, "--debug", *(word for word in words if word != "--debug")]
    try:
        app()
    except InputError as error:
        _complain(error)
        sys.exit(ExitStatus.BAD_INPUT)
    except BrokenPipeError:
        from fleetscan.cli.present import close_stdout

        close_stdout()
        sys.exit(ExitStatus.INTERNAL)
    except KeyboardInterrupt:
        sys.exit(ExitStatus.INTERRUPTED)
    except FleetscanError as error:
        print(f"fleetscan: {error.message}" + (f"; {error.hint}" if error.hint else ""), file=sys.stderr)
        sys.exit(ExitStatus.BAD_INPUT if isinstance(error, BusyError) else ExitStatus.INTERNAL)
    except Exception as error:
        if debug:
            raise
        print(f"fleetscan failed: {type(error).__name__}: {error}; --debug shows where", file=sys.stderr)
        sys.exit(ExitStatus.INTERNAL)
    sys.exit(ExitStatus.COMPLIANT)


def _plainer(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return error.object[error.start : error.end].translate(_LOOK_ALIKES), error.end


def _mend_streams() -> None:
    """A terminal that lacks a character gets one like it, not a crash; a stream that is closed swallows all.

    What is piped in is UTF-8, as files are, whatever the code page of the machine.
    """
    import codecs
    import os
    from pathlib import Path

    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - open to the end
    elif hasattr(sys.stdin, "reconfigure") and not sys.stdin.isatty():
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="strict")
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif hasattr(stream, "reconfigure"):
            codecs.register_error(_PLAINER, _plainer)
            stream.reconfigure(errors=_PLAINER)


def _complain(error: InputError) -> None:
    count = len(error.problems)
    for problem in error.problems[:SHOWN_PROBLEMS]:
        print(problem, file=sys.stderr)
    if count > SHOWN_PROBLEMS:
        print(f"and {count - SHOWN_PROBLEMS} more", file=sys.stderr)
    print(f"{count} mistake{'s' if count != 1 else ''}; nothing was contacted.", file=sys.stderr)
