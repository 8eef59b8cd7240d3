"""From a label map, or from a render, to what the generator sees.

Shapes: N batch, K classes, C channels, H height, W width.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from gan.config import NoiseConfig
from gan.noise import noise_rgb
from gan.spline import Spline, spline

__all__ = [
    "NUM_NOISE_LEVELS",
    "Conditioned",
    "Conditioning",
    "DomainA",
    "LabelSpec",
    "as_level",
    "draw_noise_field",
]

NUM_NOISE_LEVELS = 256
NO_NOISE_LEVEL = 128  # d = amount * (2 * 128 / 255 - 1), which moves no channel by a level


class LabelSpec(NamedTuple):
    """All that a method needs to know of the labels' classes."""

    noise_table: np.ndarray
    """uint8 [K, 256, 3], the palette's colours under each level of saturation noise."""
    is_background: np.ndarray
    """bool [K], classes outside the attention mask."""
    is_ignored: np.ndarray
    """bool [K], classes that stand for "not labelled": nobody is taught to draw or to read them."""
    noise: NoiseConfig
    palette: dict[str, Any]
    """Class names and colours as the palette's file has them, for whoever uses a snapshot."""


class DomainA(NamedTuple):
    """What networks need to know of the conditioning images."""

    channels: int
    num_classes: int
    noise: NoiseConfig
    ignored: tuple[int, ...] = ()
    """Ids of the classes that stand for "not labelled"."""


class Conditioned(NamedTuple):
    """What a label map, or the render beside it, becomes."""

    image_a: Tensor
    """float [N, C, H, W] in [-1, 1], with noise."""
    clean_a: Tensor
    """The same without noise."""
    attention_a: Tensor
    """float [N, 1, H, W], 1 = translate, 0 = background class."""


class Conditioning(nn.Module):
    """Label map and noise field, or a render, -> conditioning image and attention mask.

    The noise of labels is a table: entry [class, level] is what a pixel of that class looks like at that
    noise level. The same table serves files written offline, training and generation, so all of them are
    one definition. The noise of a render is computed; the label beside it gives the mask.

    Args:
        labels: the classes and their noise.
        kind: "rgb" = the palette's colours; "onehot" = one channel per class, the hot one lowered by up to
            the noise's amount of its range; "render" = the render.
    """

    def __init__(self, labels: LabelSpec, kind: Literal["rgb", "onehot", "render"]):
        super().__init__()
        num_classes = len(labels.noise_table)
        self.kind = kind
        self.noise = labels.noise
        self.channels = num_classes if kind == "onehot" else 3
        ignored = tuple(int(number) for number in labels.is_ignored.nonzero()[0])
        self.domain = DomainA(self.channels, num_classes, labels.noise, ignored)
        self.colors = labels.noise_table[:, NO_NOISE_LEVEL]  # uint8 [K, 3]
        if kind == "onehot":
            table = _onehot_table(num_classes, labels.noise.amount)
        else:
            table = torch.from_numpy(labels.noise_table.astype(np.float32)) / 127.5 - 1
        by_channel = table.reshape(num_classes * NUM_NOISE_LEVELS, self.channels).T.contiguous()
        self.register_buffer("table", by_channel, persistent=False)
        self.register_buffer("foreground", torch.from_numpy(~labels.is_background).float(), persistent=False)

    def forward(self, label_map: Tensor, noise_field: Tensor, render: Tensor | None = None) -> Conditioned:
        """Look every pixel of a label up, or put the noise on its render.

        Args:
            label_map: uint8 [N, H, W] of class ids.
            noise_field: uint8 [N, H, W], the noise level of each pixel.
            render: float [N, 3, H, W] in [-1, 1]; wanted with kind "render", and read with no other.
        """
        image_a = self.noisy(label_map, noise_field, render)
        return Conditioned(image_a, self.clean(label_map, render), self.attention(label_map))

    def noisy(self, label_map: Tensor, noise_field: Tensor, render: Tensor | None = None) -> Tensor:
        """The conditioning image with noise; arguments as of `forward`."""
        if self.kind == "render":
            return noise_rgb(render, as_level(noise_field), self.noise)
        return _look_up(self.table, noise_field.int().add_(label_map, alpha=NUM_NOISE_LEVELS))

    def clean(self, label_map: Tensor, render: Tensor | None = None) -> Tensor:
        """The conditioning image without noise; arguments as of `forward`."""
        if self.kind == "render":
            return render
        return _look_up(self.table[:, NO_NOISE_LEVEL::NUM_NOISE_LEVELS], label_map.int())

    def attention(self, label_map: Tensor) -> Tensor:
        """The label's mask: float [N, 1, H, W]."""
        return _look_up(self.foreground[None], label_map.int())


def as_level(noise_field: Tensor) -> Tensor:
    """uint8 [N, H, W] -> float [N, 1, H, W] in [-1, 1], as `gan.noise` takes it."""
    return noise_field.unsqueeze(1) / 127.5 - 1


def _look_up(table: Tensor, entries: Tensor) -> Tensor:
    """float [C, E] and int [N, H, W] of its entries -> float [N, C, H, W]. On a CPU several times faster than
    indexing by rows of channels."""
    found = table.index_select(1, entries.flatten())
    return found.view(-1, *entries.shape).transpose(0, 1).contiguous()


def draw_noise_field(
    num: int, height: int, width: int, *, correlation_px: float, generator: torch.Generator
) -> Tensor:
    """Noise levels on the generator's device: uint8 [num, height, width], uniform over 0..255 at every pixel.

    With `correlation_px` above 1 the levels form blotches of about that size, as those of
    `pipeline.noise_field` do: normal noise on a grid, smoothed by cubic B-splines.
    """
    device = generator.device
    if correlation_px <= 1:
        shape = (num, height, width)
        return torch.randint(
            0, NUM_NOISE_LEVELS, shape, dtype=torch.uint8, device=device, generator=generator
        )
    rows, columns = spline(height, correlation_px), spline(width, correlation_px)
    grid = torch.randn(num, rows.num_nodes, columns.num_nodes, device=device, generator=generator)
    smooth = _smoothed(_smoothed(grid, rows).mT, columns).mT  # [num, height, width]
    uniform = torch.special.ndtr(smooth)
    return (uniform * NUM_NOISE_LEVELS).clamp(max=NUM_NOISE_LEVELS - 1).to(torch.uint8)


def _smoothed(grid: Tensor, along: Spline) -> Tensor:
    """Independent unit normals in each column -> unit normals, neighbours alike: [num, nodes, C] ->
    [num, length, C]."""
    nodes = torch.from_numpy(along.nodes).to(grid.device)
    weights = torch.from_numpy(along.weights / along.deviation).to(grid.device, grid.dtype)
    return sum(w[:, None] * grid[:, n] for w, n in zip(weights, nodes, strict=True))


def _onehot_table(num_classes: int, noise: float) -> Tensor:
    """float [K, 256, K] in [-1, 1]: the hot channel falls from 1 by at most `noise` of its range."""
    level = torch.linspace(-1, 1, NUM_NOISE_LEVELS).abs()
    hot = 1 - 2 * noise * level
    eye = torch.eye(num_classes)[:, None, :]
    return eye * hot[None, :, None] + (eye - 1)
