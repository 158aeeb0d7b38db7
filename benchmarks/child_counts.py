"""Compare child counts of a finished run with its source, relation by relation.

    python benchmarks/child_counts.py SOURCE RUN

SOURCE is the folder of CSV files that was learned, RUN the folder of the execution (format csv). Prints,
for each relation between synthesised tables, the total variation of the number of child rows of a parent,
and the same between two random halves of the source's parents: the distance that chance alone makes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import polars as pl

HALVES = 20


def counts(folder: Path, relation: dict[str, object]) -> np.ndarray:
    """Count the child rows of each parent row, parents without children included."""
    names, targets = list(relation["columns"]), list(relation["references_columns"])  # type: ignore[call-overload]
    child = pl.read_csv(folder / f"{relation['table']}.csv", infer_schema=False)
    parent = pl.read_csv(folder / f"{relation['references_table']}.csv", infer_schema=False)
    sizes = child.group_by(names).len()
    joined = parent.select(targets).join(sizes, left_on=targets, right_on=names, how="left")
    return joined["len"].fill_null(0).to_numpy()


def total_variation(left: np.ndarray, right: np.ndarray) -> float:
    """Give half the sum of differences of the two distributions, between 0 and 1."""
    size = int(max(left.max(initial=0), right.max(initial=0))) + 1
    shares = [np.bincount(values, minlength=size) / max(1, len(values)) for values in (left, right)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def chance(values: np.ndarray) -> float:
    """Give the mean total variation of two random halves."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(HALVES):
        order = generator.permutation(values)
        found.append(total_variation(order[::2], order[1::2]))
    return float(np.mean(found))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("run", type=Path)
    arguments = parser.parse_args()
    schema = json.loads((arguments.run / "model" / "schema.json").read_text())
    originals = {table["name"] for table in schema["tables"] if table["original"]}
    failed = [
        g
        for g in json.loads((arguments.run / "certificate.json").read_text())["guarantees"]
        if not g["passed"]
    ]
    print(f"failures in the certificate: {len(failed)}")
    for relation in schema["relations"]:
        if relation["references_table"] in originals:
            continue
        real = counts(arguments.source, relation)
        made = counts(arguments.run / "tables", relation)
        name = f"{relation['table']} -> {relation['references_table']}"
        print(f"{name:28} synthetic {total_variation(real, made):.3f}  real halves {chance(real):.3f}")


if __name__ == "__main__":
    main()
