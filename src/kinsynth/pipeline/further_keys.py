"""Further keys of a table as codes: to which group of rows each of them points.

A foreign key beside the one to the owner is learned by a table of keys, drawn before its table, or after it
where a row must be known before its keys are (self references, circles of tables).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import (
    FIRST_GROUP,
    NONE,
    OWNER,
    CodeArray,
    EncodedParts,
    EncodedTable,
    Ending,
    Grouping,
    IntArray,
    Link,
    Path,
    Pointer,
    SubColumn,
    code_type,
)
from kinsynth.engine.grouping import fit_grouping
from kinsynth.engine.pointing import ask, read_ending, read_groups, tell_tokens
from kinsynth.engine.profile import profile_rows
from kinsynth.privacy.protection import Holders, group_until_safe
from kinsynth.schema.arrange import Arrangement, pointed_rows
from kinsynth.schema.database import Database
from kinsynth.schema.facts import KeyFacts
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.holders import Units, find_holders
from kinsynth.schema.levels import find_levels
from kinsynth.schema.table import Relation, Schema

Rows = NDArray[np.int64]
Reading = tuple[
    tuple[int, ...], tuple[int, ...]
]  # sub-columns of a table, and the row each of their codes says
Asked = tuple[tuple[Path, int], ...]
MOST_GROUPS = 64
_CHUNK_ROWS = 1 << 16


@dataclass(frozen=True)
class KeysCodec:
    """How further keys of one table become codes.

    Attributes:
        name: Name of the table of keys.
        table: The table whose keys they are.
        parent: The owner of that table, or None.
        ordered: Whether the order of rows under one parent carries meaning.
        late: Whether the keys are drawn after the rows.
        pointers: What the model is told of each key.
        seen: For each key the codes that occur.
    """

    name: str
    table: str
    parent: str | None
    ordered: bool
    late: bool
    pointers: tuple[Pointer, ...]
    seen: tuple[tuple[int, ...], ...]

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """One token for each key; what does not occur is never drawn."""
        subs = []
        for number, (pointer, seen) in enumerate(zip(self.pointers, self.seen, strict=True)):
            forbidden_K = np.ones(FIRST_GROUP + pointer.grouping.groups, dtype=np.bool_)
            forbidden_K[list(seen) or [NONE]] = False
            subs.append(SubColumn(number, len(forbidden_K), forbidden_K=forbidden_K))
        return tuple(subs)

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "name": self.name,
            "table": self.table,
            "parent": self.parent,
            "ordered": self.ordered,
            "late": self.late,
            "pointers": [pointer.to_json() for pointer in self.pointers],
            "seen": [list(codes) for codes in self.seen],
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> KeysCodec:
        """Read what ``to_json`` gave."""
        return KeysCodec(
            document["name"],
            document["table"],
            document["parent"],
            document["ordered"],
            document["late"],
            tuple(Pointer.from_json(pointer) for pointer in document["pointers"]),
            tuple(tuple(codes) for codes in document["seen"]),
        )


def keys_name(tables: Container[str], table: str, *, late: bool) -> str:
    """Name the table of keys of a table; no other table has the name."""
    name = f"{table} (late keys)" if late else f"{table} (keys)"
    while name in tables:
        name += "'"
    return name


def level_name(relation: Relation) -> str:
    """Name the level of a row in the hierarchy that a self reference makes."""
    return f"level by {relation}"


class FurtherKeys:
    """The further keys of all tables of a database, as row numbers of arranged rows."""

    def __init__(self, database: Database, structure: Structure, arranged: Mapping[str, Arrangement]) -> None:
        self.database, self.structure, self.arranged = database, structure, arranged
        self._rows: dict[Relation, Rows] = {}

    @cached_property
    def units(self) -> dict[str, Units]:
        """Holders of the arranged rows of each table, by each unit of protection."""
        return {
            name: tuple(unit_R[self.arranged[name].row_R] for unit_R in units)
            for name, units in find_holders(self.database, self.structure).items()
        }

    def of(self, table: str, *, late: bool) -> tuple[Relation, ...]:
        """Give the keys of a table that are drawn before or after its rows."""
        return (self.structure.late if late else self.structure.keys)[table]

    def late_to_itself(self, table: str) -> tuple[Relation, ...]:
        """Give the self references of a table."""
        return tuple(one for one in self.of(table, late=True) if one.references_table == table)

    def rows(self, relation: Relation) -> Rows:
        """Give the arranged row of the target for each arranged row, -1 for none, shape (R,).

        Where rows of a self reference go round in a circle, one of them points at none instead.
        """
        if relation not in self._rows:
            rows = pointed_rows(self.database, self.arranged, relation)
            if relation.table == relation.references_table:
                rows = np.where(find_levels(rows).cut_R, -1, rows)
            self._rows[relation] = rows
        return self._rows[relation]

    def follow(self, table: str, path: Path) -> tuple[str, Rows]:
        """Give the table that a path leads to, and the row there from each row, -1 for none, shape (R,)."""
        row_R = np.arange(len(self.arranged[table].row_R), dtype=np.int64)
        for step in path:
            further = self.structure.further(table)
            relation = self.structure.parent_relation[table] if step == OWNER else further[step]
            next_R = self.arranged[table].owner_rows if step == OWNER else self.rows(further[step])
            assert relation is not None
            row_R, table = np.append(next_R, -1)[row_R], relation.references_table
        return table, row_R

    def in_degrees(self, relation: Relation) -> Rows:
        """Count the rows that point at each row of the target."""
        rows = self.rows(relation)
        targets = len(self.arranged[relation.references_table].row_R)
        return np.bincount(rows[rows >= 0], minlength=targets).astype(np.int64)

    def links(self, table: str) -> tuple[Link, ...]:
        """Give what the rows of a table point to and look at."""
        return tuple(Link(one.references_table, self.rows(one)) for one in self.of(table, late=False))


def fit_keys(
    further: FurtherKeys,
    facts: Mapping[Relation, KeyFacts],
    encoded: Mapping[str, EncodedParts],
    readings: Mapping[Relation, Reading],
    *,
    minimum: int,
    seed: int = 0,
) -> dict[str, KeysCodec]:
    """Fit the tables of keys of every table that has further keys.

    Args:
        further: The keys.
        facts: What always holds of each key.
        encoded: Every table that is drawn.
        readings: How codes say the referenced row, for references to original tables.
        minimum: Roots that a group needs, of its rows and of those that point at them.
        seed: Source of the projections by which groups are found.
    """
    of, codecs = cache(lambda name: encoded[name].whole()), {}
    for table in further.structure.order:
        for late in (False, True):
            relations = further.of(table, late=late)
            if not relations:
                continue
            head, name = encoded[table].head, keys_name(encoded, table, late=late)
            pointers = tuple(
                _fit_pointer(one, further, facts[one], of, readings, minimum=minimum, seed=seed)
                for one in relations
            )
            codes = [
                token_codes(pointer, one, further, of)
                for one, pointer in zip(relations, pointers, strict=True)
            ]
            seen = tuple(tuple(np.unique(code_R).tolist()) for code_R in codes)
            codecs[name] = KeysCodec(name, table, head.parent, head.ordered, late, pointers, seen)
    return codecs


def _fit_agreement(
    relation: Relation, facts: KeyFacts, paths: _Paths, readings: Mapping[Relation, Reading]
) -> tuple[Ending, Ending] | None:
    """Turn the paths that often end at one row into what the engine follows and reads."""
    if facts.agreement is None:
        return None
    ends = []
    for table, path in zip((relation.table, relation.references_table), facts.agreement, strict=True):
        reading = readings.get(path[-1]) if path else None
        steps = paths.path(table, path if reading is None else path[:-1])
        if steps is None:
            return None
        ends.append(Ending(steps, *(reading or ((), ()))))
    return ends[0], ends[1]


def _fit_pointer(
    relation: Relation,
    further: FurtherKeys,
    facts: KeyFacts,
    of: Callable[[str], EncodedTable],
    readings: Mapping[Relation, Reading],
    *,
    minimum: int,
    seed: int,
) -> Pointer:
    grouping, asked = _fit_groups(relation, further, of, minimum=minimum, seed=seed)
    paths = _Paths(further.structure)
    own = relation.table == relation.references_table
    return Pointer(
        key=str(relation),
        target=relation.references_table,
        grouping=grouping,
        nullable=facts.nullable,
        scopes=paths.pairs(relation, facts.scopes),
        level=level_name(relation) if own else "",
        apart=paths.groups(relation, facts.apart),
        avoid=tuple(path for one in facts.avoid if (path := paths.path(relation.table, (one,))) is not None),
        agreement=_fit_agreement(relation, facts, paths, readings),
        asked=asked,
    )


def _fit_groups(
    relation: Relation,
    further: FurtherKeys,
    of: Callable[[str], EncodedTable],
    *,
    minimum: int,
    seed: int,
) -> tuple[Grouping, Asked]:
    """Fit groups of the target's rows, and say what they ask about."""
    rows, target = of(relation.table), of(relation.references_table)
    owner = None if rows.parent is None else of(rows.parent)
    profile_TP, weight_T = profile_rows(further.rows(relation), rows, owner, targets=target.rows, seed=seed)
    root_T = further.arranged[relation.references_table].root_R
    ends = _ends(relation.references_table, further, of)
    asked = [(path, number) for path, (end, _) in ends.items() for number in range(len(end.sub_columns))]
    subs = [_or_none(ends[path][0].sub_columns[number]) for path, number in asked]
    codes_TC = ask(asked, ends)
    grouping = fit_grouping(codes_TC, subs, profile_TP, weight_T, root_T, minimum=minimum, most=MOST_GROUPS)
    grouping = _safe(grouping, grouping.of(codes_TC), relation, further, minimum)
    used = np.unique(grouping.sub_column_N[grouping.sub_column_N >= 0])
    place_C = np.full(len(asked) + 1, -1, dtype=np.int64)
    place_C[used] = np.arange(len(used))
    return (
        replace(grouping, sub_column_N=place_C[grouping.sub_column_N]),
        tuple(asked[number] for number in used.tolist()),
    )


