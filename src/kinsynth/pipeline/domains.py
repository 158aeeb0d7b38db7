"""Domains of a result: within what range, on which steps, in which categories the columns of a model stay.

What a codec gives alone is stated by ``columns.domain``. Columns that an order ties together pass values to
each other, so they share their steps, and their bounds give way to each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kinsynth.columns.domain import Domain, Range, is_measured, range_of_ticks, state_domains
from kinsynth.columns.relative import RelativeCodec
from kinsynth.pipeline.anchors import Anchor
from kinsynth.pipeline.codecs import DatabaseCodec, TableCodec
from kinsynth.pipeline.conditions import Conditions
from kinsynth.rules.formula import Formula
from kinsynth.rules.order import Order, sort_columns

Domains = dict[str, tuple[Domain, ...]]


def certain_domains(codec: DatabaseCodec, conditions: Conditions) -> dict[str, Domains]:
    """Give what every cell of a drawing keeps to, by table and column.

    Not named are keys and links, columns with made-up texts, columns that are computed or repeat cells of
    other rows, which lie where their sources put them, and columns that are given or have values kept out,
    with those that an order ties to them.
    """
    result: dict[str, Domains] = {}
    for name, table in codec.tables.items():
        given = {*conditions.given[name].column_names} if name in conditions.given else set[str]()
        loose = given | {*conditions.fixed.get(name, ())} | {*conditions.never.get(name, ())}
        result[name] = _table_domains(table, loose, result)
    return result


def _table_domains(table: TableCodec, loose: set[str], others: Mapping[str, Domains]) -> Domains:
    loose = loose | table.computed
    loose |= {name for rule in table.rules if isinstance(rule, Formula) for name in rule.writes}
    loose |= {factor.columns[0] for factor in table.factors if factor.kind == "echo"}
    found: Domains = {}
    for anchor in (one for one in table.anchors if one.measure is not None):
        found[anchor.name] = tuple(_range_of(anchor, others[anchor.table].get(anchor.column, ())))
    for factor in table.read_factors:
        if factor.kind in ("column", "sequence"):
            found |= dict(zip(factor.columns, state_domains(factor.codec), strict=False))
        if (
            isinstance(factor.codec, RelativeCodec)
            and factor.codec.least is None
            and factor.codec.low < factor.codec.high
        ):
            low, high = factor.codec.low, factor.codec.high
            found[factor.columns[0]] = (
                range_of_ticks(factor.codec.measure, low, high, factor.codec.step, low),
            )
    orders = [rule for rule in table.rules if isinstance(rule, Order)]
    for tied in _tie([rule.columns for rule in orders]):
        names = {name for rule in tied for name in orders[rule].columns}
        rules = [orders[rule] for rule in tied]
        ranges = None if names & loose else order_ranges(rules, found)
        found = {name: kept for name, kept in found.items() if name not in names}
        found |= {name: (kept,) for name, kept in (ranges or {}).items()}
    beside = {anchor.name for anchor in table.anchors}
    return {name: kept for name, kept in found.items() if kept and name not in loose | beside}


def _range_of(anchor: Anchor, domains: Sequence[Domain]) -> Iterator[Range]:
    """Give where an anchor lies, rounded up to its steps, in its ticks; nothing where that is not known."""
    for one in domains[:1]:
        if not isinstance(one, Range) or anchor.measure is None:
            continue
        ticks = one.within(anchor.measure)
        if ticks is not None:
            low, high = (end + (anchor.first - end) % anchor.step for end in (ticks.low, ticks.high))
            yield replace(ticks, low=low, high=high, step=anchor.step, first=anchor.first)


def _tie(pairs: Sequence[tuple[str, ...]]) -> list[list[int]]:
    """Gather pairs that hang together, by their numbers."""
    groups: list[tuple[set[str], list[int]]] = []
    for number, pair in enumerate(pairs):
        joined, members = {*pair}, [number]
        for names, numbers in [group for group in groups if group[0] & joined]:
            joined |= names
            members = numbers + members
        groups = [group for group in groups if not group[0] & joined]
        groups.append((joined, members))
    return [members for _, members in groups]


def order_ranges(rules: Sequence[Order], found: Mapping[str, tuple[Domain, ...]]) -> dict[str, Range] | None:
    """Give the ranges of columns in order; None where one of them is not known.

    A larger one is raised to what its smaller one may be, and a step more where they must differ; a smaller
    one is lowered likewise. Relative columns begin with the bounds of their rule.
    """
    measure, order = rules[0].measure, sort_columns([rule.columns for rule in rules])
    if not is_measured(measure) or any(rule.measure != measure for rule in rules):
        return None
    relative = {rule.columns[1] for rule in rules if rule.relative}
    ticks: dict[str, Range] = {}
    for name in order:
        bounds = [range_of_ticks(measure, *pair, step=0, first=pair[0]) for pair in _bounds_of(name, rules)]
        parts = found.get(name, ())
        if not (parts or name in relative):
            return None
        own = [part.within(measure) for part in parts[:1] if isinstance(part, Range)]
        held = [one for one in (*own, *bounds) if one is not None and one.low <= one.high]
        if None in own or len(own) < len(parts[:1]) or not held:
            return None
        ticks[name] = replace(held[0], low=min(one.low for one in held), high=max(one.high for one in held))
    unit = range_of_ticks(measure, 0, 1).high
    for rule in sorted(rules, key=lambda one: order.index(one.columns[0])):
        small, large = (ticks[name] for name in rule.columns)
        most = small.high + unit * rule.step * rule.least
        ticks[rule.columns[1]] = replace(large, high=max(large.high, most))
    for rule in sorted(rules, key=lambda one: -order.index(one.columns[1])):
        small, large = (ticks[name] for name in rule.columns)
        least = large.low - unit * rule.step * rule.least
        ticks[rule.columns[0]] = replace(small, low=min(small.low, least))
    return _share_steps(ticks, rules, unit)


def _bounds_of(name: str, rules: Sequence[Order]) -> list[tuple[int, int]]:
    pairs = [pair for rule in rules for pair in zip(rule.columns, rule.bounds, strict=True)]
    return [bounds for column, bounds in pairs if column == name]


def _share_steps(ticks: Mapping[str, Range], rules: Sequence[Order], unit: int) -> dict[str, Range]:
    """Give all ranges the widest steps that all values met, bounds and differences lie on."""
    first = next(iter(ticks.values())).first
    bounds = [unit * end for rule in rules for pair in rule.bounds for end in pair]
    apart = [one.first - first for one in ticks.values()] + [bound - first for bound in bounds]
    steps = [one.step for one in ticks.values()] + [unit * rule.step for rule in rules]
    step = math.gcd(*apart, *steps) or 1
    return {name: replace(one, step=step, first=first) for name, one in ticks.items()}
