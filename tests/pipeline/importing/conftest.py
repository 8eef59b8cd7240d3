"""Generators as other repositories name and compute them, written anew from their lists of layers."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.palette import Palette, load_palette

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _one_thread(one_thread: None) -> None:
    """Tiny networks are slower on more."""


@pytest.fixture(scope="session")
def palette() -> Palette:
    return load_palette(ROOT / "configs" / "palettes" / "nubots.yaml")


def drawn(network: nn.Module, seed: int) -> nn.Module:
    """The network with weights that no norm hides and no rho rounds off."""
    random = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        if name.endswith("rho"):
            nn.init.uniform_(parameter, 0, 1, generator=random)
        else:
            nn.init.normal_(parameter, 0, 0.2, generator=random)
    return network.eval().requires_grad_(False)


class Residual(nn.Module):
    """x + conv_block(x)."""

    def __init__(self, channels: int, *, bias: bool, dropout: bool = False):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            nn.InstanceNorm2d(channels),
            nn.ReLU(),
            *([nn.Dropout(0.5)] if dropout else []),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class CycleganGenerator(nn.Module):
    """junyanz/pytorch-CycleGAN-and-pix2pix, ResnetGenerator."""

    def __init__(
        self, width: int = 4, num_blocks: int = 2, *, dropout: bool = False, resizes: bool = False, norm=None
    ):
        super().__init__()
        norm = norm or nn.InstanceNorm2d
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), norm(width), nn.ReLU()]
        for channels in (width, 2 * width):
            layers += [nn.Conv2d(channels, 2 * channels, 3, 2, 1), norm(2 * channels), nn.ReLU()]
        layers += [Residual(4 * width, bias=True, dropout=dropout) for _ in range(num_blocks)]
        for channels in (4 * width, 2 * width):
            enlarging = [nn.ConvTranspose2d(channels, channels // 2, 3, 2, 1, 1)]
            if resizes:
                resize = nn.Upsample(scale_factor=2, mode="bilinear")
                enlarging = [resize, nn.ReflectionPad2d(1), nn.Conv2d(channels, channels // 2, 3)]
            layers += [*enlarging, norm(channels // 2), nn.ReLU()]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())

    def forward(self, image: Tensor) -> Tensor:
        return self.model(image)


class AttentionganBlock(nn.Module):
    """Two padded convolutions around an identity."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3)
        self.conv2 = nn.Conv2d(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu(F.instance_norm(self.conv1(F.pad(x, (1, 1, 1, 1), "reflect"))))
        return x + F.instance_norm(self.conv2(F.pad(inner, (1, 1, 1, 1), "reflect")))


class AttentionganGenerator(nn.Module):
    """Ha0Tang/AttentionGAN, ResnetGenerator_our; with as many contents as masks that of AttentionGAN-geo."""

    def __init__(self, width: int = 4, num_blocks: int = 2, *, num_contents: int = 9):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, 2, 1)
        self.conv3 = nn.Conv2d(2 * width, 4 * width, 3, 2, 1)
        self.resnet_blocks = nn.Sequential(*(AttentionganBlock(4 * width) for _ in range(num_blocks)))
        for branch in ("content", "attention"):
            self.add_module(f"deconv1_{branch}", nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, 1, 1))
            self.add_module(f"deconv2_{branch}", nn.ConvTranspose2d(2 * width, width, 3, 2, 1, 1))
        self.deconv3_content = nn.Conv2d(width, 3 * num_contents, 7)
        self.deconv3_attention = nn.Conv2d(width, 10, 1)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(F.instance_norm(self.conv1(F.pad(image, (3, 3, 3, 3), "reflect"))))
        x = F.relu(F.instance_norm(self.conv2(x)))
        x = self.resnet_blocks(F.relu(F.instance_norm(self.conv3(x))))
        content = F.relu(F.instance_norm(self.deconv1_content(x)))
        content = F.relu(F.instance_norm(self.deconv2_content(content)))
        content = self.deconv3_content(F.pad(content, (3, 3, 3, 3), "reflect")).tanh()
        attention = F.relu(F.instance_norm(self.deconv1_attention(x)))
        attention = F.relu(F.instance_norm(self.deconv2_attention(attention)))
        attention = self.deconv3_attention(attention).softmax(1)
        layers = [*content.split(3, 1), image][:10]
        return sum(layer * attention[:, k : k + 1] for k, layer in enumerate(layers))


def sample_norm(x: Tensor, dims: list[int]) -> Tensor:
    return (x - x.mean(dims, keepdim=True)) / (x.var(dims, keepdim=True) + 1e-5).sqrt()