def _ends(
    table: str, further: FurtherKeys, of: Callable[[str], EncodedTable]
) -> dict[Path, tuple[EncodedTable, Rows]]:
    """Give the rows that say what kind of row each of a table is: itself, its owner, those it points to."""
    owned = [(OWNER,)] if further.structure.parent_relation[table] else []
    paths: list[Path] = [(), *owned, *((number,) for number in range(len(further.structure.keys[table])))]
    found = {}
    for path in paths:
        end, row_T = further.follow(table, path)
        found[path] = of(end), row_T
    return found


def _or_none(sub: SubColumn) -> SubColumn:
    """Give a sub-column with one code more, for no row."""
    position_K = None if sub.position_K is None else np.append(sub.position_K, np.float32(np.nan))
    return SubColumn(sub.column, sub.cardinality + 1, position_K, shown=sub.shown)


def _safe(
    grouping: Grouping, group_T: Rows, relation: Relation, further: FurtherKeys, minimum: int
) -> Grouping:
    """Join neighbouring groups until rows of enough roots point at each."""
    row_R = further.rows(relation)
    known_R = row_R >= 0
    if grouping.groups == 1 or not known_R.any():
        return grouping
    units = further.units[relation.table] or (np.arange(len(row_R)),)
    roots = Holders(tuple(unit_R[known_R] for unit_R in units))
    groups = np.arange(grouping.groups)
    return grouping.joined(group_until_safe(groups, group_T[row_R[known_R]], roots, minimum=minimum))


