"""The iterable dataset: every sample once, over ranks and workers, in an order that can be resumed."""

import pickle
from collections.abc import Callable, Iterator
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torchvision.transforms import v2

from manifests.loaders import stream as stream_module
from manifests.loaders.pairs import SamplePairs
from manifests.loaders.samplers import ClassBalancedSampler, EpochSampler, Share
from manifests.loaders.selection import Selection
from manifests.loaders.stream import SampleStream
from manifests.push import push

NUM_SAMPLES = 13


@pytest.fixture
def selection(tmp_path: Path, publish: Callable) -> Selection:
    publish(tmp_path, *(f"{number:02d}" for number in range(NUM_SAMPLES)))
    return Selection(tmp_path)


@pytest.fixture
def identify(selection: Selection) -> Callable:
    """The position in the selection of an image."""
    known = {
        image.contiguous().numpy().tobytes(): place for place, (image, _) in enumerate(SamplePairs(selection))
    }
    assert len(known) == NUM_SAMPLES
    return lambda image: known[image.contiguous().numpy().tobytes()]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, identify: Callable) -> Callable:
    """What DataLoader gives with some workers, as positions by batch; without their seconds of start."""

    def load(stream: SampleStream, batch_size: int, num_workers: int) -> list[list[int]]:
        def batches(worker_id: int) -> Iterator[list[int]]:
            info = SimpleNamespace(id=worker_id, num_workers=num_workers) if num_workers else None
            monkeypatch.setattr(stream_module, "get_worker_info", lambda: info)
            positions = [identify(image) for image, _ in stream]
            return iter([positions[at : at + batch_size] for at in range(0, len(positions), batch_size)])

        # It asks its workers for a batch in turn, and leaves out those that have no more.
        running, found = [batches(worker_id) for worker_id in range(max(num_workers, 1))], []
        while running:
            still = []
            for worker in running:
                if (batch := next(worker, None)) is not None:
                    found.append(batch)
                    still.append(worker)
            running = still
        return found

    return load


@pytest.mark.parametrize("num_ranks", [1, 2, 3])
@pytest.mark.parametrize("num_workers", [0, 1, 2, 5])
def test_every_sample_once_over_ranks_and_workers(
    selection: Selection, loaded: Callable, num_ranks: int, num_workers: int
) -> None:
    for epoch in (0, 1):
        seen = []
        for rank in range(num_ranks):
            sampler = EpochSampler(selection, share=Share(rank, num_ranks))
            stream = SampleStream(selection, batch_size=2, sampler=sampler)
            stream.set_epoch(epoch)
            own = sum(loaded(stream, 2, num_workers), [])
            assert len(own) == len(stream)
            seen += own
        assert sorted(seen) == list(range(NUM_SAMPLES))
        # Also where the DataLoader's batches are others.
        assert sorted(sum(loaded(SampleStream(selection, batch_size=2), 3, num_workers), [])) == sorted(seen)


def test_workers_do_not_change_the_order(selection: Selection, loaded: Callable) -> None:
    stream = SampleStream(selection, batch_size=2)
    orders = []
    for epoch in range(2):
        stream.set_epoch(epoch)
        alone = loaded(stream, 2, 0)
        assert all(loaded(stream, 2, num_workers) == alone for num_workers in (1, 2, 3, 9))
        orders.append(sum(alone, []))
    assert orders[0] == list(EpochSampler(selection)) and orders[0] != orders[1]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_an_epoch_is_resumed_with_any_number_of_workers(
    selection: Selection, loaded: Callable, num_workers: int
) -> None:
    stream = SampleStream(selection, batch_size=2)
    stream.set_epoch(3)
    whole = loaded(stream, 2, 3)
    for num_batches in (0, 1, 4, 7):
        stream.set_epoch(3, num_samples_seen=2 * num_batches)
        assert len(stream) == max(NUM_SAMPLES - 2 * num_batches, 0)
        assert loaded(stream, 2, num_workers) == whole[num_batches:]
    stream.set_epoch(3)
    assert loaded(stream, 2, num_workers) == whole


def test_a_spawned_worker_follows_the_epoch(selection: Selection, loaded: Callable) -> None:
    stream = SampleStream(selection, batch_size=2)
    in_worker = pickle.loads(ForkingPickler.dumps(stream))
    stream.set_epoch(2, num_samples_seen=4)
    assert loaded(in_worker, 2, 0) == loaded(stream, 2, 0) and len(in_worker) == NUM_SAMPLES - 4


def test_rare_classes_can_be_drawn_more_often(selection: Selection, loaded: Callable) -> None:
    sampler = ClassBalancedSampler(selection, num_samples=20)
    stream = SampleStream(selection, batch_size=3, sampler=sampler)
    assert sum(loaded(stream, 3, 2), []) == list(sampler) and len(stream) == 20


def test_transforms_and_an_object_store(tmp_path: Path, selection: Selection, bucket: str) -> None:
    push(tmp_path, f"{bucket}/soccer")
    flip = v2.RandomHorizontalFlip(1)
    streams = (
        SampleStream(Selection(root), batch_size=4, transforms=flip)
        for root in (tmp_path, f"{bucket}/soccer")
    )
    plain = SampleStream(selection, batch_size=4)
    for here, there, (image, mask) in zip(*streams, plain, strict=True):
        for one in (here, there):
            assert torch.equal(one[0], image.flip(-1)) and torch.equal(one[1], mask.flip(-1))


def test_a_batch_size_of_nothing_is_refused(selection: Selection) -> None:
    with pytest.raises(ValueError, match="batch_size is 0; 1 or more was wanted"):
        SampleStream(selection, batch_size=0)
