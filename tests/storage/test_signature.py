"""Signatures of requests; those of another implementation are compared in tests/fake_s3.py each time."""

from __future__ import annotations

from kinsynth.storage.signature import NO_BODY, sign


def test_the_published_example() -> None:
    """Amazon S3, API reference, "Examples: Signature calculations", GET object."""
    signature = sign(
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "us-east-1",
        method="GET",
        path="/test.txt",
        query=(),
        headers={
            "host": "examplebucket.s3.amazonaws.com",
            "range": "bytes=0-9",
            "x-amz-content-sha256": NO_BODY,
            "x-amz-date": "20130524T000000Z",
        },
    )
    assert signature == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"


def test_the_published_example_with_a_query() -> None:
    """The same, GET bucket (list objects)."""
    signature = sign(
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "us-east-1",
        method="GET",
        path="/",
        query=(("prefix", "J"), ("max-keys", "2")),
        headers={
            "host": "examplebucket.s3.amazonaws.com",
            "x-amz-content-sha256": NO_BODY,
            "x-amz-date": "20130524T000000Z",
        },
    )
    assert signature == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