@dataclass(frozen=True)
class _Paths:
    """Turns paths of relations into steps of the engine, which numbers the keys as they are drawn."""

    structure: Structure

    def path(self, table: str, relations: tuple[Relation, ...]) -> Path | None:
        """Give the steps, None where a relation leads neither to an owner nor to a row that is pointed to."""
        steps: list[int] = []
        for relation in relations:
            keys = self.structure.further(table)
            if relation == self.structure.parent_relation[table]:
                steps.append(OWNER)
            elif relation in keys:
                steps.append(keys.index(relation))
            else:
                return None
            table = relation.references_table
        return tuple(steps)

    def pairs(
        self, relation: Relation, scopes: tuple[tuple[tuple[Relation, ...], tuple[Relation, ...]], ...]
    ) -> tuple[tuple[Path, Path], ...]:
        found = []
        for mine, theirs in scopes:
            pair = self.path(relation.table, mine), self.path(relation.references_table, theirs)
            if pair[0] is not None and pair[1] is not None:
                found.append((pair[0], pair[1]))
        return tuple(found)

    def groups(
        self, relation: Relation, apart: tuple[tuple[Relation, ...], ...]
    ) -> tuple[tuple[Path, ...], ...]:
        """Give the unique keys that are settled with this key: with keys before it, not with later ones."""
        keys = self.structure.further(relation.table)
        before = keys[: keys.index(relation)]
        found = []
        for others in apart:
            steps = [self.path(relation.table, (one,)) for one in others]
            known = all(
                one in before or one == self.structure.parent_relation[relation.table] for one in others
            )
            if known and all(step is not None for step in steps):
                found.append(tuple(step for step in steps if step is not None))
        return tuple(found)


