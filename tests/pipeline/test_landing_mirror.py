"""Sets that land in an object store: fetched once, when they are whole, and brought up to date."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import s3fs

from manifests.manifest import Manifest
from pipeline.config import ConfigError, load_config
from pipeline.landing_mirror import mirror_folder, mirror_sets
from pipeline.run import run


class Bucket:
    """What lies in the landing folder of a bucket."""

    def __init__(self, url: str):
        self.url = f"{url}/soccer/incoming"
        self._files = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
        self.reads: list[str] = []

    def put(self, **files: bytes) -> None:
        """Files by names with "__" for "/" and "_png" for ".png"."""
        for name, data in files.items():
            self.put_as(name.replace("__", "/").replace("_png", ".png"), data)

    def put_as(self, name: str, data: bytes) -> None:
        self._files.pipe_file(f"{self.url}/{name}", data)

    def remove(self, name: str) -> None:
        self._files.rm(f"{self.url}/{name}", recursive=True)


@pytest.fixture
def store(bucket: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    from manifests.storage.objects import ObjectStore

    store, read = Bucket(bucket), ObjectStore.read

    def counted(self: ObjectStore, name: str) -> bytes:
        store.reads.append(name)
        return read(self, name)

    monkeypatch.setattr(ObjectStore, "read", counted)
    return store


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "_READY"
    }


def test_whole_sets_are_fetched_once_and_others_not_at_all(store: Bucket, tmp_path: Path) -> None:
    store.put(night__a_png=b"1", night__segTrain__b_png=b"2", rain__c_png=b"3")
    store.put_as("night/_READY", b"")
    told = []
    mirror_sets(store.url, tmp_path, lambda done, total: told.append((done, total)))
    assert _files(tmp_path) == {"night/a.png": b"1", "night/segTrain/b.png": b"2"}
    assert told[-1] == (3, 3)
    assert store.reads == ["incoming/night/a.png", "incoming/night/segTrain/b.png"]
    mirror_sets(store.url + "/", tmp_path)
    assert len(store.reads) == 2
    store.put_as("rain/_READY", b"")
    mirror_sets(store.url, tmp_path)
    assert store.reads[2:] == ["incoming/rain/c.png"]


def test_a_set_that_changed_is_renewed_when_it_is_whole_again(store: Bucket, tmp_path: Path) -> None:
    store.put(night__a_png=b"1", night__b_png=b"2")
    store.put_as("night/_READY", b"")
    mirror_sets(store.url, tmp_path)
    store.remove("night/_READY")
    store.remove("night/b.png")
    store.put(night__a_png=b"one", night__c_png=b"3")
    mirror_sets(store.url, tmp_path)
    assert _files(tmp_path) == {"night/a.png": b"1", "night/b.png": b"2"}
    store.put_as("night/_READY", b"")
    store.reads.clear()
    mirror_sets(store.url, tmp_path)
    assert _files(tmp_path) == {"night/a.png": b"one", "night/c.png": b"3"}
    assert store.reads == ["incoming/night/a.png", "incoming/night/c.png"]


def test_a_set_that_is_gone_leaves(store: Bucket, tmp_path: Path) -> None:
    store.put(night__a_png=b"1", rain__a_png=b"2")
    for name in ("night", "rain"):
        store.put_as(f"{name}/_READY", b"")
    mirror_sets(store.url, tmp_path)
    store.remove("night")
    mirror_sets(store.url, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["rain"]


def test_interrupted_at_any_file_it_is_no_set_and_then_a_whole_one(
    store: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from manifests.storage.objects import ObjectStore

    store.put(night__a_png=b"1", night__b_png=b"2")
    store.put_as("night/_READY", b"")
    read = ObjectStore.read
    for stop in (1, 2):
        calls = []

        def failing(self: ObjectStore, name: str, calls: list = calls, stop: int = stop) -> bytes:
            calls.append(name)
            if len(calls) == stop:
                raise OSError("the network is gone")
            return read(self, name)

        monkeypatch.setattr(ObjectStore, "read", failing)
        with pytest.raises(OSError, match="network"):
            mirror_sets(store.url, tmp_path)
        assert not (tmp_path / "night" / "_READY").exists()
    monkeypatch.setattr(ObjectStore, "read", read)
    mirror_sets(store.url, tmp_path)
    assert _files(tmp_path) == {"night/a.png": b"1", "night/b.png": b"2"}
    assert set(json.loads((tmp_path / "night" / "_READY").read_bytes())) == {"_READY", "a.png", "b.png"}


def test_a_run_draws_what_landed_there(
    store: Bucket, tmp_path: Path, tiny_file: Callable[..., Path], one_thread: None
) -> None:
    config = load_config(tiny_file(tmp_path, sources={"landing": store.url}))
    first = run(config)
    assert first.num_images == 8
    label = next((config.run_dir / "scenes" / "segTrain").glob("*.png"))
    ok, png = cv2.imencode(".png", cv2.imread(str(label))[:, ::-1])
    assert ok
    store.put_as("night/a.png", png.tobytes())
    assert run(config).version == 1
    store.put_as("night/_READY", b"")
    second = run(config)
    assert (second.version, second.num_generated, second.num_images) == (2, 1, 9)
    assert "night" in {row.source_set for row in Manifest.open(config.output).records}
    assert mirror_folder(config.run_dir, store.url).is_dir()


@pytest.mark.parametrize("url", ["s3://bucket", "gs://bucket/incoming", "incoming"])
def test_a_url_that_is_none_is_refused(url: str, tmp_path: Path, tiny_file: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match=r"sources\.landing"):
        load_config(tiny_file(tmp_path, sources={"landing": url}))
