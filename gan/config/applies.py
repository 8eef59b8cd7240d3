"""Which methods read which settings, so that one that changes nothing is not accepted in silence.

Whoever reads a user's config asks `require_effects`; a snapshot's settings are taken as they are.
"""

import json
from collections.abc import Iterator
from typing import Any

from gan.config.train import TrainConfig

__all__ = ["KINDS", "READ_BY", "kind_of", "named", "readers_of", "require_effects"]

SPADE = "segback.spade"
KINDS = (
    "attention_cyclegan",
    "attentiongan",
    "cut",
    "cyclegan",
    "fastcut",
    "segback",
    SPADE,
    "uaggan",
    "ugatit",
)
"""The methods; `segback` with `segback.generator` "spade" counts as one of its own."""


def _all_but(*kinds: str) -> frozenset[str]:
    return frozenset(KINDS).difference(kinds)


READ_BY: dict[str, frozenset[str]] = {
    "attentiongan": frozenset({"attentiongan"}),
    "background": frozenset({"attention_cyclegan"}),
    "cut": frozenset({"cut", "fastcut"}),
    "discriminator.num_layers": _all_but("ugatit"),
    "discriminator.num_scales": _all_but("ugatit"),
    "discriminator.spectral_norm": _all_but("ugatit"),
    "fixed_background": _all_but("uaggan"),
    "generator.downsampling_padding": _all_but("ugatit", SPADE),
    "generator.keeps_input": _all_but("segback", SPADE),
    "generator.num_masks": _all_but(SPADE),
    "generator.skip_connection": _all_but("ugatit", SPADE),
    "generator.squeeze_excitation": _all_but(SPADE),
    "generator.upsampling": _all_but(SPADE),
    "loss.adversarial_a": _all_but("cut", "fastcut"),
    "loss.background": frozenset({"attention_cyclegan"}),
    "loss.cam": frozenset({"ugatit"}),
    "loss.class_balance": frozenset({"attention_cyclegan", "segback", SPADE}),
    "loss.cycle": _all_but("cut", "fastcut"),
    "loss.fixed_background": _all_but("segback", SPADE, "uaggan"),
    "loss.identity": _all_but("cut", "fastcut", "segback", SPADE),
    "loss.mask_variation": frozenset({"attentiongan"}),
    "loss.nce": frozenset({"cut", "fastcut"}),
    "loss.paired": frozenset({"attention_cyclegan", "cyclegan"}),
    "loss.pixel": frozenset({"attentiongan"}),
    "loss.segmentation": frozenset({"segback", SPADE}),
    "paired": frozenset({"attention_cyclegan", "cyclegan"}),
    "segback": frozenset({"segback", SPADE}),
    "uaggan": frozenset({"uaggan"}),
    "ugatit": frozenset({"ugatit"}),
}
"""Settings of `TrainConfig`, or whole sections of it, and the methods that read them; all methods read those
that are not listed."""


def kind_of(config: TrainConfig) -> str:
    """The method as `KINDS` has it."""
    return SPADE if config.method == "segback" and config.segback.generator == "spade" else config.method


def readers_of(setting: str) -> frozenset[str]:
    """The methods that read a setting such as "loss.cycle"."""
    section = setting.partition(".")[0]
    return READ_BY.get(setting, READ_BY.get(section, frozenset(KINDS)))


def named(kinds: frozenset[str], quote: str = "'") -> str:
    """The methods in words."""
    missing = frozenset(KINDS) - kinds
    if not missing:
        return "all"
    return f"all but {_listed(missing, quote)}" if len(missing) < len(kinds) else _listed(kinds, quote)


def require_effects(config: TrainConfig) -> None:
    """Refuse a setting that was changed from its default and that the method does not read.

    Raises:
        ValueError: there is one.
    """
    kind, defaults = kind_of(config), dict(_leaves(TrainConfig.model_construct().model_dump(mode="json")))
    for setting, value in _leaves(config.model_dump(mode="json")):
        readers = readers_of(setting)
        if kind not in readers and value != defaults[setting] and not _is_no_loss(setting, value):
            raise ValueError(
                f"{setting} {json.dumps(value)} changes nothing with method {_listed(frozenset({kind}))}; it "
                f"works with {named(readers)}; leave it out, or choose another method"
            )


def _is_no_loss(setting: str, value: Any) -> bool:
    """True for a loss of weight 0, which a method that has no such loss has indeed."""
    return setting.startswith("loss.") and setting != "loss.background" and value == 0


def _listed(kinds: frozenset[str], quote: str = "'") -> str:
    """Names in their order; "segback" stands for both of its kinds where both are there."""
    names = []
    for kind in sorted(kinds - {SPADE} if "segback" in kinds else kinds):
        method, _, variant = kind.partition(".")
        names.append(f"{quote}{method}{quote}" + (f" with {quote}{variant}{quote}" if variant else ""))
    return ", ".join(names)


def _leaves(settings: dict[str, Any], section: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        name = f"{section}{key}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{name}.")
        else:
            yield name, value
