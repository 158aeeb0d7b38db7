"""Wording: numbers and names as a reader of the report sees them."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from itertools import accumulate


def shortened(text: str, length: int) -> str:
    """Cut a name to a length; signs that cannot be printed become spaces, broad ones count twice.

    >>> shortened("a very long name", 9), shortened("short", 9), shortened("東京都庁", 6)
    ('a very l…', 'short', '東京…')
    """
    clean = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text).strip()
    ends = list(accumulate(_width(sign) for sign in clean))
    if not ends or ends[-1] <= length:
        return clean
    return clean[: bisect_right(ends, length - 1)].rstrip() + "…"


def _width(sign: str) -> int:
    """Give the places a sign takes in a line."""
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def breakable(text: str, length: int) -> str:
    r"""Shorten a name and let it break after signs between words, and within long words.

    >>> breakable("birth_date", 20).replace("\u200b", "|")
    'birth_|date'
    """
    pieces = re.split(r"(?<=[_./\-])|(?<=[^\s_./\-]{14})", shortened(text, length))
    return "\u200b".join(piece for piece in pieces if piece)


def percent(share: float | None) -> str:
    """Write a share as a percentage; a dash for none.

    >>> percent(0.98765), percent(1), percent(None)
    ('98.8 %', '100 %', '–')
    """
    if share is None:
        return "–"
    return f"{100 * share:.1f} %".replace("100.0", "100")


def score(value: float | None) -> str:
    """Write a score of 0-10."""
    return "–" if value is None else f"{value:.1f}"


def verdict(value: float | None) -> str:
    """Say in one word what a score of 0-10 means."""
    if value is None:
        return "not measured"
    steps = ((9, "excellent"), (8, "good"), (6, "fair"), (4, "weak"))
    return next((word for limit, word in steps if value >= limit), "poor")


def rows(value: int) -> str:
    """Write a rounded number of rows."""
    return f"≈ {value:,}" if value else "none"
