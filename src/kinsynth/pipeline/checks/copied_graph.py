"""Copied graph of keys: what it means for privacy, and what it cannot be joined with."""

from __future__ import annotations

from collections.abc import Iterator

from kinsynth.errors import Finding
from kinsynth.pipeline.checks.facts import Facts, Step, column_path, list_names, table_path
from kinsynth.schema.key_parts import linked_columns, made_keys
from kinsynth.settings.fields import join_path

_KEYS, _PRIMARY, _SETTINGS = Step("foreign_keys"), Step("primary_keys"), Step("settings")


def find_copied_graph(facts: Facts) -> Iterator[Finding]:
    """Give the findings about a copied graph of keys; none where it is generated."""
    if facts.synthesis.generation.keys == "generated":
        return
    yield _KEYS.warning(
        "foreign_keys.copied",
        "generation.keys",
        "The graph of keys is copied from the training rows: who is connected with whom, and how often, is "
        "real, only the values are synthetic. Value protection does not apply to it: numbers of rows beyond "
        "the fifth largest stay, and a person with an unusual number of rows or unusual connections can be "
        "recognised.",
        "Write generation.keys: generated unless all of this may be known.",
    )
    for table in facts.synthesis.generation.rows:
        yield _SETTINGS.error(
            "settings.rows_copied",
            join_path(("generation", "rows", table)),
            "The graph of keys is copied: there are as many rows as training rows.",
            "Remove the line, or write generation.keys: generated.",
        )
    for name in facts.synthesised:
        yield from _find_drawn(facts, name)


def _find_drawn(facts: Facts, name: str) -> Iterator[Finding]:
    """Find primary keys with drawn values that may repeat: a row would have to be left out."""
    table = facts.schema.tables[name]
    given = {*linked_columns(facts.schema, name), *made_keys(facts.schema, name)}
    drawn = [
        column
        for column in table.primary_key
        if column not in given and table.column(column).type != "categorical"
    ]
    if drawn:
        yield _PRIMARY.error(
            "primary_keys.drawn_value",
            table_path(name, "primary_key"),
            f"The key holds drawn values, {list_names(drawn)}, that may repeat, and no row of the copied "
            "graph of keys can be left out.",
            f"Write {column_path(name, drawn[0], 'type')}: categorical where it has few values, or "
            "generation.keys: generated.",
        )
