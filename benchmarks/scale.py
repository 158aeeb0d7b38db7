"""Run kinsynth on a large made-up table and keep seconds, memory and quality of every step.

    python benchmarks/scale.py --rows 1000000 --work FOLDER [--columns 50] [--threads 2]
        [--set training.max_epochs=5] [--validations N] [--out benchmarks/results/NAME.json]

FOLDER needs room for the table several times over (10,000,000 x 50: about 15 GB) and gets ``wide.parquet``,
which is used again when it is there. Memory is the resident memory of the process and of all it starts,
sampled 20 times a second; mapped files count where they are touched. With ``--validations`` the run is
stopped in training after so many: to see what a table takes that nobody waits for. Quality stands against
fresh rows that ``wide.py`` makes after the source's: LightGBM's two-sample AUC (five folds, 20,000 rows of
each; 0.5 is ideal) and the mean overlap of each column's values.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import polars as pl
import psutil
import wide
from machine import describe_measurement
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from kinsynth.errors import Interrupted
from kinsynth.pipeline.run import resume, run
from kinsynth.settings.document import override
from kinsynth.settings.synthesis import Synthesis

JUDGED_ROWS = 20_000
CELLS = 50


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--validations", type=int)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--resume", action="store_true", help="take up the run that was cut off there")
    parser.add_argument("--out", type=Path)
    result = measure(parser.parse_args())
    print(json.dumps(result, indent=1))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    source, folder = options.work / "wide.parquet", options.work / "run"
    if not source.exists():
        wide.write(source, options.rows, columns=options.columns, seed=options.seed)
    if not options.resume:
        shutil.rmtree(folder, ignore_errors=True)
    watch = Watch(options.validations)
    begun, used = time.time(), cpu_seconds()
    try:
        if options.resume:
            resume(folder, on_event=watch.see, stop_requested=watch.stop)
        else:
            made = document(options, source)
            run(made, folder, base=Path.cwd(), on_event=watch.see, stop_requested=watch.stop)
    except Interrupted:
        watch.interrupted = True
    result = {
        "rows": options.rows,
        "columns": options.columns,
        "threads": options.threads,
        "settings": options.set,
        **describe_measurement(),
        "load_average": os.getloadavg(),
        "seconds": round(time.time() - begun, 1),
        "cpu_seconds": round(cpu_seconds() - used, 1),
        "stopped_in_training": watch.interrupted,
        "steps": watch.steps,
        "peak_mb": max(step["peak_mb"] for step in watch.steps.values()),
    }
    if not watch.interrupted:
        result["quality"] = judge(folder / "tables" / "wide.parquet", options)
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    return result


def document(options: argparse.Namespace, source: Path) -> Synthesis:
    chosen = {"training.threads": str(options.threads), "destination.format": "parquet"}
    chosen |= dict(pair.split("=", 1) for pair in options.set)
    made = override(Synthesis(), chosen)
    return made.model_copy(
        update={"source": made.source.model_copy(update={"kind": "files", "paths": (str(source),)})}
    )


def cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Watch:
    """Notes seconds and peak memory of each step."""

    def __init__(self, validations: int | None) -> None:
        self.steps: dict[str, dict[str, Any]] = {}
        self.interrupted = False
        self._left = validations
        self._now = "start"
        self._begun: dict[str, tuple[float, float]] = {}
        self._peak: dict[str, int] = {}
        threading.Thread(target=self._sample, daemon=True).start()

    def _sample(self) -> None:
        process = psutil.Process()
        while True:
            size = process.memory_info().rss
            for child in process.children(recursive=True):
                try:
                    size += child.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self._peak[self._now] = max(self._peak.get(self._now, 0), size)
            time.sleep(0.05)

    def see(self, event: Any) -> None:
        step = getattr(event, "step", None)
        if event.kind == "step_started":
            self._now, self._begun[step] = step, (time.time(), cpu_seconds())
        if event.kind == "step_progressed" and step == "training" and self._left is not None:
            self._left -= 1
        if event.kind in ("step_finished", "step_progressed") and step in self._begun:
            begun, used = self._begun[step]
            self.steps[step] = {
                "seconds": round(time.time() - begun, 1),
                "cpu_seconds": round(cpu_seconds() - used, 1),
                "peak_mb": round(self._peak.get(step, 0) / 1e6),
            }

    def stop(self) -> bool:
        return self._left is not None and self._left <= 0


def judge(drawn: Path, options: argparse.Namespace) -> dict[str, float]:
    """Compare drawn rows with fresh ones."""
    fresh = pl.from_arrow(
        wide.table(2 * JUDGED_ROWS, columns=options.columns, seed=options.seed, first=options.rows)
    )
    assert isinstance(fresh, pl.DataFrame)
    made = pl.scan_parquet(drawn).collect().sample(JUDGED_ROWS, seed=1).select(fresh.columns)
    real, other = fresh[:JUDGED_ROWS], fresh[JUDGED_ROWS:]
    return {
        "auc": two_sample_auc(real, made),
        "auc_of_fresh_rows": two_sample_auc(real, other),
        "overlap": overlap(real, made),
        "overlap_of_fresh_rows": overlap(real, other),
    }


def two_sample_auc(real: pl.DataFrame, other: pl.DataFrame) -> float:
    data = as_numbers(pl.concat([real, other])).to_numpy()
    label = np.repeat([0, 1], [len(real), len(other)])
    score = np.zeros(len(label))
    for learn, test in StratifiedKFold(5, shuffle=True, random_state=0).split(data, label):
        model = lightgbm.LGBMClassifier(n_estimators=100, verbose=-1, n_jobs=1, random_state=0)
        model.fit(data[learn], label[learn])
        score[test] = model.predict_proba(data[test])[:, 1]
    return round(float(roc_auc_score(label, score)), 4)


def as_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """Give categories as ranks of their frequency, dates as days."""
    columns = []
    for column in frame:
        if column.dtype == pl.String:
            order = column.value_counts(sort=True)[column.name].to_list()
            columns.append(column.replace_strict(order, range(len(order)), return_dtype=pl.Float64))
        else:
            columns.append(column.to_physical().cast(pl.Float64))
    return pl.DataFrame(columns)


def overlap(real: pl.DataFrame, other: pl.DataFrame) -> float:
    """Give the mean over columns of one minus the total variation, numbers in cells of equal mass."""
    data = as_numbers(pl.concat([real, other]))
    half, shares = len(real), []
    for column in data:
        values = column.fill_null(np.inf).to_numpy()
        edges = np.unique(np.quantile(values[np.isfinite(values)], np.linspace(0, 1, CELLS + 1)[1:-1]))
        cell = np.where(np.isfinite(values), np.searchsorted(edges, values), CELLS)
        counts = [np.bincount(part, minlength=CELLS + 1) / len(part) for part in (cell[:half], cell[half:])]
        shares.append(1 - np.abs(counts[0] - counts[1]).sum() / 2)
    return round(float(np.mean(shares)), 4)


if __name__ == "__main__":
    main()
