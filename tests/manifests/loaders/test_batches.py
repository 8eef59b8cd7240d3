"""Batches: the same bytes in the same order whatever the threads, in bounded memory."""

import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from manifests.decoding import UndecodableError
from manifests.loaders.batch_memory import Batch, BatchMemory
from manifests.loaders.batches import BatchReader
from manifests.loaders.samplers import ClassBalancedSampler, EpochSampler, Share
from manifests.loaders.selection import Selection
from manifests.push import push

NAMES = [f"{number:02d}" for number in range(23)]


@pytest.fixture
def selection(tmp_path: Path, publish: Callable) -> Selection:
    publish(tmp_path, *NAMES)
    return Selection(tmp_path)


@pytest.fixture
def mixed(tmp_path: Path, publish: Callable) -> Selection:
    """Samples of three sizes, JPEGs among them."""
    publish(tmp_path, *NAMES[:9])
    publish(tmp_path, *NAMES[9:16], width=16, height=4, image_format="jpg")
    publish(tmp_path, *NAMES[16:20], width=4, height=16)
    return Selection(tmp_path, class_ids={"field": 1, "line": 2})


def contents(reader: BatchReader) -> list[tuple[bytes, bytes, list[int]]]:
    return [(images.tobytes(), masks.tobytes(), indices.tolist()) for images, masks, indices in reader]


def assert_read(batch: Batch, selection: Selection) -> None:
    """A batch holds what its samples hold one by one."""
    for index, image, mask in zip(batch.indices, batch.images, batch.masks, strict=True):
        pair = selection.read(int(index))
        assert np.array_equal(image, pair.image) and np.array_equal(mask, pair.mask)


def threads_at_work() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("batches-")]


def test_a_batch_is_its_samples_in_the_samplers_order(selection: Selection) -> None:
    batches = list(BatchReader(selection, batch_size=5, num_threads=2))
    assert [len(batch.indices) for batch in batches] == [5, 5, 5, 5, 3]
    order = [int(index) for batch in batches for index in batch.indices]
    assert order == list(EpochSampler(selection))
    for batch in batches:
        assert batch.images.dtype == batch.masks.dtype == np.uint8
        assert batch.images.shape[1:] == (6, 8, 3) and batch.masks.shape[1:] == (6, 8)
        assert_read(batch, selection)


@pytest.mark.parametrize(("num_threads", "num_ahead"), [(1, 1), (2, 1), (3, 5), (16, 2), (40, 40)])
def test_threads_change_nothing(mixed: Selection, num_threads: int, num_ahead: int) -> None:
    expected = contents(BatchReader(mixed, batch_size=3, num_threads=1))
    reader = BatchReader(mixed, batch_size=3, num_threads=num_threads, num_ahead=num_ahead)
    assert contents(reader) == expected
    assert threads_at_work() == []


def test_sizes_never_meet_in_a_batch(mixed: Selection) -> None:
    reader = BatchReader(mixed, batch_size=4, num_threads=2)
    batches = list(reader)
    assert len(reader) == len(batches) == 3 + 2 + 1
    assert sorted(int(index) for batch in batches for index in batch.indices) == list(range(20))
    order = list(EpochSampler(mixed))
    lasts = [order.index(int(batch.indices[-1])) for batch in batches]
    assert lasts == sorted(lasts)
    for batch in batches:
        assert len(np.unique(mixed.sizes[batch.indices], axis=0)) == 1
        places = [order.index(int(index)) for index in batch.indices]
        assert places == sorted(places)
        assert_read(batch, mixed)


def test_incomplete_batches_can_be_left_out(mixed: Selection) -> None:
    reader = BatchReader(mixed, batch_size=4, num_threads=2, drop_last=True)
    assert [len(batch.indices) for batch in reader] == [4] * 4 and len(reader) == 4


