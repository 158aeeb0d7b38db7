"""Orders across tables: a moment never before, or never after, one of a row that is hung under or pointed to.

They are found as orders within a table are: in all training rows, by more than chance, and in all held-out
rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.base import count_part
from kinsynth.columns.calendar import counted_rows, moment_bits, spread_bits
from kinsynth.columns.fill import Fill, build_fill
from kinsynth.columns.numeric import OrderedCodec, build_number
from kinsynth.columns.relative import count_steps
from kinsynth.columns.scale import DAY_US, DayScale, MomentScale
from kinsynth.pipeline.anchors import Anchor, Beside, Keys, Reach, find_anchors, find_ways, moments_of
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.rules import HELD_SEED, HELD_SHARE, PlainColumns, row_holders, ruled_columns
from kinsynth.pipeline.successions import Succession
from kinsynth.rules.arrange import arrange_rules
from kinsynth.rules.base import Rule
from kinsynth.rules.detect import refit, settle
from kinsynth.rules.evidence import is_real
from kinsynth.rules.order import FEWEST_VALUES, Order, inside_steps
from kinsynth.rules.view import View
from kinsynth.schema.database import Database
from kinsynth.schema.facts import KeyFacts
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.split import split_roots
from kinsynth.schema.table import Relation
from kinsynth.settings.privacy import Protection
from kinsynth.settings.synthesis import Synthesis
from kinsynth.settings.treatment import Column
from kinsynth.system.mapping import let_go

LEAST_SAVED = (
    0.5  # bits: the order of moments is an end in itself, a mere distance must be much the shorter code
)


@dataclass(frozen=True)
class Near:
    """A moment that is better told by its distance from one of another row, before or after it.

    Attributes:
        anchor: Name of the moment of the other row.
        column: Name of the column.
        measure: Exact measure of both.
        step: Step of the column's values, ticks.
        bounds: Smallest and largest value of the column that enough roots reach, ticks.
    """

    anchor: str
    column: str
    measure: DayScale | MomentScale
    step: int
    bounds: tuple[int, int]


@dataclass(frozen=True)
class Across:
    """What the moments of one table have to do with those of other rows.

    Attributes:
        anchors: Moments of other rows that stand beside the table's own columns.
        orders: Orders of an anchor and a column of the table, those first whose distance saves most bits;
            ``relative`` where it saves any.
        near: For columns without such an order the other row's moment that saves most bits, where one saves
            enough.
        successions: Orders between the rows of the table and those of the same table that they point to.
    """

    anchors: tuple[Anchor, ...] = ()
    orders: tuple[Order, ...] = ()
    near: tuple[Near, ...] = ()
    successions: tuple[Succession, ...] = ()


def find_across(
    train: Database,
    held: Database | None,
    synthesis: Synthesis,
    facts: Mapping[Relation, KeyFacts],
    rules: Mapping[str, tuple[Rule, ...]] = {},
) -> dict[str, Across]:
    """Find the orders across tables of every synthesised table.

    Args:
        train: The rows the model may see.
        held: Rows held out; None to set some of ``train`` aside for testing what is found.
        synthesis: Treatments and value protection.
        facts: What always holds of each further key.
        rules: What every row of a table keeps.
    """
    structure = find_structure(train.schema)
    searched = train
    if held is None:
        searched, held = split_roots(train, structure, share=HELD_SHARE, seed=HELD_SEED)
    inside = stay_inside(structure, facts)
    whole, other = (_Part(part, structure, synthesis) for part in (train, held))
    parts = (whole, whole if searched is train else _Part(searched, structure, synthesis), other)
    found: dict[str, Across] = {}
    for name in structure.order:
        pairs = tuple(_find_pairs(whole, name, tuple(find_ways(structure, name, inside))))
        views = [part.view(name, [anchor for anchor, _ in pairs]) for part in parts]
        orders = _find_orders([(anchor.name, one) for anchor, one in pairs], views[0], views[1], views[2])
        capped = [(one, anchor.name) for anchor, one in pairs if _is_on_steps(anchor, whole, name)]
        orders = (*orders, *_find_orders(capped, views[0], views[1], views[2]))
        anchors = tuple(dict.fromkeys(anchor for anchor, _ in pairs))
        orders = tuple(_that_can_be_kept(orders, anchors, rules.get(name, ()), _Kept(rules, found)))
        told = {one.columns[1] for one in orders if one.relative}
        near = tuple(_find_near([pair for pair in pairs if pair[1] not in told], views[0].searched))
        after = () if synthesis.generation.keys == "copied" else _find_successions(name, parts, facts)
        found[name] = Across(anchors, orders, near, after)
        let_go()
    return found


def find_cuts(across: Mapping[str, Across]) -> dict[tuple[str, str], tuple[int, ...]]:
    """Give the moments that those of other rows are bounded by or told by, by table and column.

    Returns:
        For each the last days, since 1970, that rows beyond which nothing can hang must be told apart from:
        no row hangs under an owner that is later than the last of all rows.
    """
    cuts: dict[tuple[str, str], set[int]] = {}
    for one in across.values():
        known = {anchor.name: (anchor.table, anchor.column) for anchor in one.anchors}
        for near in one.near:
            cuts.setdefault(known[near.anchor], set())
        for order in one.orders:
            name = order.columns[1 if order.capped else 0]
            cuts.setdefault(known[name], set()).add(outermost_day(order) - int(order.capped))
    return {place: tuple(sorted(days)) for place, days in cuts.items()}


def outermost_day(order: Order) -> int:
    """Give the last day, since 1970, of what is never before another row's moment, or the first one.

    It is one that enough roots reach.
    """
    tick = order.bounds[0][0] if order.capped else order.bounds[1][1]
    moment = order.measure.to_values(np.array([tick]), np.array([True]))
    return int(DayScale("date32[day]").to_ticks(moment)[0][0])


def stay_inside(structure: Structure, facts: Mapping[Relation, KeyFacts]) -> frozenset[Relation]:
    """Give the further keys that never lead to a row under another root, drawn ones included."""
    owners = {*structure.parent_relation.values()}
    return frozenset(
        relation
        for relation, fact in facts.items()
        if any({*mine, *theirs} <= owners for mine, theirs in fact.scopes)
    )


def describe_across(codec: DatabaseCodec) -> Iterator[str]:
    """Say which moments keep an order with those of other rows, and which are drawn as a distance."""
    for name, table in codec.tables.items():
        known = {anchor.name for anchor in table.anchors}
        for factor in table.factors:
            if factor.anchor in known and factor.kind != "echo":
                yield f"{name}: {factor.columns[0]} is drawn as the time since {factor.anchor}"
        for rule in table.rules:
            if isinstance(rule, Order) and rule.columns[0] in known:
                yield f"{name}: {rule.columns[1]} is never before {rule.columns[0]}"
            if isinstance(rule, Order) and rule.columns[1] in known:
                yield f"{name}: {rule.columns[0]} is never after {rule.columns[1]}"
        for one in table.successions:
            side = "after" if one.order.capped else "before"
            yield f"{name}: {one.column} is never {side} {one.anchor.name}"


def _find_pairs(part: _Part, table: str, ways: Sequence[Keys]) -> Iterator[tuple[Anchor, str]]:
    """Give the moments of other rows that those of a table may be compared with."""
    own, taken = part.view(table, ()), dict[str, Anchor]()
    schema, structure = part.database.schema, part.structure
    for name in own.columns:
        measure = own.measure(name)
        if not isinstance(measure, DayScale | MomentScale) or len(own.code(name)[1]) < FEWEST_VALUES:
            continue
        for anchor in find_anchors(schema, structure, ways, measure, own.lattice(name)):
            if taken.setdefault(anchor.name, anchor) == anchor:
                yield anchor, name
            else:
                yield replace(anchor, name=f"{anchor.name} for {name}"), name


def _find_successions(
    table: str, parts: tuple[_Part, _Part, _Part], facts: Mapping[Relation, KeyFacts]
) -> tuple[Succession, ...]:
    """Find for each key of a table to itself a moment that is never before, or never after, the other's."""
    found: tuple[Succession, ...] = ()
    for relation in parts[0].structure.late[table]:
        if relation.references_table == table and _may_be_exchanged(relation, facts):
            several = _find_succession(table, relation, parts, facts[relation], found)
            found = (*found, *islice(several, 1))
    return found


