"""Generators: networks that draw an image of one domain from an image of the other."""

from torch import Tensor, nn

from gan.config import GeneratorConfig
from gan.layers import ResidualBlock, UpsampleConv, conv_norm_relu

__all__ = ["ResnetGenerator"]


class ResnetGenerator(nn.Module):
    """Encoder, residual blocks, decoder (CycleGAN, arXiv 1703.10593, section 4 and appendix 7.2).

    With 3 channels in and out, width 64 and 9 blocks it has 11,378,179 parameters (6 blocks 7,837,699;
    16 blocks 19,639,299). Height and width of the input must be multiples of `size_multiple`.
    """

    def __init__(self, config: GeneratorConfig, in_channels: int, out_channels: int):
        super().__init__()
        self.size_multiple = 2**config.num_downsamplings
        widths = [config.width * 2**level for level in range(config.num_downsamplings + 1)]
        transposed = config.upsampling == "transposed"
        self.stem = conv_norm_relu(in_channels, widths[0], 7)
        self.downs = nn.ModuleList(
            conv_norm_relu(narrow, wide, 3, stride=2)
            for narrow, wide in zip(widths, widths[1:], strict=False)
        )
        self.blocks = nn.ModuleList(ResidualBlock(widths[-1]) for _ in range(config.num_blocks))
        self.ups = nn.ModuleList(
            UpsampleConv(wide, narrow, transposed=transposed)
            for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(widths[0], out_channels, 7, padding=3, padding_mode="reflect")

    def forward(self, image: Tensor) -> Tensor:
        """float [N, Cin, H, W] in [-1, 1] -> float32 [N, Cout, H, W] in [-1, 1]."""
        x = self.decode(self.transform(self.encode(image)))
        return self.head(x).float().tanh()

    def encode(self, x: Tensor) -> Tensor:
        """[N, Cin, H, W] -> [N, 4 * width, H / 4, W / 4] with two downsamplings."""
        x = self.stem(x)
        for down in self.downs:
            x = down(x)
        return x

    def transform(self, x: Tensor) -> Tensor:
        """The residual blocks; shape kept."""
        for block in self.blocks:
            x = block(x)
        return x

    def decode(self, x: Tensor) -> Tensor:
        """[N, 4 * width, H / 4, W / 4] -> [N, width, H, W] with two downsamplings."""
        for up in self.ups:
            x = up(x)
        return x
