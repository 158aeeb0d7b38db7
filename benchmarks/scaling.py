"""Fit tables of several sizes and show how seconds grow with columns, or with rows.

    python benchmarks/scaling.py --work FOLDER [--rows 20000] [--columns 10,30,100,300] [--judge]
        [--threads 1] [--set training.max_epochs=5] [--out benchmarks/results/scaling.json] [--picture F.svg]
    python benchmarks/scaling.py --work FOLDER --rows 10000,30000,100000,300000,1000000 --columns 50

Either ``--rows`` or ``--columns`` names several. Each table is made by ``wide.py`` and fitted by
``kinsynth.fit`` in a process of its own. The slope is that of a line through the logarithms of the size
and of CPU seconds (which other work on the machine disturbs less than the clock): 1 is linear, 2 quadratic.
With ``--set training.max_epochs=N`` all tables see their rows equally often, and the slope is that of the
cost of learning alone; without it also of how long the table takes to be learned. With ``--judge``
two-sample AUC and overlap against fresh rows stand beside the seconds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import polars as pl
import scale
import wide
from machine import describe_measurement

import kinsynth
from kinsynth.settings.document import override

AIM = 1.3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--rows", type=sizes, default=[20_000])
    parser.add_argument("--columns", type=sizes, default=[10, 30, 100, 300])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--judge", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--one", action="store_true", help="fit one table here and print its numbers")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(fit(options.rows[0], options.columns[0], options)))
        return
    axis = "rows" if len(options.rows) > 1 else "columns"
    if min(len(options.rows), len(options.columns)) > 1:
        parser.error("several rows and several columns at once")
    points = []
    for rows, columns in product(options.rows, options.columns):
        points.append(run_apart(rows, columns, options))
        print(points[-1], flush=True)
    result = {
        "axis": axis,
        "threads": options.threads,
        "settings": options.set,
        **describe_measurement(),
        "slope": slope(points, axis),
        "points": points,
    }
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    if options.picture:
        draw(result, options.picture)


def sizes(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def run_apart(rows: int, columns: int, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", "--rows", str(rows), "--columns", str(columns)]
    command += ["--work", str(options.work), "--threads", str(options.threads)]
    command += [part for pair in options.set for part in ("--set", pair)] + ["--judge"] * options.judge
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def fit(rows: int, columns: int, options: argparse.Namespace) -> dict[str, Any]:
    source = options.work / f"rows{rows}-columns{columns}.parquet"
    wide.write(source, rows, columns=columns)
    chosen = {"training.threads": str(options.threads), **dict(pair.split("=", 1) for pair in options.set)}
    begun, used = time.time(), scale.cpu_seconds()
    model = kinsynth.fit(source, override(kinsynth.Synthesis(), chosen))
    network = next(iter(model.networks.values()))
    point = {
        "rows": rows,
        "columns": columns,
        "sub_columns": network.network.columns,
        "steps": network.steps,
        "loss": round(network.loss, 3),
        "seconds": round(time.time() - begun, 1),
        "cpu_seconds": round(scale.cpu_seconds() - used, 1),
    }
    return {**point, **judge(model, rows, columns)} if options.judge else point


def judge(model: kinsynth.Model, rows: int, columns: int) -> dict[str, float]:
    number = min(rows // 2, 5_000)
    fresh = pl.from_arrow(wide.table(2 * number, columns=columns, first=rows))
    assert isinstance(fresh, pl.DataFrame)
    name = next(iter(model.rows))
    made = model.sample({name: number})[name].select(fresh.columns)
    real, other = fresh[:number], fresh[number:]
    return {
        "auc": scale.two_sample_auc(real, made),
        "auc_of_fresh_rows": scale.two_sample_auc(real, other),
        "overlap": scale.overlap(real, made),
        "overlap_of_fresh_rows": scale.overlap(real, other),
    }


def slope(points: list[dict[str, Any]], axis: str) -> float:
    x, y = (np.log([point[name] for point in points]) for name in (axis, "cpu_seconds"))
    return round(float(np.polyfit(x, y, 1)[0]), 3)


def draw(result: dict[str, Any], path: Path) -> None:
    mpl.use("agg")
    mpl.rcParams["svg.hashsalt"] = "scaling"
    from matplotlib import pyplot as plt

    axis, points = result["axis"], result["points"]
    size, seconds = (np.array([p[name] for p in points], float) for name in (axis, "cpu_seconds"))
    fixed = f"{points[0]['rows']:,} rows" if axis == "columns" else f"{points[0]['columns']} columns"
    figure, axes = plt.subplots(figsize=(5, 3.4))
    axes.loglog(size, seconds, "o-", color="#1f5fa8", label=f"kinsynth.fit: slope {result['slope']:.2f}")
    for power, style in ((1.0, ":"), *([(AIM, "--")] if axis == "columns" else [])):
        name = "linear" if power == 1 else f"slope {power}, the aim"
        axes.loglog(size, seconds[0] * (size / size[0]) ** power, style, color="#888888", label=name)
    axes.set_xticks(size, [f"{number:,.0f}" for number in size])
    axes.minorticks_off()
    axes.set_xlabel(f"{axis} ({fixed})")
    axes.set_ylabel("CPU seconds of fit")
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
