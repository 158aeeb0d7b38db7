"""Notices: what a user should know of conditions that are kept, but not as far as one may think."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from kinsynth.columns.categorical import OTHER, CategoricalCodec
from kinsynth.errors import Finding
from kinsynth.pipeline.codecs import DatabaseCodec, TableCodec
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.known import Known
from kinsynth.rules.referenced import Referenced


def find_notices(
    conditions: Conditions, codec: DatabaseCodec, known: Mapping[str, Known]
) -> Iterator[Finding]:
    """Give notices of known categories that the model cannot tell apart, and of rules that give way.

    Guarantees:
        A value that is rare and one that the source never had give the same notice; no value is told.
    """
    for name, cells in known.items():
        yield from _find_unknown_categories(codec.tables[name], cells)
    for name, table in codec.tables.items():
        asked = {
            *conditions.never.get(name, {}),
            *conditions.fixed.get(name, {}),
            *(known[name].cells if name in known else {}),
        }
        follows = {column for rule in table.rules if isinstance(rule, Referenced) for column in rule.writes}
        decided = table.computed | follows
        for column in sorted(asked & decided):
            yield _rule_gives_way(f"{name}.{column}")
        for column in sorted(decided & {*conditions.balance.get(name, {})}):
            yield _share_gives_way(f"{name}.{column}")


def _find_unknown_categories(table: TableCodec, known: Known) -> Iterator[Finding]:
    for factor in table.factors:
        column = factor.columns[0] if factor.columns else ""
        if factor.kind == "reference" or column not in known.cells:
            continue
        if isinstance(factor.codec, CategoricalCodec):
            cells = known.cells[column]
            count = _count_untold(factor.codec, cells)
            if count:
                yield _unknown_category(f"{table.name}.{column}", count, len(cells))


def _count_untold(codec: CategoricalCodec, cells: pa.Array) -> int:
    """Count the values that are no frequent category: rare ones and unknown ones alike."""
    codes_RC = codec.encode((cells,))
    own_R = (codes_RC[:, 0] != OTHER) & codec.is_told(codes_RC)
    return int(np.count_nonzero(~own_R & cells.is_valid().to_numpy(zero_copy_only=False)))


def _unknown_category(where: str, count: int, rows: int) -> Finding:
    return Finding(
        "condition.unknown_category",
        "notice",
        where,
        f"{count:,} of {rows:,} known cells hold a value that is rare or unknown to the model: they come "
        "back as given, but the rest of their rows is drawn as beside any other rare value, or freely.",
        "Write values as the source does, capitals too; charts of the report name frequent categories.",
    )


def _rule_gives_way(where: str) -> Finding:
    return Finding(
        "condition.rule_gives_way",
        "notice",
        where,
        "The column is computed by a rule: where the rule and the condition disagree, the rule gives way in "
        "that row, even if other values of the columns it is computed from would keep both.",
        "Set the condition on the columns it is computed from where both must hold.",
    )


def _share_gives_way(where: str) -> Finding:
    return Finding(
        "condition.share_gives_way",
        "notice",
        where,
        "A rule decides on the column: its shares are asked of what the model draws, and rows in which the "
        "rule gives another value hold that one.",
        "Give shares of a column that it follows from.",
    )
