"""Analysis: what a sealed version of a source holds, and whether a document fits it."""

LISTING = "listing.json"  # beside the tables that were read: how, and what was left aside
