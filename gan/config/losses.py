"""Configuration of the losses."""

from pydantic import Field

from gan.config.base import StrictModel

__all__ = ["LossWeights"]


class LossWeights(StrictModel):
    """Weights of the named loss terms; each method has some of them."""

    adversarial_a: float = Field(1, ge=0)
    """Adversarial, on drawn segmentation images."""
    adversarial_b: float = Field(1, ge=0)
    """Adversarial, on drawn photographs."""
    cycle: float = Field(10, ge=0)
    """Cycle consistency, both directions."""
    identity: float = Field(5, ge=0)
    """Identity, both directions; the paper's 0.5 * 10."""
    segmentation: float = Field(1, ge=0)
    """segback: cross-entropy of the label read back from a drawn photograph."""
    paired: float = Field(1, ge=0)
    """L1 to the other image of the pair, both directions; only with train.paired."""
    nce: float = Field(1, ge=0)
    """cut, fastcut: PatchNCE."""
    pixel: float = Field(0, ge=0)
    """attentiongan: L1 of a drawn image to its own input, both directions."""
    mask_variation: float = Field(0, ge=0)
    """attentiongan: total variation of the generators' own masks, a sum over pixels, both directions."""
    cam: float = Field(1000, ge=0)
    """ugatit: the generators' auxiliary classifiers, both directions; 0 = nothing trains them to classify."""
    fixed_background: float = Field(0, ge=0)
    """L1 between what is drawn outside the label's mask and what stands there in the input, which has to have
    colours; for renders, whose background should stay."""
    background: float = Field(0.5, ge=0, le=1)
    """attention_cyclegan, background "generate": weight of pixels outside the mask where a label is compared;
    1 = the mask makes no difference."""

    blur: float = Field(0, ge=0)
    """Photographs with blurred edges, shown to their discriminator as fakes (CartoonGAN)."""
    r1: float = Field(0, ge=0)
    """R1 gradient penalty on the discriminators' reals; half of it times the squared gradient of a patch,
    which is about 1 where one works. Beside the losses of "lsgan", below 1, the usual 10 flattens it."""

    class_balance: float = Field(0, ge=0, le=1)
    """attention_cyclegan, segback: how far rare classes weigh more where a label is compared; 0 = all pixels
    weigh alike, 1 = all classes do."""

    def of(self, term: str) -> float:
        """Weight of a term: its own ("adversarial_a"), or that of both directions ("cycle" for "cycle_a")."""
        own = getattr(self, term, None)
        return getattr(self, term.rpartition("_")[0]) if own is None else own
