"""Generators of znxlwm/UGATIT-pytorch, full and light."""

import math

from pipeline.importing.layout import NUM_DOWNSAMPLINGS, Layout, unbiased
from pipeline.importing.weights import ForeignWeights

__all__ = ["ugatit_layout"]

ENCODER_LAYERS = 4
"""Of a convolution there: padding, convolution, norm, ReLU. Here padding is no layer of its own."""
FIRST_BLOCK = ENCODER_LAYERS * (NUM_DOWNSAMPLINGS + 1)


def ugatit_layout(weights: ForeignWeights) -> Layout:
    """Of both forms; the full one reads the whole feature map of square images, whose size it thus tells."""
    num_blocks = max(1, weights.count("UpBlock1_{}.conv1.weight", start=1))
    modules = {
        "class_activation.average": "gap_fc",
        "class_activation.maximum": "gmp_fc",
        "fuse": "conv1x1",
        "gamma_beta.hidden.0": "FC.0",
        "gamma_beta.hidden.2": "FC.2",
        "gamma_beta.gamma": "gamma",
        "gamma_beta.beta": "beta",
    }
    parameters = {"fuse.bias": "conv1x1.bias"}
    for level in range(NUM_DOWNSAMPLINGS + 1):
        modules[f"encoder.{3 * level}"] = f"DownBlock.{ENCODER_LAYERS * level + 1}"
    for block in range(num_blocks):
        plain, adaptive = f"DownBlock.{FIRST_BLOCK + block}.conv_block", f"UpBlock1_{block + 1}"
        encoded = f"encoder.{3 * (NUM_DOWNSAMPLINGS + 1) + block}"
        modules |= {f"{encoded}.conv_in": f"{plain}.1", f"{encoded}.conv_out": f"{plain}.5"}
        modules |= {
            f"blocks.{block}.conv_in": f"{adaptive}.conv1",
            f"blocks.{block}.conv_out": f"{adaptive}.conv2",
        }
        parameters |= {
            f"blocks.{block}.norm_in.rho": f"{adaptive}.norm1.rho",
            f"blocks.{block}.norm_out.rho": f"{adaptive}.norm2.rho",
        }
    for level in range(NUM_DOWNSAMPLINGS):
        modules[f"decoder.{4 * level + 1}"] = f"UpBlock2.{5 * level + 2}"
        for kind in ("rho", "gamma", "beta"):
            parameters[f"decoder.{4 * level + 2}.{kind}"] = f"UpBlock2.{5 * level + 3}.{kind}"
    modules[f"decoder.{4 * NUM_DOWNSAMPLINGS}"] = f"UpBlock2.{5 * NUM_DOWNSAMPLINGS + 1}"

    width = weights.shape("DownBlock.1.weight")[0]
    inner, num_read = weights.shape("FC.0.weight")
    settings = {
        "generator": {"width": width, "num_blocks": num_blocks},
        "ugatit": {"light": num_read == inner, "norm_variance": "sample"},
    }
    if num_read != inner:
        side = math.isqrt(num_read // inner) * 2**NUM_DOWNSAMPLINGS
        settings |= {"width": side, "height": side}
    return Layout(settings, unbiased(modules) | parameters)
