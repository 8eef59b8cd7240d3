"""A process that has loaded torch once and calls the command line in forked children, which may be killed.

It reads jobs from its standard input, a JSON object per line, and answers each with its child's exit code,
negative for a signal, and all that the child said. A first line names a config to run itself, to warm up.
"""

import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import torch

from flows.cli import main
from pipeline.config import load_config
from pipeline.run import run


def act_at(place: str, number: int, act: Callable[[], None]) -> None:
    """Let something happen before the n-th call of a function: "module:name" or "module:class.name"."""
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
            act()
        return function(*arguments, **options)

    setattr(owner, last, call)


def limit_files(max_bytes: int) -> None:
    """Larger files fail as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, resource.RLIM_INFINITY))


def do(job: dict[str, Any]) -> int:
    """A child's life."""
    for place, number, name in job["signals"]:
        act_at(place, number, lambda name=name: os.kill(os.getpid(), getattr(signal, name)))
    for place, number, max_bytes in job["limits"]:
        act_at(place, number, lambda max_bytes=max_bytes: limit_files(max_bytes))
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
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(write_end, 1)
            os.dup2(write_end, 2)
            code = 1
            try:
                code = do(json.loads(line))
            finally:
                os._exit(code)
        os.close(write_end)
        with open(read_end) as said:
            text = said.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps([code, text]), flush=True)


if __name__ == "__main__":
    serve()
