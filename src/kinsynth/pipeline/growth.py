"""How many rows root tables get: as asked, as found, or grown with the tables that their rows point to."""

from __future__ import annotations

from collections.abc import Mapping

from kinsynth.errors import SettingsError
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.table import Schema


def check_wanted(rows: Mapping[str, int], given: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Refuse numbers of rows that cannot be.

    Args:
        rows: What is asked, by table.
        given: Rows that are given, by table.
        found: Rows of each root table in the source.

    Raises:
        SettingsError: A table is no root table, a number is negative or not that of the rows given.
    """
    for name, number in rows.items():
        where = f"generation.rows.{name}"
        if name not in found:
            raise SettingsError(
                "settings.rows_not_root",
                f"Rows can be given for root tables only; these are {', '.join(found)}.",
                where=where,
                remedy="Name a root table.",
            )
        if number < 0:
            raise SettingsError(
                "settings.invalid",
                f"rows={number}: expected 0 or more.",
                where=where,
                remedy="Give a number of rows.",
            )
        if given.get(name, number) != number:
            raise SettingsError(
                "condition.rows",
                f"rows={number}, but {given[name]:,} rows are given.",
                where=where,
                remedy="Leave the number out: every given row becomes one row.",
            )


def expect_rows(
    found: Mapping[str, int], wanted: Mapping[str, int], schema: Schema, *, copied: bool
) -> dict[str, int]:
    """Give the rows of every root table that a drawing makes.

    Args:
        found: Rows of each root table in the source.
        wanted: Rows of some of them, as ``check_wanted`` allows them.
        schema: The tables.
        copied: Whether the rows are connected as the real ones: none grow then.
    """
    if copied:
        return {**found, **wanted}
    return grow(found, wanted, find_structure(schema))


def grow(found: Mapping[str, int], wanted: Mapping[str, int], structure: Structure) -> dict[str, int]:
    """Give the rows of every root table: as wanted, else as found, else grown as what its rows point to.

    Args:
        found: Rows of each root table in the source.
        wanted: Rows of some of them.
        structure: What their keys are for.
    """
    factors: dict[str, float] = {}

    def factor(name: str) -> float:
        if name not in factors:
            factors[name] = 1.0  # what points back at it on a circle counts as not grown
            above = {structure.root_of(one.references_table) for one in structure.further(name)} - {name}
            if name in wanted:
                factors[name] = wanted[name] / max(found[name], 1)
            elif above:
                factors[name] = sum(map(factor, sorted(above))) / len(above)
        return factors[name]

    return {name: wanted.get(name, round(number * factor(name))) for name, number in found.items()}
