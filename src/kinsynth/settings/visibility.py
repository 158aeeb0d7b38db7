"""Visibility: when a form shows a field. A rule is JSON, so that every form reads the same one.

A rule is ``{"field": PATH, "one_of": [VALUES]}``, with the path as the list of fields has it;
``{"fact": NAME, "equals": VALUE}``, about what the document chooses of its source; or ``{"all": [RULES]}``. A
part of the document that is not shown shows none of its fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, get_args

Rule = dict[str, Any]
Fact = Literal["has_text", "modelled_tables"]
FACTS: Mapping[Fact, str] = {
    "has_text": "whether an included column of a table that is not original data is text",
    "modelled_tables": "the number of included tables that are not original data",
}
assert tuple(FACTS) == get_args(Fact)


def when(field: str, *values: Any) -> Rule:
    """Give the rule that a field has one of some values; with one value it is ``{"field", "equals"}``."""
    return (
        {"field": field, "equals": values[0]} if len(values) == 1 else {"field": field, "one_of": [*values]}
    )


def given(fact: Fact, value: Any) -> Rule:
    """Give the rule that a fact has a value."""
    return {"fact": fact, "equals": value}


def all_of(*rules: Rule) -> Rule:
    """Give the rule that all of some rules hold."""
    return {"all": [*rules]}


def describe(rule: Rule) -> str:
    """Say a rule in words, for the reference.

    >>> describe(all_of(when("training.auto_batching", False), given("modelled_tables", 1)))
    '`training.auto_batching` is `false` and the number of included tables that are not original data is `1`'
    """
    if "all" in rule:
        return " and ".join(describe(one) for one in rule["all"])
    subject = f"`{rule['field']}`" if "field" in rule else FACTS[rule["fact"]]
    values = rule.get("one_of", [rule.get("equals")])
    words = " or ".join(f"`{value if isinstance(value, str) else json.dumps(value)}`" for value in values)
    return f"{subject} is {words}"


def named_fields(rule: Rule) -> tuple[str, ...]:
    """Give the paths that a rule names."""
    if "all" in rule:
        return tuple(path for one in rule["all"] for path in named_fields(one))
    return (rule["field"],) if "field" in rule else ()
