"""Measure synthetic databases from their files: keys, degrees, trends over keys, constants, copies, views.

    python benchmarks/relations.py DATASET [--cap 12500] [--seeds 1,2,3] [--producers kinsynth,fresh,sdv-hma]
        [--made NAME=FOLDER ...] [--originals a,b] [--exclude a.x,b.y] [--reduced] [--judge c2st,sdm]
        [--results FOLDER]

DATASET is a folder with CSV files and schema.json; the outside judge is the folder named by KINSYNTH_BENCH
(default ../shared/bench). It splits the rows by root entity; producers learn from its training rows (--cap 0:
80 % of everything). A producer is kinsynth (once a seed), a peer (mostly-sdk, sdv-hma, mostly-engine,
independent) or a yardstick (copy, shuffle, fresh); --made judges CSV files that are there already, of any
origin. What is made is kept in --work and not made again. Definitions and aims stand in
benchmarks/relational. Results: relations-NAME.json and .md. The exit code does not depend on the aims.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import judge as outside_run
from relational import outside, producers
from relational.database import Database, primary_key, relations_of
from relational.figures import Clock, Yardstick, measure, prepare
from relational.orphans import describe_orphans
from relational.writing import machine, write_results

HERE = Path(__file__).resolve().parent
ASKED = "asked.json"


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "kinsynth-relations")
    parser.add_argument("--cap", type=int, default=12500, help="rows of the split in all; 0: no cap")
    parser.add_argument("--seeds", default="1,2,3", help="of kinsynth; peers run once")
    parser.add_argument("--producers", default="kinsynth,fresh")
    parser.add_argument("--made", nargs="*", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--originals", default="", help="tables that kinsynth copies as original data")
    parser.add_argument("--exclude", default="", help="TABLE.COLUMN,...: left out for producers and judge")
    parser.add_argument("--reduced", action="store_true", help="berka without persons, districts original")
    parser.add_argument("--judge", default="c2st,sdm", help="metrics of the outside judge, or none")
    parser.add_argument("--limit", type=int, default=7200, help="seconds of a peer in all")
    parser.add_argument("--minutes", type=int, default=10, help="mostly-sdk's training time of a table")
    parser.add_argument("--core", default="0", help="the core of peers and judge")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings of kinsynth")
    parser.add_argument("--name", help="of the results, default the data set's")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    return parser.parse_args()


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file; nothing where there is none."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


def listed(text: str) -> list[str]:
    """Read an option that lists names."""
    return [name for name in text.split(",") if name]


def prepare_source(
    dataset: Path, folder: Path, originals: list[str], excluded: list[str], *, reduced: bool
) -> dict[str, Any]:
    """Give the folder that producers and judge read: the files, and schema.json with what was asked."""
    folder.mkdir(parents=True, exist_ok=True)
    if reduced:
        outside_run.reduce(dataset, folder)
    else:
        for path in [*dataset.glob("*.csv"), dataset / "schema.json"]:
            shutil.copyfile(path, folder / path.name)
    schema: dict[str, Any] = json.loads((folder / "schema.json").read_text())
    schema["originals"] = originals or schema.get("originals", [])
    unknown = sorted(set(schema["originals"]) - set(schema["tables"]))
    if unknown:
        raise SystemExit(f"--originals names no table of {dataset.name}: {', '.join(unknown)}")
    for name in excluded:
        exclude(schema, name)
    (folder / "schema.json").write_text(json.dumps(schema))
    return schema


def exclude(schema: dict[str, Any], name: str) -> None:
    """Take a column out of the description: what it does not name, nobody reads."""
    table, _, column = name.partition(".")
    columns = schema["tables"].get(table, {}).get("columns", {})
    if column not in columns:
        raise SystemExit(f"--exclude names no column of the data set: {name}")
    keys = {*primary_key(schema, table)}
    for relation in relations_of(schema):
        keys |= {*relation.columns} if relation.table == table else set()
        keys |= {*relation.target_columns} if relation.target == table else set()
    if column in keys:
        raise SystemExit(f"--exclude names a column of a key: {name}")
    del columns[column]


class Bench:
    """One data set with its split, and the folders of what producers made of it."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.judge = outside_run.load_judge()
        self.name = arguments.name or arguments.dataset.name + ("-reduced" if arguments.reduced else "")
        self.work = arguments.work / f"{self.name}-{arguments.cap}"
        self.source = self.work / "source"
        originals, self.excluded = listed(arguments.originals), listed(arguments.exclude)
        self.schema = prepare_source(
            arguments.dataset, self.source, originals, self.excluded, reduced=arguments.reduced
        )
        _, *split = self.judge.load_split(self.source, arguments.cap)
        self.split: tuple[Any, Any, Any] = tuple(split)
        self.train, self.holdout = (Database(self.schema, tables) for tables in self.split[:2])
        self.whole = Database(self.schema, self.judge.read(self.source, self.schema))

    def wanted(self) -> list[tuple[str, str, Path]]:
        """Producer, seed and folder of every run."""
        found = []
        for name in self.arguments.producers.split(","):
            seeds = self.arguments.seeds.split(",") if name == producers.OURS else [""]
            found += [(name, seed, self.work / f"{name}{seed and '-' + seed}") for seed in seeds if name]
        return found + [
            (name, "", Path(folder)) for name, folder in (m.split("=", 1) for m in self.arguments.made)
        ]

    def asked(self, name: str) -> dict[str, Any]:
        """What the files of a producer depend on, beside their source and their seed."""
        settings = self.arguments.set if name == producers.OURS else []
        return {"schema": self.schema, "settings": settings}

    def make(self, name: str, seed: str, out: Path) -> None:
        """Make the files of a run unless they are there, made as asked."""
        given = [made.split("=", 1)[0] for made in self.arguments.made]
        record = out / "run.json"
        known = read_json(record)
        if name in given:
            producers.refuse_failed(known)
        if name in given or (known and "error" not in known and self.asked(name) == read_json(out / ASKED)):
            return
        out.mkdir(parents=True, exist_ok=True)
        arguments = self.arguments
        if name == producers.OURS:
            producers.make_ours(self.source, out, cap=arguments.cap, seed=int(seed), options=arguments.set)
        elif name in producers.YARDSTICKS:
            producers.make_yardstick(self.judge, name, self.schema, self.split, out, cap=arguments.cap)
        elif name in producers.PEERS:
            limits = {"limit": arguments.limit, "minutes": arguments.minutes, "core": arguments.core}
            producers.make_peer(outside_run.BENCH, name, self.source, out, cap=arguments.cap, **limits)
        else:
            raise SystemExit(f"no producer is named {name}")
        (out / ASKED).write_text(json.dumps(self.asked(name)))

    def score(self, out: Path) -> dict[str, Any]:
        """Have the judge score a run, once; the judge needs run.json, which files of others may lack."""
        record, scores = out / "run.json", out / "score.json"
        if not record.exists():
            record.write_text(json.dumps({"cap": self.arguments.cap, "seed": self.judge.SEED}))
        known = read_json(scores)
        asked = [m for m in self.arguments.judge.split(",") if m != "none"]
        missing = [m for m in asked if m not in known or scores.stat().st_mtime < record.stat().st_mtime]
        if missing:
            metrics = ",".join(missing)
            outside.score(outside_run.BENCH, self.source, out, metrics=metrics, core=self.arguments.core)
            known = json.loads(scores.read_text())
        return dict(known)

    def inspect(self, yardstick: Yardstick | None, name: str, seed: str, out: Path) -> dict[str, Any]:
        """Make, measure and score one run; a producer's failure is a result."""
        run: dict[str, Any] = {"seed": seed}
        clock = Clock()
        try:
            self.make(name, seed, out)
            run["scores"] = self.score(out)
            clock.note("made and judged")
            run["cost"] = {
                k: v for k, v in json.loads((out / "run.json").read_text()).items() if k != "versions"
            }
            if name != "fresh" and yardstick is not None:
                made = producers.read_made(self.judge, self.schema, out)
                figures, seconds = measure(yardstick, made)
                run |= {
                    "figures": [figure.written() for figure in figures],
                    "seconds": seconds | clock.seconds,
                }
        except (producers.ProducerFailedError, ValueError) as error:
            run["failed"] = str(error)
            print(f"{name} {seed}: {error}", flush=True)
        return run


