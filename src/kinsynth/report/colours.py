"""Colours: one palette for charts and pages, and what a score looks like."""

from __future__ import annotations

INK, MUTED, LINE = "#0f172a", "#64748b", "#e2e8f0"
ORIGINAL, SYNTHETIC, HOLDOUT = "#c3cddb", "#2457e6", "#f08c1e"
GOOD, FAIR, POOR = "#0b7a5e", "#b7791f", "#c2341d"
ASSOCIATION = ("#f8fafc", "#bcd0fb", "#2457e6", "#10246b")
DIFFERENCE = ("#c2570c", "#f9c08a", "#f8fafc", "#a5bdf9", "#1e3fae")
PALETTE = {
    "ink": INK,
    "muted": MUTED,
    "line": LINE,
    "original": ORIGINAL,
    "synthetic": SYNTHETIC,
    "holdout": HOLDOUT,
    "good": GOOD,
    "fair": FAIR,
    "poor": POOR,
    "association": list(ASSOCIATION),
    "difference": list(DIFFERENCE),
}


def shade(score: float | None) -> str:
    """Give the colour of a score of 0-10."""
    if score is None:
        return MUTED
    return GOOD if score >= 8 else FAIR if score >= 5 else POOR


def similarity_shade(similarity: float) -> str:
    """Give the colour of a similarity of 0-1; a twentieth that differs is still good.

    >>> [similarity_shade(share) == wanted for share, wanted in ((0.95, GOOD), (0.9, FAIR), (0.8, POOR))]
    [True, True, True]
    """
    return shade(round(10 - 40 * (1 - similarity), 6))
