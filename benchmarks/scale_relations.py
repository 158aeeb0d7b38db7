"""Draw a large database from a model of a small one; seconds and memory of every phase.

    python benchmarks/scale_relations.py --work FOLDER [--customers 1000000] [--plain] [--format parquet]
        [--learn 20000] [--threads 2] [--set training.max_epochs=5] [--out benchmarks/results/NAME.json]

The source is made up: ``--learn`` customers with about ten orders each, in the order of their days. An order
belongs to a customer and points at a product, of which there are a tenth as many as customers; with
``--plain`` the products are left out, so that nothing points beyond its owner. The model of FOLDER is used
again when it is there. The drawing runs in a process of its own; FOLDER needs about 4 GB for 1,000,000
customers.

A phase is what an event says was done since the event before: a table that is drawn, keys that are assigned,
root rows that become values, tables that get their keys, files that are written, read again and proven.
Memory is the resident memory of the process, sampled 20 times a second; beside it the part that no file
stands for (``own``): the rest is pages of mapped files, which the machine takes back when it needs them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from machine import describe_measurement

from kinsynth.pipeline.run import generate, run
from kinsynth.settings.document import parse

ORDERS, PER_PRODUCT = 10, 10
FIRST_DAY, DAYS = np.datetime64("2019-01-01"), 1_800


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--learn", type=int, default=20_000)
    parser.add_argument("--plain", action="store_true", help="without products")
    parser.add_argument("--format", default="parquet")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--draw", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.draw:
        print(json.dumps(draw(options)))
        return
    learn(options)
    result = json.loads(
        subprocess.run([sys.executable, *sys.argv, "--draw"], check=True, stdout=subprocess.PIPE).stdout
    )
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


def folder(options: argparse.Namespace) -> Path:
    work: Path = options.work / ("plain" if options.plain else "linked")
    return work


def learn(options: argparse.Namespace) -> None:
    """Make the source and learn it, unless that is done."""
    work = folder(options)
    if (work / "run" / "model" / "model.json").exists():
        return
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    tables = make(options.learn, products=not options.plain)
    for name, frame in tables.items():
        frame.write_parquet(work / f"{name}.parquet")
    run(document(options, tables), work / "run", base=work)


def document(options: argparse.Namespace, tables: dict[str, pl.DataFrame]) -> Any:
    customer = {"columns": ["customer"], "table": "customers", "references": ["id"], "owner": True}
    product = {"columns": ["product"], "table": "products", "references": ["id"]}
    keys = [customer] if options.plain else [customer, product]
    declared: dict[str, Any] = {
        name: {"primary_key": ["id"], "foreign_keys": keys if name == "orders" else []} for name in tables
    }
    declared["orders"]["order_by"] = "day"
    settings: dict[str, Any] = {
        "source": {"paths": [f"{name}.parquet" for name in tables]},
        "roots": "many",
        "tables": declared,
        "training": {"threads": options.threads},
        "destination": {"format": options.format},
        "report": {"enabled": False},
    }
    for pair in options.set:
        path, value = pair.split("=", 1)
        *above, last = path.split(".")
        place = settings
        for key in above:
            place = place.setdefault(key, {})
        place[last] = json.loads(value)
    return parse(settings)


def make(customers: int, *, products: bool, seed: int = 0) -> dict[str, pl.DataFrame]:
    """Make customers, products and orders that hang together."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(4, customers, p=[0.5, 0.3, 0.15, 0.05])
    age = np.clip(rng.normal(35 + 8 * kind, 12), 18, 90).astype(np.int64)
    income = np.round(rng.lognormal(7.5 + 0.2 * kind, 0.4), 2)
    joined = rng.integers(0, DAYS // 2, customers)
    count = rng.poisson(ORDERS * np.array([0.8, 1.0, 1.4, 1.8])[kind])
    count = np.round(count * ORDERS * customers / count.sum()).astype(np.int64)
    owner = np.repeat(np.arange(customers), count)
    gap = rng.exponential(90 / (1 + kind[owner])).astype(np.int64)
    day = joined[owner] + np.cumsum(gap) - np.repeat(np.cumsum(gap)[np.cumsum(count) - count - 1], count)
    goods = max(1, customers // PER_PRODUCT)
    group = rng.integers(0, 12, goods)
    price = np.round(rng.lognormal(2 + 0.2 * group, 0.5), 2)
    weight = rng.exponential(size=goods)
    wanted = (kind[owner] * 3 + rng.integers(0, 4, len(owner))) % 12
    bought = np.zeros(len(owner), dtype=np.int64)
    for one in range(12):
        among, here = np.flatnonzero(group == one), np.flatnonzero(wanted == one)
        bought[here] = rng.choice(among, len(here), p=weight[among] / weight[among].sum())
    amount = 1 + rng.poisson(0.5 + 0.3 * kind[owner])
    tables = {
        "customers": pl.DataFrame(
            {
                "id": np.arange(1, customers + 1),
                "segment": np.array(["private", "regular", "trade", "chain"])[kind],
                "age": age,
                "income": income,
                "joined": FIRST_DAY + joined,
            }
        ),
        "products": pl.DataFrame(
            {
                "id": np.arange(1, goods + 1),
                "group": np.char.add("group ", group.astype(str)),
                "price": price,
            }
        ),
        "orders": pl.DataFrame(
            {
                "id": np.arange(1, len(owner) + 1),
                "customer": owner + 1,
                "product": bought + 1,
                "day": FIRST_DAY + day,
                "amount": amount,
                "paid": np.round(price[bought] * amount * (1 - 0.05 * kind[owner]), 2),
                "state": np.array(["paid", "open", "returned"])[
                    rng.choice(3, len(owner), p=[0.85, 0.1, 0.05])
                ],
            }
        ),
    }
    if not products:
        del tables["products"]
        tables["orders"] = tables["orders"].drop("product")
    return tables


def draw(options: argparse.Namespace) -> dict[str, Any]:
    """Draw, write and prove the large database, and tell what it took."""
    work = folder(options)
    out = work / "drawn"
    shutil.rmtree(out, ignore_errors=True)
    torch.set_num_threads(options.threads)
    rows = {"customers": options.customers}
    if not options.plain:
        rows["products"] = max(1, options.customers // PER_PRODUCT)
    watch = Watch()
    generate(work / "run", rows=rows, output=out, on_event=watch.see)
    proof = json.loads((out / "certificate.json").read_text())
    return {
        "rows": {
            one.stem: int(pl.scan_parquet(one).select(pl.len()).collect().item())
            for one in sorted((out / "tables").glob("*.parquet"))
        },
        "format": options.format,
        "threads": options.threads,
        "settings": options.set,
        **describe_measurement(),
        "load_average": os.getloadavg(),
        "file_mb": round(sum(one.stat().st_size for one in (out / "tables").iterdir()) / 1e6),
        "guarantees": len(proof["guarantees"]),
        **watch.result(),
    }


class Watch:
    """Notes seconds and peak memory of each phase."""

    def __init__(self) -> None:
        self.phases: dict[str, dict[str, float]] = {}
        self._begun = self._since = time.time(), time.process_time()
        self._peak = memory_mb()
        threading.Thread(target=self._sample, daemon=True).start()

    def _sample(self) -> None:
        while True:
            self._peak = tuple(map(max, self._peak, memory_mb()))
            time.sleep(0.05)

    def see(self, event: Any) -> None:
        """Count what went by since the event before to the phase that the event names."""
        message = getattr(event, "message", "") or event.kind
        named = re.sub(r"[\d,.]+ ?(of )?", "", message).strip()
        peak, self._peak, now = self._peak, memory_mb(), (time.time(), time.process_time())
        took = dict(zip(("s", "cpu_s"), (b - a for a, b in zip(self._since, now, strict=True)), strict=True))
        before = self.phases.get(named, dict.fromkeys(("s", "cpu_s", "peak_mb", "own_mb"), 0.0))
        self.phases[named] = {
            **{key: before[key] + took[key] for key in took},
            **{key: max(before[key], mb) for key, mb in zip(("peak_mb", "own_mb"), peak, strict=True)},
        }
        self._since = now

    def result(self) -> dict[str, Any]:
        now = time.time(), time.process_time()
        return {
            "seconds": round(now[0] - self._begun[0], 1),
            "cpu_seconds": round(now[1] - self._begun[1], 1),
            "peak_mb": round(max(one["peak_mb"] for one in self.phases.values())),
            "own_mb": round(max(one["own_mb"] for one in self.phases.values())),
            "phases": {
                name: {key: round(value, 1) for key, value in one.items()}
                for name, one in self.phases.items()
                if one["s"] >= 0.05
            },
        }


def memory_mb() -> tuple[float, float]:
    """Give the resident memory of this process, and the part of it that no file stands for."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    whole, own = (int(found[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "RssAnon"))
    return whole, own


if __name__ == "__main__":
    main()