def token_codes(
    pointer: Pointer, relation: Relation, further: FurtherKeys, of: Callable[[str], EncodedTable]
) -> IntArray:
    """Give the code of each row's key, shape (R,)."""
    group_T, ends = read_groups(pointer, _ends(pointer.target, further, of)), None
    if pointer.agreement is not None:
        own_R, other_T = (
            read_ending(ending, of(end), row_R)
            for ending, table in zip(pointer.agreement, (relation.table, pointer.target), strict=True)
            for end, row_R in [further.follow(table, ending.path)]
        )
        ends = own_R, other_T
    return tell_tokens(pointer, relation.table, further.rows(relation), group_T, ends).astype(np.int32)


def keys_parts(
    codecs: Mapping[str, KeysCodec], further: FurtherKeys, encoded: Mapping[str, EncodedParts]
) -> dict[str, EncodedParts]:
    """Make the tables of keys ready to be turned into codes."""
    of = cache(lambda name: encoded[name].whole())
    return {name: _keys_parts(codec, further, encoded[codec.table], of) for name, codec in codecs.items()}


def _keys_parts(
    codec: KeysCodec, further: FurtherKeys, table: EncodedParts, of: Callable[[str], EncodedTable]
) -> EncodedParts:
    subs = codec.sub_columns
    kind = code_type(sub.cardinality for sub in subs)
    columns = [
        token_codes(pointer, relation, further, of).astype(kind)
        for relation, pointer in zip(further.of(codec.table, late=codec.late), codec.pointers, strict=True)
    ]

    def chunks() -> Iterator[CodeArray]:
        for start in range(0, table.rows, _CHUNK_ROWS):
            yield np.stack([column[start : start + _CHUNK_ROWS] for column in columns], axis=1)

    links = (Link(codec.table, np.arange(table.rows, dtype=np.int64)),) if codec.late else ()
    head = EncodedTable(
        np.zeros((0, len(subs)), kind),
        subs,
        codec.parent,
        None if codec.parent is None else np.zeros(0, dtype=np.int64),
        (),
        codec.ordered,
        tuple(replace(link, row_R=link.row_R[:0]) for link in links),
        codec.table,
        codec.pointers,
    )
    return EncodedParts(head, table.rows, table.parent_R, chunks, links, table.alone)


def state_pairs(schema: Schema, keys: Mapping[str, KeysCodec]) -> Schema:
    """State what never repeats in the result: rows that are pointed at once, and pairs of a bridge."""
    structure, named = find_structure(schema), {str(relation): relation for relation in schema.relations}
    found: dict[str, dict[tuple[str, ...], None]] = {}
    for codec in keys.values():
        further = structure.further(codec.table)
        for pointer in codec.pointers:
            for paths in pointer.apart:
                others = [
                    structure.parent_relation[codec.table] if one == OWNER else further[one]
                    for (one,) in paths
                ]
                sides = [*(other for other in others if other is not None), named[pointer.key]]
                columns = dict.fromkeys(column for side in sides for column in side.columns)
                found.setdefault(codec.table, {})[tuple(columns)] = None
    tables = {name: table.with_unique(found.get(name, {})) for name, table in schema.tables.items()}
    return replace(schema, tables=tables)
