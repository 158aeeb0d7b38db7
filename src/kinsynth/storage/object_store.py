"""A store in a bucket of an S3-compatible service."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kinsynth.errors import KinsynthError
from kinsynth.storage.bucket import Bucket, refusal, unavailable
from kinsynth.storage.cipher import Read
from kinsynth.storage.store import missing, try_out
from kinsynth.system import crash

PART = 16 << 20  # a file has at most 10,000 parts: 156 GiB
_RANGE = 8 << 20
_PARTS_AT_ONCE = 2
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_REDIRECT = "redirect without LOCATION"


@dataclass(frozen=True)
class Patience:
    """How long is waited for the store.

    Attributes:
        connect_s: For a connection.
        request_s: For a whole request, of 16 MiB at most.
        retries: How often a request is sent again.
        give_up_s: From the first sending on; what began before may take ``request_s`` longer.
    """

    connect_s: float = 5.0
    request_s: float = 60.0
    retries: int = 5
    give_up_s: float = 60.0


class ObjectStore:
    """A store in a bucket.

    Args:
        bucket: The bucket.
        patience: How long is waited.

    Guarantees:
        Memory of a writer or a reader is that of three parts. Only the settings count, no variable or file of
        Amazon's tools.
    """

    def __init__(self, bucket: Bucket, patience: Patience | None = None) -> None:
        self.bucket, self._patience = bucket, patience or Patience()
        self._store = _open(bucket, self._patience)

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """Keep the chunks under a name: visible whole at the end, or not at all."""
        import obstore

        with _translated():
            writer = obstore.open_writer(self._store, name, buffer_size=PART, max_concurrency=_PARTS_AT_ONCE)
        for chunk in chunks:  # what fails here is not the store; a writer that is not closed shows nothing
            with _translated():
                writer.write(chunk)
        crash.point("store.before_close")
        with _translated():
            writer.close()

    @contextmanager
    def open(self, name: str) -> Iterator[Read]:
        """Give what reads a blob.

        Raises:
            UserError: ``artefact.missing``.
            TransientError: ``artefacts.unavailable``; also where the blob was replaced meanwhile.
        """
        yield _Reader(self._store, name).read

    def has(self, name: str) -> bool:
        """Tell whether a blob is there; not where the bucket is missing, which writing would tell."""
        import obstore

        try:
            obstore.head(self._store, name)
        except FileNotFoundError:
            return False
        except _failures() as error:
            raise _explain(error) from None
        return True

    def remove(self, name: str) -> None:
        """Remove a blob."""
        import obstore

        with _translated():
            obstore.delete(self._store, name)

    def names(self) -> Iterator[str]:
        """Give the names of all blobs, page by page."""
        import obstore

        with _translated():
            pages = iter(obstore.list(self._store))
        while True:
            with _translated():
                page = next(pages, None)
            if page is None:
                return
            yield from (one["path"] for one in page)

    def check(self) -> None:
        """Write, list, read and remove a blob."""
        try_out(self)
        next(self.names(), None)

    def remove_parts(self, *, older_than_s: float, now: float) -> int:
        """Remove what writers that were killed left half written; gives how many there were.

        Args:
            older_than_s: Age from which on nobody writes any more.
            now: Seconds since 1970.
        """
        from kinsynth.storage.multiparts import remove_multiparts

        return remove_multiparts(self.bucket, before=now - older_than_s, timeout_s=self._patience.request_s)


class _Reader:
    """Reads a blob in ranges of one and the same content."""

    def __init__(self, store: Any, name: str) -> None:
        self._store, self._name = store, name
        self._tag: str | None = None
        self._size: int | None = None
        self._at, self._held = 0, bytearray()
        self._load()

    def read(self, size: int) -> bytes:
        """Give exactly so many bytes, fewer only at the end."""
        while len(self._held) < size and self._at != self._size:
            self._load()
        given = bytes(self._held[:size])
        del self._held[:size]
        return given

    def _load(self) -> None:
        import obstore

        end = self._at + _RANGE if self._size is None else min(self._at + _RANGE, self._size)
        options: dict[str, Any] = {"range": (self._at, end)}
        if self._tag is not None:
            options["if_match"] = self._tag
        try:
            found = obstore.get(self._store, self._name, options=options)  # type: ignore[arg-type]
            content = found.bytes()
        except _failures() as error:
            if self._size is None and _status(error) == 416:  # it is empty
                self._size = 0
                return
            raise self._explain(error) from None
        self._tag, self._size = found.meta["e_tag"], found.meta["size"]
        self._at += len(content)
        self._held += memoryview(content)
        if not content:
            raise unavailable("an empty answer")

    def _explain(self, error: Exception) -> KinsynthError:
        if isinstance(error, FileNotFoundError) and _cause(error) != "NoSuchBucket":
            return missing(self._name)
        if _status(error) == 412:
            return unavailable("the file was replaced while it was read")
        return _explain(error)


def _open(bucket: Bucket, patience: Patience) -> Any:
    from obstore.store import S3Store

    credential = {"access_key_id": bucket.access_key, "secret_access_key": bucket.secret_key}
    return S3Store(
        bucket.name,
        prefix=bucket.prefix or None,
        config={
            "endpoint": bucket.endpoint,
            "aws_endpoint_url_s3": bucket.endpoint,  # or else a variable of Amazon's tools would win
            "region": bucket.region,
            "virtual_hosted_style_request": False,
            "skip_signature": False,
            "disable_bulk_delete": True,  # not every store has it
        },
        # A provider, so that no session token of the environment is sent with our account.
        credential_provider=lambda: {**credential, "token": None, "expires_at": None},  # type: ignore[arg-type]
        client_options={
            "allow_http": bucket.endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=patience.connect_s),
            "timeout": timedelta(seconds=patience.request_s),
        },
        retry_config={
            "max_retries": patience.retries,
            "retry_timeout": timedelta(seconds=patience.give_up_s),
            "backoff": {
                "init_backoff": timedelta(seconds=0.1),
                "max_backoff": timedelta(seconds=5),
                "base": 2,
            },
        },
    )


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the library's errors into ours: of their texts, which hold whole answers, the cause is kept."""
    try:
        yield
    except _failures() as error:
        raise _explain(error) from None


def _failures() -> tuple[type[Exception], ...]:
    """Give what the library raises where a request fails; its files raise it as the system's error."""
    from obstore.exceptions import BaseError

    return BaseError, OSError


def _explain(error: Exception) -> KinsynthError:
    if _REDIRECT in str(error):
        return refusal(301, "PermanentRedirect")
    return refusal(_status(error), _cause(error))


def _status(error: Exception) -> int:
    found = _STATUS.search(str(error))
    return int(found[1]) if found else 0


def _cause(error: Exception) -> str:
    found = _CODE.search(str(error))
    return found[1] if found else ""
