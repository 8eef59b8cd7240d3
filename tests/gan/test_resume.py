"""Every method, and every option with a state of its own: interrupted and resumed equals uninterrupted."""

import pytest
import torch

from gan.training_loop import train

VARIANTS = [
    {"shared_forward": False, "ema_start_fraction": 0.4},
    {"method": "cyclegan"},
    {"method": "uaggan", "uaggan": {"attention_width": 4}},
    {
        "method": "cyclegan",
        "paired": True,
        "generator": {"width": 4, "num_blocks": 1, "skip_connection": True},
    },
    {"method": "segback", "segback": {"segmenter_width": 4}},
    {
        "method": "segback",
        "segback": {"generator": "spade", "segmenter_width": 4},
        "loss": {"cycle": 1.0},
    },
    {"loss": {"r1": 10.0}, "r1_every_steps": 3},
    {"discriminator": {"width": 4, "num_layers": 2, "spectral_norm": True}},
    {"method": "cut"},
    {"method": "fastcut", "conditioning": "onehot"},
    {"method": "attentiongan", "generator": {"width": 4, "num_blocks": 1, "squeeze_excitation": True}},
    {
        "method": "attentiongan",
        "attentiongan": {"variant": "v1", "starting_fraction": 0.5},
        "generator": {"width": 4, "num_blocks": 1},
    },
    {
        "method": "attentiongan",
        "conditioning": "onehot",
        "generator": {"width": 4, "num_blocks": 1, "num_masks": 2, "keeps_input": False},
    },
    {"method": "ugatit", "ugatit": {"global_layers": 4, "local_layers": 3}},
    {
        "method": "ugatit",
        "ugatit": {"light": True, "global_layers": 4, "local_layers": 3, "discriminator_cam": False},
        "conditioning": "onehot",
        "generator": {"width": 4, "num_blocks": 1, "num_masks": 2, "squeeze_excitation": True},
    },
    {
        "method": "ugatit",
        "ugatit": {
            "masks_cam_input": True,
            "masks_features": True,
            "global_layers": 4,
            "local_layers": 3,
            "spectral_norm": False,
        },
    },
    {"background": "generate"},
    {"background": "mask_both"},
    {"background": "photo"},
    {"background": "keep"},
    {"conditioning": "onehot"},
    {
        "conditioning": "render",
        "background": "keep",
        "histogram": {"probability": 0.7, "to_b_probability": 0.5},
    },
    {"adversarial": "hinge", "ema_halflife_images": 0, "pool_images": 0},
]


def stop_after(steps: int):
    answers = iter([False] * (steps - 1) + [True])
    return lambda: next(answers)


@pytest.mark.parametrize("changes", VARIANTS)
def test_interrupted_and_resumed_equals_uninterrupted(
    assert_equal, changes, labels, small_config, batches, preview, outputs
) -> None:
    config = small_config(**changes)
    whole, parted = outputs(), outputs()
    assert train(config, labels, batches=batches, preview=preview, outputs=whole)
    for steps in (3, 2):
        stop = stop_after(steps)
        assert not train(config, labels, batches=batches, preview=preview, outputs=parted, should_stop=stop)
    assert train(config, labels, batches=batches, preview=preview, outputs=parted)
    assert parted.snapshots == whole.snapshots
    assert parted.reports == whole.reports
    cpu = torch.device("cpu")
    assert_equal(parted.newest_checkpoint(cpu), whole.newest_checkpoint(cpu))
