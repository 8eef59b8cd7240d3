"""A run's YAML: checked once, in sentences that name the key, the value and what was wanted."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from gan.config import NoiseConfig
from pipeline.config import MAX_CONFIG_BYTES, ConfigError, RunConfig, as_yaml, fingerprint, load_config


def refusal(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as refused:
        load_config(path, overrides)
    return str(refused.value)


def test_relative_paths_are_relative_to_the_file_that_names_them(
    tmp_path: Path, tiny_file: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = {"labels": "../a", "photos": ["b", "/c"]}
    path = tiny_file(tmp_path / "configs", run_dir="../runs/x", output="out", sources=sources)
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("configs/tiny.yaml"))
    assert config == load_config(path)
    assert config.run_dir == tmp_path / "runs" / "x"
    assert config.output == tmp_path / "configs" / "out"
    assert config.sources.labels == (tmp_path / "a",)
    assert config.sources.photos == (tmp_path / "configs" / "b", Path("/c"))


def test_overrides_reach_any_depth_and_are_checked_like_the_file(tmp_path: Path, tiny_file: Callable) -> None:
    path = tiny_file(tmp_path)
    config = load_config(
        path,
        ["train.batch_size=4", "train.learning_rate=2e-4", "noise.amount=0", "output=else", "scenes=null"],
    )
    assert (config.train.batch_size, config.train.learning_rate) == (4, 2e-4)
    assert config.noise.amount == 0 and config.scenes is None
    assert config.output == tmp_path / "else"
    assert config.train.width == 24
    assert load_config(path, ["sources.labels=[a, b]"]).sources.labels == (tmp_path / "a", tmp_path / "b")
    assert load_config(path, ["train.batch_size=4", "train.batch_size=8"]).train.batch_size == 8


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.batch_sise=4", "train.batch_sise: there is no such setting."),
        ("speed=4", "speed: there is no such setting."),
        ("train.batch_size=0", "train.batch_size = 0: Input should be greater than or equal to 1."),
        ("train.batch_size=many", "train.batch_size = 'many': Input should be a valid integer"),
        ("train.method=magic", "train.method = 'magic': Input should be 'attention_cyclegan', "),
        ("train=4", "train = 4: "),
        ("name=../x", "name = '../x': String should match pattern"),
        ("train.batch_size.x=1", "'batch_size' is a value, not a section"),
        ("train.batch_size", "Override 'train.batch_size' is not of the form section.key=value."),
        ("=4", "Override '=4' is not of the form section.key=value."),
        ("name=[", "Override 'name=[': the value is no valid YAML."),
        ("name=2026-06-31", "Override 'name=2026-06-31': the value is no valid YAML."),
        ("publish.val_fraction=0.95", "val_fraction 0.95 + test_fraction 0.1 is over 1."),
        ("scenes.fov_degrees=[90, 60]", "range (90.0, 60.0) runs backwards"),
        (
            "train.loss.cam=1",
            "loss.cam 1.0 changes nothing with method 'attention_cyclegan'; it works with 'ug",
        ),
        ("train.method=attentiongan", "noise.amount 0.3) every picture could be told from a photograph"),
    ],
)
def test_a_refusal_names_key_value_and_what_was_wanted(
    tmp_path: Path, tiny_file: Callable, override: str, message: str
) -> None:
    text = refusal(tiny_file(tmp_path), override)
    assert message in text
    assert text.endswith(".") and not text.endswith("..")


def test_every_fault_is_named_at_once(tmp_path: Path, tiny_file: Callable) -> None:
    path = tiny_file(tmp_path, extra=1, train={"width": 3})
    values = yaml.safe_load(path.read_text())
    del values["palette"]
    path.write_text(yaml.safe_dump(values))
    text = refusal(path)
    assert text.startswith(f"Config {path} cannot be used:\n")
    assert "palette: missing, and has no default." in text
    assert "extra: there is no such setting." in text and "train.width = 3: " in text


def test_a_generator_that_keeps_its_input_is_given_it_without_noise(
    tmp_path: Path, tiny_file: Callable
) -> None:
    config = load_config(tiny_file(tmp_path), ["train.method=attentiongan", "noise.amount=0"])
    assert config.train.generator.keeps_input
    assert load_config(tiny_file(tmp_path), ["train.method=uaggan"]).noise.amount > 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: [", "is no valid YAML"),
        (b"a: 2026-02-30", "is no valid YAML"),
        (b"a: \x01", "is no valid YAML"),
        (b"\xff\xfe\x00", "is no valid YAML"),
        (b"[" * 100_000, "is no valid YAML"),
        (b"", "holds NoneType; a mapping of settings was wanted"),
        (b"- 1", "holds list; a mapping of settings was wanted"),
        (b"1: 2", "cannot be used"),
        (b"#" * (MAX_CONFIG_BYTES + 1), f"a config has at most {MAX_CONFIG_BYTES} bytes"),
    ],
)
def test_what_is_no_config_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(data)
    text = refusal(path)
    assert message in text and str(path) in text


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path)
    assert "nowhere.yaml cannot be read" in refusal(tmp_path / "nowhere.yaml")
    # A file that never ends is not read to its end.
    assert "at most" in refusal(Path("/dev/zero"))


def test_the_resolved_config_loads_as_itself(tmp_path: Path, tiny_config: Callable) -> None:
    config = tiny_config(tmp_path)
    path = tmp_path / "elsewhere" / "config.yaml"
    path.parent.mkdir()
    path.write_text(as_yaml(config))
    assert load_config(path) == config


def test_a_config_is_frozen(tmp_path: Path, tiny_config: Callable) -> None:
    with pytest.raises(ValidationError):
        tiny_config(tmp_path).train.batch_size = 3


def test_a_palette_that_cannot_be_used_is_a_config_error(tmp_path: Path, tiny_config: Callable) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        tiny_config(tmp_path, palette="nowhere.yaml").read_palette()


def test_one_hot_labels_take_no_noise_on_colours(tiny_config: Callable, tmp_path: Path) -> None:
    config: RunConfig = tiny_config(tmp_path)
    assert config.color_noise == config.noise
    onehot = tiny_config(tmp_path, train={"conditioning": "onehot"}, noise={"amount": 0.9})
    assert (onehot.color_noise.amount, onehot.noise.amount) == (0, 0.9)


def test_equal_values_have_equal_fingerprints() -> None:
    noise = NoiseConfig(amount=0.2)
    # A default of 0 and a 0 that was read are one value.
    assert fingerprint(noise) == fingerprint(NoiseConfig(amount=0.2, correlation_px=0))
    assert fingerprint(noise) == fingerprint(noise.model_dump(mode="json"))
    assert fingerprint(noise) != fingerprint(NoiseConfig(amount=0.21))
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint(noise, {}) != fingerprint({}, noise)


def test_variants_that_could_not_differ_are_refused(tmp_path: Path, tiny_file: Callable) -> None:
    path = tiny_file(tmp_path)
    assert "would draw the same image" in refusal(path, "noise.amount=0", "generate.variants=2")
    for differing in (["noise.amount=0.1"], ["noise.amount=0", "train.background=photo"]):
        assert load_config(path, ["generate.variants=2", *differing]).generate.variants == 2
