"""Imported generators draw what the originals draw."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gan.snapshot import Snapshot
from gan.translator import Translator
from pipeline.importing.snapshot import import_snapshot
from pipeline.importing.weights import ForeignWeightsError
from pipeline.palette import Palette, colorize


def images(height: int = 16, width: int = 24) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(7)) * 2 - 1


def translator(snapshot: Snapshot) -> Translator:
    return Translator(Snapshot.from_bytes(snapshot.to_bytes()), device="cpu")


def assert_draws_the_same(snapshot: Snapshot, original_ab: nn.Module, original_ba: nn.Module | None, *size):
    generators, image = translator(snapshot).generators, images(*size)
    attention = torch.zeros(2, 1, *image.shape[-2:])
    for draw, original in ((lambda x: generators.draw_b(x, attention, None), original_ab),) + (
        ((generators.draw_a, original_ba),) if original_ba is not None else ()
    ):
        expected = original(image)
        assert expected.std() > 0.05
        torch.testing.assert_close(draw(image), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("variant", [{}, {"dropout": True}, {"resizes": True}, {"width": 6, "num_blocks": 3}])
def test_cyclegan_in_both_directions(cyclegan, saved, palette: Palette, variant) -> None:
    ab, ba = cyclegan(0, **variant), cyclegan(1, **variant)
    snapshot = import_snapshot("pytorch-cyclegan", [saved(ab), saved(ba, "latest_net_G_B.pth")], palette)
    assert_draws_the_same(snapshot, ab, ba)
    train = snapshot.info.train
    assert train.method == "cyclegan"
    assert train.generator.width == variant.get("width", 4)
    assert train.generator.num_blocks == variant.get("num_blocks", 2)
    assert train.generator.upsampling == ("resize" if "resizes" in variant else "transposed")
    assert snapshot.info.palette == palette.model_dump(mode="json")
    assert (snapshot.info.noise.amount, snapshot.info.num_images_seen) == (0, 0)


@pytest.mark.parametrize("num_contents", [9, 10])
def test_attentiongan_and_its_variant_for_shapes(attentiongan, saved, palette, num_contents) -> None:
    ab, ba = (attentiongan(seed, num_contents=num_contents) for seed in range(2))
    snapshot = import_snapshot("attentiongan", [saved(ab), saved(ba, "latest_net_G_B.pth")], palette)
    assert_draws_the_same(snapshot, ab, ba)
    assert snapshot.info.train.method == "attentiongan"
    assert snapshot.info.train.generator.keeps_input == (num_contents == 9)


@pytest.mark.parametrize("size", [(16, 24), (40, 16)])
def test_light_ugatit_at_any_size(ugatit, saved, palette, size) -> None:
    ab, ba = ugatit(0), ugatit(1)
    params = {"genA2B": ab.state_dict(), "genB2A": ba.state_dict(), "disGA": {"anything": torch.ones(1)}}
    snapshot = import_snapshot("ugatit", [saved(params)], palette)
    assert_draws_the_same(snapshot, ab, ba, *size)
    assert snapshot.info.train.ugatit.light


def test_full_ugatit_tells_its_size(ugatit, saved, palette) -> None:
    ab, ba = ugatit(0, image_size=96), ugatit(1, image_size=96)
    params = {"genA2B": ab.state_dict(), "genB2A": ba.state_dict()}
    snapshot = import_snapshot("ugatit", [saved(params)], palette)
    assert_draws_the_same(snapshot, ab, ba, 96, 96)
    train = snapshot.info.train
    assert (train.width, train.height, train.ugatit.light) == (96, 96, False)


def test_nugan_keeps_the_labels_background(cyclegan, saved, palette) -> None:
    ab, ba = cyclegan(0), cyclegan(1)
    snapshot = import_snapshot("nugan", [saved(ab), saved(ba, "latest_net_G_B.pth")], palette)
    image = images()
    attention = (torch.rand(2, 1, 16, 24, generator=torch.Generator().manual_seed(3)) > 0.5).float()
    generators = translator(snapshot).generators
    expected = attention * ab(image) + (1 - attention) * image
    torch.testing.assert_close(generators.draw_b(image, attention, image), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(generators.draw_a(image), ba(image), rtol=0, atol=1e-5)


@pytest.mark.parametrize("repository", ["pytorch-cyclegan", "attentiongan"])
def test_a_single_generator_draws_photographs_only(request, saved, palette, repository) -> None:
    original = request.getfixturevalue(repository.removeprefix("pytorch-"))()
    snapshot = import_snapshot(repository, [saved(original)], palette)
    assert_draws_the_same(snapshot, original, None)
    assert not translator(snapshot).generators.draws_a


def test_labels_become_the_pictures_that_the_original_makes_of_their_colours(
    cyclegan, saved, palette
) -> None:
    original = cyclegan()
    label_maps = np.random.default_rng(0).integers(0, palette.num_classes, (1, 16, 24), dtype=np.uint8)
    noise = np.random.default_rng(1).integers(0, 256, (1, 16, 24), dtype=np.uint8)
    pictures = translator(import_snapshot("pytorch-cyclegan", [saved(original)], palette)).translate(
        label_maps, noise
    )
    colors = torch.from_numpy(colorize(label_maps[0], palette)).permute(2, 0, 1)[None] / 127.5 - 1
    expected = (original(colors)[0].permute(1, 2, 0) + 1) * 127.5
    assert np.abs(pictures[0].astype(float) - expected.numpy()).max() <= 0.51


def test_reversed_swaps_the_directions(cyclegan, ugatit, saved, palette) -> None:
    a, b = cyclegan(0), cyclegan(1)
    paths = [saved(a), saved(b, "latest_net_G_B.pth")]
    assert_draws_the_same(import_snapshot("pytorch-cyclegan", paths, palette, is_reversed=True), b, a)
    with pytest.raises(ForeignWeightsError, match="one was given"):
        import_snapshot("pytorch-cyclegan", paths[:1], palette, is_reversed=True)
    a, b = ugatit(0), ugatit(1)
    path = saved({"genA2B": a.state_dict(), "genB2A": b.state_dict()}, "params_latest.pt")
    assert_draws_the_same(import_snapshot("ugatit", [path], palette, is_reversed=True), b, a)


def test_noise_is_the_users_word_and_must_not_confuse_classes(cyclegan, saved, palette) -> None:
    path = saved(cyclegan())
    snapshot = import_snapshot("pytorch-cyclegan", [path], palette, noise_amount=0.2)
    assert snapshot.info.noise.amount == 0.2
    for amount in (0.9, 2):
        with pytest.raises(ForeignWeightsError, match="noise.amount"):
            import_snapshot("pytorch-cyclegan", [path], palette, noise_amount=amount)


def test_what_does_not_belong_together_is_refused(cyclegan, ugatit, saved, palette) -> None:
    one, other = saved(cyclegan()), saved(cyclegan(num_blocks=3), "latest_net_G_B.pth")
    narrow = saved(cyclegan(width=2), "narrow.pth")
    refused: list[tuple[Callable, str]] = [
        (lambda: import_snapshot("pytorch-cyclegan", [one, other], palette), "different sizes"),
        (lambda: import_snapshot("pytorch-cyclegan", [one] * 3, palette), "3 files"),
        (lambda: import_snapshot("nugan", [one], palette), "both generators"),
        (lambda: import_snapshot("ugatit", [one], palette), "no 'genA2B'"),
        (lambda: import_snapshot("ugatit", [one, one], palette), "2 files"),
        (lambda: import_snapshot("attentiongan", [one], palette), "lacks 'deconv3_attention.weight'"),
        (lambda: import_snapshot("pytorch-cyclegan", [narrow], palette), "generator.width"),
    ]
    for attempt, words in refused:
        with pytest.raises(ForeignWeightsError, match=words):
            attempt()


def test_weights_that_are_not_numbers_are_refused(cyclegan, saved, palette) -> None:
    original = cyclegan()
    original.model[1].bias[0] = torch.nan
    with pytest.raises(ForeignWeightsError, match="NaN"):
        import_snapshot("pytorch-cyclegan", [saved(original)], palette)
