"""Generators: networks that draw an image of one domain from an image of the other."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan.attention import composite
from gan.config import GeneratorConfig
from gan.convolutions import HeadConv
from gan.layers import ResidualBlock, UpsampleConv, conv_norm_relu

__all__ = [
    "Drawn",
    "MaskedGenerator",
    "ResnetGenerator",
    "SigmoidMaskGenerator",
    "SoftmaxMaskGenerator",
    "build_generator",
]


class ResnetGenerator(nn.Module):
    """Encoder, residual blocks, decoder (CycleGAN, arXiv 1703.10593, section 4 and appendix 7.2).

    With 3 channels in and out, width 64 and 9 blocks it has 11,378,179 parameters (6 blocks 7,837,699;
    16 blocks 19,639,299). Height and width of the input must be multiples of `size_multiple`.
    """

    def __init__(self, config: GeneratorConfig, in_channels: int, out_channels: int):
        super().__init__()
        self.size_multiple = 2**config.num_downsamplings
        widths = _widths(config)
        self.stem = conv_norm_relu(in_channels, widths[0], 7)
        self.downs = nn.ModuleList(
            conv_norm_relu(narrow, wide, 3, stride=2, padding_mode=config.downsampling_padding)
            for narrow, wide in zip(widths, widths[1:], strict=False)
        )
        self.blocks = nn.ModuleList(
            ResidualBlock(widths[-1], squeeze_excitation=config.squeeze_excitation)
            for _ in range(config.num_blocks)
        )
        self.ups = _decoder(config)
        self.skips = config.skip_connection
        head_channels = widths[0] * (2 if self.skips else 1)
        self.head = HeadConv(head_channels, out_channels, 7)

    def forward(self, image: Tensor) -> Tensor:
        """float [N, Cin, H, W] in [-1, 1] -> float32 [N, Cout, H, W] in [-1, 1]."""
        return self.decode(*self.encode(image)).float().tanh()

    def attention(self, image: Tensor) -> Tensor | None:
        """How much of each pixel is not the input's: float32 [N, 1, H, W] in [0, 1]; None = no mask of the
        generator's own weighs the input."""
        return None

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """[N, Cin, H, W] -> features of the first convolution, [N, width, H, W], and of the last residual
        block, [N, 4 * width, H / 4, W / 4] with two downsamplings."""
        fine = x = self.stem(image)
        for down in self.downs:
            x = down(x)
        for block in self.blocks:
            x = block(x)
        return fine, x

    def decode(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """What `encode` returns -> [N, output channels of the head, H, W], not yet in a range."""
        x = self.ups(coarse)
        return self.head(torch.cat([x, fine], 1) if self.skips else x)

    def features(self, image: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """Feature maps [N, C, h, w] of float [N, Cin, H, W] in the order in which it passes them: "image" =
        the image itself, "down<i>" = the i-th downsampling convolution before its norm, "block<i>" = the i-th
        residual block. Nothing behind the last of them is computed."""
        found: list[Tensor] = []
        for name, feature in self._passed(image):
            found += [feature] if name in layers else []
            if len(found) == len(layers):
                break
        return found

    def _passed(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        yield "image", x
        x = self.stem(x)
        for index, down in enumerate(self.downs):
            x = down[0](x)
            yield f"down{index}", x
            x = down[1:](x)
        for index, block in enumerate(self.blocks):
            x = block(x)
            yield f"block{index}", x


class Drawn(NamedTuple):
    """An image, and the masks under which it was put together."""

    image: Tensor
    """float32 [N, Cout, H, W] in [-1, 1]."""
    masks: Tensor
    """float32 [N, k, H, W] in [0, 1]."""


class MaskedGenerator(ResnetGenerator, ABC):
    """A generator that puts its output together from layers, under attention masks of its own (AttentionGAN,
    arXiv 1911.11897)."""

    def forward(self, image: Tensor) -> Tensor:
        return self.draw(image).image

    @abstractmethod
    def draw(self, image: Tensor) -> Drawn:
        """The output for float [N, Cin, H, W] in [-1, 1], and the masks that made it."""


class SigmoidMaskGenerator(MaskedGenerator):
    """One mask between a content image and the input: m * content + (1 - m) * input (AttentionGAN,
    scheme I)."""

    def __init__(self, config: GeneratorConfig, in_channels: int, out_channels: int):
        super().__init__(config, in_channels, 1 + out_channels)

    def draw(self, image: Tensor) -> Drawn:
        x = self.decode(*self.encode(image)).float()
        mask, content = x[:, :1].sigmoid(), x[:, 1:].tanh()
        return Drawn(composite(content, image.float(), mask), mask)

    def attention(self, image: Tensor) -> Tensor:
        return self.draw(image).masks


class SoftmaxMaskGenerator(MaskedGenerator):
    """A content image under each of k masks that sum to 1 at every pixel; with `keeps_input` the last mask
    weighs the input instead (AttentionGAN, scheme II).

    With 3 channels in and out, width 64, 9 blocks, 10 masks and the input kept it has 11,822,949 parameters.
    """

    def __init__(self, config: GeneratorConfig, in_channels: int, out_channels: int):
        num_contents = config.num_masks - config.keeps_input
        super().__init__(config, in_channels, num_contents * out_channels)
        self.num_contents, self.keeps_input = num_contents, config.keeps_input
        self.mask_ups = _decoder(config)
        self.mask_head = nn.Conv2d(config.width, config.num_masks, 1)

    def draw(self, image: Tensor) -> Drawn:
        fine, coarse = self.encode(image)
        contents = self.decode(fine, coarse).float().tanh().unflatten(1, (self.num_contents, -1))
        if self.keeps_input:
            contents = torch.cat([contents, image.float().unsqueeze(1)], 1)
        masks = self.mask_head(self.mask_ups(coarse)).float().softmax(1)
        return Drawn((masks.unsqueeze(2) * contents).sum(1), masks)

    def attention(self, image: Tensor) -> Tensor | None:
        return 1 - self.draw(image).masks[:, -1:] if self.keeps_input else None


def build_generator(config: GeneratorConfig, in_channels: int, out_channels: int) -> ResnetGenerator:
    """The generator that the config describes; its weights are not drawn yet.

    Raises:
        ValueError: it keeps the input, but the output has other channels.
    """
    if config.keeps_input and in_channels != out_channels:
        raise ValueError(
            f"generator.keeps_input true copies input pixels to the output, but the input has {in_channels} "
            f"channels and the output {out_channels}; set generator.keeps_input to false"
        )
    if config.num_masks == 0:
        return ResnetGenerator(config, in_channels, out_channels)
    masked = SigmoidMaskGenerator if config.num_masks == 1 else SoftmaxMaskGenerator
    return masked(config, in_channels, out_channels)


def _widths(config: GeneratorConfig) -> list[int]:
    return [config.width * 2**level for level in range(config.num_downsamplings + 1)]


def _decoder(config: GeneratorConfig) -> nn.Sequential:
    """[N, 4 * width, H / 4, W / 4] -> [N, width, H, W] with two downsamplings."""
    widths, transposed = _widths(config), config.upsampling == "transposed"
    return nn.Sequential(
        *(
            UpsampleConv(wide, narrow, transposed=transposed)
            for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
    )
