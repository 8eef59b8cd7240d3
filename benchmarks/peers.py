"""The usual PyTorch way to train and run a CycleGAN, written anew in small: what benchmarks stand beside.

Eager float32 in NCHW, convolutions with a bias before each instance norm, padding as a layer of its own, an
optimiser for each side, and each pass of a network alone.

Shapes: N batch, H height, W width.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

__all__ = ["PeerDiscriminator", "PeerGenerator", "PeerTraining", "copy_weights", "peer_generate", "to_pixels"]

CYCLE_WEIGHT = 10.0
IDENTITY_WEIGHT = 5.0
POOL_IMAGES = 50


class PeerGenerator(nn.Sequential):
    """ResNet generator (CycleGAN, arXiv 1703.10593, appendix 7.2): float [N, 3, H, W] in [-1, 1] -> the same.

    With width 64 and 9 blocks it has 11,378,179 parameters.
    """

    def __init__(self, width: int = 64, num_blocks: int = 9):
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), *_norm_relu(width)]
        for channels in (width, 2 * width):
            down = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1)
            layers += [down, *_norm_relu(2 * channels)]
        layers += [_PeerBlock(4 * width) for _ in range(num_blocks)]
        for channels in (2 * width, width):
            up = nn.ConvTranspose2d(2 * channels, channels, 3, stride=2, padding=1, output_padding=1)
            layers += [up, *_norm_relu(channels)]
        super().__init__(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())


class _PeerBlock(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            *_norm_relu(channels),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class PeerDiscriminator(nn.Sequential):
    """PatchGAN with 70x70 patches: float [N, 3, H, W] in [-1, 1] -> logits [N, 1, H / 8 - 2, W / 8 - 2].

    With width 64 it has 2,764,737 parameters.
    """

    def __init__(self, width: int = 64):
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2, True)]
        for level, stride in ((0, 2), (1, 2), (2, 1)):
            channels = width * 2**level
            layers.append(nn.Conv2d(channels, 2 * channels, 4, stride=stride, padding=1))
            layers += [nn.InstanceNorm2d(2 * channels), nn.LeakyReLU(0.2, True)]
        super().__init__(*layers, nn.Conv2d(8 * width, 1, 4, padding=1))


def _norm_relu(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(channels), nn.ReLU(True)


@torch.no_grad()
def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Give a network those of another one with the same layers in the same order, whatever their names."""
    for theirs, ours in zip(source.parameters(), target.parameters(), strict=True):
        assert theirs.shape == ours.shape, "the networks have other layers"
        ours.copy_(theirs)


