"""croissant.json: what a dataset holds, for tools that read ML Commons' Croissant 1.0 (JSON-LD)."""

import hashlib
from typing import Any

import pyarrow as pa

from manifests.about import About
from manifests.info import DatasetInfo
from manifests.reader import TABLE_NAME
from manifests.schema import SCHEMA

__all__ = ["CROISSANT_NAME", "croissant"]

CROISSANT_NAME = "croissant.json"
UNSTATED = "The licence of the sources was not stated."
_BASE_NAME = "(?:.*/)?([^/]+)$"
"""Of a file name with folders. Readers apply it twice, so it must also match what it has answered."""
_TERMS = (
    "citeAs column containedIn extract field fileProperty fileObject fileSet format includes isLiveDataset "
    "jsonPath key md5 parentField path recordSet references regex repeated replace separator source subField "
    "transform"
)
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    **{term: f"cr:{term}" for term in _TERMS.split()},
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
_TYPES = {
    pa.string(): "sc:Text",
    pa.bool_(): "sc:Boolean",
    pa.float32(): "sc:Float",
    pa.int32(): "sc:Integer",
    pa.int64(): "sc:Integer",
}


def croissant(info: DatasetInfo, about: About, table_bytes: bytes) -> dict[str, Any]:
    """The description as plain values for JSON.

    Two record sets, since a reader joins a table with one set of files: "images" has every column and the
    image of a row, "labels" its sample_id and label.

    Args:
        info: what the dataset holds.
        about: what people say of it.
        table_bytes: the published table's file.
    """
    values = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": about.name,
        "description": about.description,
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "license": about.licence or UNSTATED,
        "url": about.url or ".",
        "version": f"{info.version}.0.0",
        "citeAs": f"{about.name}, version {info.version}, made with seg2real",
        "keywords": ["synthetic", "semantic segmentation"],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "table",
                "name": TABLE_NAME,
                "contentUrl": TABLE_NAME,
                "encodingFormat": "application/x-parquet",
                "sha256": hashlib.sha256(table_bytes).hexdigest(),
            },
            _file_set("image", ["image/png", "image/jpeg"]),
            _file_set("label", ["image/png"]),
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "images",
                "name": "images",
                "key": {"@id": "images/sample_id"},
                "field": [*(_column("images", field) for field in SCHEMA), *_picture("images", "image")],
            },
            {
                "@type": "cr:RecordSet",
                "@id": "labels",
                "name": "labels",
                "key": {"@id": "labels/sample_id"},
                "field": [_column("labels", SCHEMA.field("sample_id")), *_picture("labels", "label")],
            },
        ],
    }
    if info.created is not None:
        values["datePublished"] = info.created.isoformat()
    return values


def _file_set(kind: str, encodings: list[str]) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{kind}-files",
        "name": f"{kind}-files",
        "encodingFormat": encodings,
        "includes": f"{kind}s/**/*",
    }


def _column(record_set: str, field: pa.Field) -> dict[str, Any]:
    is_list = pa.types.is_list(field.type)
    values = {
        "@type": "cr:Field",
        "@id": f"{record_set}/{field.name}",
        "name": field.name,
        "dataType": _TYPES[field.type.value_type if is_list else field.type],
        "source": {"fileObject": {"@id": "table"}, "extract": {"column": field.name}},
    }
    return values | ({"repeated": True} if is_list else {})


def _picture(record_set: str, kind: str) -> list[dict[str, Any]]:
    """The field that joins a row with its file, and the file's pixels."""
    name, files = f"{kind}_base_name", {"@id": f"{kind}-files"}
    return [
        {
            "@type": "cr:Field",
            "@id": f"{record_set}/{name}",
            "name": name,
            "dataType": "sc:Text",
            "source": {
                "fileObject": {"@id": "table"},
                "extract": {"column": f"{kind}_file_name"},
                "transform": {"regex": _BASE_NAME},
            },
            "references": {"fileSet": files, "extract": {"fileProperty": "filename"}},
        },
        {
            "@type": "cr:Field",
            "@id": f"{record_set}/{kind}",
            "name": kind,
            "dataType": "sc:ImageObject",
            "source": {"fileSet": files, "extract": {"fileProperty": "content"}},
        },
    ]
