"""Proofs: random secrets that are given out once; only their hashes are stored."""

from __future__ import annotations

import hashlib
import secrets


def make_proof(prefix: str = "") -> str:
    """Make a secret of 256 random bits.

    >>> len(make_proof())
    43
    """
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Give the hash a secret is stored and found by.

    A fast hash is right here: nobody guesses 256 random bits.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
