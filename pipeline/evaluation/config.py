"""Settings of the measure."""

from typing import Annotated

from pydantic import Field

from gan.config import StrictModel
from gan.config.paths import ConfigPath

__all__ = ["EvaluateConfig", "InceptionConfig"]

Side = Annotated[int, Field(ge=16, le=4096)]


class InceptionConfig(StrictModel):
    """Weights for FID and KID, which the user supplies: either a state dict of
    `torchvision.models.inception_v3`, or a TorchScript file that maps uint8 [N, 3, H, W] RGB and
    `return_features=True` to features [N, D], as that of StyleGAN's metrics does."""

    path: ConfigPath
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the file; another file is refused."""


class EvaluateConfig(StrictModel):
    """How a snapshot is measured. The judge is a segmenter that is trained for it."""

    seed: int = Field(0, ge=0, lt=2**32)
    """Of the judges, the generated images' noise, and the choice of test labels."""
    width: Side | None = None
    """Width of the images that judges see in px; None = that of training."""
    height: Side | None = None
    """Height of the images that judges see in px; None = that of training."""
    judge_width: int = Field(16, ge=1, le=256)
    """Channels of the judge's first level."""
    judge_images: int = Field(4_000, ge=1)
    """Images that each judge sees in its training."""
    judge_batch_size: int = Field(8, ge=1, le=4096)
    num_judges: int = Field(3, ge=1, le=100)
    """Judges of each kind, with seeds of their own: scores are their means, and how far the judges lie apart
    is said beside them. During training there is one."""
    num_variants: int = Field(2, ge=1, le=1000)
    """Images that are generated for each label, each with its own noise."""
    max_images: int = Field(1_000, ge=1)
    """Of more training labels, test labels, or photographs than this, evenly spread ones are taken."""
    test_fraction: float = Field(0.2, gt=0, lt=1)
    """Where no label comes from a test folder, this share of them is held out from judges; the generator has
    seen those."""
    real_pairs: bool = True
    """A label and a photograph of the same stem, from folders of the same part, belong together; false =
    equal stems mean nothing."""
    box_classes: dict[str, str] = {"ball": "ball", "obstacle": "robot"}
    """For photographs with boxes (boxes.json in their folder): class of the boxes -> class of the palette."""
    inception: InceptionConfig | None = None
    """Weights for FID and KID; None = they are not computed."""
    judges: ConfigPath | None = None
    """Folder of trained judges, which several runs may share; None = the run_dir."""
    during_training: bool = True
    """Measure adherence at every snapshot of a training, of averaged and of raw weights, and use the best;
    false = the last snapshot is used, with averaged weights."""
    before_generating: bool = False
    """Measure all that `seg2real evaluate` does, once for each snapshot that draws, before it draws."""
    training_labels: int = Field(200, ge=1)
    """Labels that this is measured by: evenly spread ones of those to learn from."""
    training_judge_images: int = Field(1_000, ge=1)
    """Where there are no labelled photographs: images that the judge of a snapshot's own images sees."""
