"""The command line ``renxing``: a study as a folder, computed, shown, handed on and served.

Answers go to standard output, progress and complaints to standard error. Exit codes: 0 done, 1 the input was refused,
2 the command was not understood, 3 the question has no answer, 4 an error inside Renxing, 130 interrupted.
"""

from __future__ import annotations

import os
import sys

import typer

from app.cli import checks, keys, questions, runs, service, site_check, storage, studies, work
from app.cli.options import asked, stdout_is_json

app = typer.Typer(
    name="renxing",
    help="Renxing (韧性): resilience plans for every community of a city.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 input refused, 2 usage, 3 no answer, 4 internal error.",
)
for module in (studies, checks, runs, questions, site_check, service, work, keys, storage):
    module.register(app)


def main() -> None:
    """Run the command line; every error becomes a message and an exit code."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        sys.exit(_complain(error))


def _complain(error: Exception) -> int:
    """Say what is wrong on standard error; the exit code."""
    from app.cli.screen import complain

    debug = os.environ.get("RENXING_DEBUG", "").lower() in {"1", "true", "yes", "on"}
    return complain(error, as_json=stdout_is_json(sys.argv), debug=debug, lang=asked(sys.argv))
