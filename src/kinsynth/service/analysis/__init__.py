"""Analysis: what a sealed version of a source holds, and whether a document fits it."""
