"""UGATIT's generator (Kim et al. 2020, arXiv 1907.10830, section 3.1.1 and appendix, table 4).

Shapes: N batch, C channels, H height, W width, h/w feature grid.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.adaptive_norm import LIN
from gan.class_activation import ClassActivation
from gan.config import GeneratorConfig
from gan.convolutions import HeadConv, ReflectedConv
from gan.image_size import require_size
from gan.instance_norm import InstanceNorm
from gan.ugatit_blocks import AdaptiveResidualBlock, GammaBeta, PlainResidualBlock

__all__ = ["UgatitDrawn", "UgatitGenerator"]


class UgatitDrawn(NamedTuple):
    """What the generator makes of an image."""

    image: Tensor
    """float32 [N, Cout, H, W] in [-1, 1]."""
    logits: Tensor
    """float32 [N, 2] of the auxiliary classifier: > 0 = "an image to translate"."""
    heat_map: Tensor
    """[N, 1, h, w] from 0 up, where the generator looks."""
    masks: Tensor | None
    """float32 [N, k, H, W] in [0, 1], under which it put the image together; None = it drew it at once."""


class UgatitGenerator(nn.Module):
    """Encoder, class activation map, AdaLIN blocks, decoder.

    With 3 channels in and out, width 64 and 4 blocks on either side of the map it has 278,959,808 parameters
    in its full form at 256 x 256, of which 268,435,456 are one linear layer over the whole feature map, and
    10,589,888 in its light form. Height and width must be multiples of `size_multiple`.

    Args:
        config: `num_blocks` residual blocks before the map and as many after it; upsampling "resize" repeats
            pixels, as the paper does; masks have blocks and a decoder of their own, after the map.
        in_channels: of the images that are translated.
        out_channels: of the images that are drawn.
        image_size: full form: the only height and width that it draws; None = light form, which draws any.
        masks_cam_input: the classifier finds 0 outside the mask of the image.
        masks_features: all that comes after the classifier does.
    """

    def __init__(
        self,
        config: GeneratorConfig,
        in_channels: int,
        out_channels: int,
        *,
        image_size: tuple[int, int] | None,
        masks_cam_input: bool = False,
        masks_features: bool = False,
    ):
        super().__init__()
        self.masks_cam_input = masks_cam_input
        self.masks_features = masks_features
        self.size_multiple = 2**config.num_downsamplings
        self.image_size = image_size
        self.keeps_input = config.keeps_input
        self.num_contents = max(1, config.num_masks - config.keeps_input)
        inner = config.width * self.size_multiple
        grid = [side // self.size_multiple for side in image_size] if image_size is not None else None
        self.encoder = nn.Sequential(*_encoder(config, in_channels), *_plain_blocks(config))
        self.class_activation = ClassActivation(inner, normalizes=False)
        self.fuse = nn.Conv2d(2 * inner, inner, 1)
        self.gamma_beta = GammaBeta(inner, grid)
        self.blocks = nn.ModuleList(
            AdaptiveResidualBlock(inner, squeeze_excitation=config.squeeze_excitation)
            for _ in range(config.num_blocks)
        )
        self.decoder = nn.Sequential(
            *_decoder(config), HeadConv(config.width, self.num_contents * out_channels, 7, bias=False)
        )
        self.mask_branch = None
        if config.num_masks:
            head = nn.Conv2d(config.width, config.num_masks, 1)
            self.mask_branch = nn.Sequential(*_plain_blocks(config), *_decoder(config), head)

    def forward(self, image: Tensor, attention: Tensor | None = None) -> UgatitDrawn:
        """The drawn image, and what the generator looked at.

        Args:
            image: float [N, Cin, H, W] in [-1, 1].
            attention: float [N, 1, H, W] in [0, 1], 0 = background, which is zeroed in features if the
                generator masks them; None = the image has no background.

        Raises:
            ImageSizeError: the full form was asked for another size than its own.
        """
        require_size(image.shape[-2:], self.image_size)
        features = self.encoder(image)
        mask = None if attention is None else _resized(attention, features)
        activated = self.class_activation(features, mask if self.masks_cam_input else None)
        attended = F.relu(self.fuse(activated.features))
        if self.masks_features and mask is not None:
            attended = attended * mask
        drawn = self.decode(attended, *self.gamma_beta(attended))
        masks = None
        if self.mask_branch is not None:
            masks = _masks(self.mask_branch(attended).float())
            drawn = self.put_together(drawn, masks, image)
        return UgatitDrawn(drawn, activated.logits, attended.sum(1, keepdim=True), masks)

    def attention(self, image: Tensor, attention: Tensor | None = None) -> Tensor:
        """How much of each pixel is not the input's, where a mask weighs the input; else where the generator
        looks, from 0 where it does least in this image to 1: float32 [N, 1, H, W]. Arguments as `forward`'s.
        """
        drawn = self(image, attention)
        if self.keeps_input:
            return 1 - drawn.masks[:, -1:]
        looks = F.interpolate(drawn.heat_map.float(), image.shape[-2:], mode="bilinear", align_corners=False)
        least, most = looks.amin((2, 3), keepdim=True), looks.amax((2, 3), keepdim=True)
        return (looks - least) / (most - least).clamp(min=1e-6)

    def decode(self, attended: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """AdaLIN blocks and decoder: [N, C, h, w], gamma and beta [N, C] -> contents float32
        [N, num_contents * Cout, H, W] in [-1, 1]."""
        x = attended
        for block in self.blocks:
            x = block(x, gamma, beta)
        return self.decoder(x).float().tanh()

    def put_together(self, contents: Tensor, masks: Tensor, image: Tensor) -> Tensor:
        """Content images, and the input where it is kept, each under its mask (AttentionGAN, arXiv
        1911.11897, section 3.2): float32 [N, Cout, H, W] in [-1, 1]."""
        layers = contents.unflatten(1, (self.num_contents, -1))
        if self.keeps_input:
            layers = torch.cat([layers, image.float().unsqueeze(1)], 1)
        return (masks.unsqueeze(2) * layers).sum(1)


def _resized(attention: Tensor, features: Tensor) -> Tensor:
    """A mask [N, 1, H, W] on the grid of features [N, C, h, w], by area: [N, 1, h, w]."""
    return F.adaptive_avg_pool2d(attention, features.shape[-2:]).to(features.dtype)


def _encoder(config: GeneratorConfig, in_channels: int) -> list[nn.Module]:
    layers: list[nn.Module] = [ReflectedConv(in_channels, config.width, 7, bias=False)]
    layers += [InstanceNorm(config.width), nn.ReLU(inplace=True)]
    for level in range(config.num_downsamplings):
        narrow = config.width * 2**level
        layers += [ReflectedConv(narrow, 2 * narrow, 3, stride=2, bias=False)]
        layers += [InstanceNorm(2 * narrow), nn.ReLU(inplace=True)]
    return layers


def _plain_blocks(config: GeneratorConfig) -> list[nn.Module]:
    channels = config.width * 2**config.num_downsamplings
    return [
        PlainResidualBlock(channels, squeeze_excitation=config.squeeze_excitation)
        for _ in range(config.num_blocks)
    ]


def _decoder(config: GeneratorConfig) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for level in reversed(range(config.num_downsamplings)):
        narrow = config.width * 2**level
        if config.upsampling == "transposed":
            layers += [nn.ConvTranspose2d(2 * narrow, narrow, 3, 2, padding=1, output_padding=1, bias=False)]
        else:
            layers += [
                nn.Upsample(scale_factor=2, mode="nearest"),
                ReflectedConv(2 * narrow, narrow, 3, bias=False),
            ]
        layers += [LIN(narrow), nn.ReLU(inplace=True)]
    return layers


def _masks(logits: Tensor) -> Tensor:
    """[N, k, H, W] -> masks that sum to 1 at every pixel; one logit yields two masks."""
    if logits.shape[1] == 1:
        return torch.cat([logits.sigmoid(), (-logits).sigmoid()], 1)
    return logits.softmax(1)
