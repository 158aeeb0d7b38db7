"""Who makes the synthetic files: kinsynth, peers of the outside judge, and yardsticks of known quality.

Each writes CSV files and run.json into a folder of its own. ``fresh`` are real rows nobody learned from, or
half of the held-out ones, for the judge's views only; ``copy`` the training rows; ``shuffle`` the training
rows with every foreign key shuffled on its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relational.database import Database, relations_of

YARDSTICKS = ("copy", "shuffle", "fresh")
RIVALS = ("mostly-sdk", "sdv-hma", "mostly-engine")
PEERS = (*RIVALS, "independent")  # what the judge can run
OURS = "kinsynth"


class ProducerFailedError(Exception):
    """A producer ended without tables."""


def make_ours(dataset: Path, out: Path, *, cap: int, seed: int, options: list[str]) -> None:
    """Fit and sample in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-m", "relational.ours", str(dataset), str(out), str(cap), str(seed), *options]
    folder = Path(__file__).resolve().parents[1]
    paths = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
    out.mkdir(parents=True, exist_ok=True)
    with (out / "log.txt").open("w", encoding="utf-8") as log:
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": paths}, stdout=log, stderr=log, check=False
        )
    if done.returncode:
        raise ProducerFailedError(f"kinsynth ended with {done.returncode}: {out / 'log.txt'}")


def make_peer(
    bench: Path, name: str, dataset: Path, out: Path, *, cap: int, limit: int, minutes: int, core: str
) -> None:
    """Have the judge run a peer; ``minutes`` is the mostlyai SDK's training time of a table."""
    command = [sys.executable, str(bench / "run_peer.py"), name, str(dataset), str(out)]
    command += ["--cap", str(cap), "--timeout", str(limit), "--core", core]
    if name == "mostly-sdk":
        command += ["--set", f"minutes={minutes}"]
    subprocess.run(command, check=True)
    refuse_failed(json.loads((out / "run.json").read_text()))


def refuse_failed(record: Mapping[str, Any]) -> None:
    """Raise what the judge's run.json says of a peer that ended without tables: how, and its last error."""
    if "error" not in record:
        return
    said = re.findall(r"^[\w.]*Error: .*", record.get("tail", ""), flags=re.MULTILINE)
    raise ProducerFailedError(": ".join(["ended without tables", record["error"], *said[-1:]]))


def make_yardstick(
    judge: Any, name: str, schema: dict[str, Any], split: tuple[Any, Any, Any], out: Path, *, cap: int
) -> None:
    """Write rows that need no model."""
    train, holdout, fresh = split
    half = name == "fresh" and fresh is None
    if name == "fresh":
        tables = judge.halves(holdout, schema)[0] if half else fresh
    else:
        tables = train if name == "copy" else shuffle_keys(schema, train)
    judge.write(tables, schema, out)
    counts = {table: len(rows) for table, rows in train.items()}
    record = {"peer": name, "dataset": schema["name"], "cap": cap, "seed": judge.SEED, "train_rows": counts}
    (out / "run.json").write_text(json.dumps({**record, "half": half}))


def shuffle_keys(schema: dict[str, Any], tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Shuffle the values of each foreign key; keys of several columns keep their parts together."""
    generator, result = np.random.default_rng(0), {name: table.copy() for name, table in tables.items()}
    for relation in relations_of(schema):
        table, columns = result[relation.table], list(relation.columns)
        table[columns] = table[columns].to_numpy()[generator.permutation(len(table))]
    return result


def read_made(judge: Any, schema: dict[str, Any], folder: Path) -> Database:
    """Read the CSV files of a producer."""
    return Database(schema, judge.read(folder, schema))
