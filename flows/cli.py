"""The command line. It starts in a fraction of a second: a command imports what it needs when called."""

import logging
import signal
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from flows import commands_dataset, commands_prepare, commands_run, commands_scenes
from flows.parameters import UsageError
from flows.prefect_settings import PACKAGES, hear_packages

__all__ = ["app", "main"]

app = typer.Typer(
    name="seg2real",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Turns segmentation images into photo-like training data.",
    epilog="A whole run: seg2real run configs/robocup_spl.yaml",
)
for group in (commands_prepare, commands_scenes, commands_run, commands_dataset):
    app.add_typer(group.commands)


class _Line(logging.Formatter):
    """A line with the time, and in front of what Prefect says of a task the task's name."""

    def __init__(self, *, tracebacks: bool):
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")
        self._hidden = {} if tracebacks else {"exc_info": None, "exc_text": None}

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(logging.makeLogRecord(record.__dict__ | self._hidden))
        task_name = getattr(record, "task_name", None)
        return line.replace(" ", f" {task_name}: ", 1) if task_name else line


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more, and show tracebacks.")] = False,
) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Line(tracebacks=verbose))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    hear_packages(logging.DEBUG if verbose else logging.INFO)


def main() -> None:
    """Run a command; an error becomes one sentence and an exit code.

    0 done; 2 usage or config; 3 too many bad inputs; 4 training diverged; 130 / 143 interrupted; 1 anything
    else. A training that is interrupted has written a checkpoint, and the same command goes on from there.
    """
    signal.signal(signal.SIGTERM, _end)
    try:
        app()
    except Exception as error:
        if logging.getLogger("flows").isEnabledFor(logging.DEBUG):
            traceback.print_exc()
        typer.echo(f"Error: {_sentence(error)}", err=True)
        sys.exit(_exit_code(error))


def _end(number: int, _frame: object) -> NoReturn:
    """Leave by the front door: half-written files are removed and Prefect's server is stopped."""
    sys.exit(128 + number)


def _sentence(error: Exception) -> str:
    """Errors of the project's own kinds and values that it refuses say what happened themselves."""
    if _is_own(type(error).__module__) or (isinstance(error, ValueError) and _is_own(_raised_in(error))):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}." if error.filename and error.strerror else str(error)
    return f"{type(error).__name__}: {error} (not foreseen; seg2real --verbose shows where it happened)"


def _is_own(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES


def _raised_in(error: Exception) -> str:
    """The module that raised it."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals["__name__"]


def _exit_code(error: Exception) -> int:
    from gan.health import TrainingDiverged
    from pipeline.config import ConfigError
    from pipeline.interruption import Interrupted
    from pipeline.prepare import TooManyBadInputs
    from pipeline.sources import SourceError

    if isinstance(error, Interrupted):
        return 128 + error.signal_number
    codes = {UsageError: 2, ConfigError: 2, SourceError: 2, TooManyBadInputs: 3, TrainingDiverged: 4}
    return next((code for kind, code in codes.items() if isinstance(error, kind)), 1)
