"""Ids of objects: a short prefix that tells the kind, and 100 random bits."""

from __future__ import annotations

import re
import secrets
from typing import Literal

Kind = Literal["usr", "ses", "tok", "src", "syn", "des", "sec", "exe", "mod", "dow", "rec", "wrk", "ins"]
_LETTERS = "abcdefghjkmnpqrstvwxyz0123456789"  # no i, l, o, u: read aloud without doubt
_LENGTH = 20
PATTERN = re.compile(r"[a-z]{3}_[a-z0-9]{20}")


def make_id(kind: Kind) -> str:
    """Make a new id.

    >>> bool(PATTERN.fullmatch(make_id("exe")))
    True
    """
    return f"{kind}_" + "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
