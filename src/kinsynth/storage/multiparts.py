"""Uploads in parts that were never finished: nobody sees them, and the store keeps what came."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from kinsynth.errors import TransientError
from kinsynth.storage.bucket import Bucket, refusal, unavailable
from kinsynth.storage.signature import ALGORITHM, NO_BODY, escape, scope, sign

_GONE = 404


@dataclass(frozen=True)
class _Upload:
    key: str
    id: str
    began_at: float


def remove_multiparts(bucket: Bucket, *, before: float, timeout_s: float) -> int:
    """Abort the uploads below our prefix that began before a moment.

    Args:
        bucket: The bucket.
        before: Seconds since 1970.
        timeout_s: Longest time for one request.

    Returns:
        How many were aborted.

    Raises:
        TransientError: ``artefacts.unavailable``.
        SettingsError: ``artefacts.settings``.
    """
    removed = 0
    with httpx.Client(timeout=timeout_s, follow_redirects=False) as client:
        for upload in _list(client, bucket):
            if upload.began_at < before:
                removed += _abort(client, bucket, upload)
    return removed


def _list(client: httpx.Client, bucket: Bucket) -> Iterator[_Upload]:
    query = {"uploads": "", "prefix": f"{bucket.prefix}/" if bucket.prefix else ""}
    while True:
        answer = _send(client, bucket, "GET", "", query)
        page = _parse(_expect(answer, 200).content)
        yield from (_read(one) for one in page.iterfind("{*}Upload"))
        following = {
            "key-marker": page.findtext("{*}NextKeyMarker") or "",
            "upload-id-marker": page.findtext("{*}NextUploadIdMarker") or "",
        }
        if page.findtext("{*}IsTruncated") != "true" or following.items() <= query.items():
            return
        query |= following


def _abort(client: httpx.Client, bucket: Bucket, upload: _Upload) -> bool:
    """Abort an upload; false where it was finished or aborted meanwhile."""
    answer = _send(client, bucket, "DELETE", upload.key, {"uploadId": upload.id})
    return answer.status_code != _GONE and _expect(answer, 200, 204) is answer


def _send(
    client: httpx.Client, bucket: Bucket, method: str, key: str, query: dict[str, str]
) -> httpx.Response:
    path = f"/{bucket.name}" + (f"/{escape(key, keep='/')}" if key else "")
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {
        "host": urlsplit(bucket.endpoint).netloc,
        "x-amz-content-sha256": NO_BODY,
        "x-amz-date": moment,
    }
    signature = sign(
        bucket.secret_key, bucket.region, method=method, path=path, query=query.items(), headers=headers
    )
    credential = f"{bucket.access_key}/{scope(moment, bucket.region)}"
    signed = ";".join(sorted(headers))
    headers["authorization"] = (
        f"{ALGORITHM} Credential={credential}, SignedHeaders={signed}, Signature={signature}"
    )
    text = "&".join(f"{escape(name)}={escape(value)}" for name, value in sorted(query.items()))
    try:
        return client.request(method, f"{bucket.endpoint}{path}?{text}", headers=headers)
    except httpx.HTTPError as error:
        raise unavailable(type(error).__name__) from None


def _expect(answer: httpx.Response, *statuses: int) -> httpx.Response:
    if answer.status_code not in statuses:
        raise refusal(answer.status_code, _cause(answer))
    return answer


def _cause(answer: httpx.Response) -> str:
    """Give the cause an answer names; empty for none, and for an answer that is no XML."""
    try:
        code = _parse(answer.content).findtext("{*}Code") or ""
    except TransientError:
        return ""
    return code[:60] if code.isalnum() else ""


def _parse(content: bytes) -> ET.Element:
    try:
        return ET.fromstring(content)  # noqa: S314 - our own store's answer; expat limits entities
    except ET.ParseError:
        raise unavailable("an answer that is no XML") from None


def _read(entry: ET.Element) -> _Upload:
    key, upload_id = entry.findtext("{*}Key") or "", entry.findtext("{*}UploadId") or ""
    try:
        return _Upload(
            key, upload_id, datetime.fromisoformat(entry.findtext("{*}Initiated") or "").timestamp()
        )
    except ValueError:
        raise unavailable("an upload without the time of its beginning") from None