@contextmanager
def convolutions_by_trial() -> Iterator[None]:
    """cuDNN tries its ways to do a convolution and keeps the fastest, as the peers ask of it."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


class PeerTraining:
    """Steps of a CycleGAN with the attention mask of labels: what stands outside the mask is the label's.

    The objective is that of `attention_cyclegan` with background "keep" and no noise, so that equal weights
    have equal losses; how it is computed is the usual way.

    Args:
        width: of both kinds of networks, in channels.
        num_blocks: of the generators.
        device: where it trains.
    """

    def __init__(self, width: int, num_blocks: int, device: torch.device):
        self.ab, self.ba = (PeerGenerator(width, num_blocks).to(device) for _ in range(2))
        self.judge_a, self.judge_b = (PeerDiscriminator(width).to(device) for _ in range(2))
        self._pool_a, self._pool_b = _Pool(), _Pool()
        self._generators = _adam(self.ab, self.ba)
        self._discriminators = _adam(self.judge_a, self.judge_b)

    @convolutions_by_trial()
    def step(self, image_a: Tensor, image_b: Tensor, attention: Tensor) -> tuple[Tensor, Tensor]:
        """Train all four networks once.

        Args:
            image_a: float [N, 3, H, W] in [-1, 1], labels in their colours.
            image_b: float [N, 3, H, W] in [-1, 1], photographs.
            attention: float [N, 1, H, W], 1 = translate.

        Returns:
            The losses of the generators and of the discriminators, scalars.
        """
        # Draw.
        fake_b = self.ab(image_a) * attention + image_a * (1 - attention)
        cycled_a = self.ba(fake_b) * attention + image_a * (1 - attention)
        fake_a = self.ba(image_b)
        cycled_b = self.ab(fake_a)

        # Train the generators.
        self._train_discriminators(False)
        self._generators.zero_grad()
        same_b, same_a = self.ab(image_b), self.ba(image_a)
        cycle = _masked_l1(cycled_a, image_a, attention) + F.l1_loss(cycled_b, image_b)
        identity = F.l1_loss(same_b, image_b) + _masked_l1(same_a, image_a, attention)
        fooled = _judged(self.judge_b(fake_b), 1.0) + _judged(self.judge_a(fake_a), 1.0)
        wanted = fooled + CYCLE_WEIGHT * cycle + IDENTITY_WEIGHT * identity
        wanted.backward()
        self._generators.step()

        # Train the discriminators, one after the other.
        self._train_discriminators(True)
        self._discriminators.zero_grad()
        judged = image_a.new_zeros(())
        shown = (self.judge_b, image_b, self._pool_b(fake_b)), (self.judge_a, image_a, self._pool_a(fake_a))
        for judge, real, fake in shown:
            loss = (_judged(judge(real), 1.0) + _judged(judge(fake), 0.0)) * 0.5
            loss.backward()
            judged = judged + loss.detach()
        self._discriminators.step()
        return wanted.detach(), judged

    def _train_discriminators(self, wanted: bool) -> None:
        for judge in (self.judge_a, self.judge_b):
            judge.requires_grad_(wanted)


class _Pool:
    """The history of fakes: a list of images; from when it is full on, half of the new ones are exchanged."""

    def __init__(self) -> None:
        self._images: list[Tensor] = []
        self._random = random.Random(0)

    def __call__(self, fakes: Tensor) -> Tensor:
        shown = []
        for fake in fakes.detach().split(1):
            if len(self._images) < POOL_IMAGES:
                self._images.append(fake)
            elif self._random.random() < 0.5:
                place = self._random.randrange(POOL_IMAGES)
                fake, self._images[place] = self._images[place].clone(), fake
            shown.append(fake)
        return torch.cat(shown)


def _adam(*networks: nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam(chain(*(net.parameters() for net in networks)), lr=2e-4, betas=(0.5, 0.999))


def _judged(logits: Tensor, answer: float) -> Tensor:
    return F.mse_loss(logits, torch.full_like(logits, answer))


def _masked_l1(image: Tensor, target: Tensor, attention: Tensor) -> Tensor:
    """Mean over the pixels under the mask, of each image."""
    apart = (image - target).abs().mean(1, keepdim=True) * attention
    return (apart.sum((1, 2, 3)) / attention.sum((1, 2, 3)).clamp(min=1e-6)).mean()


def to_pixels(image: Tensor) -> np.ndarray:
    """float [1, 3, H, W] in [-1, 1] -> uint8 [H, W, 3]."""
    array = image[0].float().cpu().numpy().transpose(1, 2, 0)
    return np.clip(np.rint((array + 1) / 2 * 255), 0, 255).astype(np.uint8)


@torch.no_grad()
@convolutions_by_trial()
def peer_generate(
    generator: Callable[[Tensor], Tensor], labels: Sequence[Path], folder: Path, device: torch.device
) -> None:
    """Draw a PNG for each label image, one after the other; a thread reads ahead, as a loader's worker does.

    Args:
        generator: in eval mode, on the device.
        labels: files of the label's colours.
        folder: where `<stem>.png` is written; there already.
        device: what the generator is on.
    """
    for path, image in zip(labels, _read_ahead(labels), strict=True):
        picture = to_pixels(generator(image.to(device)))
        Image.fromarray(picture).save(folder / f"{path.stem}.png")


def _read_ahead(paths: Sequence[Path]) -> Iterator[Tensor]:
    with ThreadPoolExecutor(1) as pool:
        yield from pool.map(_read, paths)


def _read(path: Path) -> Tensor:
    """float [1, 3, H, W] in [-1, 1]."""
    with Image.open(path) as image:
        array = np.asarray(image.convert("RGB"))
    return torch.from_numpy(array.transpose(2, 0, 1).copy()).float().div(255).sub(0.5).div(0.5)[None]
