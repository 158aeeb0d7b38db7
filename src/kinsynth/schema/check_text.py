"""Reading of check constraints: a small part of SQL's conditions, strictly.

::

    check     = condition { AND condition } | ( check )
    condition = operand comparison operand
              | column [NOT] IN ( constant {, constant} )
              | column [NOT] LIKE text  |  column ~ text
              | column [NOT] BETWEEN constant AND constant
              | column IS [NOT] NULL
    operand   = column | constant
    column    = name | "name" | `name` | [name]
    constant  = 'text' | number | TRUE | FALSE
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple, NoReturn

from kinsynth.errors import SchemaError
from kinsynth.schema.check import COMPARISONS, Check, Operator

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\])
    | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
    | (?P<word>[^\W\d]\w*)
    | (?P<sign><=|>=|<>|!=|==|<|>|=|~|\(|\)|,)
    )""",
    re.VERBOSE,
)
_KEYWORDS = ("and", "or", "not", "in", "like", "between", "is", "null", "true", "false")
_SAME = {"<>": "!=", "==": "="}
_FLIPPED: dict[str, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


class _Token(NamedTuple):
    """A piece of the text: ``text``, ``name``, ``number``, ``sign``, or a keyword under its own name."""

    kind: str
    value: str
    place: int


def read_check(text: str) -> tuple[Check, ...]:
    """Read a declared condition; several joined by AND are as many checks.

    Raises:
        SchemaError: ``checks.syntax``: it is no condition of the forms above.

    >>> [str(check) for check in read_check("amount > 0 and end_date >= start_date")]
    ['amount > ?', 'end_date >= start_date']
    """
    reader = _Reader(_split(text))
    checks = reader.read_all()
    reader.take("end")
    return checks


def _split(text: str) -> list[_Token]:
    """Cut the text into tokens."""
    tokens, place, length = [], 0, len(text.rstrip())
    while place < length:
        found = _TOKEN.match(text, place)
        if found is None:
            _refuse(place, "a name, a number, a text in single quotes or a comparison")
        kind, value = str(found.lastgroup), str(found[str(found.lastgroup)])
        if kind == "word":
            kind = value.lower() if value.lower() in _KEYWORDS else "name"
        elif kind == "name":
            value = value[1:-1].replace('""', '"') if value[0] == '"' else value[1:-1]
        elif kind == "text":
            value = value[1:-1].replace("''", "'")
        elif kind == "sign":
            value = _SAME.get(value, value)
            kind = "comparison" if value in COMPARISONS else value
        tokens.append(_Token(kind, value, found.start(str(found.lastgroup))))
        place = found.end()
    return [*tokens, _Token("end", "", length)]


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def take(self, *kinds: str) -> _Token:
        """Take the next token, which must be of one of the kinds."""
        token = self._tokens[self._next]
        if token.kind not in kinds:
            _refuse(token.place, " or ".join(kind.upper() if kind in _KEYWORDS else kind for kind in kinds))
        self._next += 1
        return token

    def skip(self, kind: str) -> bool:
        """Take the next token if it is of the kind."""
        found = self._tokens[self._next].kind == kind
        self._next += found
        return found

    def read_all(self) -> tuple[Check, ...]:
        """Read conditions joined by AND."""
        checks = list(self._read_part())
        while self.skip("and"):
            checks += self._read_part()
        return tuple(checks)

    def _read_part(self) -> tuple[Check, ...]:
        if not self.skip("("):
            return self._read_condition()
        checks = self.read_all()
        self.take(")")
        return checks

    def _read_condition(self) -> tuple[Check, ...]:
        left = self.take("name", "text", "number", "true", "false")
        if left.kind != "name":
            operator, right = self.take("comparison").value, self.take("name")
            return (_constant_check(right.value, _FLIPPED[operator], left),)
        if self.skip("is"):
            negated = self.skip("not")
            self.take("null")
            return (Check(left.value, "null", negated=negated),)
        negated = self.skip("not")
        word = self.take("in", "like", "between", *(() if negated else ("comparison", "~")))
        checks = self._read_rest(left.value, word)
        if negated and word.kind == "between":
            _refuse(word.place, "IN or LIKE after NOT")
        return tuple(replace(check, negated=negated) for check in checks)

    def _read_rest(self, column: str, word: _Token) -> tuple[Check, ...]:
        if word.kind == "in":
            return (self._read_list(column),)
        if word.kind in ("like", "~"):
            operator: Operator = "like" if word.kind == "like" else "matches"
            return (_constant_check(column, operator, self.take("text")),)
        if word.kind == "between":
            low = self.take("text", "number")
            self.take("and")
            high = self.take("text", "number")
            return (_constant_check(column, ">=", low), _constant_check(column, "<=", high))
        right = self.take("name", "text", "number", "true", "false")
        operator = _FLIPPED[_FLIPPED[word.value]]
        if right.kind == "name":
            return (Check(column, operator, other=right.value),)
        return (_constant_check(column, operator, right),)

    def _read_list(self, column: str) -> Check:
        self.take("(")
        first = self.take("text", "number", "true", "false")
        values = [first.value]
        kinds = ("text",) if first.kind == "text" else ("number", "true", "false")
        while self.skip(","):
            values.append(self.take(*kinds).value)
        self.take(")")
        return Check(column, "in", constants=tuple(values), quoted=first.kind == "text")


def _constant_check(column: str, operator: Operator, constant: _Token) -> Check:
    return Check(column, operator, constants=(constant.value,), quoted=constant.kind == "text")


def _refuse(place: int, expected: str) -> NoReturn:
    raise SchemaError(
        "checks.syntax",
        f"The condition cannot be read at character {place + 1}: expected {expected}.",
        remedy="Write a comparison, IN (...), LIKE '...', ~ '...', BETWEEN ... AND ... or IS NOT NULL, "
        "joined by AND; OR, functions and casts are not available.",
    )
