"""Compare other networks with the engine's on one table of the judge, in the protocol of ``variants.py``.

    python benchmarks/networks.py DATASET [--networks plan,transformer,...] [--seeds 1,2] [--limit 240]
        [--weight-decays 0.1] [--rows-judged 4000] [--out FILE]

Networks: ``plan`` (the engine's), ``plain`` (the same by the rivals' own sampler), ``transformer``,
``shuffled=SHARE`` (random orders on a share of the batches), ``classes=NUMBER`` (a latent class drawn first),
``logistic`` and ``spline`` (heads of columns on a line), ``free_inputs`` (no places among the inputs).
``auc`` is of all rows that are left, ``held_out`` the nats of ``--rows-judged`` of them. ``--limit`` ends a
training of a rival after so many seconds of the processor, as the engine's own limit does.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from rivals.drawing import draw
from rivals.heads import Begun, line_heads
from rivals.latent import add_classes, loss_without_class
from rivals.orders import in_given_order, share_of
from rivals.training import TABLE, Make, train_rival
from rivals.transformer import Transformer
from variants import detect, encode_split, loss
from variants import draw as by_engine

from kinsynth.encoded import Encoded, EncodedTable
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.sizing import TablePlan, measure_table, plan_table
from kinsynth.engine.tabular import TabularNetwork
from kinsynth.engine.trainer import train
from kinsynth.settings.training import Training

Trained = tuple[TableModel, Callable[[int], np.ndarray], Callable[[np.ndarray], float]]


class Plain(TabularNetwork):
    """The engine's network, drawn from by the rivals' sampler."""

    def begin(self, rows: int) -> Begun:
        """Begin rows."""
        return Begun(self, rows)


RIVALS: dict[str, Make] = {
    "plain": Plain,
    "transformer": Transformer,
    "logistic": line_heads("logistic"),
    "spline": line_heads("spline"),
}


def fit(name: str, table: EncodedTable, plan: TablePlan, seed: int, limit: float | None) -> Trained:
    """Train a network; also give what draws rows and what judges real ones."""
    kind, _, number = name.partition("=")
    if kind in RIVALS:
        model = train_rival(RIVALS[kind], table, plan, seed=seed, limit=limit)
        return model, lambda rows: draw(model, rows, seed=seed), lambda real_RC: loss(model, real_RC)
    if kind == "shuffled":
        trained = train_rival(share_of(float(number)), table, plan, seed=seed, limit=limit)
        model = in_given_order(trained)
        return model, lambda rows: by_engine(model, rows, seed), lambda real_RC: loss(model, real_RC)
    if kind == "classes":
        model = train(Encoded({TABLE: add_classes(table, int(number), seed=seed)}), TABLE, plan, seed=seed)
        return (
            model,
            lambda rows: by_engine(model, rows, seed)[:, 1:],
            lambda real_RC: loss_without_class(model, real_RC),
        )
    if kind == "free_inputs":
        table = replace(table, sub_columns=tuple(replace(sub, position_K=None) for sub in table.sub_columns))
    elif kind != "plan":
        raise SystemExit(f"{name}: no such network")
    model = train(Encoded({TABLE: table}), TABLE, plan, seed=seed)
    return model, lambda rows: by_engine(model, rows, seed), lambda real_RC: loss(model, real_RC)


def measure(
    name: str, table: EncodedTable, real_RC: np.ndarray, plan: TablePlan, arguments: argparse.Namespace
) -> dict[str, list[float]]:
    """Train, draw and judge one network with each seed."""
    judged = np.random.default_rng(0).permutation(len(real_RC))[: arguments.rows_judged]
    found: dict[str, list[float]] = {
        key: [] for key in ("auc", "held_out", "fit_cpu_s", "draw_cpu_s", "steps")
    }
    for seed in map(int, arguments.seeds.split(",")):
        clock = time.process_time()
        model, draw_rows, judge = fit(name, table, plan, seed, arguments.limit)
        fitted = time.process_time()
        drawn_RC = draw_rows(len(real_RC))
        found["fit_cpu_s"].append(round(fitted - clock, 1))
        found["draw_cpu_s"].append(round(time.process_time() - fitted, 1))
        found["steps"].append(model.steps)
        found["auc"].append(round(detect(real_RC, drawn_RC), 4))
        found["held_out"].append(round(judge(real_RC[judged]), 3))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--networks", default="plan,transformer,shuffled=0.25,classes=16,logistic,spline")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--weight-decays", default="plan", help="plan, or numbers, with commas between")
    parser.add_argument("--limit", type=float, default=240.0)
    parser.add_argument("--rows-judged", type=int, default=4000)
    parser.add_argument("--cap", type=int, default=12500)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    table, real_RC = encode_split(arguments.dataset, arguments.cap)
    shape = measure_table(Encoded({TABLE: table}), TABLE)
    planned = plan_table(shape, Training(), free_memory_bytes=8 << 30, threads=1)
    versions = {name: version(name) for name in ("torch", "numpy", "lightgbm")} | {
        "python": platform.python_version()
    }
    lines = []
    for decay in arguments.weight_decays.split(","):
        plan = planned if decay == "plan" else replace(planned, weight_decay=float(decay))
        for name in arguments.networks.split(","):
            head = {"data": arguments.dataset.name, "network": name, "weight_decay": plan.weight_decay}
            found = measure(name, table, real_RC, plan, arguments)
            lines.append(head | found | {"seeds": arguments.seeds, "versions": versions})
            print(json.dumps(lines[-1]), flush=True)
            if arguments.out:
                arguments.out.write_text(json.dumps(lines, indent=1) + "\n")


if __name__ == "__main__":
    main()
