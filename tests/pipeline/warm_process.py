"""A process that has loaded torch once and calls the command line in forked children, which may be killed.

It reads jobs from its standard input, a JSON object per line, and answers each with its child's exit code;
the code of a signal is negative. A first line names a config that it runs itself, to warm up.
"""

import importlib
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import cv2
import torch

from flows.cli import main
from pipeline.config import load_config
from pipeline.run import run


def signal_at(place: str, number: int, name: str) -> None:
    """Let a function, "module:name" or "module:class.name", send its process a signal at its n-th call."""
    module, _, path = place.partition(":")
    *owners, last = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    function, num_calls = getattr(owner, last), 0

    def call(*arguments: Any, **options: Any) -> Any:
        nonlocal num_calls
        num_calls += 1
        if num_calls == number:
            os.kill(os.getpid(), getattr(signal, name))
        return function(*arguments, **options)

    setattr(owner, last, call)


def do(job: dict[str, Any]) -> int:
    """A child's life: what it says goes to a file."""
    file = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    for point in job["signals"]:
        signal_at(*point)
    if job["max_file_bytes"]:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["max_file_bytes"], resource.RLIM_INFINITY))
    sys.argv = ["seg2real", *job["arguments"]]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def serve() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    run(load_config(Path(sys.stdin.readline().strip())))
    print("ready", flush=True)
    while line := sys.stdin.readline():
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = do(job)
            finally:
                os._exit(code)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
