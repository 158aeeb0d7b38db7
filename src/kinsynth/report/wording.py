"""Wording: numbers and names as a reader of the report sees them."""

from __future__ import annotations

import re
import unicodedata

GOOD, FAIR, POOR, UNKNOWN, INK = "#0b7a5e", "#b7791f", "#c2341d", "#64748b", "#0f172a"


def shortened(text: str, length: int) -> str:
    """Cut a name to a length; signs that cannot be printed become spaces.

    >>> len(shortened("a very long name", 9)), len(shortened("short", 9))
    (9, 5)
    """
    clean = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text).strip()
    return clean if len(clean) <= length else clean[: length - 1].rstrip() + "…"


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


def shade(value: float | None) -> str:
    """Give the colour of a score of 0-10."""
    if value is None:
        return UNKNOWN
    return GOOD if value >= 8 else FAIR if value >= 5 else POOR


def rows(value: int) -> str:
    """Write a rounded number of rows."""
    return f"≈ {value:,}" if value else "none"
