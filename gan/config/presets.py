"""What each method's paper or code sets; a config's own settings go over it."""

from typing import Any

__all__ = ["PRESETS", "with_preset"]

PRESETS: dict[str, dict[str, Any]] = {
    "attentiongan": {"generator": {"num_masks": 10, "keeps_input": True}},
    "attentiongan.v1": {
        "learning_rate": 1e-4,
        "loss": {
            "adversarial_a": 0.5,
            "adversarial_b": 0.5,
            "identity": 0,
            "pixel": 1,
            "mask_variation": 1e-6,
        },
        "generator": {"num_masks": 1, "keeps_input": True},
    },
    "cut": {"pool_images": 0},
    "fastcut": {
        "pool_images": 0,
        "constant_fraction": 0.75,
        "loss": {"nce": 10},
        "cut": {"identity": False, "flip_equivariance": True},
    },
    "ugatit": {
        "learning_rate": 1e-4,
        "weight_decay": 1e-4,
        "loss": {"identity": 10},
        "generator": {"num_blocks": 4},
        "pool_images": 0,
    },
    "segback": {
        "conditioning": "onehot",
        "loss": {"cycle": 0, "identity": 0, "class_balance": 1},
    },
    "uaggan": {"learning_rate": 1e-4, "loss": {"identity": 0}},
}
"""Settings of `TrainConfig` by method, or by "method.variant", where they differ from its defaults."""


def with_preset(method: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings over the preset of the method, or of its variant if that has one, section by section."""
    section = settings.get(method)
    variant = section.get("variant") if isinstance(section, dict) else getattr(section, "variant", None)
    return _over(PRESETS.get(f"{method}.{variant}", PRESETS.get(method, {})), settings)


def _over(under: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in settings.items():
        both = isinstance(merged.get(key), dict) and isinstance(value, dict)
        merged[key] = _over(merged[key], value) if both else value
    return merged
