"""Kept graph: a drawing that keeps to a copied graph: what it tells of every row, and what may not be asked.

Shape letters: R rows, C sub-columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.count import CountCodec
from kinsynth.columns.echo import EchoCodec
from kinsynth.columns.relative import RelativeCodec
from kinsynth.columns.sequence import SequenceCodec
from kinsynth.encoded import IntArray
from kinsynth.engine.evidence import UNKNOWN, Condition
from kinsynth.errors import SettingsError, UserError
from kinsynth.pipeline.codecs import DatabaseCodec, Factor, Rows, TableCodec
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.copied_graph import CopiedGraph
from kinsynth.pipeline.known import NOTHING_KNOWN
from kinsynth.pipeline.preparation import Prepared
from kinsynth.privacy.protection import count_roots
from kinsynth.schema.graph import find_structure
from kinsynth.schema.levels import find_levels
from kinsynth.schema.table import Schema


def check_kept(graph: CopiedGraph, rows: Mapping[str, int], conditions: Conditions, schema: Schema) -> None:
    """Refuse what disagrees with a copied graph.

    Raises:
        SettingsError: Another number of rows is asked for, rows are given, or something is said of a key.
    """
    for name, number in rows.items():
        if number != graph.given.roots.get(name, number):
            raise SettingsError(
                "settings.rows_copied",
                f"rows={number}, but the copied graph of keys has {graph.given.roots[name]:,} of them.",
                where=f"generation.rows.{name}",
                remedy="Leave the number out, or train with generation.keys: generated.",
            )
    for name in conditions.given:
        raise _about_keys(name, "Rows are given, but the copied graph of keys has places for training rows.")
    for named in (conditions.fixed, conditions.balance, conditions.never, conditions.no_missing):
        for name, columns in named.items():
            keys = schema.foreign_columns(name)
            for column in (one for one in columns if one in keys):
                raise _about_keys(f"{name}.{column}", "The column is a key, and the graph of keys is copied.")


def _about_keys(where: str, message: str) -> SettingsError:
    remedy = "Leave the condition out, or train with generation.keys: generated."
    return SettingsError("condition.copied_graph", message, where=where, remedy=remedy)


def refuse_repeated(repeated: Mapping[str, int]) -> None:
    """Refuse a drawing that would lose rows because their drawn primary keys repeat.

    Raises:
        UserError: A table would.
    """
    for name, count in repeated.items():
        if count:
            raise UserError(
                "generation.copied_key_repeats",
                f"{count:,} rows repeat a primary key that holds a drawn value, and no row may be left out "
                "of the copied graph of keys.",
                where=name,
                remedy="Draw with another seed, lower protection.rare_minimum, or write "
                "generation.keys: generated.",
            )


def keep_graph(ready: Prepared, graph: CopiedGraph, schema: Schema) -> Prepared:
    """Let a drawing keep to a copied graph.

    What a row says of others (how many hang under it and point at it, how deep it stands, which row of an
    original table it names) is known before it is drawn; references come back as they are.
    """
    conditions, known = dict(ready.conditions), dict(ready.known)
    named = {str(relation): relation for relation in schema.relations}
    for name, table in ready.codec.tables.items():
        codes_RC = _Told(graph, ready.codec, schema, table).codes()
        if codes_RC.shape[1]:
            conditions[name] = _joined(conditions.get(name, Condition()), codes_RC)
        references = {named[key]: row_R for key, row_R in graph.references[name].items()}
        every = {one: np.ones(len(row_R), dtype=bool) for one, row_R in references.items()}
        here = known.get(name, NOTHING_KNOWN)
        known[name] = replace(here, references=references, reference_known=every)
    return replace(ready, conditions=conditions, known=known)


def _joined(condition: Condition, codes_RC: IntArray) -> Condition:
    """Put codes into what is known already.

    They are not weighed: a code that is not told is drawn but never read, so nothing is gained by drawing it
    in proportion to all that follows, which takes hundreds of candidates of a row.
    """
    width = codes_RC.shape[1]
    if condition.known_RC is None:
        return replace(condition, known_RC=codes_RC, put=width)
    known_RC = condition.known_RC.copy()
    known_RC[:, :width] = codes_RC
    return replace(condition, known_RC=known_RC, put=width)


@dataclass(frozen=True)
class _Told:
    """What a copied graph tells of the rows of one table."""

    graph: CopiedGraph
    codec: DatabaseCodec
    schema: Schema
    table: TableCodec

    def codes(self) -> IntArray:
        """Give the codes of the first sub-columns, ``UNKNOWN`` where they are to be drawn, shape (R, C)."""
        told = [
            (span, factor)
            for factor, span in zip(self.table.factors, self.table.spans, strict=True)
            if factor.kind in ("count", "reference")
        ]
        width = max((span.stop for span, _ in told), default=0)
        codes_RC = np.full((self.graph.given.rows(self.table.name), width), UNKNOWN, dtype=np.int32)
        for span, factor in told:
            codes_RC[:, span] = self._count(factor) if factor.kind == "count" else self._reference(factor)
        return codes_RC

    def _count(self, factor: Factor) -> IntArray:
        assert isinstance(factor.codec, CountCodec), "a count"
        return factor.codec.encode((pa.array(self._number(factor.child)),))

    def _number(self, about: str) -> Rows:
        """Count the rows under each row, or those that point at it, or tell its level, shape (R,)."""
        given, rows = self.graph.given, self.graph.given.rows(self.table.name)
        if about in self.codec.tables:
            parent_R = given.parent_R[about]
            return np.bincount(parent_R[parent_R < rows], minlength=rows).astype(np.int64)
        table, pointer = next(
            (keys.table, one)
            for keys in self.codec.keys.values()
            for one in keys.pointers
            if about in (one.key, one.level)
        )
        row_R = given.pointed[table][pointer.key]
        if pointer.target == table:  # learned without the rows at which circles are cut
            levels = find_levels(row_R)
            if about == pointer.level:
                return levels.level_R
            row_R = row_R[~levels.cut_R]
        return np.bincount(row_R[row_R >= 0], minlength=rows).astype(np.int64)

    def _reference(self, factor: Factor) -> IntArray:
        """Give the codes of a reference; of one that few roots share only those that enough of them do."""
        relations = find_structure(self.schema).reference_relations[self.table.name]
        relation = next(one for one in relations if one.columns == factor.columns)
        row_R = self.graph.references[self.table.name][str(relation)]
        assert not isinstance(factor.codec, SequenceCodec | RelativeCodec | EchoCodec), (
            "a reference is a category"
        )
        codes_RC = factor.codec.encode((pa.array(row_R, mask=row_R < 0),))
        if self._tells_apart(factor):
            return codes_RC
        parents = {name: table.parent for name, table in self.codec.tables.items()}
        root_R = self.graph.given.find_roots(self.table.name, parents)
        return np.where(find_shared(codes_RC, root_R, minimum=self.graph.minimum), codes_RC, UNKNOWN)

    def _tells_apart(self, factor: Factor) -> bool:
        """Tell whether rows of one owner never agree on the reference and drawn values: it must be told."""
        number = self.table.factors.index(factor)
        return any(number in factors for factors in self.table.apart)


def find_shared(codes_RC: IntArray, root_R: Rows, *, minimum: int) -> NDArray[np.bool_]:
    """Mark codes that enough roots share, together with the codes before them in the row, shape (R, C)."""
    shared_RC = np.zeros(codes_RC.shape, dtype=np.bool_)
    label_R = np.zeros(len(codes_RC), dtype=np.int64)
    for column in range(codes_RC.shape[1]):
        both_R = label_R * (int(codes_RC[:, column].max(initial=0)) + 1) + codes_RC[:, column]
        labels, label_R = np.unique(both_R, return_inverse=True)
        shared_RC[:, column] = (count_roots(label_R, root_R, codes=len(labels)) >= minimum)[label_R]
    return shared_RC
