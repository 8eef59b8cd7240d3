from pathlib import Path

import numpy as np
import pytest

from gan.config import NoiseConfig
from pipeline.config import SourcesConfig
from pipeline.images import BadImageError, encode_label_png, read_image, read_label
from pipeline.palette import Palette, PaletteClass
from pipeline.prepare import Prepared, prepare
from pipeline.preprocess import condition, noise_field, noise_table
from pipeline.preprocess_files import preprocess_to

COLORS = [(0, 0, 0), (0, 255, 0), (255, 255, 255)]
PALETTE = Palette(
    name="p",
    classes=tuple(PaletteClass(name=f"c{i}", color=c, background=i == 0) for i, c in enumerate(COLORS)),
)
NOISE = NoiseConfig(amount=0.4, correlation_px=3)


def label_map(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, (20, 30), dtype=np.uint8)


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    root = tmp_path / "set"
    for folder in ("segTrain", "segTest", "realTrain"):
        (root / folder).mkdir(parents=True)
    for seed, name in enumerate(("segTrain/a.png", "segTrain/b.png", "segTest/a.png", "realTrain/x.png")):
        (root / name).write_bytes(encode_label_png(label_map(seed), PALETTE))
    sources = SourcesConfig(labels=root, photos=root)
    return prepare(sources, PALETTE, cache=tmp_path / "cache.json", quarantine=tmp_path / "q")


def test_files_show_what_the_generator_will_see(tmp_path: Path, prepared: Prepared) -> None:
    out = tmp_path / "out"
    seen: list[tuple[int, int]] = []
    preprocess_to(
        out,
        prepared.records,
        prepared.label_paths,
        PALETTE,
        NOISE,
        seed=7,
        progress=lambda done, total: seen.append((done, total)),
    )
    table = noise_table(PALETTE, NOISE)
    for record, seed in zip(prepared.records, (2, 0, 1), strict=True):
        name = f"set/{record.source_label}"
        assert np.array_equal(read_label(out / "label_maps" / name, PALETTE), label_map(seed))
        mask = read_image(out / "attention_masks" / name)[..., 0]
        assert np.array_equal(mask, np.where(label_map(seed) == 0, 0, 255))
        field = noise_field(record.source_sha256, 7, 0, (20, 30), NOISE.correlation_px)
        noised = read_image(out / "conditioning" / name)
        assert np.array_equal(noised, condition(label_map(seed), field, table))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_second_time_gives_the_same_bytes(tmp_path: Path, prepared: Prepared) -> None:
    def written(out: Path) -> dict[str, bytes]:
        preprocess_to(out, prepared.records, prepared.label_paths, PALETTE, NOISE)
        return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*.png"))}

    first = written(tmp_path / "one")
    assert len(first) == 9
    assert written(tmp_path / "two") == written(tmp_path / "one") == first


def test_a_label_that_is_gone_is_named(tmp_path: Path, prepared: Prepared) -> None:
    path = prepared.label_paths[prepared.records[0].source_sha256]
    path.unlink()
    with pytest.raises(BadImageError, match=r"segTest/a\.png"):
        preprocess_to(tmp_path / "out", prepared.records, prepared.label_paths, PALETTE, NOISE)
