"""Training in processes of their own, one for each GPU of this machine: `--nproc`, and what a flow trains.

This process starts them, with the variables that torchrun would set, and waits. It is torch.multiprocessing
that starts them, whose processes end with each other and with their parent, and not torch.distributed.run:
of an error that would leave no more than exit code 1, and it kills a process whose last checkpoint takes
longer than half a minute. What they say, how far they are and why they end comes back through pipes, so that
a command or flow goes on as after a training of its own.
"""

import logging
import logging.handlers
import os
import signal
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch.multiprocessing
from torch.distributed import TCPStore
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException

from gan.distributed import join_ranks
from pipeline.config import RunConfig
from pipeline.evaluation.meter import AdherenceMeter
from pipeline.interruption import TrainingProcessDied
from pipeline.progress import Progress, ShowProgress, show_progress
from pipeline.snapshot_files import finished_snapshot
from pipeline.training import require_equal_shares, train_run

__all__ = ["train_in_processes"]

HOST = "127.0.0.1"
POLL_SECONDS = 0.1
GRACE_SECONDS = 10  # for the others when one has ended; they may wait for it in a collective operation
PACKAGES = ("pipeline", "gan", "manifests")


def train_in_processes(
    config: RunConfig,
    labels: Sequence[Path],
    photos: Sequence[Path],
    renders: Sequence[Path] = (),
    *,
    num_processes: int,
    meter: AdherenceMeter | None = None,
    show: ShowProgress = show_progress,
) -> Path:
    """As `train_run`, in so many processes of this machine. Signals that come here are passed on to them.

    Raises:
        TrainingProcessDied: one of them ended without a word; the others were ended too.
        Others: as `train_run`.
    """
    require_equal_shares(config, num_processes)
    store = TCPStore(HOST, 0, is_master=True, wait_for_workers=False)
    receivers, senders = zip(
        *(torch.multiprocessing.get_context("spawn").Pipe(duplex=False) for _ in range(num_processes)),
        strict=True,
    )
    levels = {name: logging.getLogger(name).getEffectiveLevel() for name in PACKAGES}
    job = config, (tuple(labels), tuple(photos), tuple(renders)), meter
    workers = torch.multiprocessing.start_processes(
        _work, (num_processes, store.port, senders, levels, job), num_processes, join=False, daemon=True
    )
    errors: dict[int, Exception] = {}
    try:
        with show("train", "images") as progress, _pass_signals_on(workers.pids()) as passed_on:
            while not workers.join(POLL_SECONDS, GRACE_SECONDS):
                _hear(receivers, progress, errors)
            _hear(receivers, progress, errors)
    except (ProcessExitedException, ProcessRaisedException) as end:
        _hear(receivers, lambda *_: None, errors)
        if passed_on and end.error_index not in errors:  # a second signal, or one before training began
            raise SystemExit(128 + passed_on[-1]) from None
        raise errors.get(end.error_index) or _death(config, num_processes, end) from None
    finally:
        for process in workers.processes:
            if process.is_alive():
                process.kill()
    return finished_snapshot(config)


def _death(
    config: RunConfig, num_processes: int, end: ProcessExitedException | ProcessRaisedException
) -> TrainingProcessDied:
    how = getattr(end, "signal_name", None) or f"exit code {getattr(end, 'exit_code', 1)}"
    return TrainingProcessDied(
        f"Training process {end.error_index} of {num_processes} ended with {how} and said nothing; the "
        "others were ended too. Run the same command again to go on from the last checkpoint in "
        f"{config.run_dir}."
    )


@contextmanager
def _pass_signals_on(pids: Sequence[int]) -> Iterator[list[int]]:
    """Within it SIGINT and SIGTERM go to the processes instead; yields the list of those that came."""
    passed_on: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield passed_on
        return

    def pass_on(number: int, _frame: object) -> None:
        passed_on.append(number)
        for pid in pids:
            os.kill(pid, number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield passed_on
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _hear(receivers: Sequence[Connection], progress: Progress, errors: dict[int, Exception]) -> None:
    """Take what the processes sent: log records, arguments of `progress`, the error that ends one."""
    for rank, receiver in enumerate(receivers):
        while receiver.poll():
            match receiver.recv():
                case logging.LogRecord() as record:
                    logging.getLogger(record.name).handle(record)
                case "progress", arguments:
                    progress(*arguments)
                case "error", kind, arguments, attributes:
                    # Made anew without __init__, whose parameters need not be the error's arguments.
                    errors[rank] = kind.__new__(kind, *arguments)
                    errors[rank].__dict__.update(attributes)


class _ToParent(logging.handlers.QueueHandler):
    def enqueue(self, record: logging.LogRecord) -> None:
        self.queue.send(record)


def _work(
    rank: int,
    num_processes: int,
    port: int,
    senders: Sequence[Connection],
    levels: dict[str, int],
    job: tuple[RunConfig, tuple[Sequence[Path], ...], AdherenceMeter | None],
) -> None:
    """A process's life."""
    os.setsid()  # Ctrl-C at a terminal comes to the parent alone, which passes it on once
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)
    sender, (config, images, meter) = senders[rank], job
    if rank == 0:
        logging.getLogger().addHandler(_ToParent(sender))
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    else:
        logging.disable(logging.WARNING)  # it would say what the first one says
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(num_processes),
        "LOCAL_WORLD_SIZE": str(num_processes),
        "MASTER_ADDR": HOST,
        "MASTER_PORT": str(port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",  # the parent has it
    }

    @contextmanager
    def show(what: str, _unit: str) -> Iterator[Progress]:
        is_shown = what == "train"  # the parent shows nothing else
        yield lambda *arguments: sender.send(("progress", arguments)) if is_shown else None

    try:
        with join_ranks(config.train.device) as ranks:
            train_run(config, *images, meter=meter, show=show, ranks=ranks)
    except Exception as error:
        error.add_note(traceback.format_exc())
        sender.send(("error", type(error), error.args, error.__dict__))
        raise SystemExit(1) from None


def _end(number: int, _frame: Any) -> None:
    raise SystemExit(128 + number)
