"""A process that bears writers: it loads Python and Arrow once, and forks a writer for each line it reads.

    nursery.py <dataset> <folder of acknowledgements>

A line names the writer; the answer is its process id. A writer commits batch after batch of five rows, from
the first one that it has not acknowledged, and adds each batch's number to its file once it is committed.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from manifests.commit import commit
from manifests.schema import SCHEMA, SampleRecord, to_table

PALETTE = {"name": "p", "classes": [{"name": "a", "color": [0, 0, 0]}]}
NUMBERS = ("width", "height", "image_bytes", "label_bytes", "seed", "variant")
PLAIN = {field.name: "x" for field in SCHEMA} | dict.fromkeys(NUMBERS, 1)
PLAIN |= {"class_pixel_counts": (1,), "mask_coverage": 0.5, "accepted": True}


def commit_batch(root: Path, writer: str, batch: int) -> None:
    ids = (f"{writer}-{batch:04d}-{row}" for row in range(5))
    commit(root, to_table([SampleRecord(**PLAIN | {"sample_id": id}) for id in ids], palette=PALETTE))


def write(root: Path, writer: str, acknowledged: Path) -> None:
    done = acknowledged.read_text().split() if acknowledged.exists() else []
    with open(acknowledged, "a", buffering=1) as file:
        for batch in count(len(done)):
            commit_batch(root, writer, batch)
            file.write(f"{batch}\n")


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    folder = Path(sys.argv[2])
    folder.mkdir(exist_ok=True)
    with TemporaryDirectory() as elsewhere:
        commit_batch(Path(elsewhere), "first", 0)  # which loads all that is loaded late
    print("ready", flush=True)
    for line in sys.stdin:
        name = line.strip()
        child = os.fork()
        if not child:
            write(Path(sys.argv[1]), name, folder / name)
        print(child, flush=True)
