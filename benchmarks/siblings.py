"""Compare what child rows of one parent have in common, in drawn tables and in those they were learned from.

    python benchmarks/siblings.py DATASET DRAWN [DRAWN ...] [--cap 12500]

DATASET is a folder as the outside judge reads it (see judge.py), DRAWN one that judge.py wrote for one seed.
Prints for each child table, as means over its columns and the parent's summaries of them:

    between    difference of the share of a column's variance that lies between parents (variance of ranks, or
               of the six most frequent categories)
    constant   difference of the share of parents with several rows and a single value; the largest one named
    summaries  Kolmogorov-Smirnov distance of each parent's mean, standard deviation, smallest, largest and
               sum, or number of categories

The first line is of fresh rows of the source, or of the held-out ones where none are left.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from judge import load_judge

NUMBERS = ("numeric", "integer", "coordinates")
MOMENTS = ("date", "datetime")
OF_NUMBERS = ("mean", "std", "min", "max", "sum")


def measure(rows: pd.DataFrame, kinds: dict[str, str], key: list[str]) -> dict[str, dict[str, Any]]:
    """Give the three measures of one child table, by column and summary."""
    parent = rows[key].astype(str).agg("\x1f".join, axis=1)
    found: dict[str, dict[str, Any]] = {"between": {}, "constant": {}, "summaries": {}}
    for name, kind in kinds.items():
        if kind in (*NUMBERS, *MOMENTS):
            values = rows[name].astype("int64").where(rows[name].notna()) if kind in MOMENTS else rows[name]
            grouped = values.astype(float).groupby(parent)
            found["between"][name] = between(pd.DataFrame({name: values.rank(pct=True)}), parent)
            found["summaries"] |= {f"{name}.{one}": getattr(grouped, one)().dropna() for one in OF_NUMBERS}
        elif kind in ("categorical", "boolean"):
            values = rows[name].fillna("~na").astype(str)
            grouped = values.groupby(parent)
            frequent = values.value_counts().index[:6]
            dummies = pd.get_dummies(values.where(values.isin(frequent), "~other")).astype(float)
            found["between"][name] = between(dummies, parent)
            found["summaries"][f"{name}.distinct"] = grouped.nunique()
        else:
            continue
        found["constant"][name] = float((grouped.nunique()[grouped.size() > 1] == 1).mean())
    return found


def between(values: pd.DataFrame, parent: pd.Series) -> float:
    """Give the share of the squares that lies between parents."""
    means = values.groupby(parent).transform("mean")
    known = values.notna()
    whole = ((values - values.mean()) ** 2).sum().sum()
    return float((((means - values.mean()) ** 2).where(known)).sum().sum() / max(whole, 1e-12))


def distance(left: np.ndarray, right: np.ndarray) -> float:
    """Give the largest difference of two distribution functions."""
    points = np.concatenate([left, right])
    shares = [np.searchsorted(np.sort(one), points, side="right") / max(len(one), 1) for one in (left, right)]
    return float(np.abs(shares[0] - shares[1]).max(initial=0.0))


def compare(learned: dict[str, dict[str, Any]], drawn: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Give the means over all columns, and the column whose constants differ most."""
    gaps = {
        kind: {name: abs(drawn[kind][name] - value) for name, value in learned[kind].items()}
        for kind in ("between", "constant")
    }
    summaries = [
        distance(value.to_numpy(), drawn["summaries"][name].to_numpy())
        for name, value in learned["summaries"].items()
    ]
    worst = max(gaps["constant"], key=gaps["constant"].__getitem__)
    return {
        "between": round(float(np.mean(list(gaps["between"].values()))), 4),
        "constant": round(float(np.mean(list(gaps["constant"].values()))), 4),
        "worst": f"{worst} {gaps['constant'][worst]:.3f}",
        "summaries": round(float(np.mean(summaries)), 4),
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument("drawn", type=Path, nargs="+")
    parser.add_argument("--cap", type=int, default=12500)
    arguments = parser.parse_args()
    judge = load_judge()
    schema, learned, held_out, fresh = judge.load_split(arguments.dataset, arguments.cap)
    others = {"source": fresh or held_out} | {str(one): judge.read(one, schema) for one in arguments.drawn}
    for relation in schema["foreign_keys"]:
        table = relation["table"]
        kinds = {name: kind for name, kind in schema["tables"][table]["columns"].items() if kind != "id"}
        expected = measure(learned[table], kinds, relation["columns"])
        for name, tables in others.items():
            found = compare(expected, measure(tables[table], kinds, relation["columns"]))
            print(table, relation["columns"], name, json.dumps(found))


if __name__ == "__main__":
    main()
