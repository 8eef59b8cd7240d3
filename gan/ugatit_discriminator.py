"""UGATIT's discriminators (Kim et al. 2020, arXiv 1907.10830, section 3.1.3 and appendix, tables 5 and 6).

Shapes: N batch, C channels, H height, W width, h/w patch grid.
"""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gan.class_activation import ClassActivation
from gan.config import UgatitConfig
from gan.convolutions import ReflectedConv
from gan.spectral import weights_in_full_precision

__all__ = ["GlobalLocalDiscriminator", "UgatitDiscriminator"]

SLOPE = 0.2


class UgatitDiscriminator(nn.Module):
    """Convolutions, a class activation map, one logit per patch.

    For 3 channels and width 64 it has 53,130,176 parameters with 7 layers and 3,290,560 with 5.

    Args:
        in_channels: of the images.
        width: channels of the first convolution; each further one but the last doubles them.
        num_layers: convolutions; all but two have stride 2.
        judges_activation: the classifier's logits are judged too.
        attends: features are weighed by the classifier.
        normalizes: spectral norm on the convolutions and the classifier.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        num_layers: int,
        *,
        judges_activation: bool,
        attends: bool,
        normalizes: bool = True,
    ):
        super().__init__()
        self.judges_activation = judges_activation
        self.attends = attends
        channels = [in_channels, *(width * 2**level for level in range(num_layers - 1))]
        layers: list[nn.Module] = []
        for level, (narrow, wide) in enumerate(zip(channels, channels[1:], strict=False)):
            stride = 2 if level < num_layers - 2 else 1
            layers += [_conv(narrow, wide, stride=stride, normalizes=normalizes)]
            layers += [nn.LeakyReLU(SLOPE, inplace=True)]
        inner = channels[-1]
        self.features = nn.Sequential(*layers)
        if judges_activation or attends:
            self.class_activation = ClassActivation(inner, normalizes=normalizes)
        if attends:
            self.fuse = nn.Conv2d(2 * inner, inner, 1)
        self.head = _conv(inner, 1, bias=False, normalizes=normalizes)

    def forward(self, image: Tensor) -> list[Tensor]:
        """float [N, C, H, W] in [-1, 1] -> logits float32: of patches [N, 1, h, w], and where they are judged
        the two of the classifier [N, 2], which belong to no place."""
        logits = []
        with weights_in_full_precision(self, image.device.type):
            features = self.features(image)
            if self.judges_activation or self.attends:
                activated = self.class_activation(features)
            if self.judges_activation:
                logits.append(activated.logits)
            if self.attends:
                features = F.leaky_relu(self.fuse(activated.features), SLOPE)
            return [self.head(features).float(), *logits]


class GlobalLocalDiscriminator(nn.Module):
    """A deep discriminator with large patches and a shallow one with small patches, on the same image."""

    def __init__(self, config: UgatitConfig, in_channels: int, width: int):
        super().__init__()
        self.scales = nn.ModuleList(
            UgatitDiscriminator(
                in_channels,
                width,
                num_layers,
                judges_activation=config.discriminator_cam,
                attends=config.discriminator_cam_attention,
                normalizes=config.spectral_norm,
            )
            for num_layers in (config.global_layers, config.local_layers)
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """float [N, C, H, W] in [-1, 1] -> logits float32: global patches [N, 1, h, w], global classifier
        [N, 2], local patches, local classifier; `num_judgements` tensors."""
        return [logits for discriminator in self.scales for logits in discriminator(image)]

    @property
    def num_judgements(self) -> int:
        """Tensors of logits for an image."""
        return sum(2 if discriminator.judges_activation else 1 for discriminator in self.scales)


def _conv(
    in_channels: int, out_channels: int, *, stride: int = 1, bias: bool = True, normalizes: bool
) -> nn.Conv2d:
    conv = ReflectedConv(in_channels, out_channels, 4, stride, bias=bias)
    return spectral_norm(conv) if normalizes else conv
