"""A snapshot of this project, made from generators that another repository trained."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from pydantic import ValidationError
from torch import nn

from gan.conditioning import Conditioning, LabelSpec
from gan.config import NoiseConfig, TrainConfig
from gan.methods.registry import build_generators
from gan.snapshot import Snapshot
from pipeline.importing.attentiongan import attentiongan_layout
from pipeline.importing.cyclegan import resnet_layout
from pipeline.importing.layout import Layout
from pipeline.importing.ugatit import ugatit_layout
from pipeline.importing.weights import ForeignWeights, ForeignWeightsError, read_weights, renamed
from pipeline.palette import Palette
from pipeline.preprocess import noise_table

__all__ = ["REPOSITORIES", "import_snapshot"]

DIRECTIONS = ("ab", "ba")


class Repository(NamedTuple):
    """How a repository keeps its generators, and what they are here."""

    layout: Callable[[ForeignWeights], Layout]
    two_way: str
    """The method with a generator for each direction."""
    one_way: str | None = None
    """The method that has such a generator from labels to photographs alone; None = there is none."""
    settings: dict[str, Any] = {}
    """Of `TrainConfig`, beside those that the weights tell."""
    networks: tuple[str, ...] = ()
    """What the file that holds both generators calls them; () = each has a file of its own."""


REPOSITORIES = {
    "pytorch-cyclegan": Repository(resnet_layout, "cyclegan", "cut"),
    "nugan": Repository(resnet_layout, "attention_cyclegan", settings={"background": "keep"}),
    "attentiongan": Repository(attentiongan_layout, "attentiongan", "cut"),
    "ugatit": Repository(ugatit_layout, "ugatit", networks=("genA2B", "genB2A")),
}
"""By the name that --from has."""


def import_snapshot(
    repository: str,
    paths: Sequence[Path],
    palette: Palette,
    *,
    noise_amount: float = 0,
    is_reversed: bool = False,
) -> Snapshot:
    """Make a snapshot whose generators draw what the originals draw.

    A single generator becomes one of `cut`, the method that has no way back: the same network, though it was
    trained otherwise. How many images the generators saw is not known, and 0 is said. What of the training
    the weights do not tell stands at the method's defaults.

    Args:
        repository: one of `REPOSITORIES`.
        paths: the file of both generators; or the file of the one that draws photographs from labels, and
            that of the other.
        palette: colours of the labels that the generators were trained with.
        noise_amount: saturation noise on the labels; 0 = none.
        is_reversed: the first generator is the one that draws labels.

    Raises:
        ForeignWeightsError: the files hold something else, or what cannot be drawn here.
    """
    kept = REPOSITORIES[repository]
    networks = _networks(repository, paths)
    if is_reversed:
        if len(networks) < len(DIRECTIONS):
            raise ForeignWeightsError(
                "--reversed swaps two generators, but one was given; name the one that draws photographs."
            )
        networks = networks[::-1]
    layouts = [kept.layout(weights) for weights in networks]
    _require_equal_sizes(networks, layouts)
    method = kept.two_way if len(networks) == len(DIRECTIONS) else kept.one_way
    config = _train_config(networks[0].where, {"method": method} | kept.settings | layouts[0].settings)
    labels = _label_spec(palette, noise_amount)
    domain = Conditioning(labels, config.conditioning).domain
    with torch.device("meta"):
        generators = build_generators(config, domain)
    for direction, weights, layout in zip(DIRECTIONS, networks, layouts, strict=False):
        _fill(generators[direction], weights, layout)
    snapshot = Snapshot.of(generators, labels, config, num_images_seen=0)
    if not snapshot.is_finite():
        raise ForeignWeightsError(f"{networks[0].where} has weights that are NaN or infinite.")
    return snapshot


def _networks(repository: str, paths: Sequence[Path]) -> list[ForeignWeights]:
    kept = REPOSITORIES[repository]
    if kept.networks:
        if len(paths) != 1:
            raise ForeignWeightsError(
                f"{len(paths)} files were given, but {repository} keeps both generators in one; name that."
            )
        return read_weights(paths[0], kept.networks)
    if len(paths) == 1 and kept.one_way is None:
        raise ForeignWeightsError(
            f"{repository} needs both generators, but only {paths[0]} was given; give the other one too, or "
            "take the generator without its attention mask by --from pytorch-cyclegan."
        )
    if len(paths) > len(DIRECTIONS):
        raise ForeignWeightsError(
            f"{len(paths)} files were given; the generator that draws photographs, and the one that draws "
            "labels, were wanted."
        )
    return [weights for path in paths for weights in read_weights(path)]


def _require_equal_sizes(networks: Sequence[ForeignWeights], layouts: Sequence[Layout]) -> None:
    if len(layouts) == len(DIRECTIONS) and layouts[0].settings != layouts[1].settings:
        raise ForeignWeightsError(
            f"{networks[0].where} and {networks[1].where} are of different sizes: {layouts[0].settings} and "
            f"{layouts[1].settings}; two generators that were trained together were wanted."
        )


def _train_config(where: str, settings: dict[str, Any]) -> TrainConfig:
    """As it was trained: in full precision, and without an average of the weights."""
    try:
        return TrainConfig(**settings, precision="fp32", ema_halflife_images=0)
    except ValidationError as error:
        fault = error.errors()[0]
        raise ForeignWeightsError(
            f"{where} has sizes that this project's networks do not: {'.'.join(map(str, fault['loc']))}: "
            f"{fault['msg'].removeprefix('Value error, ')}."
        ) from None


def _label_spec(palette: Palette, noise_amount: float) -> LabelSpec:
    try:
        noise = NoiseConfig(amount=noise_amount)
        table = noise_table(palette, noise)
    except ValidationError as error:
        raise ForeignWeightsError(
            f"noise.amount {noise_amount:g} cannot be used: {error.errors()[0]['msg']}."
        ) from None
    except ValueError as error:
        raise ForeignWeightsError(f"{error}.") from None
    return LabelSpec(table, palette.is_background, palette.is_ignored, noise, palette.model_dump(mode="json"))


def _fill(generator: nn.Module, weights: ForeignWeights, layout: Layout) -> None:
    """Put the weights in the place of what stands there without memory."""
    state = renamed(weights, layout.names, generator.state_dict())
    generator.load_state_dict(state, assign=True)