def _find_succession(
    table: str,
    relation: Relation,
    parts: tuple[_Part, _Part, _Part],
    facts: KeyFacts,
    others: Sequence[Succession],
) -> Iterator[Succession]:
    """Give the successions of one key, that of the moment that saves most bits first."""
    whole = parts[0]
    pairs = [
        (replace(anchor, step=1, first=0), name)  # given cells of one column may stand beside its steps
        for anchor, name in _find_pairs(whole, table, [(relation,)])
        if anchor.column == name and not whole.database.schema.tables[table].column(name).nullable
    ]
    views = [part.view(table, [anchor for anchor, _ in pairs]) for part in parts]
    names = [(anchor.name, name) for anchor, name in pairs]
    orders = _find_orders([*names, *(pair[::-1] for pair in names)], views[0], views[1], views[2])
    known = {anchor.name: anchor for anchor, _ in pairs}
    for order in orders:
        anchor = known[order.columns[1 if order.capped else 0]]
        gaps = _learn_gaps(order, anchor, views[0], whole.synthesis.protection)
        if gaps is None:
            continue
        same = _same(facts)
        if () not in same:
            yield Succession(str(relation), anchor, order, *gaps, _by_name(same))
        elif leader := _find_leader(facts, anchor, order, others):
            yield Succession(str(relation), anchor, order, *gaps, _by_name(same[:-1]), leader)


