"""From what a user calls a dataset to the store that it lies in."""

from os import PathLike

from manifests.storage.folder import FolderStore
from manifests.storage.store import Store, StoreError

__all__ = ["Root", "open_store"]

Root = str | PathLike[str]
"""A dataset's root: a folder, or a URL such as s3://bucket/datasets/soccer."""


def open_store(root: Root | Store) -> Store:
    """The store of a root; nothing is opened yet.

    Raises:
        StoreError: the URL is of a kind that no dataset can be kept in, or its package is not installed.
    """
    if isinstance(root, Store):
        return root
    scheme, separator, _ = str(root).partition("://")
    if not separator:
        return FolderStore(root)
    if scheme == "s3":
        from manifests.storage.objects import ObjectStore

        return ObjectStore(str(root))
    raise StoreError(f"{root} cannot be used: a folder or an s3:// URL was wanted, not {scheme}://.")
