import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from gan.conditioning import Conditioning
from gan.data import from_uint8, to_uint8
from pipeline.config import ConfigError, RunConfig, load_config
from pipeline.images import BadImageError, encode_label_png, encode_png, read_image, read_label
from pipeline.palette import load_palette
from pipeline.prepare import Prepared, prepare
from pipeline.preprocess import condition, noise_field, noise_table
from pipeline.preprocess_files import preprocess_to
from pipeline.training import label_spec

PALETTES = Path(__file__).parents[2] / "configs" / "palettes"


def label_map(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, (20, 30), dtype=np.uint8)


@pytest.fixture
def run(tmp_path: Path) -> tuple[RunConfig, Prepared]:
    shutil.copy(PALETTES / "robocup_spl.yaml", tmp_path / "palette.yaml")
    palette = load_palette(tmp_path / "palette.yaml")
    root = tmp_path / "set"
    for folder in ("segTrain", "segTest", "realTrain"):
        (root / folder).mkdir(parents=True)
    for seed, name in enumerate(("segTrain/a.png", "segTrain/b.png", "segTest/a.png", "realTrain/x.png")):
        (root / name).write_bytes(encode_label_png(label_map(seed), palette))
    values = {
        "name": "test",
        "palette": "palette.yaml",
        "run_dir": "run",
        "output": "out",
        "sources": {"labels": "set", "photos": "set"},
        "noise": {"amount": 0.4, "correlation_px": 3},
        "generate": {"seed": 7},
    }
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(values))
    config = load_config(tmp_path / "run.yaml")
    cache, quarantine = tmp_path / "cache.json", tmp_path / "q"
    return config, prepare(config.sources, palette, cache=cache, quarantine=quarantine)


def test_files_show_what_the_generator_will_see(tmp_path: Path, run: tuple[RunConfig, Prepared]) -> None:
    config, prepared = run
    palette = config.read_palette()
    table = noise_table(palette, config.noise)
    out = tmp_path / "preprocessed"
    seen: list[tuple[int, int]] = []
    preprocess_to(out, prepared, config, progress=lambda done, total: seen.append((done, total)))
    for record, seed in zip(prepared.records, (2, 0, 1), strict=True):
        name = f"set/{record.source_label}"
        assert np.array_equal(read_label(out / "label_maps" / name, palette), label_map(seed))
        mask = read_image(out / "attention_masks" / name)[..., 0]
        assert np.array_equal(mask, np.where(label_map(seed) == 0, 0, 255))
        field = noise_field(record.source_sha256, 7, 0, (20, 30), 3)
        noised = read_image(out / "conditioning" / name)
        assert np.array_equal(noised, condition(label_map(seed), field, table))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_second_time_gives_the_same_bytes(tmp_path: Path, run: tuple[RunConfig, Prepared]) -> None:
    config, prepared = run

    def written(out: Path) -> dict[str, bytes]:
        preprocess_to(out, prepared, config)
        return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*.png"))}

    first = written(tmp_path / "one")
    assert len(first) == 9
    assert written(tmp_path / "two") == written(tmp_path / "one") == first


def test_a_label_that_is_gone_is_named(tmp_path: Path, run: tuple[RunConfig, Prepared]) -> None:
    config, prepared = run
    prepared.label_paths[prepared.records[0].source_sha256].unlink()
    with pytest.raises(BadImageError, match=r"segTest/a\.png"):
        preprocess_to(tmp_path / "preprocessed", prepared, config)


def test_noise_that_confuses_classes_is_one_sentence(tmp_path: Path, run: tuple[RunConfig, Prepared]) -> None:
    config, prepared = run
    noisy = config.model_copy(update={"noise": config.noise.model_copy(update={"amount": 1.0})})
    with pytest.raises(ConfigError, match=r"noise.amount 1 turns .*[^.]\.$"):
        preprocess_to(tmp_path / "preprocessed", prepared, noisy)
    assert not (tmp_path / "preprocessed").exists()


def test_labels_of_equal_pixels_have_noise_of_their_own(
    tmp_path: Path, run: tuple[RunConfig, Prepared]
) -> None:
    """The noise follows the file's content hash, not the picture or its place in the list."""
    config, _ = run
    palette = config.read_palette()
    data = encode_label_png(label_map(0), palette)
    (tmp_path / "set" / "segTrain" / "b.png").write_bytes(data + b"\0")
    cache, quarantine = tmp_path / "again.json", tmp_path / "q"
    prepared = prepare(config.sources, palette, cache=cache, quarantine=quarantine)
    preprocess_to(tmp_path / "out", prepared, config)
    a, b = (read_image(tmp_path / "out" / "conditioning" / "set" / "segTrain" / f"{n}.png") for n in "ab")
    assert (a != b).mean() > 0.2
    preprocess_to(tmp_path / "alone", replace(prepared, records=prepared.records[-1:]), config)
    alone = read_image(tmp_path / "alone" / "conditioning" / "set" / "segTrain" / "b.png")
    assert np.array_equal(alone, b)


def test_of_renders_files_show_what_the_generator_will_see(
    tmp_path: Path, run: tuple[RunConfig, Prepared]
) -> None:
    config, _ = run
    train = config.train.model_copy(update={"conditioning": "render"})
    config, palette = config.model_copy(update={"train": train}), config.read_palette()
    (tmp_path / "set" / "segTrain").rename(tmp_path / "set" / "trainA_seg")
    (tmp_path / "set" / "trainA").mkdir()
    renders = np.random.default_rng(0).integers(0, 256, (2, 20, 30, 3), dtype=np.uint8)
    for name, render in zip("ab", renders, strict=True):
        (tmp_path / "set" / "trainA" / f"{name}.png").write_bytes(encode_png(render))
    places = {"cache": tmp_path / "again.json", "quarantine": tmp_path / "q"}
    sources = config.sources.model_copy(update={"max_bad_fraction": 0.5})
    prepared = prepare(sources, palette, needs_renders=True, **places)
    preprocess_to(tmp_path / "out", prepared, config)
    conditioning = Conditioning(label_spec(palette, config), "render")
    assert [record.source_label for record in prepared.records] == ["trainA_seg/a.png", "trainA_seg/b.png"]
    for seed, (record, render) in enumerate(zip(prepared.records, renders, strict=True)):
        field = noise_field(record.source_sha256, 7, 0, (20, 30), 3)
        seen = conditioning(
            *(torch.from_numpy(each[None]) for each in (label_map(seed), field)),
            from_uint8(torch.from_numpy(render[None])),
        )
        name = f"set/{record.source_label}"
        assert np.array_equal(read_image(tmp_path / "out" / "conditioning" / name), to_uint8(seen.image_a)[0])
        assert np.array_equal(read_label(tmp_path / "out" / "label_maps" / name, palette), label_map(seed))