def _find_leader(facts: KeyFacts, anchor: Anchor, order: Order, others: Sequence[Succession]) -> str:
    """Name the key, led by none, that often names the same row, if its order is as strict by one moment."""
    assert facts.agreement is not None, "what is in common is the row itself, often"
    leads = (
        one.key
        for one in others
        if [one.key] == [*map(str, facts.agreement[0])]
        and not one.leader
        and (one.column, one.order.capped) == (anchor.column, order.capped)
        and one.order.strict >= order.strict
    )
    return next(leads, "")


def _may_be_exchanged(relation: Relation, facts: Mapping[Relation, KeyFacts]) -> bool:
    """Tell whether rows may exchange what they point to, having the same in common with it, or lose it."""
    mine = facts[relation]
    read = {
        step
        for key, one in facts.items()
        if key != relation
        for path in (*(path for pair in one.scopes for path in pair), *one.apart, one.avoid)
        for step in path
    }
    fixed = mine.apart or mine.avoid or mine.itself or any(theirs == () for _, theirs in mine.scopes)
    return mine.nullable and not fixed and relation not in read


def _same(facts: KeyFacts) -> list[tuple[Relation, ...]]:
    """Give the ways from the row pointed at to what it has, or often has, in common with its row."""
    often = [] if facts.agreement is None else [facts.agreement]
    return [theirs for _, theirs in (*facts.scopes, *often)]


