"""Exclusion: what is not to be drawn, where a rule would write it: the rule gives way in that row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.conditions import Conditions
from kinsynth.rules.base import Columns, Rule
from kinsynth.rules.combinations import Combination
from kinsynth.rules.formula import Formula
from kinsynth.rules.functions import Function
from kinsynth.rules.missing import Missing
from kinsynth.rules.order import Order
from kinsynth.rules.referenced import Referenced


@dataclass(frozen=True)
class Excluded:
    """What the rules of one table must not write.

    Attributes:
        never: Values, by column.
        no_missing: Columns that must not be missing.
    """

    never: Columns = field(default_factory=dict)
    no_missing: frozenset[str] = frozenset()

    @property
    def columns(self) -> frozenset[str]:
        """All columns of which something is excluded."""
        return self.no_missing | {*self.never}

    def put_back(self, written: Columns, drawn: Columns) -> dict[str, pa.Array]:
        """Put the drawn value in the place of an excluded one."""
        return {
            name: pc.if_else(self._held(name, values), drawn[name], values)
            if name in self.columns
            else values
            for name, values in written.items()
        }

    def _held(self, name: str, values: pa.Array) -> pa.Array:
        refused = self.never.get(name, pa.array([], values.type))
        held = pc.is_in(values, value_set=refused)
        return pc.or_(held, values.is_null()) if name in self.no_missing else held


NOTHING_EXCLUDED = Excluded()


def name_excluded(
    rules: Sequence[Rule], *, never: Collection[str], no_missing: Collection[str]
) -> tuple[set[str], set[str]]:
    """Name the columns that rules may write though it is excluded: a value, and a missing value.

    Args:
        rules: Rules of one table, in the order of application.
        never: Columns of which some values are not to be drawn.
        no_missing: Columns that are not to be missing.
    """
    values = {name for rule in rules for name in rule.writes if name in never}
    unmissed = {*name_needed(rules, no_missing)}
    missing = {name for rule in rules for name in rule.writes if name in unmissed and _can_miss(rule)}
    return values, missing


def name_needed(rules: Sequence[Rule], no_missing: Collection[str]) -> tuple[str, ...]:
    """Name the columns that are not to be missing, and those that they are computed from."""
    needed = dict.fromkeys(no_missing)
    for rule in reversed(rules):  # what a column is computed from is settled before it
        if isinstance(rule, Formula) and rule.derives in needed:
            needed |= dict.fromkeys(rule.columns[1:])
    return tuple(needed)


def _can_miss(rule: Rule) -> bool:
    """Tell whether a rule can make a value missing though none that it reads is."""
    if isinstance(rule, Function | Combination | Referenced):
        return None in rule.target.texts
    return isinstance(rule, Missing)


def certain_rules(codec: DatabaseCodec, conditions: Conditions) -> dict[str, tuple[Rule, ...]]:
    """Give the rules that every row keeps: of those others, given or excluded cells may break some."""
    result, open_columns = {}, dict[str, set[str]]()
    for name, table in codec.tables.items():
        given = {*conditions.given[name].column_names} if name in conditions.given else set[str]()
        values, missing = name_excluded(
            table.rules,
            never=conditions.never.get(name, ()),
            no_missing=conditions.no_missing.get(name, ()),
        )
        loose = given | {*conditions.fixed.get(name, ())} | values | missing
        open_columns[name] = loose
        if any(isinstance(rule, Order) and rule.capped for rule in table.rules):
            # Nothing may lie between two moments of another row that are given the wrong way round.
            moments = (one for one in table.anchors if one.measure is not None)
            loose = loose | {one.name for one in moments if one.column in open_columns[one.table]}
        rules = tuple(rule for rule in table.rules if not {*rule.columns} & loose)
        result[name] = (*rules, *(one.order for one in table.successions))
    return result


def exclude(rules: Sequence[Rule], *, never: Mapping[str, pa.Array], no_missing: Collection[str]) -> Excluded:
    """Give what the rules of one table must not write."""
    values, missing = name_excluded(rules, never=never, no_missing=no_missing)
    return Excluded({name: never[name] for name in sorted(values)}, frozenset(missing))
