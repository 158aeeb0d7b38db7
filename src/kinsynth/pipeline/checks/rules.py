"""Rules: declared ones name columns that may have them, and every row of the data keeps them."""

from __future__ import annotations

from collections.abc import Iterator

from kinsynth.errors import Finding
from kinsynth.pipeline.checks.facts import Facts, Step, list_names, suggest, table_path
from kinsynth.pipeline.rules import COLUMNS_OF_KIND, count_breaking, may_have, settle_declared, view_tables
from kinsynth.rules.view import View
from kinsynth.rules.wording import write_rule
from kinsynth.schema.database import Database
from kinsynth.settings.tables import Rule

_STEP = Step("treatment")


def find_rules(facts: Facts) -> Iterator[Finding]:
    """Give the findings about declared rules."""
    named = {name: facts.settings(name).rules for name in facts.schema.tables}
    if not any(named.values()):
        return
    views = view_tables(Database(facts.schema, facts.tables, "original"), facts.synthesis)
    for name, rules in named.items():
        if rules and name in views:  # a table that is copied keeps them anyway
            wrong = [
                finding for n, rule in enumerate(rules) for finding in _find_rule(facts, name, n, rule, views)
            ]
            yield from wrong or _find_broken(name, rules, views[name])


def _find_rule(
    facts: Facts, table: str, number: int, rule: Rule, views: dict[str, View]
) -> Iterator[Finding]:
    where, view = table_path(table, "rules", str(number)), views[table]
    known = facts.schema.tables[table].column_names
    for column in rule.columns:
        if column not in known:
            message = "The table has no such column."
            yield _STEP.error("rules.unknown_column", f"{where}.columns", message, suggest(column, known))
        elif column not in view.columns:
            yield _STEP.error(
                "rules.column",
                f"{where}.columns",
                f"{column} takes part in no rule: it is a key, a pair, a text, or its treatment "
                "changes its values.",
                "Remove the rule, or the treatment.",
            )
    if set(rule.columns) <= set(view.columns) and not may_have(rule, view):
        least, most = COLUMNS_OF_KIND[rule.kind]
        kinds = list_names(view.kinds[name] for name in rule.columns)
        yield _STEP.error(
            "rules.kind",
            where,
            f"A rule of kind {rule.kind} cannot be about columns {kinds}; it takes {least}"
            f"{f' to {most}' if most > least else ''} different ones of fitting types.",
            "Name other columns, or another kind.",
        )


def _find_broken(table: str, rules: tuple[Rule, ...], view: View) -> Iterator[Finding]:
    for unkept in settle_declared(rules, view)[1]:
        where, text = table_path(table, "rules", str(unkept.number)), _text(unkept.declared)
        if unkept.why == "conflict":
            yield _STEP.error(
                "rules.conflict",
                where,
                f"{text} cannot be kept: it would change what a rule before it, or the order of rows, "
                "settles.",
                f"Switch one off: {where}.enabled: false.",
            )
            continue
        count = count_breaking(unkept.declared, view)
        yield _STEP.error(
            "rules.broken",
            where,
            f"{text} does not hold in the data: {count:,} of {view.rows:,} rows break it."
            if count
            else f"{text} does not hold in the data, or too few subjects stand behind it.",
            f"Repair the data, or switch the rule off: {where}.enabled: false.",
        )


def _text(rule: Rule) -> str:
    return write_rule(rule.kind, rule.columns)
