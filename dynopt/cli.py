"""Floor 6: the command `dynopt`. Thin: each command finds its rule, asks the library, prints, and returns an exit code.

The commands stand in `cli_asking.py` (what is known of a rule) and `cli_running.py` (runs, pictures, pages). Exit codes: 0 done,
1 failed, 2 misuse, 130 interrupted. Errors are one message on stderr, never a traceback (DYNOPT_DEBUG=1 shows it).
"""
from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from dynopt.cli_asking import app as asking
from dynopt.cli_running import app as running

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
                  help="Declare an optimizer once; derive its stability region with a proof, run it, see it.",
                  epilog="Begin with: dynopt derive heavy_ball. Each command says more, with examples: dynopt derive --help.")
for commands in (asking, running):
    app.add_typer(commands)


def _version(asked: bool) -> None:
    if asked:
        from dynopt import __version__
        typer.echo(f"dynopt {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


def _say(message: str) -> None:
    """One message on stderr, whatever the terminal can encode."""
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    sys.stderr.write(f"dynopt: {message}\n".encode(encoding, "backslashreplace").decode(encoding))


def _command(arguments: list[str] | None) -> str:
    """The command that was asked for, with a space before it; nothing where there is no such command."""
    first = next(iter(sys.argv[1:] if arguments is None else arguments), "")
    return f" {first}" if first in {c.callback.__name__ for a in (asking, running) for c in a.registered_commands if c.callback} else ""


def _run(arguments: list[str] | None) -> int:
    from dynopt.core.errors import ParameterError, RuleError
    try:
        result = app(args=arguments, prog_name="dynopt", standalone_mode=False)
        sys.stdout.flush()
        if result == 130:                                                # typer has caught the interrupt
            _say("interrupted")
        return result if isinstance(result, int) else 0
    except typer.TyperException as error:                                # an unknown option, a missing argument
        _say(f"{error.format_message().rstrip('.')}; `dynopt{_command(arguments)} --help` lists what there is")
        return 2
    except (RuleError, ParameterError) as error:
        _say(str(error))
        return 2
    except SystemExit:                                                   # how typer ends when the reader of a pipe has left
        return 0
    except (typer.Abort, KeyboardInterrupt):
        _say("interrupted")
        return 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")                # LANG=C must not end in an encoding error
    try:
        return _run(arguments)
    except BrokenPipeError:                                              # `| head -1` has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        _say(f"{error.filename or 'file'}: {error.strerror or error}" + (" (disk full)" if error.errno == errno.ENOSPC else ""))
        return 1
    except Exception as error:
        if os.environ.get("DYNOPT_DEBUG"):
            raise
        _say(f"{type(error).__name__}: {error}\nthis is a fault of dynopt; DYNOPT_DEBUG=1 shows where")
        return 1
