"""The command that exports a dataset. It imports what it needs when called."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.parameters import RootArgument, UsageError, refuse_no_dataset

__all__ = ["commands"]

commands = typer.Typer()


class FormatName(StrEnum):
    """Names of `manifests.exports.formats.FORMATS`, known without importing it."""

    coco = "coco"
    coco_panoptic = "coco-panoptic"
    yolo = "yolo"
    voc = "voc"
    cityscapes = "cityscapes"
    visualmesh = "visualmesh"
    webdataset = "webdataset"
    huggingface = "huggingface"
    cyclegan = "cyclegan"


class SplitName(StrEnum):
    """Names of `manifests.schema.SPLITS`."""

    train = "train"
    val = "val"
    test = "test"


@commands.command(epilog="Example: seg2real export output/robocup_spl exported/coco --to coco --min-area 20")
def export(
    root: RootArgument,
    out: Annotated[str, typer.Argument(help="A new folder.", show_default=False)],
    to: Annotated[FormatName, typer.Option(help="The form to write.", show_default=False)],
    split: Annotated[
        list[SplitName] | None, typer.Option(help="A split to export, may be given again; all if left out.")
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option(help="YAML with the classes: name: {members: [...], thing: true}.", metavar="YAML"),
    ] = None,
    min_area: Annotated[
        int | None, typer.Option(min=1, help="Smaller regions are no instances, px; 1 if left out.")
    ] = None,
    shard_rows: Annotated[
        int | None, typer.Option(min=1, help="Samples per file, where there are shards; 1000 if left out.")
    ] = None,
    all_rows: Annotated[bool, typer.Option("--all", help="Rejected samples, too.")] = False,
    version: Annotated[int | None, typer.Option(help="An older version of the dataset.")] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Hard links to the dataset's images where possible, not copies.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
) -> None:
    """Write a dataset in the form of another tool. COCO, YOLO, VOC, WebDataset and others.

    If it is killed, the same command starts over. OUT/export.json is written last and holds the summary.
    """
    from manifests.exports.classes import load_classes
    from manifests.exports.export import export as write
    from manifests.manifest import Manifest
    from manifests.schema import SPLITS
    from pipeline.progress import show_progress

    refuse_no_dataset(root)
    if "://" in out:
        raise UsageError(f"{out} is no folder; export to a folder, and copy that to where it should be.")
    chosen = None if classes is None else load_classes(classes)
    with show_progress("export", "rows") as progress:
        report = write(
            Manifest.open(root, version=version),
            Path(out),
            to.value,
            classes=chosen,
            splits=[name.value for name in split] if split else SPLITS,
            accepted_only=not all_rows,
            min_area=min_area,
            shard_rows=shard_rows,
            link_images=link,
            overwrite=overwrite,
            progress=progress,
        )
    for name, value in _facts(report):
        typer.echo(f"{name:34} {value}")
    typer.echo(f"{out}: {report['images']} images as {to.value}.")


def _facts(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A report as lines: a name and what is said of it."""
    for key, value in report.items():
        name = key.replace("_", " ")
        if isinstance(value, dict) and any(isinstance(entry, dict) for entry in value.values()):
            yield from ((f"{name} of {part}", _said(entry)) for part, entry in value.items())
        else:
            yield name, _said(value)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_said(entry)}" for key, entry in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_said, value)) or "none"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
