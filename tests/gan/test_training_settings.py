"""The optimisers' and the average's settings, as they act in a run."""

import pytest
import torch

from gan.snapshot import Snapshot
from gan.training_loop import train


def test_the_optimisers_have_the_betas_of_the_config(labels, small_config, batches, preview, outputs) -> None:
    out = outputs()
    train(small_config(betas=(0.25, 0.75)), labels, batches=batches, preview=preview, outputs=out)
    optimizers = out.newest_checkpoint(torch.device("cpu"))["optimizers"].values()
    assert [tuple(o["param_groups"][0]["betas"]) for o in optimizers] == [(0.25, 0.75)] * 2


def test_the_optimisers_shrink_weights_as_the_config_says(
    labels, small_config, batches, preview, outputs
) -> None:
    sizes = []
    for weight_decay in (0.0, 0.5):
        out, config = outputs(), small_config(weight_decay=weight_decay, learning_rate=1e-3)
        train(config, labels, batches=batches, preview=preview, outputs=out)
        state = out.newest_checkpoint(torch.device("cpu"))
        assert [o["param_groups"][0]["weight_decay"] for o in state["optimizers"].values()] == [
            weight_decay
        ] * 2
        sizes.append(sum(float(tensor.abs().sum()) for tensor in state["method"].values()))
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize(
    ("constant_fraction", "shares"), [(0.0, [0.75, 0.5, 0.25, 0]), (0.75, [1, 1, 1, 0]), (1.0, [1, 1, 1, 1])]
)
def test_the_learning_rate_falls_after_its_constant_share_of_the_run(
    constant_fraction, shares, labels, small_config, batches, preview, outputs
) -> None:
    out, config = outputs(), small_config(constant_fraction=constant_fraction)
    train(config, labels, batches=batches, preview=preview, outputs=out)
    rates = [metrics["learning_rate"] for _, metrics in out.reports]
    assert rates == pytest.approx([2e-4 * share for share in shares])


def test_averaging_starts_after_its_share_of_the_run_from_the_weights_of_then(
    labels, small_config, batches, preview, outputs
) -> None:
    """Until then there is nothing but the weights themselves."""
    name = "ab.stem.0.weight"
    for start, is_averaged in ((0.0, {8: True, 16: True}), (0.6, {8: False, 16: True})):
        out = outputs()
        config = small_config(ema_start_fraction=start)
        train(config, labels, batches=batches, preview=preview, outputs=out)
        for moment, averaged in is_averaged.items():
            pair = [
                Snapshot.from_bytes(found[moment]).tensors for found in (out.snapshots, out.raw_snapshots)
            ]
            assert torch.equal(pair[0][name], pair[1][name]) != averaged, (start, moment)