def _by_name(ways: Sequence[tuple[Relation, ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(map(str, way)) for way in ways)


def _learn_gaps(
    order: Order, anchor: Anchor, view: View, protection: Protection
) -> tuple[OrderedCodec, Fill] | None:
    """Learn how far apart rows stand; None where too few persons share that."""
    moments, others = view.columns[anchor.column], view.columns[anchor.name]
    steps = pc.abs(count_steps(moments, others, order.measure, order.step))
    codec = build_number(count_part((steps,), view.root_R), Column(), protection)
    fill = build_fill(codec, steps, view.root_R, minimum=protection.rare_minimum)
    return None if fill is None else (codec, fill)


def _is_on_steps(anchor: Anchor, part: _Part, table: str) -> bool:
    """Tell whether rounding up changes no cell that an anchor reads: rounding down does not either."""
    exact = replace(anchor, step=1, first=0)
    return anchor.step == 1 or part.values(table, exact).equals(part.values(table, anchor))


def _that_can_be_kept(
    orders: Sequence[Order],
    anchors: Sequence[Anchor],
    rules: Sequence[Rule],
    kept: _Kept,
) -> Iterator[Order]:
    """Leave out what other rules are in the way of, and upper bounds that drawn lower ones might contradict.

    A column may have both where all of them stand in order in the rows they come from, and where no other
    column of its own row is tied to it. Then it may be equal to either: there may be nothing between.
    """
    by_name = {anchor.name: anchor for anchor in anchors}
    own = [one.columns for one in rules if isinstance(one, Order)]
    arranged = arrange_rules((*rules, *orders))[0]
    orders = [one for one in orders if one in arranged]
    for one in orders:
        column = one.columns[0] if one.capped else one.columns[1]
        tied = _tied_to(column, own)
        floors = [by_name[each.columns[0]] for each in orders if each.fixed and each.columns[1] in tied]
        caps = [by_name[each.columns[1]] for each in orders if each.capped and each.columns[0] in tied]
        if not floors or not caps:
            yield one
        elif tied == {column} and all(kept.in_order(*pair) for pair in product(floors, caps)):
            yield one.weaker or one
        elif not one.capped:
            yield one


def _tied_to(column: str, pairs: Sequence[tuple[str, ...]]) -> set[str]:
    """Name the columns that orders tie to one, itself included."""
    found = {column}
    while more := {name for pair in pairs if found & {*pair} for name in pair} - found:
        found |= more
    return found


@dataclass(frozen=True)
class _Kept:
    """The orders that are kept in the rows of tables: within a table, and those found with other rows."""

    rules: Mapping[str, tuple[Rule, ...]]
    across: Mapping[str, Across]

    def in_order(self, floor: Anchor, cap: Anchor) -> bool:
        """Tell whether one anchor is never above another one, wherever a row has both."""
        nearer = min(floor, cap, key=lambda one: len(one.path))
        steps = len(nearer.path)
        if floor.path[:steps] != cap.path[:steps]:
            return False
        names = [self._name(one, steps, nearer.table) for one in (floor, cap)]
        return (names[0], names[1]) in self._orders(nearer.table)

    def _name(self, anchor: Anchor, steps: int, table: str) -> str:
        """Give the name under which a row on the way knows what an anchor reads; empty for none."""
        rest = anchor.path[steps:]
        if not rest:
            return anchor.column
        known = self.across[table].anchors
        same = (
            one for one in known if (one.path, one.table, one.column) == (rest, anchor.table, anchor.column)
        )
        return next((one.name for one in same), "")

    def _orders(self, table: str) -> set[tuple[str, ...]]:
        own = (one for one in self.rules.get(table, ()) if isinstance(one, Order))
        return {one.columns for one in (*own, *self.across[table].orders)}


def _find_orders(
    pairs: Sequence[tuple[str, str]], view: View, searched: View, held: View
) -> tuple[Order, ...]:
    found, few = [], searched.searched
    for pair in pairs:
        distinct = min(len(few.code(name)[1]) for name in pair)
        if distinct < FEWEST_VALUES or not Order.holds_quickly(few, *pair):
            continue
        rule = settle(Order.fit(few, pair), held)
        if rule is not None and is_real(rule.chance(few), len(pairs)):
            found.append(rule)
    kept = [one for one in refit(found, view) if isinstance(one, Order)]
    kept = [one for one in kept if not one.broken(held.columns).any()]
    bits = [_bits_saved(one.columns[0], one.columns[1], view) for one in kept]
    order = sorted(range(len(kept)), key=lambda number: -bits[number])
    return tuple(_settled(kept[number], saves=bits[number] > 0) for number in order)


def _settled(rule: Order, *, saves: bool) -> Order:
    """Let the distance be drawn where it is the shorter code; tell no bound of the other rows' moments."""
    own = rule.bounds[0] if rule.capped else rule.bounds[1]
    return replace(rule, relative=rule.relative and saves, bounds=(own, own))


def _find_near(pairs: Sequence[tuple[Anchor, str]], view: View) -> Iterator[Near]:
    for name in dict.fromkeys(name for _, name in pairs):
        saved = {}
        for anchor in (anchor for anchor, other in pairs if other == name):
            lost_R = view.missing(anchor.name) & ~view.missing(name)
            if not lost_R.any() and (bits := _bits_saved(anchor.name, name, view)) >= LEAST_SAVED:
                saved[anchor] = bits
        bounds = view.bounds(name)
        if saved and bounds is not None:
            best = max(saved, key=lambda anchor: saved[anchor])
            assert best.measure is not None, "a moment"
            inner = inside_steps(bounds, (best.step, best.first))
            yield Near(best.name, name, best.measure, best.step, inner)


def _bits_saved(anchor: str, name: str, view: View) -> float:
    """Give how much shorter the code of the distance is than that of the moment, on roots not counted."""
    (small_R, known_R), (large_R, valid_R) = view.ticks(anchor), view.ticks(name)
    both_R = known_R & valid_R
    counted_R = counted_rows(view.root_R)[both_R]
    if counted_R.all() or not counted_R.any():
        return 0.0
    per_day = DAY_US if isinstance(view.measure(name), MomentScale) else 1
    plain = moment_bits(large_R[both_R], counted_R, per_day)
    return plain - spread_bits((large_R - small_R)[both_R], counted_R)


class _Part:
    """One part of a database, in the source's order of rows."""

    def __init__(self, database: Database, structure: Structure, synthesis: Synthesis) -> None:
        self.database, self.structure, self.synthesis = database, structure, synthesis
        self.roots = row_holders(database, structure)
        self._reach = Reach.of(database.schema, database.tables)

    def _numbers(self, table: str) -> NDArray[np.int64]:
        return np.arange(self.database.tables[table].num_rows)

    def values(self, table: str, anchor: Anchor) -> pa.Array:
        """Give an anchor's values for the rows of a table."""
        return self._reach.values(anchor, self._numbers(table))

    def view(self, table: str, anchors: Sequence[Anchor]) -> View:
        """Give the moments of a table that may have orders, anchors beside them."""
        schema = self.database.schema
        allowed = ruled_columns(schema, self.structure, table, self.synthesis)
        own = tuple(name for name in moments_of(schema, self.structure, table) if name in allowed)
        kinds = {name: schema.tables[table].column(name).type for name in own}
        kinds |= {
            anchor.name: "date" if isinstance(anchor.measure, DayScale) else "datetime" for anchor in anchors
        }
        columns = PlainColumns(self.database.tables[table], own)
        protection = self.synthesis.protection
        return View(
            Beside(columns, anchors, self._reach, self._numbers(table)),
            kinds,
            self.roots[table],
            max(protection.rare_minimum, protection.extreme_minimum),
            frozenset(anchor.name for anchor in anchors),
        )
