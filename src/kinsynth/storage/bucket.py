"""Bucket: where an S3-compatible store keeps our blobs, and what its refusals mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kinsynth.errors import KinsynthError, SettingsError, TransientError
from kinsynth.settings.deployment import Deployment

_ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/+([A-Za-z0-9._/-]*))?")
_REGION = re.compile(r"[A-Za-z0-9-]{1,40}")
_PASSING = {"NoSuchUpload", "OperationAborted", "RequestTimeout", "SlowDown"}
_SETTINGS = {301, 302, 307, 308, 400, 401, 403, 404, 405}


@dataclass(frozen=True)
class Bucket:
    """A place for blobs in an S3-compatible store.

    Attributes:
        endpoint: Address of the store, without a path.
        region: Region of the bucket.
        name: The bucket.
        prefix: Start of all our keys, without slashes at its ends; empty for none.
        access_key: The account.
        secret_key: Its secret; never shown.
    """

    endpoint: str
    region: str
    name: str
    prefix: str
    access_key: str
    secret_key: str = field(repr=False)


def read_bucket(deployment: Deployment) -> Bucket:
    """Give the bucket that the settings name.

    Raises:
        SettingsError: ``artefacts.settings``, a setting is missing or not understood.
    """
    found = _ADDRESS.fullmatch(deployment.artefacts)
    prefix = (found[2] or "").strip("/") if found else ""
    if found is None or any(part in ("", ".", "..") for part in prefix.split("/") if prefix):
        raise _wrong("KINSYNTH_ARTEFACTS", "the address is not s3://BUCKET/PREFIX")
    if not _REGION.fullmatch(deployment.s3_region):
        raise _wrong("KINSYNTH_S3_REGION", "it is not the name of a region")
    secret = deployment.s3_secret_key.get_secret_value()
    if not deployment.s3_access_key:
        raise _wrong("KINSYNTH_S3_ACCESS_KEY", "no account is given")
    if not secret:
        raise _wrong("KINSYNTH_S3_SECRET_KEY", "the account has no secret")
    endpoint = _read_endpoint(deployment.s3_endpoint, deployment.s3_region)
    return Bucket(endpoint, deployment.s3_region, found[1], prefix, deployment.s3_access_key, secret)


def _read_endpoint(text: str, region: str) -> str:
    """Check an address: what the library cannot read would end the process."""
    if not text:
        return f"https://s3.{region}.amazonaws.com"
    try:
        parts = urlsplit(text.rstrip("/"))
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.path or parts.query or parts.fragment or "@" in parts.netloc or not text.isascii():
        raise _wrong("KINSYNTH_S3_ENDPOINT", "the address is not http(s)://HOST:PORT")
    if re.search(r"[\s\\<>\"{}|^`]", parts.netloc):
        raise _wrong("KINSYNTH_S3_ENDPOINT", "the address is not http(s)://HOST:PORT")
    return f"{parts.scheme}://{parts.netloc}"


def _wrong(where: str, what: str) -> SettingsError:
    return SettingsError(
        "artefacts.settings",
        f"The artefact store cannot be used as it is set up: {what}.",
        where=where,
        remedy="Correct the setting, or leave KINSYNTH_ARTEFACTS empty for a folder in the data folder.",
    )


def refusal(status: int, code: str) -> KinsynthError:
    """Give our error for an answer of the store.

    Args:
        status: Its HTTP status; 0 where no answer came.
        code: The cause it names; empty for none.
    """
    said = f"status {status}{f', {code}' if code else ''}" if status else "no answer"
    if status in _SETTINGS and code not in _PASSING:
        return SettingsError(
            "artefacts.settings",
            f"The artefact store refuses the bucket, the account or its secret ({said}).",
            where="KINSYNTH_ARTEFACTS",
            remedy="Check that the bucket is there, that KINSYNTH_S3_REGION and KINSYNTH_S3_ENDPOINT are "
            "its own, that the account may read, write, list and delete there, and this machine's clock.",
        )
    return unavailable(said)


def unavailable(cause: str) -> TransientError:
    """Give the error for a store that is away for now."""
    return TransientError(
        "artefacts.unavailable",
        f"The artefact store did not serve a request ({cause}).",
        where="KINSYNTH_ARTEFACTS",
        remedy="Try again; where it stays away, look at the store and the network.",
    )
