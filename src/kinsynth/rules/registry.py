"""Registry: the kinds of rules, in the order in which they are looked for."""

from __future__ import annotations

from typing import Any

from kinsynth.rules.base import Rule
from kinsynth.rules.combinations import Combination
from kinsynth.rules.constant import Constant
from kinsynth.rules.copy import Copy
from kinsynth.rules.functions import Function
from kinsynth.rules.line import Line
from kinsynth.rules.missing import Missing
from kinsynth.rules.order import Order
from kinsynth.rules.parts import Part
from kinsynth.rules.products import Product
from kinsynth.rules.referenced import Referenced
from kinsynth.rules.sums import Sum

KINDS: dict[str, Any] = {
    kind.kind: kind
    for kind in (Copy, Part, Sum, Product, Line, Function, Missing, Combination, Order, Referenced, Constant)
}


def rule_from_json(document: dict[str, Any]) -> Rule:
    """Make a rule of ``to_json``'s document."""
    rule: Rule = KINDS[document["kind"]].from_json(document)
    return rule
