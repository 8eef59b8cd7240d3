"""Generators of Ha0Tang/AttentionGAN, version 2."""

from pipeline.importing.layout import NUM_DOWNSAMPLINGS, Layout, biased
from pipeline.importing.weights import ForeignWeights

__all__ = ["attentiongan_layout"]

CONTENT_CHANNELS = 3


def attentiongan_layout(weights: ForeignWeights) -> Layout:
    """Of the generator with a content branch and a branch of softmax masks; and of its variant for changes of
    shape, which has a content for the last mask too."""
    num_blocks = max(1, weights.count("resnet_blocks.{}.conv1.weight"))
    modules = {"stem.0": "conv1"}
    for level in range(NUM_DOWNSAMPLINGS):
        modules[f"downs.{level}.0"] = f"conv{level + 2}"
        modules[f"ups.{level}.conv"] = f"deconv{level + 1}_content"
        modules[f"mask_ups.{level}.conv"] = f"deconv{level + 1}_attention"
    for block in range(num_blocks):
        modules[f"blocks.{block}.conv_in"] = f"resnet_blocks.{block}.conv1"
        modules[f"blocks.{block}.conv_out"] = f"resnet_blocks.{block}.conv2"
    modules["head"], modules["mask_head"] = "deconv3_content", "deconv3_attention"

    num_masks = weights.shape("deconv3_attention.weight")[0]
    num_contents = weights.shape("deconv3_content.weight")[0] // CONTENT_CHANNELS
    generator = {
        "width": weights.shape("conv1.weight")[0],
        "num_blocks": num_blocks,
        "upsampling": "transposed",
        "downsampling_padding": "zeros",
        "num_masks": num_masks,
        "keeps_input": num_contents < num_masks,
    }
    return Layout({"generator": generator}, biased(modules))
