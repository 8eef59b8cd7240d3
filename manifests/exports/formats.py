"""The formats that a dataset can be exported to, by name."""

from manifests.exports.cityscapes import Cityscapes
from manifests.exports.classes import ExportError
from manifests.exports.coco import Coco
from manifests.exports.coco_panoptic import CocoPanoptic
from manifests.exports.cyclegan import CycleGan
from manifests.exports.huggingface import HuggingFace
from manifests.exports.sample import FormatKind
from manifests.exports.visualmesh import VisualMesh, why_no_lens
from manifests.exports.voc import Voc
from manifests.exports.webdataset import WebDataset
from manifests.exports.yolo import Yolo

__all__ = ["FORMATS", "refuse_idle_options"]

FORMATS: dict[str, FormatKind] = {
    "coco": FormatKind(Coco, has_regions=True),
    "coco-panoptic": FormatKind(CocoPanoptic, has_regions=True),
    "yolo": FormatKind(Yolo, has_regions=True),
    "voc": FormatKind(Voc),
    "cityscapes": FormatKind(Cityscapes, has_regions=True),
    "visualmesh": FormatKind(VisualMesh, why_not=why_no_lens),
    "webdataset": FormatKind(WebDataset, has_shards=True, places_images=False),
    "huggingface": FormatKind(HuggingFace, has_shards=True, places_images=False),
    "cyclegan": FormatKind(CycleGan),
}


def refuse_idle_options(
    format_name: str, *, min_area: int | None, shard_rows: int | None, link_images: bool
) -> None:
    """Refuse an option that would change nothing.

    Raises:
        ExportError: names the option and the formats that it is for.
    """
    kind = FORMATS[format_name]
    for option, is_given, concerns in (
        ("--min-area", min_area is not None, "has_regions"),
        ("--shard-rows", shard_rows is not None, "has_shards"),
        ("--link", link_images, "places_images"),
    ):
        if is_given and not getattr(kind, concerns):
            names = ", ".join(name for name, other in FORMATS.items() if getattr(other, concerns))
            raise ExportError(f"{option} changes nothing in {format_name}; it is for {names}.")
