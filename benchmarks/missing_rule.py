"""Write a made-up data set in which values of a category decide that other columns are missing.

    scripts/benchmark missing_rule FOLDER [--rows 15000]

Contracts: a prepaid one has no notice period, a trial has neither fee nor renewal date; a tenth of the cells
of another column is missing by chance. compare.py then shows, as "missing rule", the share of synthetic rows
that keep these rules.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

KINDS = {
    "contract": "categorical",
    "region": "categorical",
    "age": "integer",
    "fee": "numeric",
    "notice_days": "integer",
    "renewal": "date",
    "calls": "integer",
    "left": "boolean",
}
SCHEMA = {
    "name": "missing_rule",
    "tables": {"contracts": {"columns": KINDS, "primary_key": None}},
    "foreign_keys": [],
    "target": {"table": "contracts", "column": "left", "task": "binary"},
}


def draw(rows: int, seed: int = 0) -> pd.DataFrame:
    """Draw the contracts."""
    generator = np.random.default_rng(seed)
    age = generator.integers(18, 90, rows)
    contract = generator.choice(["yearly", "monthly", "prepaid", "trial"], rows, p=[0.4, 0.3, 0.2, 0.1])
    prepaid, trial = contract == "prepaid", contract == "trial"
    fee = np.round(10 + 0.2 * age + 15 * (contract == "yearly") + generator.gamma(2, 3, rows), 2)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(generator.integers(0, 730, rows), unit="D")
    calls = generator.poisson(1 + age / 30)
    return pd.DataFrame(
        {
            "contract": contract,
            "region": generator.choice(["north", "south", "east", "west"], rows, p=[0.4, 0.3, 0.2, 0.1]),
            "age": age,
            "fee": np.where(trial, np.nan, fee),
            "notice_days": pd.Series(generator.choice([14, 30, 90], rows), dtype="Int64").mask(prepaid),
            "renewal": pd.Series(days).dt.strftime("%Y-%m-%d").mask(trial),
            "calls": pd.Series(calls, dtype="Int64").mask(generator.random(rows) < 0.1),
            "left": generator.random(rows) < 1 / (1 + np.exp(2 - 0.5 * calls + 1.5 * (contract == "yearly"))),
        }
    )


def write(folder: Path, rows: int) -> None:
    """Write the table and its schema."""
    folder.mkdir(parents=True, exist_ok=True)
    draw(rows).to_csv(folder / "contracts.csv", index=False)
    (folder / "schema.json").write_text(json.dumps(SCHEMA, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Write the data set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=15_000)
    arguments = parser.parse_args()
    write(arguments.folder, arguments.rows)


if __name__ == "__main__":
    main()
