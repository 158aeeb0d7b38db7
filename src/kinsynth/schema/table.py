"""Column, Table, Relation, Schema: what a database looks like, frozen and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kinsynth.schema.check import Check
from kinsynth.settings.treatment import COLUMN_TYPES

ROLES = ("", "owner", "key", "implied")


@dataclass(frozen=True)
class TextFormat:
    """How typed values were written as text, so that they can be written the same way again.

    Attributes:
        pattern: strftime pattern of dates and times; None for others. Beside the usual letters ``%3f`` are
            milliseconds and ``%.f`` a fraction with its point and without trailing zeros, empty when zero.
        decimals: Fixed number of digits after the decimal mark; None for the shortest form.
        decimal_mark: ``.`` or ``,``.
        true: Text of true for booleans.
        false: Text of false for booleans.
        point_zero: Whether whole numbers in the shortest form end in ``.0``.
    """

    pattern: str | None = None
    decimals: int | None = None
    decimal_mark: str = "."
    true: str = "true"
    false: str = "false"
    point_zero: bool = True


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Name as in the source.
        type: Column type, one of ``settings.treatment.COLUMN_TYPES``.
        storage: Arrow type in Arrow's own spelling: ``int64``, ``double``, ``string``, ``bool``,
            ``date32[day]``, ``time64[us]``, ``timestamp[us]``, ``decimal128(38, 10)``, ...
        nullable: Whether missing values occur or are declared.
        text: How values are written in text files; None for a source that is typed itself.
        pair: For coordinates: the column with the other coordinate of the same place.
        numbered: Whether it numbers the rows of one owner, without a gap and from the same start.
    """

    name: str
    type: str
    storage: str
    nullable: bool = True
    text: TextFormat | None = None
    pair: str | None = None
    numbered: bool = False

    def __post_init__(self) -> None:
        """Check the type's name."""
        if self.type not in COLUMN_TYPES:
            raise ValueError(f"type={self.type}: expected one of {COLUMN_TYPES}")


@dataclass(frozen=True)
class Relation:
    """A foreign key with its referenced table.

    Attributes:
        table: The referencing table.
        columns: Its columns, one or more.
        references_table: The referenced table; may be the same.
        references_columns: As many columns there.
        orphans: What happens to references without a row: ``refuse``, ``null`` or ``drop``.
        role: What the key is for, one of ``ROLES``: the rows belong to the referenced row as a sequence
            (``owner``), they point at it (``key``), or the key follows from others (``implied``); empty
            while that is undecided.
        acyclic: For a table that references itself: no row reaches itself along the references.
    """

    table: str
    columns: tuple[str, ...]
    references_table: str
    references_columns: tuple[str, ...]
    orphans: str = "refuse"
    role: str = ""
    acyclic: bool = False

    def __post_init__(self) -> None:
        """Check the role's name, and that both sides have as many columns."""
        if self.role not in ROLES:
            raise ValueError(f"role={self.role}: expected one of {ROLES}")
        if not self.columns or len(self.columns) != len(self.references_columns):
            raise ValueError(f"{self}: as many referencing as referenced columns expected")
        if self.acyclic and self.table != self.references_table:
            raise ValueError(f"{self}: only a table that references itself can be acyclic")

    def __str__(self) -> str:
        """Write ``orders(customer_id) -> customers(id)``; no two relations of a schema are written alike.

        >>> str(Relation("t", ("x, y",), "p", ("id",)))
        't("x, y") -> p(id)'
        """
        left, right = (", ".join(map(_quoted, names)) for names in (self.columns, self.references_columns))
        return f"{_quoted(self.table)}({left}) -> {_quoted(self.references_table)}({right})"


def _quoted(name: str) -> str:
    """Quote a name that holds a sign with a meaning between names."""
    if any(sign in name for sign in (",", "(", ")", '"', "->")):
        return f'"{name.replace(chr(34), 2 * chr(34))}"'
    return name


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: Name as in the source.
        columns: Columns in the source's order.
        primary_key: Names of the key columns; empty for none.
        original: Whether rows are copied unchanged.
        order_by: Column by which rows under one parent follow each other; None for no meaning.
        unique_keys: Further groups of columns in which no two complete rows are equal.
        checks: Conditions that no row breaks.
    """

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    original: bool = False
    order_by: str | None = None
    unique_keys: tuple[tuple[str, ...], ...] = ()
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        """Check that names are unique and the key exists."""
        names = self.column_names
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: column names must be unique")
        wanted = [*self.primary_key, *((self.order_by,) if self.order_by else ())]
        wanted += [name for key in self.unique_keys for name in key]
        wanted += [name for check in self.checks for name in check.columns]
        if not all(self.unique_keys):
            raise ValueError(f"{self.name}: a unique key has no column")
        missing = [name for name in wanted if name not in names]
        if missing:
            raise ValueError(f"{self.name}: no column {missing}")

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(column.name for column in self.columns)

    def with_unique(self, keys: Iterable[tuple[str, ...]]) -> Table:
        """Give the table with more unique keys; those that it has already stay as they are."""
        known = [frozenset(key) for key in (self.primary_key, *self.unique_keys)]
        more = tuple(key for key in keys if frozenset(key) not in known)
        return replace(self, unique_keys=(*self.unique_keys, *more))

    def column(self, name: str) -> Column:
        """Give a column by name."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class Schema:
    """Tables and the relations between them.

    Guarantees:
        Every relation names existing tables and columns.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()

    def __post_init__(self) -> None:
        """Check the promises between tables."""
        for name, table in self.tables.items():
            if name != table.name:
                raise ValueError(f"table {table.name} is filed under {name}")
        for relation in self.relations:
            sides = (
                (relation.table, relation.columns),
                (relation.references_table, relation.references_columns),
            )
            for name, columns in sides:
                if name not in self.tables:
                    raise ValueError(f"{relation}: no table {name}")
                if missing := [column for column in columns if column not in self.tables[name].column_names]:
                    raise ValueError(f"{relation}: {name} has no column {missing}")

    def outgoing(self, table: str) -> tuple[Relation, ...]:
        """Give the relations whose columns stand in the table."""
        return tuple(relation for relation in self.relations if relation.table == table)

    def foreign_columns(self, table: str) -> set[str]:
        """Give the columns of a table that are part of a foreign key."""
        return {column for relation in self.outgoing(table) for column in relation.columns}

    def incoming(self, table: str) -> tuple[Relation, ...]:
        """Give the relations that reference the table."""
        return tuple(relation for relation in self.relations if relation.references_table == table)

    def may_be_missing(self, relation: Relation) -> bool:
        """Tell whether a row may point at none."""
        return any(self.tables[relation.table].column(name).nullable for name in relation.columns)
