"""Lifting: which rules a drawing keeps when it is asked for something that they might undo."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.conditions import Conditions
from kinsynth.rules.base import Rule
from kinsynth.rules.formula import Formula
from kinsynth.rules.functions import Function
from kinsynth.rules.order import Order


def keep_rules(
    rules: Sequence[Rule], *, never: Collection[str], no_missing: Collection[str]
) -> tuple[Rule, ...]:
    """Give the rules without those that could write what is not to be drawn.

    A column that such a rule computed is then drawn.

    Args:
        rules: Rules of one table, in the order of application.
        never: Columns of which some values are not to be drawn.
        no_missing: Columns that are not to be missing.
    """
    unmissed = {*name_needed(rules, no_missing)}
    return tuple(
        rule
        for rule in rules
        if not {*rule.writes} & {*never} and not ({*rule.writes} & unmissed and _can_miss(rule))
    )


def name_needed(rules: Sequence[Rule], no_missing: Collection[str]) -> tuple[str, ...]:
    """Name the columns that are not to be missing, and those that they are computed from."""
    needed = dict.fromkeys(no_missing)
    for rule in reversed(rules):  # what a column is computed from is settled before it
        if isinstance(rule, Formula) and rule.derives in needed:
            needed |= dict.fromkeys(rule.columns[1:])
    return tuple(needed)


def _can_miss(rule: Rule) -> bool:
    """Tell whether a rule can make a value missing though none that it reads is."""
    if isinstance(rule, Function):
        return None in rule.target.texts
    return not (isinstance(rule, Order) or (isinstance(rule, Formula) and rule.derives is not None))


def certain_rules(codec: DatabaseCodec, conditions: Conditions) -> dict[str, tuple[Rule, ...]]:
    """Give the rules that every row keeps: not lifted, and no column of theirs has given cells."""
    given = {name: {*table.column_names} for name, table in conditions.given.items()}
    for name, cells in conditions.fixed.items():
        given[name] = given.get(name, set()) | {*cells}
    return {
        name: tuple(
            rule
            for rule in keep_rules(
                table.rules,
                never=conditions.never.get(name, ()),
                no_missing=conditions.no_missing.get(name, ()),
            )
            if not {*rule.columns} & given.get(name, set())
        )
        for name, table in codec.tables.items()
    }
