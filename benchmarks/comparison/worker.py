"""One peer, one data set, one seed: fit, draw, write rows and what they cost. Runs in the peer's environment.

    python -m comparison.worker JOB.json

The job names the data set, the split, the peer and the core; the folder of the job gets synthetic.csv and
cost.json.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import resource
import sys
import time
from pathlib import Path
from typing import Any

THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
)

FEWEST_DRAWN = 1000  # where few rows are learned, so that rates of near copies can be told from 0


def confine(cores: list[int]) -> None:
    """Keep this process on the cores and its libraries to as many threads; before they are imported."""
    if cores:
        os.sched_setaffinity(0, cores)
        os.environ.update(dict.fromkeys(THREADS, str(len(cores))))


def peak_mb() -> int:
    """Largest resident memory of this process so far, in MB.

    Read from the kernel's account of this program: getrusage would also count what the parent held when it
    forked. So it does for children of this process, which is held here already.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return round(max(kilobytes, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024)


def cpu_seconds() -> float:
    """User and system seconds of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def version(package: str) -> str | None:
    """The installed version, None where the package is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def run(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Fit and draw as many rows as there are training rows."""
    from comparison.dataset import load_dataset, load_split, write_table
    from comparison.peers import PEERS, Task, load

    source = Path(job["source"])
    dataset = load_dataset(source)
    split = load_split(source, dataset, cap=job["cap"], kind=job["split"], learn=job.get("learn"))
    peer = PEERS[job["peer"]]
    module = load(peer)
    task = Task(dataset, split, job["seed"], job["limit_s"], {**dict(peer.options), **job["options"]})
    base, before, start = peak_mb(), cpu_seconds(), time.perf_counter()
    sampler = module.fit(task)
    fitted, fit_cpu = time.perf_counter(), cpu_seconds()
    made = sampler(max(len(split.train), FEWEST_DRAWN) if "learn" in job else len(split.train))
    sampled, sample_cpu = time.perf_counter(), cpu_seconds()
    write_table(folder / "synthetic.csv", made, dataset)
    return {
        "train_rows": len(split.train),
        "holdout_rows": len(split.holdout),
        "fresh_rows": 0 if split.fresh is None else len(split.fresh),
        "synthetic_rows": len(made),
        "fit_s": fitted - start,
        "sample_s": sampled - fitted,
        "fit_cpu_s": fit_cpu - before,
        "sample_cpu_s": sample_cpu - fit_cpu,
        "peak_mb": peak_mb(),
        "base_mb": base,
        "rows_per_s": len(made) / max(sampled - fitted, 1e-6),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in peer.packages},
        },
    }


def main() -> None:
    """Run the job that the argument names."""
    path = Path(sys.argv[1])
    job = json.loads(path.read_text(encoding="utf-8"))
    confine(job["cores"])
    cost = run(job, path.parent)
    temporary = path.with_name("cost.json.tmp")
    temporary.write_text(json.dumps(cost, indent=1), encoding="utf-8")
    temporary.replace(path.with_name("cost.json"))


if __name__ == "__main__":
    main()
