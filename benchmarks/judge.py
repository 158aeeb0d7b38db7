"""Fit kinsynth on the outside judge's training split of a data set, sample as many rows, and score them.

    python benchmarks/judge.py DATASET OUT [--cap 12500] [--seeds 1,2,3] [--metrics c2st,integrity]
        [--set training.max_epochs=50]

DATASET is a folder with CSV files and schema.json; the judge is the folder named by KINSYNTH_BENCH (default
../shared/bench). Prints, for each seed, seconds of fit and sampling, CPU seconds, peak memory and the scores.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from comparison.peers.ours import as_source, declare
from comparison.worker import peak_mb
from relational.database import Database
from relational.orphans import with_policies

from kinsynth import fit

BENCH = Path(os.environ.get("KINSYNTH_BENCH", Path(__file__).resolve().parents[2] / "shared" / "bench"))


def load_judge() -> Any:
    """Import the judge's own splitter, so that both use the same rows."""
    spec = importlib.util.spec_from_file_location("judge_data", BENCH / "data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """Give keys and relations of schema.json as settings by table."""
    tables: dict[str, Any] = {}
    for name, table in schema["tables"].items():
        key = table["primary_key"]
        tables[name] = {
            "primary_key": [] if key is None else [key] if isinstance(key, str) else key,
            "foreign_keys": [
                {
                    "columns": f["columns"],
                    "table": f["references_table"],
                    "references": f["references_columns"],
                    **{name: f[name] for name in ("orphans",) if name in f},
                }
                for f in schema["foreign_keys"]
                if f["table"] == name
            ],
        }
    for name in schema.get("originals", []):
        tables[name]["original"] = True
    return tables


def reduce(dataset: Path, folder: Path) -> Path:
    """Give the folder the judge reads: berka without persons and with its districts as original data."""
    schema = json.loads((dataset / "schema.json").read_text())
    if schema["name"] != "berka":
        return dataset
    folder.mkdir(parents=True, exist_ok=True)
    for name in schema["tables"]:
        shutil.copy(dataset / f"{name}.csv", folder)
    del schema["tables"]["client"], schema["tables"]["disp"]["columns"]["client_id"]
    schema["foreign_keys"] = [
        key for key in schema["foreign_keys"] if "client" not in (key["table"], key["references_table"])
    ]
    schema["split"] = {"root": "account"}
    schema["originals"] = ["district"]
    (folder / "schema.json").write_text(json.dumps(schema))
    return folder


def run(dataset: Path, out: Path, *, cap: int, seed: int, options: dict[str, str]) -> dict[str, Any]:
    """Fit, sample and write CSV files with a run.json as the judge reads it."""
    judge = load_judge()
    schema, train, _, _ = judge.load_split(dataset, cap)
    described = describe(with_policies(Database(schema, train)))
    synthesis = declare(described, {"generation.seed": str(seed), **options}, schema["name"])
    tables = {name: as_source(table, schema["tables"][name]["columns"]) for name, table in train.items()}
    before, clock = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    model = fit(tables, synthesis)
    fitted = time.perf_counter()
    synthetic = model.sample(seed=seed)
    sampled = time.perf_counter()
    after = resource.getrusage(resource.RUSAGE_SELF)
    out.mkdir(parents=True, exist_ok=True)
    judge.write(synthetic, schema, out)
    rows = sum(len(table) for table in synthetic.values())
    record = {
        "peer": "kinsynth",
        "dataset": schema["name"],
        "cap": cap,
        "seed": judge.SEED,
        "fit_s": round(fitted - clock, 2),
        "gen_s": round(sampled - fitted, 2),
        "wall_s": round(sampled - clock, 2),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "peak_rss_mb": peak_mb(),
        "gen_rows_per_s": round(rows / (sampled - fitted)),
        "train_rows": {name: len(table) for name, table in train.items()},
        "settings": options,
        "kinsynth_seed": seed,
    }
    (out / "run.json").write_text(json.dumps(record, indent=1))
    return record


def score(dataset: Path, out: Path, metrics: str) -> dict[str, Any]:
    """Have the outside judge score the tables in a folder."""
    command = [sys.executable, str(BENCH / "score.py"), str(dataset), str(out), "--only", metrics]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    result: dict[str, Any] = json.loads((out / "score.json").read_text())
    return result


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cap", type=int, default=12500)
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--metrics", default="c2st,integrity")
    parser.add_argument("--set", nargs="*", default=[])
    arguments = parser.parse_args()
    options = dict(item.split("=", 1) for item in arguments.set)
    dataset = reduce(arguments.dataset, arguments.out / "source")
    for seed in (int(text) for text in arguments.seeds.split(",")):
        out = arguments.out / f"seed{seed}"
        record = run(dataset, out, cap=arguments.cap, seed=seed, options=options)
        scores = score(dataset, out, arguments.metrics)
        print(json.dumps(record))
        for table, values in scores.get("c2st", {}).items():
            print(
                " c2st", table, json.dumps({kind: value.get("vs_holdout") for kind, value in values.items()})
            )
        for relation, values in scores.get("integrity", {}).get("foreign_keys", {}).items():
            print(" relation", relation, json.dumps(values))


if __name__ == "__main__":
    main()