def test_each_iteration_is_the_next_epoch(selection: Selection) -> None:
    reader = BatchReader(selection, batch_size=4, num_threads=2)
    epochs = [contents(reader) for _ in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    for epoch in (1, 0):
        reader.set_epoch(epoch)
        assert contents(reader) == epochs[epoch]


@pytest.mark.parametrize("num_taken", [0, 1, 5, 6])
def test_a_reader_goes_on_where_another_was(selection: Selection, num_taken: int) -> None:
    whole = BatchReader(selection, batch_size=4, num_threads=2)
    epochs = [contents(whole) for _ in range(3)]

    interrupted = BatchReader(selection, batch_size=4, num_threads=2)
    interrupted.set_epoch(1)
    batches = iter(interrupted)
    for _ in range(num_taken):
        next(batches)
    state = interrupted.state_dict()
    assert state == {"epoch": 1, "num_batches": num_taken}
    batches.close()

    resumed = BatchReader(selection, batch_size=4, num_threads=1)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    assert contents(resumed) == epochs[1][num_taken:]
    assert resumed.state_dict() == {"epoch": 2, "num_batches": 0}
    assert contents(resumed) == epochs[2]


def test_an_epoch_that_was_broken_off_starts_again(selection: Selection) -> None:
    reader = BatchReader(selection, batch_size=4, num_threads=2)
    for _ in reader:
        break
    gc.collect()
    assert threads_at_work() == []
    assert contents(reader) == contents(BatchReader(selection, batch_size=4))


def test_ranks_and_balance_come_from_the_sampler(selection: Selection) -> None:
    seen = []
    for rank in range(3):
        sampler = EpochSampler(selection, share=Share(rank, 3))
        for batch in BatchReader(selection, batch_size=4, sampler=sampler):
            seen += batch.indices.tolist()
    assert sorted(seen) == list(range(23))
    balanced = ClassBalancedSampler(selection, num_samples=40)
    drawn = [
        index for batch in BatchReader(selection, batch_size=7, sampler=balanced) for index in batch.indices
    ]
    assert drawn == list(balanced)


def test_nothing_to_read(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a", split="train")
    reader = BatchReader(Selection(tmp_path, "val"), batch_size=4)
    assert list(reader) == [] and len(reader) == 0


def test_batches_of_an_object_store(tmp_path: Path, publish: Callable, bucket: str) -> None:
    publish(tmp_path, *NAMES[:5])
    push(tmp_path, f"{bucket}/soccer")
    here, there = Selection(tmp_path), Selection(f"{bucket}/soccer")
    expected = contents(BatchReader(here, batch_size=2))
    assert contents(BatchReader(there, batch_size=2, num_threads=4)) == expected


def test_tensors_share_the_batchs_memory(selection: Selection) -> None:
    batch = next(iter(BatchReader(selection, batch_size=5)))
    images, masks = batch.to_torch()
    assert images.dtype == masks.dtype == torch.uint8
    assert images.shape == (5, 3, 6, 8) and masks.shape == (5, 6, 8)
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(images.permute(0, 2, 3, 1).numpy(), batch.images)
    assert images.data_ptr() == batch.images.ctypes.data and masks.data_ptr() == batch.masks.ctypes.data


def test_a_batch_that_is_kept_stays_as_it_is(selection: Selection) -> None:
    """Whatever of it is kept: the arrays, a view of one, or a tensor."""
    reader = BatchReader(selection, batch_size=2, num_threads=2)
    expected = contents(reader)
    reader.set_epoch(0)
    kept = [
        (batch.images[1:, ::2], batch.to_torch()[1][0], batch.images[0].tobytes())
        if number % 2
        else (batch.images, batch.masks, batch.images[0].tobytes())
        for number, batch in enumerate(reader)
    ]
    for _ in reader:
        pass  # another epoch goes through whatever memory is free
    for (images, masks, first), (all_images, all_masks, indices) in zip(kept, expected, strict=True):
        originals = np.frombuffer(all_images, np.uint8).reshape(len(indices), 6, 8, 3)
        whole = np.frombuffer(all_masks, np.uint8).reshape(len(indices), 6, 8)
        assert originals[0].tobytes() == first
        if isinstance(masks, torch.Tensor):
            assert np.array_equal(images, originals[1:, ::2]) and np.array_equal(masks.numpy(), whole[0])
        else:
            assert np.array_equal(images, originals) and np.array_equal(masks, whole)


def test_memory_is_used_again(selection: Selection, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    large_enough = BatchMemory._large_enough
    monkeypatch.setattr(
        BatchMemory, "_large_enough", lambda self, num: made.append(large_enough(self, num)) or made[-1]
    )
    reader = BatchReader(selection, batch_size=2, num_threads=3, num_ahead=2)
    for _ in range(3):
        for batch in reader:
            del batch
    assert len(made) == 3 * 12
    # Two ahead, the caller's, one on its way, and those that the three threads have not let go of yet.
    assert len({memory.ctypes.data for memory in made}) <= 7


def test_memory_of_other_sizes_does_not_pile_up() -> None:
    memory = BatchMemory()
    for size in range(1, 30):
        batch = memory.batch(np.arange(2), size, size)
        assert batch.images.shape == (2, size, size, 3) and batch.masks.shape == (2, size, size)
        del batch
    assert len(memory._free) == 1


def test_no_more_is_read_than_was_asked_for(selection: Selection, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []
    load = selection.load
    monkeypatch.setattr(selection, "load", lambda row: loaded.append(row) or load(row))
    batches = iter(BatchReader(selection, batch_size=2, num_threads=3, num_ahead=3))
    for num_taken in range(1, 5):
        next(batches)
        time.sleep(0.05)  # long enough for threads that know no bounds
        assert len(loaded) <= (num_taken + 3) * 2
    batches.close()


def test_a_bad_file_is_an_error_in_its_batchs_turn(selection: Selection, tmp_path: Path) -> None:
    order = list(EpochSampler(selection))
    names = selection.file_names("label")
    (tmp_path / names[order[7]]).write_bytes(b"hello")
    (tmp_path / names[order[6]]).unlink()
    for num_threads in (1, 4):
        batches = iter(BatchReader(selection, batch_size=4, num_threads=num_threads))
        assert next(batches).indices.tolist() == order[:4]
        # Of two bad samples the first one is told of, whichever was seen first.
        with pytest.raises(FileNotFoundError, match=names[order[6]]):
            next(batches)
        assert threads_at_work() == []
    (tmp_path / names[order[6]]).write_bytes((tmp_path / names[order[0]]).read_bytes())
    with pytest.raises(UndecodableError, match="cannot be used"):
        list(BatchReader(selection, batch_size=4))


def test_a_failing_thread_does_not_leave_the_caller_waiting(
    selection: Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: BatchMemory, *arguments: object) -> Batch:
        raise MemoryError("no room")

    monkeypatch.setattr(BatchMemory, "batch", fail)
    with pytest.raises(MemoryError, match="no room"):
        next(iter(BatchReader(selection, batch_size=4, num_threads=2)))


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"batch_size": 2, "num_ahead": 0}])
def test_wrong_settings_are_refused(selection: Selection, wrong: dict) -> None:
    with pytest.raises(ValueError, match="is 0; 1 or more was wanted"):
        BatchReader(selection, **wrong)
