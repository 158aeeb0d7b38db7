"""Rules of a database: which columns may have them, detected ones, declared ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from kinsynth.columns.storage import as_array
from kinsynth.pipeline.constraints import rules_of
from kinsynth.pipeline.roles import find_roles, reduce_to_chosen
from kinsynth.privacy.protection import Numbered, numbered
from kinsynth.rules.arrange import arrange_rules
from kinsynth.rules.base import Rule
from kinsynth.rules.detect import Proposal, detect_rules, refit
from kinsynth.rules.registry import KINDS
from kinsynth.rules.view import MOST_SEARCHED, READS_KEYS, REFERENCE, View
from kinsynth.schema.database import Database
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.holders import find_holders
from kinsynth.schema.split import split_roots
from kinsynth.schema.table import Schema
from kinsynth.settings.synthesis import Synthesis
from kinsynth.settings.tables import Rule as Declared
from kinsynth.settings.treatment import Column
from kinsynth.system.mapping import let_go

HELD_SHARE = 0.2
HELD_SEED = 0
_TYPES = ("boolean", "categorical", "integer", "numeric", "date", "time", "datetime")
_ALTERING = (
    "treatment",
    "missing",
    "never",
    "rare_minimum",
    "rare_share",
    "rare_replacement",
    "minimum",
    "maximum",
    "outlier_quantile",
    "non_negative",
    "decimals",
    "granularity",
)


@dataclass(frozen=True)
class Unkept:
    """A declared rule that cannot be kept.

    Attributes:
        number: Its place in the document's list.
        declared: The rule.
        why: ``broken`` by the data, or in ``conflict`` with rules before it.
    """

    number: int
    declared: Declared
    why: str


def propose_rules(database: Database, synthesis: Synthesis) -> dict[str, tuple[Proposal, ...]]:
    """Find rules in originals: looked for in four fifths of the root rows, tested on the rest.

    Returns:
        Proposals by synthesised table, whatever the document declares.
    """
    reduced = reduce_to_chosen(database, synthesis)
    structure = find_structure(reduced.schema)
    train, held = split_roots(reduced, structure, share=HELD_SHARE, seed=HELD_SEED)
    views, others = view_tables(train, synthesis), view_tables(held, synthesis)
    return {name: detect_rules(view, others[name]) for name, view in views.items()}


def fit_rules(
    train: Database, held: Database | None, synthesis: Synthesis
) -> dict[str, tuple[tuple[Rule, ...], tuple[Unkept, ...]]]:
    """Make the rules of each synthesised table: the declared ones, else those that are found.

    Args:
        train: The rows the model may see.
        held: Rows held out; None to set some of ``train`` aside for testing what is found.
        synthesis: Declared rules, treatments and value protection.

    Returns:
        By table, the rules in the order of application, and the declared ones that these rows break. Checks
        between two columns that are declared count as declared rules.
    """
    structure = find_structure(train.schema)
    searched = train
    if held is None:
        searched, held = split_roots(train, structure, share=HELD_SHARE, seed=HELD_SEED)
    views, others = (view_tables(part, synthesis) for part in (train, held))
    found = views if searched is train else view_tables(searched, synthesis)
    result: dict[str, tuple[tuple[Rule, ...], tuple[Unkept, ...]]] = {}
    for name, view in views.items():
        said, stated = declared_rules(synthesis, name), rules_of(train.schema.tables[name].checks)
        if said is None:
            proposals = detect_rules(found[name], others[name])
            result[name] = _add_stated(refit((one.rule for one in proposals), view), stated, view)
        else:
            named = {(one.kind, one.columns) for one in said}
            more = tuple(one for one in stated if (one.kind, one.columns) not in named)
            result[name] = settle_declared((*said, *more), view)
    return result


def _add_stated(
    found: tuple[Rule, ...], stated: tuple[Declared, ...], view: View
) -> tuple[tuple[Rule, ...], tuple[Unkept, ...]]:
    """Add to found rules those of declared checks; a found one that is in their way gives way."""
    named = {(rule.kind, rule.columns) for rule in found}
    more = tuple(one for one in stated if (one.kind, one.columns) not in named)
    if not more:
        return found, ()
    fitted, unkept = settle_declared(more, view)
    kept, left = arrange_rules((*fitted, *found))
    places = {id(rule): number for number, rule in enumerate(fitted)}
    lost = [places[id(rule)] for rule in left if id(rule) in places]
    return kept, (*unkept, *(Unkept(n, _declared(fitted[n]), "conflict") for n in lost))


def _declared(rule: Rule) -> Declared:
    return Declared.model_validate({"kind": rule.kind, "columns": rule.columns})


def declared_rules(synthesis: Synthesis, table: str) -> tuple[Declared, ...] | None:
    """Give the rules that the document declares for a table; None for those that are found."""
    return synthesis.tables[table].rules if table in synthesis.tables else None


def settle_declared(said: tuple[Declared, ...], view: View) -> tuple[tuple[Rule, ...], tuple[Unkept, ...]]:
    """Make declared rules from rows; name those that the rows break or that cannot be kept together."""
    unkept: list[Unkept] = []
    places: dict[int, tuple[int, Declared]] = {}
    rules: list[Rule] = []
    for number, one in enumerate(said):
        if not one.enabled:
            continue
        known = set(one.columns) <= set(view.columns) and may_have(one, view)
        rule = KINDS[one.kind].fit(view, one.columns) if known else None
        if rule is not None and view.fixed & {*rule.writes}:
            unkept.append(Unkept(number, one, "conflict"))
        elif rule is None:
            unkept.append(Unkept(number, one, "broken"))
        else:
            rules.append(rule)
            places[id(rule)] = (number, one)
    kept, left = arrange_rules(rules)
    unkept += [Unkept(*places[id(rule)], "conflict") for rule in left]
    return kept, tuple(unkept)


def may_have(declared: Declared, view: View) -> bool:
    """Tell whether the columns have types that a kind of rule is made for."""
    allowed = TYPES_OF_KIND.get(declared.kind)
    count = COLUMNS_OF_KIND[declared.kind]
    kinds = [view.kinds[name] for name in declared.columns]
    fits = allowed is None or all(kind in allowed for kind in kinds)
    if declared.kind in READS_KEYS:
        fits = REFERENCE in kinds[1:] and kinds[0] != REFERENCE
    elif REFERENCE in kinds:
        fits = False
    return fits and count[0] <= len(kinds) <= count[1] and len(set(declared.columns)) == len(kinds)


def count_breaking(declared: Declared, view: View) -> int:
    """Count the rows that break a declared rule in its plainest form; 0 where that cannot be said."""
    count: int = KINDS[declared.kind].count_breaking(view, declared.columns)
    return count


NUMBERS = ("integer", "numeric")
MOMENTS = ("date", "datetime")
TYPES_OF_KIND: Mapping[str, tuple[str, ...]] = {
    "sum": NUMBERS + MOMENTS,
    "product": NUMBERS,
    "line": NUMBERS + MOMENTS,
    "part": (*NUMBERS, *MOMENTS, "time"),
    "combination": ("boolean", "categorical"),
    "order": (*NUMBERS, *MOMENTS, "time"),
}
COLUMNS_OF_KIND: Mapping[str, tuple[int, int]] = {
    "copy": (2, 2),
    "part": (2, 2),
    "sum": (3, 4),
    "product": (3, 3),
    "line": (2, 2),
    "function": (2, 2),
    "missing": (2, 2),
    "combination": (2, 2),
    "order": (2, 2),
    "reference": (2, 4),
    "constant": (2, 2),
}


class PlainColumns(Mapping[str, pa.Array]):
    """Columns as plain arrays, each made anew when it is asked for: memory may not hold all of a large table.

    Args:
        table: The table, which may be a mapped file.
        names: Its columns that are told.
    """

    def __init__(self, table: pa.Table, names: tuple[str, ...]) -> None:
        self._table, self._names = table, names

    def __getitem__(self, name: str) -> pa.Array:
        """Make the array of a column."""
        if name not in self._names:
            raise KeyError(name)
        let_go()
        return as_array(self._table[name])

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a column, without making its array."""
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        """Give the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Count the columns."""
        return len(self._names)


