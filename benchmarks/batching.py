"""Measure whether auto-batching is as quick as the best batch: time to the loss at which the best batch ends.

    python benchmarks/batching.py DATASET [--cap 12500] [--table NAME] [--batches 128,256,512,1024,...]
        [--seeds 1] [--out FILE.json]

DATASET is a folder with CSV files and schema.json, split as the outside judge does (see judge.py). One table
is trained to its end with each batch and with auto-batching, every training from its own beginning, CPU
seconds (set-up and trial of the rate included) noted at each validation. The best batch is the one that ends
at the lowest validation loss. Asked is when auto-batching first reaches that loss, exactly and within the
noise: two standard errors of the difference of the two trainings' losses on the same validation rows. The
goal is 1.15 times the best batch's seconds. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from comparison.peers.ours import as_source, declare
from judge import describe, load_judge, reduce

from kinsynth.connectors.memory import tables_from_memory
from kinsynth.encoded import Encoded
from kinsynth.engine.batches import Batches, split_units
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.sizing import TablePlan, measure_table, plan_table
from kinsynth.engine.trainer import Progress, train
from kinsynth.pipeline.encoding import encode
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import apply_orphan_policies, inspect
from kinsynth.pipeline.roles import reduce_to_chosen
from kinsynth.settings.training import Training

GOAL = 1.15
ROOM = 8 << 30


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        name: ``auto`` or the batch.
        plan: How it was trained.
        curve: CPU seconds, step and best validation loss so far at each validation.
        row_losses: Loss of each validation row under the final model.
    """

    name: str
    plan: TablePlan
    curve: list[tuple[float, int, float]]
    row_losses: np.ndarray

    @property
    def seconds(self) -> float:
        """CPU seconds of the whole training."""
        return self.curve[-1][0]

    @property
    def loss(self) -> float:
        """Validation loss of the model, nats per row."""
        return self.curve[-1][2]

    def reaches(self, loss: float) -> float | None:
        """Give the CPU seconds after which the training's best loss is at most ``loss``."""
        return next((seconds for seconds, _, best in self.curve if best <= loss), None)


def encode_training_rows(dataset: Path, cap: int, scratch: Path) -> Encoded:
    """Encode the judge's training split of a data set."""
    judge = load_judge()
    schema, rows, _, _ = judge.load_split(reduce(dataset, scratch), cap)
    synthesis = declare(describe(schema), {})
    tables = {name: as_source(table, schema["tables"][name]["columns"]) for name, table in rows.items()}
    database, _ = apply_orphan_policies(inspect(tables_from_memory(tables), synthesis).database())
    chosen = reduce_to_chosen(database, synthesis)
    return encode(chosen, fit_codecs(chosen, synthesis))


def measure(encoded: Encoded, table: str, name: str, plan: TablePlan, seed: int) -> Run:
    """Train once and note the way of the loss."""
    curve: list[tuple[float, int, float]] = []
    begin = time.process_time()

    def note(progress: Progress) -> None:
        curve.append((time.process_time() - begin, progress.step, progress.best_loss))

    model = train(encoded, table, plan, seed=seed, on_step=note)
    return Run(name, plan, curve, row_losses(encoded, model, seed))


@torch.no_grad()
def row_losses(encoded: Encoded, model: TableModel, seed: int) -> np.ndarray:
    """Give the loss of each validation row; the same rows for every batch."""
    plan = replace(model.plan, window=64, batch_size=1024)
    units = split_units(encoded, model.layout.name, plan, seed=seed).validation
    batches = Batches(encoded, model.layout, plan, units).fixed()
    return torch.cat([model.network(batch).sum(0) for batch in batches]).numpy()


def compare(runs: list[Run]) -> dict[str, Any]:
    """Say how long auto-batching takes to where the best batch ends."""
    auto, fixed = runs[0], runs[1:]
    best = min(fixed, key=lambda run: run.loss)
    difference = auto.row_losses - best.row_losses
    noise = 2 * float(difference.std(ddof=1)) / len(difference) ** 0.5
    found = {"exactly": auto.reaches(best.loss), "within noise": auto.reaches(best.loss + noise)}
    return {
        "best": best.name,
        "best_loss": best.loss,
        "best_seconds": best.seconds,
        "auto_batch": auto.plan.batch_size,
        "noise": noise,
        "ratios": {name: None if s is None else s / best.seconds for name, s in found.items()},
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--cap", type=int, default=12500)
    parser.add_argument("--table", default=None)
    parser.add_argument("--batches", default="128,256,512,1024,2048,4096,8192")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--scratch", type=Path, default=Path("batching-source"))
    parser.add_argument("--out", type=Path, default=None)
    arguments = parser.parse_args()
    encoded = encode_training_rows(arguments.dataset, arguments.cap, arguments.scratch)
    table = arguments.table or max(encoded.tables, key=lambda name: encoded.tables[name].rows)
    shape = measure_table(encoded, table)
    records = []
    print(f"{table}: {shape.rows:,} rows, {len(shape.cardinalities)} sub-columns")
    print("| seed | batch | CPU s | steps | validation loss |\n|---|---|---|---|---|")
    for seed in (int(text) for text in arguments.seeds.split(",")):
        runs = []
        for batch in [0, *(int(text) for text in arguments.batches.split(","))]:
            choices = Training(auto_batching=not batch, batch_size=batch or 1)
            plan = plan_table(shape, choices, free_memory_bytes=ROOM)
            name = str(batch) if batch else f"auto ({plan.batch_size})"
            run = measure(encoded, table, name, replace(plan, threads=1), seed)
            print(
                f"| {seed} | {name} | {run.seconds:.1f} | {run.curve[-1][1]} | {run.loss:.4f} |", flush=True
            )
            runs.append(run)
        record = {"seed": seed, **compare(runs)}
        records.append(record)
        print(f"\n{json.dumps(record)}; goal {GOAL}\n", flush=True)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps({"table": table, "rows": shape.rows, "runs": records}, indent=1))


if __name__ == "__main__":
    main()
