"""Discriminators: networks that judge whether an image is real; they return logits, never probabilities."""

import torch.nn.functional as F
from torch import Tensor, nn

from gan.config import DiscriminatorConfig
from gan.instance_norm import InstanceNorm
from gan.spectral import weights_in_full_precision

__all__ = ["MultiScaleDiscriminator", "PatchDiscriminator"]


class PatchDiscriminator(nn.Module):
    """PatchGAN (pix2pix, arXiv 1611.07004, section 3.2.2; 70x70 with 3 layers and 2,764,737 parameters).

    With 0 layers every pixel is judged on its own by 1x1 convolutions.
    """

    def __init__(self, width: int, num_layers: int, in_channels: int):
        super().__init__()
        if num_layers == 0:
            self.layers = _pixel_layers(in_channels, width)
        else:
            self.layers = _patch_layers(in_channels, width, num_layers)

    def forward(self, image: Tensor, *, normalize: bool = True) -> Tensor:
        """float [N, C, H, W] in [-1, 1] -> logits float32 [N, 1, h, w], one per patch; without `normalize`,
        instance norm is left out."""
        x = image
        for layer in self.layers:
            if normalize or not isinstance(layer, InstanceNorm):
                x = layer(x)
        return x.float()


class MultiScaleDiscriminator(nn.Module):
    """PatchGANs on each scale: the image, its half, its quarter (pix2pixHD, arXiv 1711.11585, section 3.2);
    on each scale one for every depth, deep ones with large patches and shallow ones with small patches."""

    def __init__(self, config: DiscriminatorConfig, in_channels: int):
        super().__init__()
        self.scales = nn.ModuleList(
            nn.ModuleList(PatchDiscriminator(config.width, depth, in_channels) for depth in config.num_layers)
            for _ in range(config.num_scales)
        )

    def forward(self, image: Tensor, *, normalize: bool = True) -> list[Tensor]:
        """float [N, C, H, W] in [-1, 1] -> one logits tensor [N, 1, h, w] per scale and depth, the finest
        scale first; without `normalize`, instance norm is left out."""
        logits = []
        with weights_in_full_precision(self, image.device.type):
            for level, discriminators in enumerate(self.scales):
                if level:
                    image = F.avg_pool2d(image, 3, 2, padding=1, count_include_pad=False)
                logits += [discriminator(image, normalize=normalize) for discriminator in discriminators]
        return logits


def _patch_layers(in_channels: int, width: int, num_layers: int) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, width, 4, 2, padding=1),
        nn.LeakyReLU(0.2, inplace=True),
    ]
    channels = width
    for index in range(1, num_layers + 1):
        stride = 2 if index < num_layers else 1
        wider = width * min(2**index, 8)
        layers += [
            nn.Conv2d(channels, wider, 4, stride, padding=1),
            InstanceNorm(wider),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        channels = wider
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, 4, padding=1))


def _pixel_layers(in_channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, width, 1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(width, width * 2, 1),
        InstanceNorm(width * 2),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(width * 2, 1, 1),
    )