def main() -> None:
    """Run the benchmark."""
    bench = Bench(parse())
    yardstick = prepare(bench.judge, bench.train, bench.holdout, bench.whole)
    print(f"real halves measured in {yardstick.seconds:.1f} s", flush=True)
    runs: dict[str, list[dict[str, Any]]] = {}
    for name, seed, out in bench.wanted():
        runs.setdefault(name, []).append(bench.inspect(yardstick, name, seed, out))
        print(f"{name} {seed} {json.dumps(runs[name][-1].get('seconds', {}))}", flush=True)
    add_judgement(bench, runs)
    document = {
        "dataset": bench.name,
        "cap": bench.arguments.cap,
        "train_rows": {table: len(rows) for table, rows in bench.split[0].items()},
        "originals": bench.schema["originals"],
        "excluded": bench.excluded,
        "orphans": describe_orphans(bench.train),
        "settings": bench.arguments.set,
        "machine": machine(),
        "halves": [{"group": g, "name": n, "value": v} for (g, n), v in yardstick.apart.items()],
        "runs": {name: found for name, found in runs.items() if name != "fresh"},
    }
    stem = bench.arguments.results / f"relations-{bench.name}"
    write_results(stem, document)
    print(f"written: {stem}.md")


def add_judgement(bench: Bench, runs: dict[str, list[dict[str, Any]]]) -> None:
    """Add the judge's figures: they need those of fresh rows and of all peers."""
    fresh = next((run.get("scores") for run in runs.get("fresh", [])), None)
    peers = [run["scores"] for name in producers.RIVALS for run in runs.get(name, []) if "figures" in run]
    rivals = [scores for scores in peers if scores]
    for found in runs.values():
        for run in found:
            if "figures" in run:
                judged = outside.judge(bench.schema["name"], run.pop("scores"), fresh, rivals)
                run["figures"] += [figure.written() for figure in judged]
            run.pop("scores", None)


if __name__ == "__main__":
    main()
