"""Compare variants of the row network on one table of the judge: which one is hardest to tell from real rows?

    python benchmarks/variants.py DATASET [--variants "plan;dropout=0.1;weight_decay=1.0,layers=2"]
        [--sizes medium] [--orders given,reversed,easy,hard,random] [--seeds 1,2] [--losses] [--out FILE]

A variant changes fields of the table's plan (``plan`` changes none; ``calibration=0`` leaves the heads as
trained, ``temperature=0.9`` draws likelier rows). 10,000 rows are learned; as many codes are drawn as real
rows are left, and LightGBM (two folds, 200 trees) tells drawn from real codes. With all rows that are left
(adult 38,842, credit_default 20,000) it sees differences that 2,500 held-out rows do not show: read these
figures among themselves only. With ``--losses`` nothing is drawn and told apart.
``held_out`` is the negative log-likelihood of the real rows that are left, nats per row.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import torch
from comparison.peers.ours import as_source, declare
from judge import describe, load_judge
from sklearn.metrics import roc_auc_score

from kinsynth.connectors.memory import tables_from_memory
from kinsynth.encoded import Encoded, EncodedTable
from kinsynth.engine import calibration
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.sampled import concatenate
from kinsynth.engine.sampler import sample
from kinsynth.engine.sizing import TablePlan, measure_table, plan_table
from kinsynth.engine.tabular import Batch
from kinsynth.engine.trainer import train
from kinsynth.pipeline.encoding import encode
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import as_database, inspect
from kinsynth.pipeline.roles import reduce_to_chosen
from kinsynth.settings.training import Training

ROUNDS = calibration.ROUNDS


def encode_split(dataset: Path, cap: int) -> tuple[EncodedTable, np.ndarray]:
    """Give the training rows as codes, and the codes of all rows that are left."""
    judge = load_judge()
    schema = judge.load_schema(dataset)
    (name,) = schema["tables"]
    types = schema["tables"][name]["columns"]
    rows = judge.read(dataset, schema)
    training = judge.split(rows, schema, cap)[0][name]
    order = np.random.default_rng(judge.SEED).permutation(len(rows[name]))
    left = rows[name].iloc[np.sort(order[len(training) :])].reset_index(drop=True)
    document = declare(describe(schema), {})
    source = inspect(tables_from_memory({name: as_source(training, types)}), document).database()
    database = reduce_to_chosen(source, document)
    codec = fit_codecs(database, document)
    other = as_database(
        tables_from_memory({name: as_source(left, types)}), database.schema, origin="original"
    )
    return encode(database, codec).tables[name], encode(other, codec).tables[name].codes_RC.astype(np.int64)


def reorder(table: EncodedTable, real_RC: np.ndarray, order: str) -> tuple[EncodedTable, np.ndarray]:
    """Put the columns in another order; the codes of one column stay together."""
    numbers = np.array([sub.column for sub in table.sub_columns])
    columns = np.unique(numbers)
    share = [
        np.bincount(table.codes_RC[:, c], minlength=sub.cardinality) / table.rows
        for c, sub in enumerate(table.sub_columns)
    ]
    entropy = [-float((p[p > 0] * np.log(p[p > 0])).sum()) for p in share]
    total = np.array([sum(np.array(entropy)[numbers == column]) for column in columns])
    places = {
        "given": np.arange(len(columns)),
        "reversed": np.arange(len(columns))[::-1],
        "easy": np.argsort(total, kind="stable"),
        "hard": np.argsort(-total, kind="stable"),
        "random": np.random.default_rng(0).permutation(len(columns)),
    }[order]
    taken = np.concatenate([np.flatnonzero(numbers == columns[place]) for place in places])
    new = {columns[place]: rank for rank, place in enumerate(places)}
    subs = tuple(replace(table.sub_columns[c], column=new[numbers[c]]) for c in taken)
    return replace(table, codes_RC=table.codes_RC[:, taken], sub_columns=subs), real_RC[:, taken]


def change(plan: TablePlan, variant: str) -> tuple[TablePlan, int, float]:
    """Apply ``field=value`` pairs to a plan; also give the rounds of calibration and the temperature."""
    fields: dict[str, Any] = {}
    for pair in filter(None, variant.replace("plan", "").split(",")):
        name, value = pair.split("=")
        fields[name.strip()] = float(value) if "." in value else int(value)
    rounds, temperature = fields.pop("calibration", ROUNDS), fields.pop("temperature", 1.0)
    return replace(plan, **fields), rounds, temperature


def detect(real_RC: np.ndarray, drawn_RC: np.ndarray) -> float:
    """Give LightGBM's two-fold AUC of telling drawn from real codes."""
    rng = np.random.default_rng(0)
    rows = min(len(real_RC), len(drawn_RC))
    values = np.concatenate([part[rng.permutation(len(part))[:rows]] for part in (real_RC, drawn_RC)])
    label = np.repeat([0, 1], rows)
    fold, chance = rng.permutation(2 * rows) % 2, np.zeros(2 * rows)
    for held in (0, 1):
        model = lightgbm.LGBMClassifier(
            n_estimators=200, learning_rate=0.07, num_leaves=31, n_jobs=1, verbose=-1, random_state=0
        ).fit(values[fold != held], label[fold != held])
        chance[fold == held] = model.predict_proba(values[fold == held])[:, 1]
    return float(roc_auc_score(label, chance))


