"""An evaluation of a small made-up database with every type of column, nulls, and awkward names."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from kinsynth.evaluation import Evaluation, evaluate
from kinsynth.schema.database import Database
from kinsynth.schema.table import Column, Relation, Schema, Table

TYPES = {
    "on": ("boolean", pa.bool_()),
    "kind": ("categorical", pa.string()),
    "count": ("integer", pa.int64()),
    "amount": ("numeric", pa.float64()),
    "day": ("date", pa.date32()),
    "hour": ("time", pa.time64("us")),
    "moment": ("datetime", pa.timestamp("us")),
    "latitude": ("coordinates", pa.float64()),
    "nothing": ("numeric", pa.float64()),
    '#panic("x") $x^2$ *b* <a> &amp; ' + "very_long_name_" * 6: ("categorical", pa.string()),
}


def values(seed: int, rows: int) -> dict[str, np.ndarray]:
    """Draw the columns of one table."""
    rng = np.random.default_rng(seed)
    stamp = rng.integers(0, 86_400_000_000, rows)
    return {
        "on": rng.random(rows) < 0.3,
        "kind": rng.choice(["Übermut", "naïve", "Ωμέγα", "$5 to $10"], rows),
        "count": rng.poisson(2, rows),
        "amount": rng.lognormal(5, 2, rows),
        "day": rng.integers(0, 9000, rows).astype("int32"),
        "hour": stamp,
        "moment": 1_600_000_000_000_000 + stamp,
        "latitude": rng.normal(48, 1, rows),
        "nothing": np.full(rows, np.nan),
        list(TYPES)[-1]: rng.choice(["#strong[a]", "\x01control\ttab", "</svg>", "a" * 200], rows),
    }


def database(seed: int, rows: int = 400) -> Database:
    """Make parents with one column of each type, and children."""
    drawn = values(seed, rows)
    first = seed * 1_000_000  # rows of different parts are different rows
    arrays = {"id": pa.array(first + np.arange(rows))}
    arrays |= {name: pa.array(drawn[name], kind, from_pandas=True) for name, (_, kind) in TYPES.items()}
    parents = pa.table(arrays)
    owner = np.repeat(np.arange(rows), np.random.default_rng(seed).poisson(1.5, rows))
    children = pa.table({"parent": pa.array(first + owner), "x": pa.array(owner % 7 * 1.0)})
    columns = [Column("id", "identifier", "int64")]
    columns += [Column(name, kind, str(parents.schema.field(name).type)) for name, (kind, _) in TYPES.items()]
    child_columns = (
        Column("parent", "identifier", "int64", nullable=False),
        Column("x", "numeric", "double"),
    )
    schema = Schema(
        {
            "parents": Table("parents", tuple(columns), primary_key=("id",)),
            "children": Table("children", child_columns),
        },
        (Relation("children", ("parent",), "parents", ("id",)),),
    )
    return Database(schema, {"parents": parents, "children": children}, "original")


def example() -> Evaluation:
    """Evaluate one draw against another, with held-out rows."""
    return evaluate(database(1), database(2), holdout=database(3, rows=150))
