"""Arrangement: which rules can be kept together, and in which order they are applied.

First it is settled which values are missing, then combinations, then orders, then what is computed. A rule
may follow only those that leave its columns alone afterwards, so what holds once holds to the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kinsynth.rules.base import Rule
from kinsynth.rules.missing import Missing
from kinsynth.rules.order import Order, sort_columns
from kinsynth.rules.view import CONSTANT

STAGES = {"missing": 0, "combination": 1, "reference": 1, CONSTANT: 1, "order": 2}
LAST = 3


def arrange_rules(rules: Iterable[Rule]) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Give the rules that can be kept, in the order of application, and those that cannot.

    Args:
        rules: Rules; where two cannot be kept together the earlier one is.
    """
    kept: list[Rule] = []
    left: list[Rule] = []
    for rule in sorted(rules, key=_importance):
        (kept if _fits(rule, kept) else left).append(rule)
    return tuple(_in_order(kept)), tuple(left)


def _stage(rule: Rule) -> int:
    return STAGES.get(rule.kind, LAST)


def _importance(rule: Rule) -> int:
    """Put what is computed first, then missing values, combinations, orders, last what few rows keep."""
    if rule.kind == CONSTANT:
        return LAST + 1
    return (_stage(rule) + 1) % (LAST + 1)


def _fits(rule: Rule, kept: Sequence[Rule]) -> bool:
    if any(_disturbs(rule, other) or _disturbs(other, rule) for other in kept):
        return False
    alike = [other for other in kept if _stage(other) == _stage(rule)]
    return not _makes_circle(rule, alike)


def _disturbs(rule: Rule, other: Rule) -> bool:
    """Tell whether applying a rule may break another one that was applied before, or beside it."""
    if _stage(rule) < _stage(other):
        return False
    changed = set(rule.writes) & set(other.columns)
    if isinstance(rule, Order):
        if isinstance(other, Missing):  # an exchange leaves missing values where they are
            return other.reads_values and other.columns[1] in changed
        return bool(changed) and not isinstance(other, Order)
    if isinstance(other, Missing) and _stage(rule) == LAST and rule.derives is None:
        return other.reads_values and other.columns[1] in changed
    if _stage(rule) == _stage(other):
        return bool(set(rule.writes) & set(other.writes))
    return bool(changed)


def _makes_circle(rule: Rule, alike: Sequence[Rule]) -> bool:
    try:
        sort_columns([pair for one in (*alike, rule) for pair in _arrows(one)])
    except ValueError:
        return True
    return False


def _arrows(rule: Rule) -> list[tuple[str, ...]]:
    """Give pairs of columns of which the first is settled before the second."""
    if isinstance(rule, Order):
        return [rule.columns]
    return [(name, target) for target in rule.writes for name in rule.columns if name != target]


def _in_order(kept: Sequence[Rule]) -> list[Rule]:
    result: list[Rule] = []
    for stage in range(LAST + 1):
        alike = [rule for rule in kept if _stage(rule) == stage]
        order = sort_columns([pair for one in alike for pair in _arrows(one)])
        result += sorted(alike, key=lambda rule: order.index(rule.writes[-1]))
    return result
