"""Fit the codecs of a database to its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from kinsynth.columns.base import Codec
from kinsynth.columns.categorical import OTHER, CategoricalCodec
from kinsynth.columns.count import build_count, build_level
from kinsynth.columns.counter import build_counter
from kinsynth.columns.fill import Fill, build_fill
from kinsynth.columns.identifier import build_key
from kinsynth.columns.reference import build_reference
from kinsynth.columns.registry import column_type
from kinsynth.columns.relative import RelativeCodec, build_relative
from kinsynth.columns.sequence import SequenceCodec, build_sequence
from kinsynth.columns.storage import as_array
from kinsynth.errors import SettingsError
from kinsynth.pipeline.codecs import DatabaseCodec, Factor, KeyCodec, TableCodec, can_be_missing
from kinsynth.pipeline.further_keys import FurtherKeys, level_name
from kinsynth.pipeline.other_rows import protected_counts, referenced_rows, summed_rows
from kinsynth.pipeline.roles import Roles, find_roles
from kinsynth.pipeline.sketches import FEWEST_PARENTS, FEWEST_TARGETS, choose_sketches
from kinsynth.privacy.protection import Numbered, OwnRoots, Roots, numbered
from kinsynth.rules.base import Rule
from kinsynth.rules.missing import Missing
from kinsynth.rules.order import Order
from kinsynth.schema.arrange import arrange
from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure
from kinsynth.schema.table import Table
from kinsynth.settings.synthesis import Synthesis
from kinsynth.settings.treatment import Column
from kinsynth.system.mapping import let_go

OnShare = Callable[[float, str], None]


def fit_codecs(
    database: Database,
    synthesis: Synthesis,
    *,
    rules: Mapping[str, tuple[Rule, ...]] = {},
    on_share: OnShare = lambda _share, _name: None,
) -> DatabaseCodec:
    """Fit the codecs of every synthesised table, all but those of further keys.

    Args:
        database: The rows the model may see.
        synthesis: Treatments of the columns and value protection.
        rules: What every row of a table keeps, in the order of application.
        on_share: Told the share done and the table at work.
    """
    structure = find_structure(database.schema)
    arranged = arrange(database, structure)
    further, tables = FurtherKeys(database, structure, arranged), dict[str, TableCodec]()
    for number, name in enumerate(structure.order):
        on_share(number / len(structure.order), name)
        fit = _TableFit(database, synthesis, further, name)
        tables[name] = fit.codec(rules.get(name, ()))
    return DatabaseCodec(_with_sketches(tables, database, synthesis, further))


def _with_sketches(
    tables: Mapping[str, TableCodec],
    database: Database,
    synthesis: Synthesis,
    further: FurtherKeys,
) -> dict[str, TableCodec]:
    """Let rows tell summaries of the rows under them and of those that point at them, behind what is read."""
    found: dict[str, list[Factor]] = {name: [] for name in tables}
    for owner, about, children in summed_rows(tables, database, further):
        roots = _as_roots(numbered(further.units[owner]), children.parents)
        count_P = np.bincount(children.parent_R, minlength=children.parents).astype(np.int64)
        fewest = FEWEST_PARENTS if about in tables else FEWEST_TARGETS
        chosen = choose_sketches(children, count_P, roots, synthesis.protection, fewest=fewest)
        found[owner] += [Factor("sketch", (), sketch, about) for sketch in chosen]
    return {name: _behind_read(codec, found[name]) for name, codec in tables.items()}


def _behind_read(codec: TableCodec, sketches: list[Factor]) -> TableCodec:
    read = codec.read_factors
    return replace(codec, factors=(*read, *sketches, *codec.factors[len(read) :]))


class _TableFit:
    """Everything the codecs of one table are fitted from."""

    def __init__(
        self,
        database: Database,
        synthesis: Synthesis,
        further: FurtherKeys,
        name: str,
    ) -> None:
        self.further = further
        self.database, self.synthesis, self.structure = database, synthesis, further.structure
        self.arranged = further.arranged
        self.schema, self.name, self.rows = database.schema, name, further.arranged[name]
        self.table = self.rows.take(database.tables[name])
        self.shape = database.schema.tables[name]
        self.roles: Roles = find_roles(database.schema, self.structure, name)
        declared = synthesis.tables.get(name)
        self.treatments: Mapping[str, Column] = declared.columns if declared else {}
        self.bound: set[str] = set()
        self.holders = numbered(further.units[name])

    def codec(self, rules: tuple[Rule, ...]) -> TableCodec:
        derived = {rule.derives for rule in rules}
        self.bound = _bound_columns(rules, self.shape)
        columns = self._columns([group for group in self.roles.modelled if group[0] not in derived])
        computed = self._columns([group for group in self.roles.modelled if group[0] in derived])
        sequence = self._sequence()
        columns = self._relative(rules, columns, sequence)
        factors = [*self._counts(), *self._references(), *sequence, *columns]
        fills = self._fills(rules, {factor.columns[0]: factor for factor in columns})
        parent = self.roles.parent
        return TableCodec(
            name=self.name,
            parent=parent.references_table if parent else None,
            ordered=parent is not None and self.shape.order_by is not None,
            factors=(*factors, *computed),
            keys={column: self._key(column) for column in self.roles.keys},
            rules=tuple(_as_far_as_filled(rule, fills) for rule in rules),
            fills={column: fill for column, fill in fills.items() if fill is not None},
            apart=self._apart((*factors, *computed)),
        )

    def _apart(self, factors: tuple[Factor, ...]) -> tuple[tuple[int, ...], ...]:
        """Find the unique keys that are an owner and categories, such as a film and one of its genres.

        The codes of other values are ranges: rows that agree on them need not hold the same value. Nor do
        rows with a missing value agree on a key.
        """
        owner = set() if self.roles.parent is None else {*self.roles.parent.columns}
        found: dict[tuple[int, ...], None] = {}
        for key in (self.shape.primary_key, *self.shape.unique_keys):
            rest = {*key} - owner
            numbers = tuple(number for number, one in enumerate(factors) if rest & {*one.columns})
            named = {column for number in numbers for column in factors[number].columns}
            fits = owner and owner <= {*key} and rest and rest <= named <= {*key}
            if fits and all(self._is_exact(factors[number]) for number in numbers):
                found[numbers] = None
        return tuple(found)

    def _is_exact(self, factor: Factor) -> bool:
        """Tell whether rows of one owner hold the same value where, and only where, they agree on the codes.

        Pooled references share a code: then no owner may have two.
        """
        codec = factor.codec
        if not isinstance(codec, CategoricalCodec) or can_be_missing(codec):
            return False
        if not codec.pool:
            return True
        relation = next(one for one in self.roles.references if one.columns == factor.columns)
        code_R = codec.encode((referenced_rows(self.table, relation, self.database),))[:, 0]
        assert self.rows.parent_R is not None, "rows of an owner"
        pooled_R = self.rows.parent_R[code_R == OTHER]
        return len(np.unique(pooled_R)) == len(pooled_R)

    def _roots(self) -> Roots:
        return _as_roots(self.holders, self.table.num_rows)

    def _relative(
        self, rules: tuple[Rule, ...], columns: list[Factor], sequence: list[Factor]
    ) -> list[Factor]:
        """Let columns be drawn as a distance where an order says so.

        Not where the anchor may be missing though it is not in the source: the column would be, too.
        """
        safe = {
            factor.columns[0]
            for factor in (*columns, *sequence)
            if self.shape.column(factor.columns[0]).nullable or not can_be_missing(factor.codec)
        }
        anchors = {
            rule.columns[1]: rule
            for rule in reversed(rules)
            if isinstance(rule, Order) and rule.relative and rule.columns[0] in safe
        }
        return [
            self._relative_factor(anchors[factor.columns[0]]) if factor.columns[0] in anchors else factor
            for factor in columns
        ]

    def _relative_factor(self, rule: Order) -> Factor:
        anchor, name = rule.columns
        codec = build_relative(
            as_array(self.table[name]),
            as_array(self.table[anchor]),
            self.holders,
            self.synthesis.protection,
            measure=rule.measure,
            step=rule.step,
            least=rule.least,
            low=rule.bounds[1][0],
            high=rule.bounds[1][1],
        )
        return Factor("relative", (name,), codec, anchor=anchor)

    def _fills(self, rules: tuple[Rule, ...], factors: Mapping[str, Factor]) -> dict[str, Fill | None]:
        """Prepare values for the columns that a rule may have to fill."""
        fills = {}
        for rule in rules:
            if isinstance(rule, Missing) and rule.fills:
                factor = factors[rule.columns[0]]
                values, codec = as_array(self.table[rule.columns[0]]), factor.codec
                if isinstance(codec, RelativeCodec):
                    values = codec.steps(values, as_array(self.table[factor.anchor]))
                    codec = codec.distance
                assert not isinstance(codec, SequenceCodec), "no rule changes the order of rows"
                fills[rule.columns[0]] = build_fill(
                    codec, values, self._roots(), minimum=self.synthesis.protection.rare_minimum
                )
        return fills

    def _key(self, column: str) -> KeyCodec:
        if self.shape.column(column).numbered:
            return build_counter(self.table[column])
        part = column_type("identifier").fit((self.table[column],), self.holders)
        return build_key(part, self.synthesis.protection)

    def _counts(self) -> list[Factor]:
        """Make what the rows say of others: how many hang under them or point at them, and their level."""
        protection, roots = self.synthesis.protection, self._roots()
        minimum = max(protection.rare_minimum, protection.extreme_minimum)
        level_names = {level_name(one) for one in self.further.late_to_itself(self.name)}
        return [
            Factor(
                "count",
                (),
                (build_level if name in level_names else build_count)(count_R, roots, protection),
                name,
            )
            for name, count_R in protected_counts(self.further, self.name, minimum=minimum).items()
        ]

    def _references(self) -> list[Factor]:
        factors = []
        for relation in self.roles.references:
            values = referenced_rows(self.table, relation, self.database)
            part = column_type("categorical").fit((values,), self.holders)
            lookup = self.database.tables[relation.references_table]
            codec = build_reference(part, Column(), self.synthesis.protection, lookup_rows=lookup.num_rows)
            factors.append(Factor("reference", relation.columns, codec))
        return factors

    def _sequence(self) -> list[Factor]:
        name = self.roles.sequence
        if name is None:
            return []
        codecs = {anchor: self._sequence_codec(name, anchor) for anchor in ("", *self._anchors(name))}
        anchor = next((anchor for anchor, codec in codecs.items() if codec.relative), "")
        return [Factor("sequence", (name,), codecs[anchor], anchor=anchor)]

    def _sequence_codec(self, name: str, anchor: str) -> SequenceCodec:
        assert self.rows.parent_R is not None, "a sequence has a parent"
        assert self.holders is not None, "rows under a parent are not their own"
        return build_sequence(
            as_array(self.table[name]),
            self.rows.parent_R,
            self.holders,
            self.treatments.get(name, Column()),
            self.synthesis.protection,
            anchor=self._parent_values(anchor) if anchor else None,
            text=self.shape.column(name).text,
        )

    def _anchors(self, name: str) -> list[str]:
        """Name the parent's modelled moments, when the order is a moment itself."""
        assert self.roles.parent is not None, "a sequence has a parent"
        if self.shape.column(name).type not in ("date", "datetime"):
            return []
        parent = self.roles.parent.references_table
        roles = find_roles(self.schema, self.structure, parent)
        drawn = {roles.sequence, *(column for group in roles.modelled for column in group)}
        return [
            column.name
            for column in self.schema.tables[parent].columns
            if column.type in ("date", "datetime") and column.name in drawn and not column.nullable
        ]

    def _parent_values(self, column: str) -> pa.Array:
        assert self.roles.parent is not None, "an anchor stands in the parent"
        parent = self.roles.parent.references_table
        values = self.arranged[parent].take(self.database.tables[parent])[column]
        return as_array(values).take(pa.array(self.rows.parent_R))

    def _columns(self, groups: list[tuple[str, ...]]) -> list[Factor]:
        factors = []
        for group in groups:
            factors.append(Factor("column", group, self._column_codec(group)))
            let_go()
        return factors

    def _column_codec(self, group: tuple[str, ...]) -> Codec:
        column = self.shape.column(group[0])
        kind = column_type(column.type)
        part = kind.fit(tuple(self.table[name] for name in group), self.holders)
        treatment = self.treatments.get(group[0], Column())
        if treatment.rare_replacement == "auto" and group[0] in self.bound:
            treatment = treatment.model_copy(update={"rare_replacement": "resample"})
        try:
            return kind.build(part, treatment, self.synthesis.protection, text=column.text)
        except SettingsError as error:
            where = f"tables.{self.name}.columns.{group[0]}.{error.where}".rstrip(".")
            raise SettingsError(error.code, error.message, where=where, remedy=error.remedy) from error


def _as_roots(holders: Numbered | None, rows: int) -> Roots:
    return OwnRoots(np.ones(rows, dtype=np.int64)) if holders is None else holders


def _bound_columns(rules: Iterable[Rule], shape: Table) -> set[str]:
    """Name the columns whose values rules or checks know: a text that is made up might break them."""
    read = (
        rule.columns[1:] if isinstance(rule, Missing) and rule.reads_values else rule.columns
        for rule in rules
        if not isinstance(rule, Missing) or rule.reads_values
    )
    checked = (check.columns for check in shape.checks if check.operator != "null")
    return {name for names in (*read, *checked) for name in names}


def _as_far_as_filled(rule: Rule, fills: Mapping[str, Fill | None]) -> Rule:
    """Let a rule fill only what there are protected values for."""
    if isinstance(rule, Missing) and rule.fills and fills[rule.columns[0]] is None:
        return rule.without_filling()
    return rule
