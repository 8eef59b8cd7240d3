"""The whole measure of one snapshot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from gan.snapshot import Snapshot, SnapshotError
from gan.translator import Translator
from manifests.schema import same_classes
from pipeline.config import ConfigError, RunConfig
from pipeline.evaluation.boxes import NamedBox, read_boxes
from pipeline.evaluation.detection import detect
from pipeline.evaluation.distribution import frechet_distance, kernel_distance
from pipeline.evaluation.drawing import draw_variants
from pipeline.evaluation.inception import InceptionFeatures
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.judge_files import judge_of
from pipeline.evaluation.labelled_images import LabelledImages
from pipeline.evaluation.likeness import copying_of, diversity_of
from pipeline.evaluation.material import Material, judged_size, read_material
from pipeline.evaluation.parts import Parts, part_sources, spread
from pipeline.evaluation.results import (
    Adherence,
    Budget,
    Detection,
    Distribution,
    Evaluation,
    Judged,
    TrainedOn,
    Usefulness,
)
from pipeline.evaluation.scores import Scores, score
from pipeline.evaluation.several import mean_and_sd, mean_of
from pipeline.images import read_image
from pipeline.palette import Palette
from pipeline.prepare import Prepared
from pipeline.progress import ShowProgress, show_progress
from pipeline.shards import SnapshotRef

__all__ = ["Judges", "evaluate"]


class Judges(NamedTuple):
    """Segmenters of equal budget, by what they learned from: of each kind `evaluate.num_judges`, in the order
    of their seeds; none of `real` and `both` where there are no labelled photographs."""

    generated: tuple[Judge, ...]
    real: tuple[Judge, ...]
    both: tuple[Judge, ...]


def evaluate(
    config: RunConfig, prepared: Prepared, snapshot: SnapshotRef, *, show: ShowProgress = show_progress
) -> Evaluation:
    """Measure a snapshot; on the CPU of one machine, the same arguments give the same numbers.

    A GPU adds up in an order of its own where judges are trained, so that figures come close to each other.

    Args:
        config: the run; its section `evaluate` is the budget.
        prepared: its sources.
        snapshot: what draws.
        show: how progress is shown.

    Raises:
        ConfigError: the snapshot cannot be used with this config, or there are too few labels.
            Also where the file with boxes or that with Inception weights cannot be used.
        BadImageError: a source cannot be read any more.
    """
    # Read what there is, and draw an image for every label.
    translator = _open_translator(config, snapshot.path)
    inception = None
    if config.evaluate.inception is not None:
        inception = InceptionFeatures(config.evaluate.inception, device=translator.device)
    boxes = read_boxes(config.sources.photos)
    palette = config.read_palette()
    parts = part_sources(prepared, config.evaluate)
    material = read_material(config, parts, prepared)
    learned = _draw(config, translator, material, "train", show)
    held_out = _draw(config, translator, material, "test", show)

    # Train the judges, and let them judge.
    judges = _train_judges(config, material, learned, show)
    judge = (judges.real or judges.generated)[0]
    label_names = [label.source_label for label in (*parts.train_labels, *parts.test_labels)]
    return Evaluation(
        judged=Judged(
            name=config.name,
            method=translator.info.train.method,
            snapshot=snapshot.path.name,
            snapshot_sha256=snapshot.sha256,
            num_images_seen=translator.info.num_images_seen,
            holds=translator.info.holds,
        ),
        budget=_budget(config, parts, translator.device.type),
        adherence=_adherence(judges, held_out, material.test_pairs, palette),
        usefulness=_usefulness(judges, material.test_pairs, palette),
        detection=_detection(config, judges, prepared, boxes),
        distribution=_distribution(judge, material, learned.images[: len(parts.train_labels)], inception),
        copying=copying_of(
            judge,
            np.concatenate(
                [learned.images[: len(parts.train_labels)], held_out.images[: len(parts.test_labels)]]
            ),
            material.train_photos,
            material.test_photos,
            label_names=label_names,
            photo_names=[path.name for path in parts.train_photos],
        ),
        diversity=diversity_of(judge, learned.images, config.evaluate.num_variants),
    )


def _open_translator(config: RunConfig, path: Path) -> Translator:
    try:
        snapshot = Snapshot.from_bytes(path.read_bytes())
    except SnapshotError as error:
        raise ConfigError(f"{path} cannot be evaluated: {error}") from None
    if not same_classes(snapshot.info.palette, config.read_palette().model_dump(mode="json")):
        raise ConfigError(
            f"{path} was trained with other classes than those of {config.palette}; "
            "choose a snapshot of this palette, or the config that it was trained with."
        )
    return Translator(snapshot, device=config.train.device, precision=config.train.precision)


def _draw(
    config: RunConfig,
    translator: Translator,
    material: Material,
    part: Literal["train", "test"],
    show: ShowProgress,
) -> LabelledImages:
    label_maps, renders = {
        "train": (material.train_labels, material.train_renders),
        "test": (material.test_labels, material.test_renders),
    }[part]
    with show(f"draw ({part})", "images") as progress:
        return draw_variants(
            translator,
            label_maps,
            config.evaluate.num_variants,
            seed=config.evaluate.seed,
            correlation_px=translator.info.noise.correlation_px,
            photos=material.train_photos,
            renders=renders,
            progress=progress,
        )


def _train_judges(
    config: RunConfig, material: Material, generated: LabelledImages, show: ShowProgress
) -> Judges:
    def several(what: TrainedOn, *sets: LabelledImages) -> tuple[Judge, ...]:
        numbers = range(config.evaluate.num_judges)
        return tuple(judge_of(config, sets, what, index=index, show=show) for index in numbers)

    pairs = material.train_pairs
    return Judges(
        generated=several("generated", generated),
        real=several("real", pairs) if len(pairs) else (),
        both=several("both", pairs, generated) if len(pairs) else (),
    )


def _adherence(
    judges: Judges, generated: LabelledImages, real: LabelledImages, palette: Palette
) -> Adherence:
    chosen = judges.real or judges.generated
    return Adherence(
        judge="real" if judges.real else "generated",
        generated=mean_of(_test(chosen, generated, palette)),
        real=mean_of(_test(chosen, real, palette)) if len(real) else None,
    )


def _usefulness(judges: Judges, real: LabelledImages, palette: Palette) -> Usefulness | None:
    if not judges.real or not len(real):
        return None
    of_generated, of_real, of_both = (_test(kind, real, palette) for kind in judges)
    ratio, ratio_sd = mean_and_sd(
        [
            one.miou / other.miou if other.miou else None
            for one, other in zip(of_generated, of_real, strict=True)
        ]
    )
    gain, gain_sd = mean_and_sd([one.miou - other.miou for one, other in zip(of_both, of_real, strict=True)])
    return Usefulness(
        generated=mean_of(of_generated),
        real=mean_of(of_real),
        both=mean_of(of_both),
        ratio=ratio,
        ratio_sd=ratio_sd,
        gain=gain,
        gain_sd=gain_sd,
    )


def _detection(
    config: RunConfig, judges: Judges, prepared: Prepared, boxes: dict[str, tuple[NamedBox, ...]]
) -> Detection | None:
    with_boxes = [photo.path for photo in prepared.photos if photo.path.stem in boxes]
    learned = set(prepared.train_photos)
    held_out = [path for path in with_boxes if path not in learned]
    photos = spread(held_out or with_boxes, config.evaluate.max_images)
    if not photos:
        return None
    return Detection(
        num_photos=len(photos),
        held_out=bool(held_out),
        judges={
            name: detect(
                kind,
                photos,
                boxes,
                config.evaluate.box_classes,
                config.read_palette(),
                judged_size=judged_size(config),
                read=lambda path: read_image(path, max_megapixels=config.sources.max_megapixels),
            )
            for name, kind in judges._asdict().items()
            if kind
        },
    )


def _distribution(
    judge: Judge, material: Material, generated: np.ndarray, inception: InceptionFeatures | None
) -> Distribution:
    """Of one image for each label: variants of a label are too alike to be a sample of the distribution."""
    features = judge.features(material.train_photos)
    unseen = material.test_photos
    kid = fid = None
    if inception is not None:
        both = inception(generated), inception(material.train_photos)
        kid, fid = kernel_distance(*both), frechet_distance(*both)
    return Distribution(
        num_generated=len(generated),
        num_photos=len(material.train_photos),
        kid_segmenter=kernel_distance(judge.features(generated), features),
        kid_segmenter_real=kernel_distance(judge.features(unseen), features) if len(unseen) else None,
        kid=kid,
        fid=fid,
    )


def _test(judges: Sequence[Judge], labelled: LabelledImages, palette: Palette) -> list[Scores]:
    return [score(judge.read(labelled.images), labelled.label_maps, palette) for judge in judges]


def _budget(config: RunConfig, parts: Parts, device: str) -> Budget:
    width, height = judged_size(config)
    return Budget(
        width=width,
        height=height,
        seed=config.evaluate.seed,
        judge_width=config.evaluate.judge_width,
        judge_images=config.evaluate.judge_images,
        num_judges=config.evaluate.num_judges,
        num_variants=config.evaluate.num_variants,
        num_train_labels=len(parts.train_labels),
        num_test_labels=len(parts.test_labels),
        num_train_pairs=len(parts.train_pairs),
        num_test_pairs=len(parts.test_pairs),
        num_train_photos=len(parts.train_photos),
        num_test_photos=len(parts.test_photos),
        has_test_labels=parts.has_test_labels,
        has_test_pairs=parts.has_test_pairs,
        device=device,
    )
