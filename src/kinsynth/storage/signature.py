"""Signatures of requests to S3-compatible stores, version 4.

Source:
    Amazon, "Signature Version 4 signing process" (AWS Identity and Access Management, user guide).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
NO_BODY = hashlib.sha256(b"").hexdigest()
_UNRESERVED = "-_.~"


def sign(
    secret: str,
    region: str,
    *,
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    body_digest: str = NO_BODY,
) -> str:
    """Give the signature of a request.

    Args:
        secret: Secret of the account.
        region: Region of the bucket.
        method: HTTP method.
        path: Path, with its signs escaped as they are sent.
        query: Names and values, not escaped.
        headers: The headers that are signed, names in small letters; ``x-amz-date`` is among them.
        body_digest: SHA-256 of the body.

    Returns:
        64 hexadecimal digits.

    Raises:
        KeyError: ``x-amz-date`` is missing.
    """
    moment = headers["x-amz-date"]
    names = sorted(headers)
    pairs = sorted((escape(name), escape(value)) for name, value in query)
    request = [
        method,
        path,
        "&".join(f"{name}={value}" for name, value in pairs),
        *(f"{name}:{' '.join(headers[name].split())}" for name in names),
        "",
        ";".join(names),
        body_digest,
    ]
    digest = hashlib.sha256("\n".join(request).encode()).hexdigest()
    text = "\n".join([ALGORITHM, moment, scope(moment, region), digest])
    key = f"AWS4{secret}".encode()
    for part in scope(moment, region).split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def scope(moment: str, region: str) -> str:
    """Give where and when a signature counts.

    >>> scope("20130524T000000Z", "us-east-1")
    '20130524/us-east-1/s3/aws4_request'
    """
    return f"{moment[:8]}/{region}/s3/aws4_request"


def escape(text: str, keep: str = "") -> str:
    """Escape what may not stand in a query, or, with ``keep="/"``, in a path.

    >>> escape("a b/ü")
    'a%20b%2F%C3%BC'
    """
    return quote(text, safe=_UNRESERVED + keep)
