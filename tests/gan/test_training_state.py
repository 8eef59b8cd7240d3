import numpy as np
import pytest
import torch

from gan.snapshot import BaseSnapshot, Snapshot, SnapshotError
from gan.training_loop import train
from gan.training_state import CheckpointMismatch, TrainingState


def test_a_run_can_start_from_another_ones_weights(labels, small_config, batches, preview, outputs) -> None:
    first = outputs()
    train(small_config(seed=1), labels, batches=batches, preview=preview, outputs=first)
    base = BaseSnapshot(Snapshot.from_bytes(first.snapshots[16]), "5" * 64)
    state = TrainingState(small_config(), labels, torch.device("cpu"), base=base)
    for networks in (state.method.generators, state.ema.network):
        for name, weight in networks.state_dict().items():
            assert torch.equal(weight, base.snapshot.weights[name])
    out = outputs()
    train(small_config(), labels, batches=batches, preview=preview, outputs=out, base=base)
    assert Snapshot.from_bytes(out.snapshots[16]).info.base_sha256 == "5" * 64
    plain = outputs()
    train(small_config(), labels, batches=batches, preview=preview, outputs=plain)
    assert not np.array_equal(out.previews[0], plain.previews[0])
    with pytest.raises(CheckpointMismatch, match="base.sha256"):
        train(small_config(), labels, batches=batches, preview=preview, outputs=out)


def test_other_networks_cannot_be_started_from(labels, small_config, batches, preview, outputs) -> None:
    wide = TrainingState(small_config(generator={"width": 8, "num_blocks": 1}), labels, torch.device("cpu"))
    snapshot = Snapshot.of(wide.ema.network, labels, wide.config, 1)
    with pytest.raises(SnapshotError, match="ab.*is .* in it and .* here.*attention_cyclegan"):
        TrainingState(small_config(), labels, torch.device("cpu"), base=BaseSnapshot(snapshot, "5" * 64))


def test_a_checkpoint_that_is_older_than_a_setting_can_be_resumed(labels, small_config) -> None:
    state = TrainingState(small_config(), labels, torch.device("cpu"))
    old = state.state_dict()
    old["settings"] = {key: value for key, value in old["settings"].items() if key != "base"}
    del old["settings"]["train"]["shared_forward"], old["settings"]["train"]["loss"]["blur"]
    TrainingState(small_config(), labels, torch.device("cpu")).load_state_dict(old)
    with pytest.raises(CheckpointMismatch, match="shared_forward"):
        config = small_config(shared_forward=False)
        TrainingState(config, labels, torch.device("cpu")).load_state_dict(old)
