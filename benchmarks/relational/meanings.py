"""What each group of figures is, in one line for the results."""

from __future__ import annotations

from relational.facts import BINNED

FAILURES = {
    "repeated primary keys": "rows whose primary key an earlier row has.",
    "missing primary keys": "rows without one.",
    "orphans": "rows whose foreign key names no row.",
    "missing keys": "rows without a foreign key that every training row has.",
    "one-to-one broken": "rows that point where another does, by a key that never does so in the source.",
    "repeated pairs": "rows that repeat a pair of keys which is unique in the source.",
    "rows on circles": "rows that are their own ancestors.",
    "changed original rows": "rows of original tables that are not those of the source.",
}
MEANINGS = {
    "child counts": "How many rows point at a row, by the key to the root's side: total variation.",
    "in-degrees": "How many rows point at a row, by any other key: total variation.",
    "joint degrees": "How many rows of two kinds point at one row: total variation over eighths of each.",
    "degrees across a row": "In-degrees of the two rows that a row points at: total variation over eighths.",
    "fan-out": "Rows below a row of the same table: total variation.",
    "depth": "Steps to the top of a hierarchy: total variation.",
    "constants": "Share of parents whose children hold one value of the column: difference.",
    "trends over keys": "Do columns joined over so many keys go together as in the source? 1 is ideal.",
    "dependence over keys": "The same, column pairs weighted by how much they depend. 1 is ideal.",
    "trends by path": "Trends of each way along the keys.",
    "missing keys, share": "Share of rows whose key names no row: difference from the source.",
    "near copies": "Share of rows that hardly differ from a training row; *real*: of held-out rows.",
    "told apart: rows": "AUC of boosted trees that tell synthetic from held-out rows. 0.5 is ideal.",
    "told apart: with parents": "The same for rows with the columns of the rows they point at.",
    "told apart: with children": "The same for rows with aggregates of the rows that point at them.",
    "sdmetrics": "Scores of the sdmetrics library. 1 is ideal.",
}


def meaning(group: str) -> list[str]:
    """Say what a group of figures is."""
    plain = group.removesuffix(BINNED)
    said = MEANINGS.get(plain, "")
    if plain != group:
        said = f"{said.partition(':')[0]}: over twentieths of the real counts."
    return [said, ""] if said else []
