"""Limits: what could not be modelled as asked, told in the timeline, in a file and in the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kinsynth.columns.count import CountCodec
from kinsynth.encoded import EncodedParts
from kinsynth.engine.sampled import SampledBlock
from kinsynth.errors import Finding
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.further_keys import FurtherKeys, level_name
from kinsynth.pipeline.other_rows import row_counts
from kinsynth.pipeline.rules import Unkept
from kinsynth.schema.arrange import arrange
from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure

Flags = NDArray[np.bool_]
FOUND_BY_CHECKS = frozenset(
    {
        "data.empty_table",
        "data.few_rows",
        "data.hardly_any_rows",
        "foreign_keys.circle_broken",
        "foreign_keys.circular_rows",
        "foreign_keys.no_sequence",
        "foreign_keys.partly_missing",
        "constraints.left_out",
        "primary_keys.parts_made_anew",
        "unique_keys.not_by_construction",
        "checks.not_by_construction",
        "treatment.infinite",
        "treatment.mostly_rare",
        "treatment.text_left_out",
    }
)
FEW_TARGETS = 50
CUT_SHARES = {0.5: "more than half", 0.2: "more than a fifth", 0.05: "more than 5 %"}
FEW_LOST = 0.01
FEW_HELD = 0.5


def find_unkept_rules(table: str, unkept: Iterable[Unkept]) -> Iterator[Finding]:
    """Tell declared rules that are not kept."""
    reasons = {"broken": "rows break it", "conflict": "it is in the way of what comes before it"}
    for one in unkept:
        columns = ", ".join(one.declared.columns)
        yield Finding(
            "rules.not_kept",
            "warning",
            table,
            f"The rule {one.declared.kind}({columns}) is not kept: {reasons[one.why]}.",
            "Repair the rows, or remove the rule.",
        )


def find_few_held(
    training: Mapping[str, Flags], held: Mapping[str, Flags], roots: Iterable[str], *, share: float
) -> Iterator[Finding]:
    """Tell root tables of which hardly any row is held out alone, because rows of others point at the rest.

    Args:
        training: By table, which rows the model may see.
        held: By table, which rows are held out; what rows of both parts point at is in both.
        roots: The root tables.
        share: Share of the rows that was to be held out.
    """
    for name in roots:
        rows, alone = len(held[name]), int((held[name] & ~training[name]).sum())
        if alone < FEW_HELD * round(share * rows):
            yield Finding(
                "evaluation.few_held_out",
                "notice",
                name,
                f"{alone:,} of {rows:,} rows are held out, {round(share * rows):,} were to be: rows that the "
                "model learns from point at the rest, over one key or several.",
                "Nothing is to be done: read scores beside held-out rows as rough, where there are any.",
                count=alone,
            )


def find_widened(columns: Sequence[str]) -> Iterator[Finding]:
    """Tell by table in which columns, written ``table.column``, values may be missing, unlike the source."""
    tables = dict.fromkeys(name.rpartition(".")[0] for name in columns)
    for table in tables:
        own = [name.rpartition(".")[2] for name in columns if name.rpartition(".")[0] == table]
        yield Finding(
            "treatment.may_be_missing",
            "notice",
            table,
            f"In {', '.join(own)} values may be missing, though none is in the source: value protection "
            "leaves no other value for them.",
            "Lower rare_minimum, or declare another type.",
            count=len(own),
        )


def find_blind_keys(codec: DatabaseCodec, encoded: Mapping[str, EncodedParts]) -> Iterator[Finding]:
    """Tell keys whose rows are chosen by in-degree alone, though there are many to choose from."""
    for keys in codec.keys.values():
        for pointer in keys.pointers:
            blind = pointer.grouping.groups == 1 and pointer.agreement is None
            if blind and encoded[pointer.target].rows >= FEW_TARGETS:
                yield Finding(
                    "foreign_keys.in_degree_alone",
                    "notice",
                    pointer.key,
                    f"Which row of {pointer.target} a row points at is chosen by in-degree alone: no column "
                    f"of {pointer.target} was found to go with the rows that point there.",
                    "Nothing is to be done unless you know of such a column.",
                )


def find_cut_counts(database: Database, codec: DatabaseCodec) -> Iterator[Finding]:
    """Tell relations of which many rows lie beyond the largest number of rows of one parent that is drawn.

    The share is told roughly: those few parents are protected as extremes.

    Args:
        database: All rows of the source, whether the model may see them or not.
        codec: How they become codes.
    """
    if not any(table.counts for table in codec.tables.values()):
        return
    structure = find_structure(database.schema)
    further = FurtherKeys(database, structure, arrange(database, structure))
    for name, table in codec.tables.items():
        levels = {level_name(one) for one in further.late_to_itself(name)}
        counts = row_counts(further, name)
        for factor in table.factors:
            if not isinstance(factor.codec, CountCodec) or factor.child in levels:
                continue
            count_R, most = counts[factor.child], int(factor.codec.high_K.max())
            beyond = np.maximum(count_R - most, 0).sum() / max(int(count_R.sum()), 1)
            told = next((words for share, words in CUT_SHARES.items() if beyond > share), "")
            if told:
                yield _cut(name, factor.child, most, told)


def _cut(table: str, child: str, most: int, share: str) -> Finding:
    return Finding(
        "foreign_keys.counts_cut",
        "notice",
        table,
        f"At most {most:,} rows of {child} are drawn for a row of {table}; {share} of the source's "
        f"rows lie beyond: too few rows of {table} have as many, and value protection cuts extremes.",
        "Where these are no persons, mark the table as original or lower extreme_minimum.",
    )


def find_empty(database: Database, asked: Mapping[str, int]) -> Iterator[Finding]:
    """Tell synthetic tables that have no row, and why.

    Args:
        database: The synthetic database.
        asked: Rows that were asked for, by root table.
    """
    structure = find_structure(database.schema)
    empty = [name for name in structure.order if not database.tables[name].num_rows]
    for name in empty:
        root = structure.root_of(name)
        needed = [
            one
            for one in (*structure.further(name), structure.parent_relation[name])
            if one and one.references_table in empty and not database.schema.may_be_missing(one)
        ]
        if asked.get(root) == 0:
            message = f"The synthetic table has no row: none of {root} was asked for."
            remedy = f"Ask for rows of {root} where that is not meant."
        elif needed:
            targets = ", ".join(dict.fromkeys(one.references_table for one in needed))
            message = f"The synthetic table has no row: each must point at a row of {targets}; there is none."
            remedy = f"See why {targets} has no row."
        else:
            message = "The synthetic table has no row."
            remedy = (
                "Where the source has rows, too few roots hold them: value protection counts roots. "
                "Mark a small lookup table as original, or choose another owner."
            )
        yield Finding("synthesis.no_rows", "warning", name, message, remedy, count=0)


class Losses:
    """Counts rows and keys that are lost on the way from drawn codes to a database."""

    def __init__(self) -> None:
        self.kept: Counter[str] = Counter()
        self.removed: Counter[str] = Counter()
        self.emptied: Counter[tuple[str, str]] = Counter()
        self.lost: Counter[tuple[str, str]] = Counter()
        self.repeated: Counter[str] = Counter()

    def add(self, blocks: Iterable[SampledBlock]) -> None:
        """Count what blocks lost."""
        for name, table in ((name, table) for block in blocks for name, table in block.tables.items()):
            self.kept[name] += len(table.root_R)
            self.removed[name] += table.removed
            self.emptied.update({(name, key): count for key, count in table.emptied.items()})
            self.lost.update({(name, key): count for key, count in table.lost.items()})

    def add_emptied(self, table: str, key: str, count: int) -> None:
        """Count rows of a table in which a key is missing though it was drawn."""
        self.emptied[table, key] += count

    def find(self, asked: Mapping[str, int]) -> Iterator[Finding]:
        """Tell what was lost.

        Args:
            asked: Rows that were asked for, by root table.
        """
        for table, count in self.removed.items():
            if count:
                yield _lost(
                    "synthesis.rows_without_target",
                    table,
                    f"were left out: {self._why(table, count)}.",
                    (count, count + self.kept[table]),
                    asked,
                )
        for (table, key), count in (+self.emptied).items():
            message = "have no such key though it was drawn: it found no row to point at."
            yield _lost("synthesis.keys_emptied", key, message, (count, self.kept[table]), asked)
        for table, count in self.repeated.items():
            if count:
                message = "were left out: they repeated a key, lacked a part of it, or named such a row."
                yield _lost("synthesis.rows_repeated", table, message, (count, self.kept[table]), asked)

    def _why(self, table: str, count: int) -> str:
        own = {key: lost for (name, key), lost in self.lost.items() if name == table}
        why = [f"{key} must not be missing and found no row in {lost:,}" for key, lost in own.items()]
        if sum(own.values()) < count:
            why.append(f"{'others' if own else 'they'} hang on rows that went, or must point at such")
        return "; ".join(why)


def _lost(code: str, where: str, what: str, rows: tuple[int, int], asked: Mapping[str, int]) -> Finding:
    lost, drawn = rows
    share = lost / max(drawn, 1)
    numbers = ", ".join(f"{table} {count:,}" for table, count in asked.items())
    remedy = (
        "Nothing is to be done: they are few."
        if share < FEW_LOST
        else f"Rows asked for: {numbers}. Ask for numbers that go together as in the source, or report it."
    )
    told = f"{share:.1%}" if share >= 0.001 else "less than 0.1%"
    return Finding(code, "warning", where, f"{lost:,} of {drawn:,} rows ({told}) {what}", remedy, count=lost)