def draw(model: TableModel, rows: int, seed: int, *, temperature: float = 1.0) -> np.ndarray:
    """Draw rows of codes as the engine does."""
    blocks = sample({"rows": model}, {"rows": rows}, seed=seed, temperature=temperature, threads=1)
    return concatenate(blocks).tables["rows"].codes_RC.astype(np.int64)


def loss(model: TableModel, real_RC: np.ndarray) -> float:
    """Give the mean negative log-likelihood of real rows."""
    with torch.no_grad():
        parts = [model.network(Batch(torch.from_numpy(part))).sum(0) for part in np.array_split(real_RC, 20)]
    return float(torch.cat(parts).mean())


def measure(
    table: EncodedTable, real_RC: np.ndarray, variant: str, size: Any, seeds: list[int], *, losses: bool
) -> dict[str, Any]:
    """Train, draw and judge one variant."""
    encoded = Encoded({"rows": table})
    training = Training(model_size=size)
    plan = plan_table(measure_table(encoded, "rows"), training, free_memory_bytes=8 << 30, threads=1)
    plan, calibration.ROUNDS, temperature = change(plan, variant)
    found: dict[str, list[float]] = {"auc": [], "held_out": [], "cpu_s": [], "steps": []}
    for seed in seeds:
        clock = time.process_time()
        model = train(encoded, "rows", plan, seed=seed)
        found["cpu_s"].append(round(time.process_time() - clock, 1))
        found["steps"].append(model.steps)
        if not losses:
            drawn_RC = draw(model, len(real_RC), seed, temperature=temperature)
            found["auc"].append(round(detect(real_RC, drawn_RC), 4))
        found["held_out"].append(round(loss(model, real_RC), 3))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--variants", default="plan")
    parser.add_argument("--sizes", default="medium")
    parser.add_argument("--orders", default="given")
    parser.add_argument("--cap", type=int, default=12500)
    parser.add_argument("--losses", action="store_true")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    table, real_RC = encode_split(arguments.dataset, arguments.cap)
    seeds, lines = [int(seed) for seed in arguments.seeds.split(",")], []
    for order in arguments.orders.split(","):
        ordered, ordered_real_RC = reorder(table, real_RC, order)
        for size in arguments.sizes.split(","):
            for variant in arguments.variants.split(";"):
                head = {"data": arguments.dataset.name, "order": order, "size": size, "variant": variant}
                found = measure(ordered, ordered_real_RC, variant, size, seeds, losses=arguments.losses)
                lines.append(head | found)
                print(json.dumps(lines[-1]), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(lines, indent=1) + "\n")


if __name__ == "__main__":
    main()
