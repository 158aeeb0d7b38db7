"""Compare the assessed time and memory of runs with what they take.

    python benchmarks/complexity.py [SET ...] [--data FOLDER] [--threads N]

Each set is run in a process of its own. The last columns are measured over estimated: the aim is 0.5-2 for
time and 0.67-1.5 for memory. The rates live in ``kinsynth.pipeline.complexity.Rates``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from comparison.worker import peak_mb

ROOT = Path(__file__).resolve().parents[1]
SETS: dict[str, dict[str, str]] = {
    "adult": {},
    "credit_default": {},
    "online_shoppers": {},
    "berka": {
        "tables.district.original": "true",
        "roots": "many",
    },
    "baseball": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--data", type=Path, default=default_data())
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", action="store_true", help="run one set here and print its numbers")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.sets[0], options.data, options.threads)))
        return
    print(
        f"{'set':16} {'est s':>7} {'took s':>7} {'cpu s':>7} "
        f"{'est MB':>7} {'took MB':>7} {'time':>6} {'memory':>6}"
    )
    for name in options.sets:
        print_row(name, run_apart(name, options))


def default_data() -> Path:
    return Path(os.environ.get("KINSYNTH_DATA", ROOT.parent / "shared" / "data"))


def run_apart(name: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, name, "--one", "--data", str(options.data)]
    command += ["--threads", str(options.threads)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SystemExit(answer.stderr)
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def measure(name: str, data: Path, threads: int) -> dict[str, Any]:
    from kinsynth.pipeline.complexity import assess_inspection
    from kinsynth.pipeline.review import inspect_source
    from kinsynth.pipeline.run import run
    from kinsynth.settings.document import override, parse

    document = override(
        parse({"source": {"paths": [str(data / name)]}}),
        {**SETS[name], "training.threads": str(threads)},
    )
    assessment = assess_inspection(inspect_source(document, base=data), document)
    steps: dict[str, tuple[float, float]] = {}
    marks = [processor_seconds()]
    details: list[str] = []

    def listen(event: Any) -> None:
        if event.kind == "step_finished":
            now = processor_seconds()
            steps[event.step] = (round(event.seconds, 1), round(now - marks[-1], 1))
            marks.append(now)
        elif event.kind == "step_message" and " loss " in event.message:
            details.append(event.message)

    started, cpu = time.monotonic(), processor_seconds()
    with tempfile.TemporaryDirectory() as folder:
        run(document, Path(folder) / "out", base=data, on_event=listen)
    return {
        "estimated_s": assessment.seconds,
        "took_s": time.monotonic() - started,
        "cpu_s": processor_seconds() - cpu,
        "estimated_bytes": assessment.peak_memory_bytes,
        "took_bytes": peak_mb() * 2**20,
        "steps": steps,
        "drivers": {
            driver.name: round(driver.share * assessment.seconds, 1) for driver in assessment.drivers
        },
        "details": details,
    }


def processor_seconds() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, kinds))


def print_row(name: str, found: dict[str, Any]) -> None:
    time_ratio = found["took_s"] / found["estimated_s"]
    memory_ratio = found["took_bytes"] / found["estimated_bytes"]
    print(
        f"{name:16} {found['estimated_s']:7.0f} {found['took_s']:7.0f} {found['cpu_s']:7.0f} "
        f"{found['estimated_bytes'] / 1e6:7.0f} {found['took_bytes'] / 1e6:7.0f} "
        f"{time_ratio:6.2f} {memory_ratio:6.2f}"
    )
    print(f"    took (s, cpu s)  {found['steps']}")
    print(f"    estimated        {found['drivers']}")
    for line in found["details"]:
        print(f"    {line}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
