"""Which settings change what a method does: `gan.config.applies` says so, and nothing else does."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from pydantic import ValidationError

from gan.config import TrainConfig, require_effects
from gan.config.applies import KINDS, READ_BY, readers_of

WITNESSES: dict[str, tuple[Any, dict]] = {
    "attentiongan.variant": ("v1", {}),
    "background": ("mask_both", {}),
    "cut.temperature": (0.5, {}),
    "discriminator.num_layers": (1, {}),
    "discriminator.num_scales": (2, {"discriminator": {"num_layers": 1}}),
    "discriminator.spectral_norm": (True, {}),
    "fixed_background.detach": (True, {}),
    "fixed_background.neutral_patches": (True, {}),
    "generator.downsampling_padding": ("zeros", {}),
    "generator.keeps_input": (True, {"generator": {"num_masks": 2, "keeps_input": False}}),
    "generator.num_masks": (3, {}),
    "generator.skip_connection": (True, {}),
    "generator.squeeze_excitation": (True, {}),
    "generator.upsampling": ("transposed", {}),
    "loss.adversarial_a": (7.0, {"loss": {"cycle": 1.0}}),
    "loss.background": (0.1, {}),
    "loss.cam": (7.0, {}),
    "loss.class_balance": (0.3, {}),
    "loss.cycle": (7.0, {}),
    "loss.fixed_background": (7.0, {}),
    "loss.identity": (7.0, {}),
    "loss.mask_variation": (7.0, {}),
    "loss.nce": (7.0, {}),
    "loss.paired": (7.0, {"paired": True}),
    "loss.pixel": (7.0, {}),
    "loss.segmentation": (7.0, {}),
    "paired": (True, {}),
    "segback.segmenter_width": (8, {}),
    "uaggan.attention_width": (8, {}),
    "ugatit.global_layers": (4, {}),
    # Of the settings that all methods read, some of those that a method could forget.
    "adversarial": ("hinge", {}),
    "discriminator.width": (8, {}),
    "generator.num_blocks": (2, {}),
    "generator.num_downsamplings": (1, {}),
    "generator.width": (8, {}),
    "loss.adversarial_b": (7.0, {}),
    "loss.blur": (7.0, {}),
    "loss.r1": (7.0, {}),
}
"""Setting -> a value other than its default, and what else it needs to matter."""


def settings_of(kind: str) -> dict:
    """A small run."""
    method, _, generator = kind.partition(".")
    sections = {
        "segback": {"generator": generator or "resnet", "segmenter_width": 4},
        "uaggan": {"attention_width": 4},
        "ugatit": {"light": True, "global_layers": 3, "local_layers": 3},
    }
    return {
        "method": method,
        "seed": 1,
        "width": 24,
        "height": 16,
        "generator": {"width": 4, "num_blocks": 1},
        "discriminator": {"width": 4} | ({} if method == "ugatit" else {"num_layers": 2}),
        **{name: section for name, section in sections.items() if name == method},
    }


def merged(*settings: dict) -> dict:
    both: dict = {}
    for part in settings:
        for key, value in part.items():
            both[key] = merged(both.get(key, {}), value) if isinstance(value, dict) else value
    return both


@pytest.fixture
def effect(batch, onehot, method_of) -> Callable[[TrainConfig], list]:
    """The networks of a config, what their first step amounts to, and what they learn from it."""

    @cache
    def measure(config: TrainConfig) -> list:
        method = method_of(config)
        images = onehot() if config.conditioning == "onehot" else batch
        wanted = method.generator_phase(images)
        wanted.total.backward()
        learned = [weight.grad for weight in method.weights("generators")]
        judged = method.discriminator_phase(images, {k: v.detach() for k, v in wanted.fakes.items()})
        sums = [float(grad.abs().sum()) for grad in learned if grad is not None]
        names = sorted(name for name, _ in method.named_parameters())
        return [names, sums, wanted.total.item(), judged.total.item()]

    return measure


def is_accepted(config: TrainConfig) -> bool:
    try:
        require_effects(config)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_the_settings_that_a_method_reads_change_something_and_no_others_do(kind, effect) -> None:
    for setting, (value, needs) in WITNESSES.items():
        *section, name = setting.split(".")
        change = {section[0]: {name: value}} if section else {name: value}
        try:
            plain = TrainConfig(**merged(settings_of(kind), needs))
            changed = TrainConfig(**merged(settings_of(kind), needs, change))
        except ValidationError:
            continue  # refused by a rule of its own
        does = kind in readers_of(setting)
        assert (effect(plain) != effect(changed)) == does, setting
        assert is_accepted(changed) == does, setting


def test_every_setting_that_not_all_methods_read_has_a_witness() -> None:
    named = {*WITNESSES, *(setting.partition(".")[0] for setting in WITNESSES)}
    assert set(READ_BY) <= named
