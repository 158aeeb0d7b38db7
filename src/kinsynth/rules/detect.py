"""Detection: the rules that training rows keep, that are no chance, and that held-out rows keep as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kinsynth.rules.arrange import arrange_rules
from kinsynth.rules.base import Rule
from kinsynth.rules.evidence import is_real
from kinsynth.rules.registry import KINDS
from kinsynth.rules.view import READS_KEYS, View


@dataclass(frozen=True)
class Proposal:
    """A rule with what speaks for it.

    Attributes:
        rule: The rule.
        rows: Training rows, all of which keep it.
        held_rows: Rows that were not looked at to find it, all of which keep it.
    """

    rule: Rule
    rows: int
    held_rows: int

    @property
    def reason(self) -> str:
        """Say what speaks for the rule."""
        return (
            f"holds in all {self.rows:,} rows, and in {self.held_rows:,} others that were not used to find it"
        )


def detect_rules(view: View, held: View) -> tuple[Proposal, ...]:
    """Propose rules of a table.

    Args:
        view: Training rows.
        held: Held-out rows, with the same columns.

    Returns:
        Rules that can be kept together, in the order of application. No two compute the same column.

    Guarantees:
        Every rule holds in all rows of both views. The chance that one of them is proposed for columns that
        are independent of each other is below one in a million for the whole table.
    """
    found, _ = arrange_rules(_found(view.searched, held))
    kept = refit(found, view)
    return tuple(Proposal(rule, view.rows, held.rows) for rule in kept if not rule.broken(held.columns).any())


def _found(view: View, held: View) -> Iterator[Rule]:
    for kind in KINDS.values():
        seen = view if kind.kind in READS_KEYS else view.own
        candidates = max(1, len(seen.columns)) ** 3
        for columns in kind.find(seen):
            rule = settle(kind.fit(seen, columns), held)
            if rule is None or view.fixed & {*rule.writes}:
                continue
            if is_real(rule.chance(seen), candidates):
                yield rule


def refit(found: Iterable[Rule], view: View) -> tuple[Rule, ...]:
    """Make found rules again from more rows; those that do not hold there are gone."""
    rules = [_fit_at_most(rule, view) for rule in found]
    return arrange_rules(rule for rule in rules if rule is not None)[0]


def _fit_at_most(found: Rule, view: View) -> Rule | None:
    """Fit a rule again, saying no more than the one that also held-out rows keep."""
    rule: Rule | None = KINDS[found.kind].fit(view, found.columns)
    while rule is not None and found.weaker is None and rule.weaker is not None:
        rule = rule.weaker
    return rule


def settle(rule: Rule | None, held: View) -> Rule | None:
    """Give the strongest form of a rule that other rows keep, if there is one."""
    while rule is not None and rule.broken(held.columns).any():
        rule = rule.weaker
    return rule
