"""Object stores for tests."""

from __future__ import annotations

from typing import Any

from fake_s3 import ACCESS, BUCKET, REGION, SECRET
from kinsynth.settings.deployment import Deployment
from kinsynth.storage.bucket import read_bucket
from kinsynth.storage.object_store import ObjectStore, Patience

QUICK = Patience(connect_s=1.0, request_s=1.0, retries=1, give_up_s=3.0)


def deploy(url: str, **changes: Any) -> Deployment:
    """Settings of an installation with a bucket."""
    given = {
        "artefacts": f"s3://{BUCKET}/pre/fix",
        "s3_endpoint": url,
        "s3_region": REGION,
        "s3_access_key": ACCESS,
        "s3_secret_key": SECRET,
    }
    return Deployment(**{**given, **changes})


def make_object_store(url: str, **changes: Any) -> ObjectStore:
    """A store in the bucket of a server, that gives up soon."""
    return ObjectStore(read_bucket(deploy(url, **changes)), QUICK)
