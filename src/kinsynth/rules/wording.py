"""Wording: a rule in one line, names only."""

from __future__ import annotations

from collections.abc import Sequence

_FORMS = {
    "copy": "{0} = {1}",
    "part": "{0} = part of {1}",
    "sum": "{0} = {sources}",
    "product": "{0} = {1} * {2}",
    "line": "{0} = factor * {1} + constant",
    "function": "{1} decides {0}",
    "missing": "{1} decides whether {0} is missing",
    "combination": "{0} with {1}",
    "order": "{0} <= {1}",
    "reference": "{keys} decide {0}",
    "constant": "some rows of {1} decide {0}",
}


def write_rule(kind: str, columns: Sequence[str]) -> str:
    """Write a rule of the document in one line.

    >>> write_rule("sum", ("total", "net", "tax"))
    'total = net + tax'
    """
    return _FORMS[kind].format(*columns, sources=" + ".join(columns[1:]), keys=", ".join(columns[1:]))