class UgatitNorm(nn.Module):
    """Instance and layer norm by the sample variance; with gamma and beta of its own in the decoder."""

    def __init__(self, channels: int, *, learns_style: bool):
        super().__init__()
        for name in ("rho", "gamma", "beta") if learns_style else ("rho",):
            self.register_parameter(name, nn.Parameter(torch.zeros(1, channels, 1, 1)))

    def forward(self, x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None) -> Tensor:
        mixed = self.rho * sample_norm(x, [2, 3]) + (1 - self.rho) * sample_norm(x, [1, 2, 3])
        return mixed * (self.gamma if gamma is None else gamma) + (self.beta if beta is None else beta)


class UgatitBlock(nn.Module):
    """A residual block whose norms are told gamma and beta."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(channels, channels, 3, bias=False) for _ in range(2))
        self.norm1, self.norm2 = (UgatitNorm(channels, learns_style=False) for _ in range(2))

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        inner = F.relu(self.norm1(self.conv1(F.pad(x, (1, 1, 1, 1), "reflect")), gamma, beta))
        return x + self.norm2(self.conv2(F.pad(inner, (1, 1, 1, 1), "reflect")), gamma, beta)


class UgatitGenerator(nn.Module):
    """znxlwm/UGATIT-pytorch, ResnetGenerator; light without an image size."""

    def __init__(self, width: int = 4, num_blocks: int = 2, image_size: int | None = None):
        super().__init__()
        inner = 4 * width
        down = [
            nn.ReflectionPad2d(3),
            nn.Conv2d(3, width, 7, bias=False),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
        ]
        for channels in (width, 2 * width):
            down += [nn.ReflectionPad2d(1), nn.Conv2d(channels, 2 * channels, 3, 2, bias=False)]
            down += [nn.InstanceNorm2d(2 * channels), nn.ReLU()]
        down += [Residual(inner, bias=False) for _ in range(num_blocks)]
        self.gap_fc, self.gmp_fc = (nn.Linear(inner, 1, bias=False) for _ in range(2))
        self.conv1x1 = nn.Conv2d(2 * inner, inner, 1)
        self.is_light = image_size is None
        num_read = inner if image_size is None else (image_size // 4) ** 2 * inner
        linear = [nn.Linear(num, inner, bias=False) for num in (num_read, inner, inner, inner)]
        self.gamma, self.beta = linear[2:]
        for number in range(1, num_blocks + 1):
            self.add_module(f"UpBlock1_{number}", UgatitBlock(inner))
        self.num_blocks = num_blocks
        up = []
        for channels in (inner, 2 * width):
            convolution = nn.Conv2d(channels, channels // 2, 3, bias=False)
            norm = UgatitNorm(channels // 2, learns_style=True)
            up += [nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), convolution, norm, nn.ReLU()]
        up += [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7, bias=False), nn.Tanh()]
        self.DownBlock, self.UpBlock2 = nn.Sequential(*down), nn.Sequential(*up)
        self.FC = nn.Sequential(linear[0], nn.ReLU(), linear[1], nn.ReLU())

    def forward(self, image: Tensor) -> Tensor:
        x = self.DownBlock(image)
        by_average, by_maximum = (layer.weight[0, :, None, None] for layer in (self.gap_fc, self.gmp_fc))
        x = F.relu(self.conv1x1(torch.cat([x * by_average, x * by_maximum], 1)))
        read = self.FC(x.mean((2, 3)) if self.is_light else x.flatten(1))
        gamma, beta = (layer(read)[..., None, None] for layer in (self.gamma, self.beta))
        for number in range(1, self.num_blocks + 1):
            x = getattr(self, f"UpBlock1_{number}")(x, gamma, beta)
        return self.UpBlock2(x)


@pytest.fixture
def cyclegan() -> Callable[..., nn.Module]:
    return lambda seed=0, **settings: drawn(CycleganGenerator(**settings), seed)


@pytest.fixture
def attentiongan() -> Callable[..., nn.Module]:
    return lambda seed=0, **settings: drawn(AttentionganGenerator(**settings), seed)


@pytest.fixture
def ugatit() -> Callable[..., nn.Module]:
    return lambda seed=0, **settings: drawn(UgatitGenerator(**settings), seed)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Write what a repository would save."""

    def save(content: object, name: str = "latest_net_G_A.pth") -> Path:
        torch.save(content.state_dict() if isinstance(content, nn.Module) else content, tmp_path / name)
        return tmp_path / name

    return save
