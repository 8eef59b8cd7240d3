"""What a verification can find, and what to do about it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["MAX_KEPT", "REMEDIES", "Finding", "Findings", "Report"]

MAX_KEPT = 1_000
"""Findings of one code that are kept; the others are counted."""

REMEDIES = {
    "no_manifest": "name the folder that holds metadata.parquet, or publish the dataset again",
    "damaged_manifest": "copy the newest version's table from _versions over it",
    "wrong_schema": "publish the dataset again with this release",
    "no_version_record": "bring the folder _versions back from where the dataset was copied",
    "unpublished_version": "run the publishing command again; its writer died before the last step",
    "table_changed": "copy that version's table from _versions over it",
    "damaged_version": "restore the file from a copy of the dataset; other versions are not touched",
    "missing_value": "publish the row again with the value filled in",
    "duplicate_sample_id": "remove one of the rows",
    "shared_file": "give each row files of its own",
    "bad_value": "publish the row again with a right value",
    "unsafe_path": "do not open the dataset until whoever made it explains the path",
    "missing_file": "restore the file, or remove the row and generate the sample again",
    "wrong_size": "restore the file, or remove the row and generate the sample again",
    "wrong_sha256": "restore the file, or remove the row and generate the sample again",
    "undecodable": "remove the row and generate the sample again",
    "too_large": "remove the row; an image this large is not read",
    "wrong_dimensions": "remove the row and generate the sample again",
    "unknown_class_id": "remove the row and generate the sample again with the right palette",
    "wrong_pixel_counts": "remove the row and generate the sample again",
    "not_reproduced": "compare on the kind of device and the build that drew it; else do not trust the row",
    "no_lineage": "bring back what it was drawn from, or generate the sample again",
    "orphan_file": "delete the file when no run is writing to this dataset",
}
"""Every code that a finding can have, and what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    code: str
    """One of `REMEDIES`."""
    where: str
    """The file, relative to the root."""
    what: str
    sample_id: str | None = None
    """The row; None when the finding is about the dataset."""

    @property
    def what_to_do(self) -> str:
        """One clause."""
        return REMEDIES[self.code]

    def __str__(self) -> str:
        row = f" (sample {self.sample_id})" if self.sample_id else ""
        return f"{self.code}: {self.where}{row}: {self.what}; {self.what_to_do}."


class Findings:
    """What is found on the way: all counted, and of each code the first MAX_KEPT kept."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.num_by_code: Counter[str] = Counter()

    def add(self, found: Iterable[Finding]) -> None:
        for finding in found:
            self.num_by_code[finding.code] += 1
            if self.num_by_code[finding.code] <= MAX_KEPT:
                self.kept.append(finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a verification looked at and found."""

    root: str
    version: int
    """The published version; 0 = there is none."""
    is_deep: bool
    """Whether files were hashed and decoded, not only looked for."""
    num_rows: int
    num_bytes: int
    """Size of the images and labels that rows name, by the manifest."""
    findings: tuple[Finding, ...]
    """Of each code the first MAX_KEPT."""
    num_by_code: dict[str, int]
    """How often each code was found, most frequent first."""

    @property
    def is_ok(self) -> bool:
        """Whether nothing was found."""
        return not self.num_by_code