def view_tables(database: Database, synthesis: Synthesis) -> dict[str, View]:
    """Give the rows of each synthesised table as rules look at them."""
    structure = find_structure(database.schema)
    holders = row_holders(database, structure)
    minimum = max(synthesis.protection.rare_minimum, synthesis.protection.extreme_minimum)
    views = {}
    for name in structure.order:
        kinds = {
            column: database.schema.tables[name].column(column).type
            for column in ruled_columns(database.schema, structure, name, synthesis)
        }
        keys = reference_columns(database.schema, structure, name)
        kinds |= dict.fromkeys(keys, REFERENCE)
        columns: Mapping[str, pa.Array] = PlainColumns(database.tables[name], tuple(kinds))
        if database.tables[name].num_rows <= MOST_SEARCHED:
            columns = dict(columns)
        fixed = {find_roles(database.schema, structure, name).sequence, *keys} & {*kinds}
        views[name] = View(columns, kinds, holders[name], minimum, frozenset(str(one) for one in fixed))
    return views


def row_holders(database: Database, structure: Structure) -> dict[str, Numbered]:
    """Number those who hold each row, by every unit of protection, of each synthesised table."""
    found = find_holders(database, structure)
    return {
        name: np.arange(database.tables[name].num_rows) if (units := numbered(found[name])) is None else units
        for name in structure.order
    }


def ruled_columns(schema: Schema, structure: Structure, table: str, synthesis: Synthesis) -> tuple[str, ...]:
    """Name the columns that may take part in rules.

    Keys are made anew. The order of rows is kept elsewhere: rules may read it but not change it. A column
    whose values its treatment changes need not keep in the result what it kept in the source.
    """
    said = synthesis.tables[table].columns if table in synthesis.tables else {}
    roles = find_roles(schema, structure, table)
    modelled = {group[0] for group in roles.modelled if len(group) == 1} | {roles.sequence}
    return tuple(
        column.name
        for column in schema.tables[table].columns
        if column.name in modelled
        and column.type in _TYPES
        and not is_altered(said.get(column.name, Column()))
    )


def reference_columns(schema: Schema, structure: Structure, table: str) -> tuple[str, ...]:
    """Name the columns of a table that name rows of original tables and nothing else: rules may read them."""
    uses = Counter(name for relation in schema.outgoing(table) for name in relation.columns)
    references = structure.reference_relations.get(table, ())
    named = dict.fromkeys(name for relation in references for name in relation.columns)
    return tuple(name for name in named if uses[name] == 1)


def is_altered(said: Column) -> bool:
    """Tell whether a treatment changes the values of a column."""
    plain = Column()
    if said.rare_replacement == "resample":  # what auto does to a column that a rule reads
        said = said.model_copy(update={"rare_replacement": plain.rare_replacement})
    return any(getattr(said, name) != getattr(plain, name) for name in _ALTERING)
