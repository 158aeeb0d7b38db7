"""Compare kinsynth with peers on tables: quality, privacy and cost, in alternation, one process at a time.

    scripts/benchmark compare DATASET [DATASET ...] [--peers kinsynth,mostly-engine] [--seeds 1,2,3]

DATASET is a folder with schema.json and one CSV file. Finished cells are kept in the --work folder and not
made again; a change of our engine draws its cells anew, a change of a metric scores all rows anew. Seconds of
two peers may be compared only if they were drawn in one run: name a new --work folder for that. Writes
--results NAME as NAME.json and NAME.md after each cell.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from comparison import cells, environments, rendering
from comparison.dataset import load_dataset
from comparison.peers import PEERS


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datasets", nargs="+", type=Path, metavar="DATASET")
    parser.add_argument("--peers", default=",".join(PEERS), help="of " + ", ".join(PEERS))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--cap", type=int, default=12500, help="rows used, training and held-out; 0: all")
    parser.add_argument("--split", choices=["judge", "half"], default="judge")
    parser.add_argument("--learn", type=int, help="keep this many training rows, draw at least 1,000")
    parser.add_argument("--limit", type=float, default=1500, help="seconds a peer may take")
    parser.add_argument("--cores", default="", help="cores to stay on, as 0 or 0,1; default: no bound")
    parser.add_argument(
        "--classifier-rows", type=int, default=5000, help="rows of a side in two-sample tests"
    )
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings of kinsynth")
    parser.add_argument("--work", type=Path, default=environments.root() / "cells")
    parser.add_argument("--results", type=Path, default=Path("comparison"))
    arguments = parser.parse_args()
    unknown = set(arguments.peers.split(",")) - set(PEERS)
    if unknown:
        parser.error(f"unknown peers: {', '.join(sorted(unknown))}; known: {', '.join(PEERS)}")
    try:
        environments.verify("metrics")
        for folder in arguments.datasets:
            load_dataset(folder)
    except (environments.EnvironmentMissingError, OSError, ValueError) as error:
        parser.error(str(error))
    if wrong := [item for item in arguments.set if "=" not in item]:
        parser.error(f"--set takes KEY=VALUE, not {', '.join(wrong)}")
    return arguments


def plan(arguments: argparse.Namespace) -> list[cells.Cell]:
    """List the cells: seeds outermost, so that peers alternate and a run cut short has every peer."""
    numbers = [int(text) for text in arguments.seeds.split(",")]
    cores = tuple(int(text) for text in arguments.cores.split(",") if text)
    settings = tuple(tuple(item.split("=", 1)) for item in arguments.set)
    part = arguments.split if arguments.learn is None else f"{arguments.split}-{arguments.learn}"
    return [
        cells.Cell(
            source=folder.resolve(),
            peer=peer,
            seed=seed,
            cap=arguments.cap,
            split=arguments.split,
            limit_s=arguments.limit,
            cores=cores,
            classifier_rows=arguments.classifier_rows,
            options=settings if peer == "kinsynth" else (),
            folder=arguments.work / part / load_dataset(folder).name / peer / f"seed{seed}",
            learn=arguments.learn,
        )
        for seed in numbers
        for folder in arguments.datasets
        for peer in arguments.peers.split(",")
    ]


def main() -> None:
    """Make the cells that are not there, then write what all of them say."""
    arguments = parse()
    todo = plan(arguments)
    for number, cell in enumerate(todo, start=1):
        start = time.perf_counter()
        word = cells.make(cell)
        seconds = time.perf_counter() - start
        name = f"{cell.source.name} {cell.peer} seed {cell.seed}"
        print(f"[{number}/{len(todo)}] {name}: {word} ({seconds:.0f} s)", flush=True)
        rendering.write(arguments.results, todo)
    print(f"written: {arguments.results}.json and {arguments.results}.md")


if __name__ == "__main__":
    main()
