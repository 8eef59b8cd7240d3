"""How a training ends unseen: a discriminator that is always right, and losses that are no numbers."""

from collections import deque
from typing import Any

__all__ = ["DiscriminatorHealth", "TrainingDiverged"]

COLLAPSED_ACCURACY = 0.98
NUM_REPORTS = 5


class TrainingDiverged(RuntimeError):
    """A loss or a weight became NaN or infinite; nothing of it was saved."""


class DiscriminatorHealth:
    """Calls a discriminator collapsed when it was right on nearly every patch in each of the last reports.

    A collapsed discriminator tells the generator nothing: its adversarial loss stays near its worst and
    pictures stop improving.
    """

    def __init__(self) -> None:
        self._accuracies: dict[str, deque[float]] = {}

    def update(self, metrics: dict[str, float]) -> list[str]:
        """Take one report's means; return a sentence for each discriminator that has collapsed.

        Args:
            metrics: the report; entries named `accuracy_<domain>` are shares in [0, 1].
        """
        warnings = []
        for name, accuracy in metrics.items():
            if not name.startswith("accuracy_"):
                continue
            recent = self._accuracies.setdefault(name, deque(maxlen=NUM_REPORTS))
            recent.append(accuracy)
            if len(recent) == NUM_REPORTS and min(recent) >= COLLAPSED_ACCURACY:
                domain = name.removeprefix("accuracy_")
                warnings.append(
                    f"The discriminator of domain {domain} has collapsed: it was right on at least "
                    f"{min(recent):.1%} of patches in the last {NUM_REPORTS} reports, and teaches nothing. "
                    "Use background 'generate', more noise, or more photographs."
                )
        return warnings

    def state_dict(self) -> dict[str, Any]:
        return {name: list(recent) for name, recent in self._accuracies.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._accuracies = {name: deque(recent, maxlen=NUM_REPORTS) for name, recent in state.items()}
