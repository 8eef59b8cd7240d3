"""Generators of junyanz/pytorch-CycleGAN-and-pix2pix, and of repositories that descend from it unchanged.

There a generator is one long sequence, and a weight is named by its layer's number. Layers without weights
count too: reflection padding, norm and ReLU stand between the convolutions.
"""

import logging

from pipeline.importing.layout import NUM_DOWNSAMPLINGS, Layout, biased
from pipeline.importing.weights import ForeignWeights

__all__ = ["resnet_layout"]

logger = logging.getLogger(__name__)

STEM = 1
FIRST_BLOCK = 4 + 3 * NUM_DOWNSAMPLINGS


def resnet_layout(weights: ForeignWeights) -> Layout:
    """Of a `ResnetGenerator` with instance norm.

    Its own upsampling is a transposed convolution. Where people put resizing and a padded convolution in its
    place, the file does not tell how they resize; it is taken to be bilinear without aligned corners, as
    PyTorch's own default is.
    """
    num_blocks = max(1, weights.count("model.{}.conv_block.1.weight", start=FIRST_BLOCK))
    second = 6 if f"model.{FIRST_BLOCK}.conv_block.6.weight" in weights else 5  # one later behind a dropout
    after = FIRST_BLOCK + num_blocks
    resizes = f"model.{after}.weight" not in weights and f"model.{after + 2}.weight" in weights
    if resizes:
        logger.warning(
            "%s does not tell how its network resizes where it enlarges; it is taken to be bilinear without "
            "aligned corners.",
            weights.where,
        )

    modules = {"stem.0": f"model.{STEM}"}
    for level in range(NUM_DOWNSAMPLINGS):
        modules[f"downs.{level}.0"] = f"model.{STEM + 3 * (level + 1)}"
    for block in range(num_blocks):
        modules[f"blocks.{block}.conv_in"] = f"model.{FIRST_BLOCK + block}.conv_block.1"
        modules[f"blocks.{block}.conv_out"] = f"model.{FIRST_BLOCK + block}.conv_block.{second}"
    num_layers, skipped = (5, 2) if resizes else (3, 0)  # of an upsampling, and of them before its weights
    for level in range(NUM_DOWNSAMPLINGS):
        modules[f"ups.{level}.conv"] = f"model.{after + num_layers * level + skipped}"
    modules["head"] = f"model.{after + num_layers * NUM_DOWNSAMPLINGS + 1}"

    generator = {
        "width": weights.shape(f"model.{STEM}.weight")[0],
        "num_blocks": num_blocks,
        "upsampling": "resize" if resizes else "transposed",
        "downsampling_padding": "zeros",
    }
    return Layout({"generator": generator}, biased(modules))
