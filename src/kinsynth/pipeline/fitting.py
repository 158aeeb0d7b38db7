"""Fit the codecs of a database to its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from kinsynth.columns.base import Codec
from kinsynth.columns.calendar import counted_rows, spread_bits
from kinsynth.columns.categorical import CategoricalCodec
from kinsynth.columns.count import build_count, build_level
from kinsynth.columns.counter import build_counter
from kinsynth.columns.echo import EchoCodec, build_echo
from kinsynth.columns.fill import Fill, build_fill
from kinsynth.columns.identifier import build_key
from kinsynth.columns.measure import choose_measure
from kinsynth.columns.reference import build_reference
from kinsynth.columns.registry import column_type
from kinsynth.columns.relative import RelativeCodec, build_relative
from kinsynth.columns.scale import DayScale, MomentScale
from kinsynth.columns.sequence import SequenceCodec
from kinsynth.columns.sequence_fit import build_sequence
from kinsynth.columns.storage import as_array
from kinsynth.columns.walk import split_ticks
from kinsynth.errors import SettingsError
from kinsynth.pipeline.across import Across, Near, find_cuts
from kinsynth.pipeline.anchors import MOMENTS, Anchor, Reach, find_anchors, owner_ways, reach_arranged
from kinsynth.pipeline.codecs import DatabaseCodec, Factor, KeyCodec, TableCodec, can_be_missing
from kinsynth.pipeline.echoes import Echo
from kinsynth.pipeline.further_keys import FurtherKeys, level_name
from kinsynth.pipeline.other_rows import protected_counts, referenced_rows, summed_rows
from kinsynth.pipeline.roles import Roles, find_roles
from kinsynth.pipeline.runs import share_of_runs
from kinsynth.pipeline.sketches import FEWEST_TARGETS, Children, choose_sketches, fewest_parents
from kinsynth.pipeline.stays import STAYING, Stays, find_stays
from kinsynth.privacy.protection import Numbered, OwnRoots, Roots, numbered
from kinsynth.rules.arrange import arrange_rules
from kinsynth.rules.base import Rule
from kinsynth.rules.constant import Constant
from kinsynth.rules.missing import Missing
from kinsynth.rules.order import Order
from kinsynth.schema.arrange import arrange
from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure
from kinsynth.schema.table import Schema, Table
from kinsynth.settings.synthesis import Synthesis
from kinsynth.settings.treatment import Column
from kinsynth.system.mapping import let_go

OnShare = Callable[[float, str], None]


def fit_codecs(
    database: Database,
    synthesis: Synthesis,
    *,
    rules: Mapping[str, tuple[Rule, ...]] = {},
    across: Mapping[str, Across] = {},
    echoes: Mapping[str, tuple[Echo, ...]] = {},
    on_share: OnShare = lambda _share, _name: None,
) -> DatabaseCodec:
    """Fit the codecs of every synthesised table, all but those of further keys.

    Args:
        database: The rows the model may see.
        synthesis: Treatments of the columns and value protection.
        rules: What every row of a table keeps, in the order of application.
        across: What its moments have to do with those of other rows.
        echoes: Which columns mostly repeat cells of other rows.
        on_share: Told the share done and the table at work.
    """
    structure = find_structure(database.schema)
    arranged = arrange(database, structure)
    further = FurtherKeys(database, structure, arranged)
    reach, tables, cuts = reach_arranged(further), dict[str, TableCodec](), find_cuts(across)
    for number, name in enumerate(structure.order):
        on_share(number / len(structure.order), name)
        fit = _TableFit(database, synthesis, further, reach, name, cuts=cuts)
        beside = across.get(name, Across()), echoes.get(name, ())
        tables[name] = fit.codec(rules.get(name, ()), *beside, tables)
    return DatabaseCodec(_with_sketches(tables, database, synthesis, further))


def _is_exact(codec: object) -> bool:
    """Tell whether rows of one owner that agree on the codes hold the same value, but where it is said."""
    return isinstance(codec, CategoricalCodec) and not can_be_missing(codec)


def _with_sketches(
    tables: Mapping[str, TableCodec],
    database: Database,
    synthesis: Synthesis,
    further: FurtherKeys,
) -> dict[str, TableCodec]:
    """Let rows tell summaries of the rows under them and of those that point at them, behind what is read."""
    found: dict[str, list[Factor]] = {name: [] for name in tables}
    stays = dict.fromkeys(tables, Stays())
    for owner, about, children in summed_rows(tables, database, further):
        roots = _as_roots(numbered(further.units[owner]), children.parents)
        count_P = np.bincount(children.parent_R, minlength=children.parents).astype(np.int64)
        fewest = fewest_parents(count_P) if about in tables else FEWEST_TARGETS
        chosen = choose_sketches(children, count_P, roots, synthesis.protection, fewest=fewest)
        if about in tables:
            stays[about] = _find_stays(tables[about], children, roots, synthesis)
        said = stays[about].said if about in tables else ()
        found[owner] += [Factor("sketch", (), codec, about) for codec in (*chosen, *said)]
    return {name: _in_order(codec, stays[name], found[name]) for name, codec in tables.items()}


def _find_stays(codec: TableCodec, children: Children, root_P: Roots, synthesis: Synthesis) -> Stays:
    """Find what stays the same over the rows of one owner."""
    groups = {one.columns[0]: one.columns for one in codec.read_factors if _may_stay(one, codec)}
    minimum = synthesis.protection.rare_minimum
    return find_stays(children.table, groups, children.parent_R, root_P, minimum=minimum)


def _may_stay(factor: Factor, codec: TableCodec) -> bool:
    """Tell whether rows that have the same codes of a factor have the same value: not if cells differ."""
    if isinstance(factor.codec, EchoCodec):
        return factor.codec.own and any(one.shared for one in codec.anchors if one.name == factor.anchor)
    return factor.kind in STAYING


def _in_order(codec: TableCodec, stays: Stays, sketches: list[Factor]) -> TableCodec:
    """Put columns that stay the same before other columns, and sketches behind all that is read.

    What a row is told to be is known before what is drawn to go with it. Of the sketches those that say what
    stays come first: drawn given others, such as the rows' deviation, how many say so would vary with these.
    """
    place = {name: number for number, name in enumerate(stays.columns)}

    def rank(factor: Factor) -> int:
        return place.get(factor.columns[0], len(place)) if factor.kind in ("column", "echo") else -1

    read = sorted(codec.read_factors, key=rank)
    factors = (*read, *sorted(sketches, key=lambda one: not one.stays), *codec.factors[len(read) :])
    apart = tuple(tuple(sorted(factors.index(codec.factors[one]) for one in key)) for key in codec.apart)
    return replace(codec, factors=factors, apart=apart, constant=stays.always)


class _TableFit:
    """Everything the codecs of one table are fitted from."""

    def __init__(
        self,
        database: Database,
        synthesis: Synthesis,
        further: FurtherKeys,
        reach: Reach,
        name: str,
        *,
        cuts: Mapping[tuple[str, str], tuple[int, ...]],
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
        self.across, self.reach, self.cuts = Across(), reach, cuts
        self.echoes: Mapping[str, Echo] = {}
        self.holders = numbered(further.units[name])

    def codec(
        self,
        rules: tuple[Rule, ...],
        across: Across,
        echoes: tuple[Echo, ...],
        earlier: Mapping[str, TableCodec],
    ) -> TableCodec:
        """Fit everything; ``earlier`` are the codecs of the tables before."""
        self.across, self.echoes = across, {one.column: one for one in echoes}
        rules = self._with_orders(rules)
        derived = {rule.derives for rule in rules}
        self.bound = _bound_columns(rules, self.shape)
        columns = self._columns([group for group in self.roles.modelled if group[0] not in derived])
        computed = self._columns([group for group in self.roles.modelled if group[0] in derived])
        sequence = self._sequence(rules)
        relative = self._relative(rules, columns, sequence, earlier)
        columns = [self._perhaps_echo(*pair) for pair in zip(columns, relative, strict=True)]
        # References first: what roots draw first has one distribution, and is spread over all of them.
        factors = [*self._references(), *self._counts(), *sequence, *columns]
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
            anchors=self._used_anchors(factors, rules),
            runs=self._runs(columns),
            successions=across.successions,
        )

    def _runs(self, columns: Iterable[Factor]) -> dict[str, float]:
        """Find how often made-up texts stay over neighbouring rows of one owner."""
        found: dict[str, float] = {}
        for factor in columns:
            codec, parent_R = factor.codec, self.rows.parent_R
            inner = codec.inner if isinstance(codec, EchoCodec) and codec.own else codec
            if not isinstance(inner, CategoricalCodec) or inner.invention is None or parent_R is None:
                continue
            values = as_array(self.table[factor.columns[0]])
            codes_RC = inner.encode((values,))
            if isinstance(codec, EchoCodec):
                codes_RC = codec.encode(values, self._cells(factor.anchor))
            minimum = self.synthesis.protection.rare_minimum
            share = share_of_runs(codes_RC, values, parent_R, self._roots(), minimum=minimum)
            found |= {factor.columns[0]: share} if share else {}
        return found

    def _used_anchors(self, factors: Iterable[Factor], rules: Iterable[Rule]) -> tuple[Anchor, ...]:
        used = {factor.anchor for factor in factors} | {name for rule in rules for name in rule.columns}
        return tuple(anchor for anchor in self._candidates() if anchor.name in used)

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
            if fits and all(_is_exact(factors[number].codec) for number in numbers):
                found[numbers] = None
        return tuple(found)

    def _roots(self) -> Roots:
        return _as_roots(self.holders, self.table.num_rows)

    def _relative(
        self,
        rules: tuple[Rule, ...],
        columns: list[Factor],
        sequence: list[Factor],
        earlier: Mapping[str, TableCodec],
    ) -> list[Factor]:
        """Let columns be drawn as a distance where an order says so.

        Not where the anchor may be missing though it is not in the source: the column would be, too.
        """
        safe = {
            factor.columns[0]
            for factor in (*columns, *sequence)
            if self.shape.column(factor.columns[0]).nullable or not can_be_missing(factor.codec)
        }
        if (
            self.rows.parent_R is not None
        ):  # cells of root rows may be given before it is known what they point to
            safe |= {one.name for one in self.across.anchors if _is_always_there(one, self.schema, earlier)}
        anchors = {
            rule.columns[1]: rule
            for rule in reversed(rules)
            if isinstance(rule, Order) and rule.relative and rule.columns[0] in safe
        }
        near = {one.column: one for one in self.across.near if one.anchor in safe}
        return [self._perhaps_relative(factor, anchors, near) for factor in columns]

    def _perhaps_relative(
        self, factor: Factor, anchors: Mapping[str, Order], near: Mapping[str, Near]
    ) -> Factor:
        name = factor.columns[0]
        if name in anchors:
            return self._relative_factor(anchors[name])
        return self._near_factor(near[name]) if name in near else factor

    def _relative_factor(self, rule: Order) -> Factor:
        small, large = rule.columns
        return self._distance(small, large, rule, rule.bounds[1], least=rule.least)

    def _near_factor(self, near: Near) -> Factor:
        return self._distance(near.anchor, near.column, near, near.bounds, least=None)

    def _distance(
        self, anchor: str, name: str, of: Order | Near, bounds: tuple[int, int], *, least: int | None
    ) -> Factor:
        codec = build_relative(
            as_array(self.table[name]),
            self._cells(anchor),
            self.holders,
            self.synthesis.protection,
            measure=of.measure,
            step=of.step,
            least=least,
            low=bounds[0],
            high=bounds[1],
        )
        return Factor("relative", (name,), codec, anchor=anchor)

    def _perhaps_echo(self, plain: Factor, factor: Factor) -> Factor:
        """Let a column repeat the cells it was found to; where a distance tells of them, if all rows do."""
        echo = self.echoes.get(plain.columns[0])
        if echo is None:
            return factor
        assert not isinstance(plain.codec, RelativeCodec | SequenceCodec | EchoCodec), "a column by itself"
        values, there = as_array(self.table[echo.column]), self._cells(echo.anchor.name)
        minimum = self.synthesis.protection.rare_minimum
        codec = build_echo(plain.codec, values, there, self._roots(), minimum=minimum)
        if codec.own and factor is not plain:
            return factor
        return Factor("echo", plain.columns, codec, anchor=echo.anchor.name)

    def _fills(self, rules: tuple[Rule, ...], factors: Mapping[str, Factor]) -> dict[str, Fill | None]:
        """Prepare values for the columns that a rule may have to fill."""
        fills = {}
        for rule in rules:
            if isinstance(rule, Missing) and rule.fills:
                factor = factors[rule.columns[0]]
                values, codec = as_array(self.table[rule.columns[0]]), factor.codec
                if isinstance(codec, RelativeCodec):
                    values = codec.steps(values, self._cells(factor.anchor))
                    codec = codec.distance
                if isinstance(codec, EchoCodec):
                    codec = codec.inner
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

    def _with_orders(self, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        """Add the orders across tables that can be kept beside the rules."""
        orders = self.across.orders
        return arrange_rules((*rules, *orders))[0] if orders else rules

    def _told_by_key(self) -> Order | None:
        """Find the order by which a row that is pointed at tells more of a place than the row before."""
        name, parent_R = self.roles.sequence, self.rows.parent_R
        others = {one.name for one in self.across.anchors if not one.shared}
        orders = [one for one in self.across.orders if one.relative and one.columns[1] == name]
        if name is None or parent_R is None:
            return None
        for one in orders:
            (tick_R, valid_R), (anchor_R, _) = map(one.measure.to_ticks, map(self._cells, one.columns[::-1]))
            opens_R, gap_R = split_ticks(tick_R, valid_R, parent_R)
            later_R, known_R = valid_R & ~opens_R, counted_rows(self.rows.root_R)
            both = (known_R & later_R).any() and (~known_R & later_R).any()
            if one.columns[0] in others and both:
                apart_R = (tick_R - anchor_R)[later_R]
                if spread_bits(apart_R, known_R[later_R]) < spread_bits(gap_R[later_R], known_R[later_R]):
                    return one
        return None

    def _cells(self, name: str) -> pa.Array:
        """Give the values of a column, or of an anchor, in arranged order."""
        for anchor in self._candidates():
            if anchor.name == name:
                return self.reach.values(anchor, np.arange(len(self.rows.row_R)))
        return as_array(self.table[name])

    def _candidates(self) -> tuple[Anchor, ...]:
        moments = (*self.across.anchors, *(one for one in self._starts() if one not in self.across.anchors))
        return (*moments, *(one.anchor for one in self.echoes.values()))

    def _sequence(self, rules: tuple[Rule, ...]) -> list[Factor]:
        name = self.roles.sequence
        if name is None:
            return []
        told = self._told_by_key()
        if told is not None and told in rules:
            return [self._relative_factor(told)]
        codecs = {
            anchor: self._sequence_codec(name, anchor) for anchor in ("", *(a.name for a in self._starts()))
        }
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
            anchor=self._cells(anchor) if anchor else None,
            text=self.shape.column(name).text,
        )

    def _starts(self) -> tuple[Anchor, ...]:
        """Give the moments of owners that a sequence may start from: drawn, and never missing."""
        name = self.roles.sequence
        if name is None or self.shape.column(name).type not in MOMENTS:
            return ()
        measure = choose_measure(as_array(self.table[name]))
        if not isinstance(measure, DayScale | MomentScale):
            return ()
        ways, known = owner_ways(self.structure, self.name), {one.name: one for one in self.across.anchors}
        found = []
        for one in find_anchors(self.schema, self.structure, ways, measure):
            titles = (one.name, f"{one.name} for {name}")
            named = (known.get(title, replace(one, name=title)) for title in titles)
            if not self.schema.tables[one.table].column(one.column).nullable:
                found.append(next(each for each in named if each.measure == measure))
        return tuple(found)

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
        cuts = self.cuts.get((self.name, group[0]))
        try:
            return kind.build(part, treatment, self.synthesis.protection, text=column.text, cuts=cuts)
        except SettingsError as error:
            where = f"tables.{self.name}.columns.{group[0]}.{error.where}".rstrip(".")
            raise SettingsError(error.code, error.message, where=where, remedy=error.remedy) from error


def _is_always_there(anchor: Anchor, schema: Schema, earlier: Mapping[str, TableCodec]) -> bool:
    """Tell whether the moment that an anchor reads is never missing, in the source or in what is drawn."""
    nullable = schema.tables[anchor.table].column(anchor.column).nullable
    codecs = [one.codec for one in earlier[anchor.table].factors if anchor.column in one.columns]
    return not nullable and not any(can_be_missing(codec) for codec in codecs)


def _as_roots(holders: Numbered | None, rows: int) -> Roots:
    return OwnRoots(np.ones(rows, dtype=np.int64)) if holders is None else holders


def _bound_columns(rules: Iterable[Rule], shape: Table) -> set[str]:
    """Name the columns whose values rules or checks know: a text that is made up might break them."""
    read = (
        rule.columns[1:] if isinstance(rule, Missing) and rule.reads_values else rule.columns
        for rule in rules
        if not isinstance(rule, Constant) and (not isinstance(rule, Missing) or rule.reads_values)
    )
    checked = (check.columns for check in shape.checks if check.operator != "null")
    return {name for names in (*read, *checked) for name in names}


def _as_far_as_filled(rule: Rule, fills: Mapping[str, Fill | None]) -> Rule:
    """Let a rule fill only what there are protected values for."""
    if isinstance(rule, Missing) and rule.fills and fills[rule.columns[0]] is None:
        return rule.without_filling()
    return rule
