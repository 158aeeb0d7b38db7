"""Limits: what could not be modelled as asked, told in the timeline, in a file and in the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kinsynth.encoded import EncodedParts
from kinsynth.engine.sampled import SampledBlock
from kinsynth.errors import Finding
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.rules import Unkept
from kinsynth.schema.database import Database

FOUND_BY_CHECKS = frozenset(
    {
        "data.empty_table",
        "data.few_rows",
        "data.hardly_any_rows",
        "foreign_keys.circle_broken",
        "foreign_keys.circular_rows",
        "foreign_keys.no_sequence",
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


def find_empty(database: Database) -> Iterator[Finding]:
    """Tell synthetic tables that have no row."""
    for name, table in database.schema.tables.items():
        if not table.original and not database.tables[name].num_rows:
            yield Finding(
                "synthesis.no_rows",
                "warning",
                name,
                "The synthetic table has no row.",
                "Where the source has rows, too few roots hold them: value protection counts roots. "
                "Mark a small lookup table as original, or choose another owner.",
                count=0,
            )


class Losses:
    """Counts rows and keys that are lost on the way from drawn codes to a database."""

    def __init__(self) -> None:
        self.removed: Counter[str] = Counter()
        self.emptied: Counter[str] = Counter()
        self.repeated: Counter[str] = Counter()

    def add(self, blocks: Iterable[SampledBlock]) -> None:
        """Count what blocks lost."""
        for name, table in ((name, table) for block in blocks for name, table in block.tables.items()):
            self.removed[name] += table.removed
            self.emptied.update(table.emptied)

    def find(self) -> Iterator[Finding]:
        """Tell what was lost."""
        for table, count in self.removed.items():
            if count:
                yield _lost(
                    "synthesis.rows_without_target",
                    table,
                    f"{count:,} rows were left out: a key that must not be missing found no row to point at.",
                    count,
                )
        for key, count in self.emptied.items():
            if count:
                yield _lost(
                    "synthesis.keys_emptied",
                    key,
                    f"In {count:,} rows the key is missing though it was drawn: it found no row to point at.",
                    count,
                )
        for table, count in self.repeated.items():
            if count:
                yield _lost(
                    "synthesis.rows_repeated",
                    table,
                    f"{count:,} rows were left out: they repeated a key, lacked a part of it, or named such "
                    "a row.",
                    count,
                )


def _lost(code: str, where: str, message: str, count: int) -> Finding:
    remedy = "Nothing is to be done where they are few; else report it."
    return Finding(code, "warning", where, message, remedy, count=count)
