"""Certificate of a result: the proof of what was declared, and what the model promised, on the same files.

Keys, references, constraints and originals are proven by ``kinsynth.certificate``, which shares nothing with
what draws. Rules, ranges, precision and categories are the model's own promises, counted by its own code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from kinsynth.certificate.certify import Statement, prove
from kinsynth.certificate.guarantee import Certificate, Guarantee, make_guarantee
from kinsynth.columns.domain import Categories, Domain, Mask, Range
from kinsynth.columns.storage import as_array
from kinsynth.pipeline.anchors import Anchor, Beside, Reach
from kinsynth.rules.base import Rule
from kinsynth.rules.wording import write_rule
from kinsynth.schema.table import Schema
from kinsynth.system.mapping import let_go

__all__ = ["Certificate", "Guarantee", "certify"]


def certify(
    schema: Schema,
    written: Mapping[str, pa.Table],
    *,
    originals: Mapping[str, pa.Table],
    expected_rows: Mapping[str, int],
    rules: Mapping[str, Sequence[Rule]] = {},
    anchors: Mapping[str, Sequence[Anchor]] = {},
    domains: Mapping[str, Mapping[str, Sequence[Domain]]] = {},
) -> Certificate:
    """Check every guarantee on written tables.

    Args:
        schema: What was declared.
        written: Typed tables as read back from the written files, by name.
        originals: The source's rows of the tables that are copied unchanged.
        expected_rows: Number of rows by table, where it is known.
        rules: What every row keeps, by table.
        anchors: The moments of other rows that rules read, by table.
        domains: What every cell of a column keeps to, by table and column.

    Guarantees:
        Every table, column, key, relation, check, rule and domain is named; a table or column that is
        missing fails. The result does not depend on the order of ``written``.
    """
    found = [*prove(Statement(schema, originals, expected_rows), written)]
    reach = Reach.of(schema, written)
    for name, kept in rules.items():
        found += [_certify_rule(name, rule, written, anchors.get(name, ()), reach) for rule in kept]
        let_go()
    for name, columns in domains.items():
        for column, kept_to in columns.items():
            found += _certify_domains(name, column, kept_to, written)
            let_go()
    return Certificate(guarantees=tuple(found))


def _certify_rule(
    name: str, rule: Rule, written: Mapping[str, pa.Table], anchors: Sequence[Anchor], reach: Reach
) -> Guarantee:
    where, table = f"{name}: {write_rule(rule.kind, rule.columns)}", written.get(name)
    read = [anchor for anchor in anchors if anchor.name in rule.columns]
    own = {*rule.columns} - {anchor.name for anchor in read}
    if table is None or not own <= {*table.column_names} or not all(reach.can_read(one) for one in read):
        return make_guarantee("rule.kept", where, rows=0, violations=1)
    cells = {column: as_array(table[column]) for column in own}
    columns = Beside(cells, read, reach, np.arange(table.num_rows))
    violations = int(rule.broken(columns).sum())
    return make_guarantee("rule.kept", where, rows=table.num_rows, violations=violations)


def _certify_domains(
    name: str, column: str, domains: Sequence[Domain], written: Mapping[str, pa.Table]
) -> Iterator[Guarantee]:
    where, table = f"{name}.{column}", written.get(name)
    rows = 0 if table is None else table.num_rows
    values = None if table is None or column not in table.column_names else as_array(table[column])

    def count(marks: Iterable[Callable[[pa.Array], Mask]]) -> int:
        return 1 if values is None else int(np.logical_or.reduce([mark(values) for mark in marks]).sum())

    if ranges := [domain for domain in domains if isinstance(domain, Range)]:
        broken = count(one.outside for one in ranges)
        yield make_guarantee("column.range", where, rows=rows, violations=broken)
    if stepped := [domain for domain in ranges if domain.has_steps]:
        broken = count(one.off_step for one in stepped)
        yield make_guarantee("column.precision", where, rows=rows, violations=broken)
    if lists := [domain for domain in domains if isinstance(domain, Categories)]:
        broken = count(one.outside for one in lists)
        yield make_guarantee("column.categories", where, rows=rows, violations=broken)
