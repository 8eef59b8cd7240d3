"""The command line. It starts in a fraction of a second: a command imports what it needs when called."""

import logging
import signal
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from flows import (
    commands_bench,
    commands_dataset,
    commands_deploy,
    commands_evaluate,
    commands_export,
    commands_import,
    commands_prepare,
    commands_report,
    commands_run,
    commands_scenes,
    commands_translate,
    commands_versions,
)
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
EXIT_CODES = {
    "flows.parameters.UsageError": 2,
    "gan.device.DeviceError": 2,
    "manifests.exports.classes.ExportError": 2,
    "manifests.storage.store.StoreError": 2,
    "gan.snapshot.SnapshotError": 2,
    "gan.training_state.CheckpointMismatch": 2,
    "pipeline.config.ConfigError": 2,
    "pipeline.importing.weights.ForeignWeightsError": 2,
    "pipeline.scenes.rendering.SceneError": 2,
    "pipeline.sources.search.SourceError": 2,
    "pipeline.translation.settings.TranslationError": 2,
    "pipeline.prepare.TooManyBadInputs": 3,
    "gan.health.TrainingDiverged": 4,
}

for group in (
    commands_prepare,
    commands_scenes,
    commands_run,
    commands_deploy,
    commands_translate,
    commands_import,
    commands_dataset,
    commands_report,
    commands_versions,
    commands_export,
    commands_evaluate,
    commands_bench,
):
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
    """Errors of the project's own kinds, and those of the system, say what happened themselves."""
    if type(error).__module__.partition(".")[0] in PACKAGES:
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    if isinstance(error, OSError):
        return str(error)
    return f"{type(error).__name__}: {error} (not foreseen; seg2real --verbose shows where it happened)"


def _exit_code(error: Exception) -> int:
    """By name: an error whose module nobody has imported has not happened."""
    from pipeline.interruption import Interrupted

    if isinstance(error, Interrupted):
        return 128 + error.signal_number
    names = (f"{kind.__module__}.{kind.__name__}" for kind in type(error).__mro__)
    return next((EXIT_CODES[name] for name in names if name in EXIT_CODES), 1)
