"""A dataset below a prefix of an S3 bucket; the package s3fs is imported when one is opened."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from manifests.paths import check_relative
from manifests.storage.store import FileStatus, Store, StoreError

__all__ = ["ObjectStore"]

_NOT_HELD = {"PreconditionFailed", "ConditionalRequestConflict"}
"""What a server answers when a write's condition does not hold, or when another write is under way."""


def _status(found: dict[str, Any]) -> FileStatus:
    return FileStatus(found["size"], found["LastModified"].timestamp())


class ObjectStore(Store):
    """Objects below s3://<bucket>/<prefix>, read and written with the credentials and the endpoint that the
    environment names (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, ...).

    The store must honour conditional writes (`If-None-Match: *`, `If-Match`); before the first of them it is
    tried whether it does, since one that ignores them would let writers overwrite each other's versions.

    Args:
        url: s3://<bucket>/<prefix>.
    """

    def __init__(self, url: str):
        try:
            from s3fs import S3FileSystem
        except ImportError:
            raise StoreError(
                f"{url} cannot be opened, because the package s3fs is missing; install seg2real[s3]."
            ) from None
        self.location = url.rstrip("/")
        self._prefix = self.location.removeprefix("s3://")
        self._files = S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
        self._is_conditional = False

    def read(self, name: str) -> bytes:
        return self._files.cat_file(self._key(name))

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        with self._files.open(self._key(name), "rb") as file:
            yield file

    def status(self, name: str) -> FileStatus:
        found = self._info(name)
        if found["type"] != "file":
            raise FileNotFoundError(f"{self.location}/{name} is no object.")
        return _status(found)

    def walk(self, folder: str) -> Iterator[tuple[str, dict[str, FileStatus]]]:
        start = len(self._prefix) + 1
        for parent, _, files in self._files.walk(self._key(folder), detail=True):
            yield parent[start:], {name: _status(found) for name, found in files.items() if name}

    def replace(self, name: str, data: bytes | memoryview) -> None:
        self._files.pipe_file(self._key(name), bytes(data))

    def create(self, name: str, data: bytes) -> None:
        self._require_conditional_writes()
        if not self._put_if(name, data, IfNoneMatch="*"):
            raise FileExistsError(f"{self.location}/{name} exists.")

    def replace_while(self, name: str, is_wanted: Callable[[], bool], data: Callable[[], bytes]) -> None:
        self._require_conditional_writes()
        while True:
            # The tag is read first: what `is_wanted` looks at is then no older than what is replaced.
            tag = self._tag(name)
            if not is_wanted():
                return
            if self._put_if(name, data(), **({"IfMatch": tag} if tag else {"IfNoneMatch": "*"})):
                return

    def remove(self, name: str) -> None:
        key = self._key(name)
        if self._files.exists(key):
            self._files.rm_file(key)

    def _key(self, name: str) -> str:
        check_relative(name)
        return f"{self._prefix}/{name}"

    def _info(self, name: str) -> dict[str, Any]:
        return self._files.info(self._key(name), refresh=True)

    def _tag(self, name: str) -> str | None:
        try:
            return self._info(name)["ETag"]
        except FileNotFoundError:
            return None

    def _put_if(self, name: str, data: bytes, **condition: str) -> bool:
        """Write an object in one request; False when the condition does not hold."""
        bucket, _, key = self._key(name).partition("/")
        try:
            self._files.call_s3("put_object", Bucket=bucket, Key=key, Body=data, **condition)
            return True
        except OSError as error:
            # s3fs says it in terms of files, and keeps the server's answer as the cause.
            answer = getattr(error.__cause__, "response", {})
            if answer.get("Error", {}).get("Code") in _NOT_HELD:
                return False
            raise

    def _require_conditional_writes(self) -> None:
        if self._is_conditional:
            return
        name = f"_versions/.{secrets.token_hex(8)}.tmp"
        try:
            refuses = (
                self._put_if(name, b"1", IfNoneMatch="*")
                and not self._put_if(name, b"2", IfNoneMatch="*")
                and not self._put_if(name, b"3", IfMatch='"0"')
            )
        finally:
            self.remove(name)
        if not refuses:
            raise StoreError(
                f"{self.location} cannot be published to: its server ignores conditional writes "
                "(If-None-Match, If-Match), so two writers could overwrite each other; use a server that "
                "honours them, or a folder."
            )
        self._is_conditional = True
