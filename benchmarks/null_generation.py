"""A generation whose network takes no time: what is left is all the rest."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from torch import Tensor

from gan.conditioning import Conditioning
from gan.config import GeneratorConfig
from gan.methods.registry import build_generators
from gan.snapshot import Snapshot
from gan.translator import Translator
from pipeline.config import RunConfig
from pipeline.generate import Generation
from pipeline.shards import SnapshotRef
from pipeline.training import label_spec

__all__ = ["NO_FILE", "null_generation"]

NO_FILE = SnapshotRef(Path("null.safetensors"), "0" * 64)
"""The name of what draws; no such file is read."""


def null_generation(
    config: RunConfig, snapshot: SnapshotRef = NO_FILE, answers: Sequence[Tensor] | None = None
) -> Generation:
    """A generation whose network answers at once.

    Args:
        config: the run.
        snapshot: the name of what draws; no file is read.
        answers: each float [1, 3, H, W] in [-1, 1], given back in turn; None = the input is given back.
    """
    palette = config.read_palette()
    spec = label_spec(palette, config)
    train = config.train.model_copy(update={"generator": GeneratorConfig(width=4, num_blocks=1)})
    generators = build_generators(train, Conditioning(spec, train.conditioning).domain)
    translator = Translator(Snapshot.of(generators, spec, train, 0), device="cpu", precision="fp32")
    translator.generators = _NullGenerators(answers)
    return Generation(config, snapshot, translator)


class _NullGenerators:
    """In the place of generators: no padding, no work."""

    size_multiple = 1
    only_size = None

    def __init__(self, answers: Sequence[Tensor] | None):
        self._answers = None if answers is None else cycle(answers)

    def draw_b(self, image_a: Tensor, _attention_a: Tensor, _backdrop: Tensor | None) -> Tensor:
        return image_a if self._answers is None else next(self._answers)
