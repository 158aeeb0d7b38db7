"""What the rows say about foreign keys: which follow from others, which must agree, which never repeat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kinsynth.schema.chance import FEWEST_ROWS, expected_agreements, is_no_accident, nats, never_repeats
from kinsynth.schema.check import Check
from kinsynth.schema.database import Database
from kinsynth.schema.document import read_relation
from kinsynth.schema.graph import Relations, Structure
from kinsynth.schema.levels import find_levels
from kinsynth.schema.paths import Path, RowNumbers, Walker, end_of, paths, trace
from kinsynth.schema.table import Relation, Schema, Table

LONGEST_IMPLIED = 3
LONGEST_SCOPE = 2
LONGEST_FORCED = 4
_LEAST_AGREEMENT = 0.1
Carried = tuple[()] | tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True)
class KeyFacts:
    """What the rows say about one foreign key of a synthesised table.

    Drawn earlier than a key are the owner's and those before it in ``Structure.keys``, then references to
    original tables, then ``Structure.late``.

    Attributes:
        nullable: Whether rows point at none.
        implied: For a key whose role says so, and a reference to an original table whose role does: the path
            that leads from each row to the row it points at; missing exactly where the key is.
        scopes: Pairs of paths, from the row and from the row it points at, that end at one row wherever
            both have an end. The first step of the former is the owner's key or a further one drawn earlier.
        apart: For each unique key that ends with this one: the other keys of the row that are part of it;
            no two rows agree on all of them and on this one. None: no two rows point at the same row.
        avoid: Keys of the row drawn earlier, to the same table, that never name the same row as this one,
            by no accident or since a declared condition says so.
        agreement: Pair of paths, from the row and from the row it points at, that often end at one row; the
            last step of each may lead to an original table. None where nothing beats chance.
        itself: For a reference of a table to itself: number of rows that point at themselves.
        circular: For such a reference: number of rows on circles of two or more rows.
    """

    nullable: bool = False
    implied: Relations = ()
    scopes: tuple[tuple[Path, Path], ...] = ()
    apart: tuple[Relations, ...] = ()
    avoid: Relations = ()
    agreement: tuple[Path, Path] | None = None
    itself: int = 0
    circular: int = 0

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> KeyFacts:
        """Read what ``to_json`` gave."""
        agreement = document["agreement"]
        return cls(
            document["nullable"],
            _read_path(document["implied"]),
            tuple((_read_path(first), _read_path(second)) for first, second in document["scopes"]),
            tuple(map(_read_path, document["apart"])),
            _read_path(document["avoid"]),
            None if agreement is None else (_read_path(agreement[0]), _read_path(agreement[1])),
            document["itself"],
            document["circular"],
        )


Facts = Mapping[Relation, KeyFacts]


def write_facts(facts: Facts) -> list[dict[str, Any]]:
    """Turn facts into plain data."""
    return [{"relation": asdict(relation), **one.to_json()} for relation, one in facts.items()]


def read_facts(document: Iterable[Mapping[str, Any]]) -> dict[Relation, KeyFacts]:
    """Turn plain data back into facts; the inverse of ``write_facts``."""
    return {read_relation(entry["relation"]): KeyFacts.from_json(entry) for entry in document}


def _read_path(document: Iterable[Mapping[str, Any]]) -> Path:
    return tuple(map(read_relation, document))


def find_facts(database: Database, structure: Structure) -> dict[Relation, KeyFacts]:
    """Find what the rows say about every foreign key of the synthesised tables.

    What integrity forces, because keys share columns, always counts; what merely holds in every row counts
    where it would hold by accident in one of a million databases.

    Args:
        database: Typed originals without orphans.
        structure: Their structure.

    Raises:
        ValueError: A key whose role is implied follows from no path.
    """
    walker, found = Walker(database), dict[Relation, KeyFacts]()
    for table in structure.order:
        for relation in drawn_keys(structure, table) + structure.implied[table]:
            found[relation] = _Finder(database.schema, structure, walker, relation, found).find()
    return found


def drawn_keys(structure: Structure, table: str) -> Relations:
    """Give the keys of a table that do not follow from others, in the order in which they are drawn."""
    owner = structure.parent_relation[table]
    return (
        *((owner,) if owner else ()),
        *structure.keys[table],
        *structure.reference_relations[table],
        *structure.late[table],
    )


def find_implied(
    schema: Schema, structure: Structure, walker: Walker, relation: Relation, *, free: bool
) -> Path:
    """Find the path by which the row that a key names is reached in every row.

    Args:
        schema: Where the relation stands.
        structure: What the keys are for; implied ones are no steps.
        walker: The rows.
        relation: The key.
        free: Whether a path counts that may hold by accident.

    Returns:
        The first of the shortest, those before that integrity forces; empty for none.
    """

    def steps(table: str) -> Relations:
        if schema.tables[table].original:
            return schema.outgoing(table)
        return tuple(one for one in drawn_keys(structure, table) if one not in structure.late[table])

    candidates = [
        path
        for path in paths(relation.table, steps, longest=LONGEST_IMPLIED)
        if path and path[-1].references_table == relation.references_table and relation not in path
    ]
    pairs = set(zip(relation.columns, relation.references_columns, strict=True))
    candidates.sort(key=lambda path: not pairs <= trace(path).items())
    start_R, row_R = walker.everything(relation.table), walker.rows(relation)
    for path in candidates:
        if not np.array_equal(walker.ends(path, start_R), row_R):
            continue
        before_R = walker.ends(path[:-1], start_R)
        if free or pairs <= trace(path).items() or is_no_accident(before_R, before_R, row_R, row_R >= 0):
            return path
    return ()


@dataclass(frozen=True)
class _Finder:
    """Finds the facts of one foreign key, when those of the keys drawn before are known."""

    schema: Schema
    structure: Structure
    walker: Walker
    relation: Relation
    known: Facts

    def find(self) -> KeyFacts:
        table, row_R = self.relation.table, self.walker.rows(self.relation)
        selfish = table == self.relation.references_table
        return KeyFacts(
            nullable=bool((row_R < 0).any()),
            implied=self._implied(),
            scopes=tuple(self._scopes()) if self.relation in self.structure.further(table) else (),
            apart=tuple(self._apart()),
            avoid=tuple(self._avoid()),
            agreement=self._agreement() if self.relation in self.structure.further(table) else None,
            itself=int((row_R == self.walker.everything(table)).sum()) if selfish else 0,
            circular=int(find_levels(row_R).circular_R.sum()) if selfish else 0,
        )

    def _earlier(self) -> Relations:
        """Give the keys of the row that are drawn before."""
        drawn = drawn_keys(self.structure, self.relation.table)
        return drawn[: drawn.index(self.relation)] if self.relation in drawn else ()

    def _implied(self) -> Path:
        if self.relation not in self.structure.implied[self.relation.table]:
            return ()
        found = find_implied(self.schema, self.structure, self.walker, self.relation, free=True)
        if not found:
            raise ValueError(f"{self.relation}: it is implied, but no path leads to its rows")
        return found

    # Paths that must agree

    def _steps(self, table: str) -> Relations:
        """Give the keys that are known of a row that is drawn before."""
        owner = self.structure.parent_relation[table]
        return (*((owner,) if owner else ()), *self.structure.keys[table])

    def _scopes(self) -> Iterator[tuple[Path, Path]]:
        """Give the pairs of paths that end at one row, less those that follow from others."""
        table, target = self.relation.table, self.relation.references_table
        first = tuple(one for one in self._earlier() if not self.schema.tables[one.references_table].original)
        from_row = [
            (*head, *tail)
            for head in [(), *((one,) for one in first)]
            for tail in (paths(end_of(head, table), self._steps, longest=LONGEST_SCOPE - 1) if head else [()])
        ]
        from_target = list(paths(target, self._steps, longest=LONGEST_SCOPE))
        found: list[tuple[Path, Path]] = []
        pairs = [
            (left, right)
            for left in from_row
            for right in from_target
            if (left or right) and end_of(left, table) == end_of(right, target)
        ]
        pairs = list(dict.fromkeys([*self._forced(first), *pairs]))
        carried = {pair: self._carried(*pair) for pair in pairs}
        pairs.sort(key=lambda pair: (not carried[pair], len(pair[0]) + len(pair[1])))
        known: dict[str, list[tuple[RowNumbers, RowNumbers]]] = {}
        told: set[Carried] = set()
        for pair in pairs:
            if carried[pair] in told and not self._is_of_owners(*pair):
                continue
            if any(_follows(one, other) for one in self._same(pair) for other in found):
                continue
            if carried[pair] or self._meet(pair, known):
                found.append(pair)
                told |= {carried[pair]} - {()} if self._never_ends(*pair) else set()
        yield from found

    def _forced(self, first: Relations) -> Iterator[tuple[Path, Path]]:
        """Give the pairs of paths of up to four steps that agree since they carry the same columns."""
        from_target = self._carrying(self.relation)
        for one in first:
            for left in self._carrying(one):
                for _, *right in from_target:
                    if self._carried(left, tuple(right)):
                        yield left, tuple(right)

    def _carrying(self, first: Relation) -> list[Path]:
        """Give the paths that begin with a key and carry columns of the row to their end.

        Of those that carry the same to the same table, whose rows are then the same, only the shortest where
        it never ends early, and those of owners.
        """
        found: list[Path] = [(first,)]
        told: set[tuple[str, frozenset[tuple[str, str]]]] = set()
        for path in found:
            for one in self._steps(path[-1].references_table) if len(path) < LONGEST_FORCED else ():
                longer = (*path, one)
                says = one.references_table, frozenset(trace(longer).items())
                if says[1] and (says not in told or self._is_of_owners(longer[1:], ())):
                    found.append(longer)
                    told |= {says} if self._never_ends(longer[1:], ()) else set()
        return found

    def _never_ends(self, *several: Path) -> bool:
        """Tell whether no key on some paths is ever missing."""
        return all(self.walker.always(one) for path in several for one in path)

    def _is_of_owners(self, *several: Path) -> bool:
        """Tell whether paths are of keys of owners alone: they say that a row stays under its root."""
        owners = self.structure.parent_relation
        return all(owners[one.table] == one for path in several for one in path)

    def _same(self, pair: tuple[Path, Path]) -> Iterator[tuple[Path, Path]]:
        """Give the pair, and pairs whose path from the row leads to the same rows by an earlier scope.

        Only paths that never end early stand for others.
        """
        yield pair
        left, right = pair
        for mine, theirs in self.known[left[0]].scopes if left else ():
            if self._never_ends(mine) and left[1 : len(theirs) + 1] == theirs:
                yield (*mine, *left[len(theirs) + 1 :]), right

    def _carried(self, left: Path, right: Path) -> Carried:
        """Give the columns of the row that both paths carry to the whole key at their end, if they do.

        Pairs that carry the same end at the same rows, so one that never ends early stands for all.
        """
        if not left or not right or left[-1].references_table != right[-1].references_table:
            return ()
        mine, theirs = trace(left), trace((self.relation, *right))
        agreeing = {
            column: mine[column] for column in mine.keys() & theirs.keys() if mine[column] == theirs[column]
        }
        if not {*agreeing.values()} >= {*left[-1].references_columns}:
            return ()
        return left[-1].references_table, frozenset(agreeing.items())

    def _meet(self, pair: tuple[Path, Path], known: dict[str, list[tuple[RowNumbers, RowNumbers]]]) -> bool:
        """Tell whether two paths end at one row in every row, by no accident, and say something new."""
        left, right = pair
        start_R, row_R = self.walker.everything(self.relation.table), self.walker.rows(self.relation)
        own_R, other_R = self.walker.ends(left, start_R), self.walker.ends(right, row_R)
        both_R = (own_R >= 0) & (other_R >= 0)
        if not both_R.any() or (own_R[both_R] != other_R[both_R]).any():
            return False
        before = self.walker.ends(left[:-1], start_R), self.walker.ends(right[:-1], row_R)
        if not is_no_accident(*before, own_R, both_R):
            return False
        seen = known.setdefault(end_of(left, self.relation.table), [])
        if any(np.array_equal(own_R, one) or np.array_equal(other_R, other) for one, other in seen):
            return False
        seen.append((own_R, other_R))
        return True

    def _agreement(self) -> tuple[Path, Path] | None:
        """Give the pair of paths whose ends agree most often beyond chance, those that always do left out.

        A pair counts by the share of rows that agree beyond chance, times what an agreement says: the
        logarithm of how many ends are told apart.
        """
        table, target = self.relation.table, self.relation.references_table
        start_R, row_R = self.walker.everything(table), self.walker.rows(self.relation)
        first = tuple(one for one in self._earlier() if not self.schema.tables[one.references_table].original)
        own = [((one, *rest), one) for one in first for rest in self._endings(one.references_table)]
        best, most = None, _LEAST_AGREEMENT
        for left, _ in own:
            own_R = self.walker.ends(left, start_R)
            for right in self._endings(target):
                if end_of(left, table) != end_of(right, target):
                    continue
                other_R = self.walker.ends(right, row_R)
                both_R = (own_R >= 0) & (other_R >= 0)
                gain = agreement_gain(own_R[both_R], other_R[both_R])
                if gain > most:
                    best, most = (left, right), gain
        return best

    def _endings(self, table: str) -> list[Path]:
        """Give the empty path, and those of one step, that lead from a table to rows that are known."""
        return [(), *((one,) for one in (*self._steps(table), *self.structure.reference_relations[table]))]

    # Keys that never repeat, or never agree

    def _apart(self) -> Iterator[Relations]:
        table = self.relation.table
        unique = [
            keys for columns in _unique_columns(self.schema.tables[table]) if (keys := self._cover(columns))
        ]
        declared = [
            tuple(one for one in keys if one != self.relation) for keys in unique if keys[-1] == self.relation
        ]
        if () in declared or self._never_repeats(()):
            yield ()
            return
        made = [one for one in self._earlier() if not self.schema.tables[one.references_table].original]
        yield from dict.fromkeys([*declared, *((one,) for one in made if self._never_repeats((one,)))])

    def _cover(self, columns: tuple[str, ...]) -> Relations:
        """Give the keys that together are a unique key, the one drawn last at the end; empty for none."""
        table = self.relation.table
        able = [
            one
            for one in (*self.structure.implied[table], *drawn_keys(self.structure, table))
            if set(one.columns) <= set(columns)
        ]
        for one in list(able):
            others = {column for other in able if other != one for column in other.columns}
            if set(one.columns) <= others:
                able.remove(one)
        return tuple(able) if {column for one in able for column in one.columns} == set(columns) else ()

    def _never_repeats(self, others: Relations) -> bool:
        """Tell whether no combination of rows repeats although chance would have repeated some."""
        if self.schema.tables[self.relation.references_table].original:
            return False
        row_R = self.walker.rows(self.relation)
        sides = [self.walker.rows(one) for one in others]
        known_R = row_R >= 0
        for side_R in sides:
            known_R &= side_R >= 0
        targets = len(self.walker.everything(self.relation.references_table))
        return never_repeats([row_R[known_R], *(side_R[known_R] for side_R in sides)], targets)

    def _avoid(self) -> Iterator[Relation]:
        table, row_R = self.relation.table, self.walker.rows(self.relation)
        for other in self._earlier():
            if other.references_table != self.relation.references_table:
                continue
            other_R = self.walker.rows(other)
            both_R = (row_R >= 0) & (other_R >= 0)
            left, right = row_R[both_R], other_R[both_R]
            said = any(says_apart(one, self.relation, other) for one in self.schema.tables[table].checks)
            if not (left == right).any() and (said or expected_agreements(left, right) >= nats()):
                yield other


def says_apart(check: Check, one: Relation, other: Relation) -> bool:
    """Tell whether a declared condition says that two keys of a row never name the same row.

    >>> keys = [Relation("flight", (name,), "airport", ("code",)) for name in ("origin", "goal")]
    >>> says_apart(Check("goal", "!=", "origin"), *keys)
    True
    """
    differing = [{*pair} for pair in zip(one.columns, other.columns, strict=False) if len({*pair}) > 1]
    return (
        (one.references_table, one.references_columns) == (other.references_table, other.references_columns)
        and (check.operator, check.negated) == ("!=", False)
        and differing == [{check.column, check.other}]
    )


def agreement_gain(own_R: RowNumbers, other_R: RowNumbers) -> float:
    """Tell how much two ends agree beyond chance, and how much that says; 0 where they always do.

    >>> towns = np.arange(400) % 20
    >>> round(agreement_gain(towns, np.where(np.arange(400) < 200, towns, (towns + 7) % 20)), 2)
    1.35
    """
    rows = len(own_R)
    equal = own_R == other_R
    if rows < FEWEST_ROWS or equal.all():
        return 0.0
    size = int(max(own_R.max(), other_R.max())) + 1
    chance = float(np.bincount(own_R, minlength=size) @ np.bincount(other_R, minlength=size)) / rows**2
    beyond = float(equal.mean()) - chance
    if beyond < _LEAST_AGREEMENT or rows * beyond**2 < 16 * chance * (1 - chance):
        return 0.0
    return beyond * -float(np.log(max(chance, 1e-12)))


def _follows(pair: tuple[Path, Path], other: tuple[Path, Path]) -> bool:
    """Tell whether paths agree because two shorter ones agree and both go on alike."""
    rests = [path[len(start) :] for path, start in zip(pair, other, strict=True)]
    starts = all(path[: len(start)] == start for path, start in zip(pair, other, strict=True))
    return starts and rests[0] == rests[1]


def _unique_columns(table: Table) -> tuple[tuple[str, ...], ...]:
    """Give the column sets that never repeat by declaration."""
    return (*((table.primary_key,) if table.primary_key else ()), *table.unique_keys)
