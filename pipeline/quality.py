"""Gates that a generated picture must pass; what fails stays in the manifest, not accepted."""

import cv2
import numpy as np

__all__ = ["reject_reason"]

MIN_DEVIATION = 2.0
MAX_EXTREME_FRACTION = 0.95


def reject_reason(picture: np.ndarray) -> str | None:
    """Why a picture, uint8 [H, W, 3], cannot serve as a photograph, in a few words; None when it can."""
    values = picture.reshape(1, -1)
    deviation = cv2.meanStdDev(values)[1].item()
    if deviation < MIN_DEVIATION:
        return f"constant: standard deviation {deviation:.2f} of 255 is under {MIN_DEVIATION}"
    extreme = 1 - cv2.countNonZero(cv2.inRange(values, 1, 254)) / values.size
    if extreme > MAX_EXTREME_FRACTION:
        return f"saturated: {extreme:.1%} of values are 0 or 255, over {MAX_EXTREME_FRACTION:.0%}"
    return None
