"""Cells: one peer, one data set, one seed. A cell is made once; what stands in its folder says for which job.

A cell that failed or took too long is finished too, and says so. It is made again when its job changes: the
split, the caps, the seed, the options, for our own engine its source, for the scores the source of the
metrics.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparison import environments
from comparison.peers import PEERS
from comparison.worker import THREADS

HERE = Path(__file__).resolve().parent
ENGINE = HERE.parents[1] / "src" / "kinsynth"
OURS = "kinsynth"
SCORING_LIMIT_S = 1800.0


@dataclass(frozen=True)
class Cell:
    """What is to be done, and where it lies."""

    source: Path
    peer: str
    seed: int
    cap: int
    split: str
    limit_s: float
    cores: tuple[int, ...]
    classifier_rows: int
    options: tuple[tuple[str, str], ...]
    folder: Path
    learn: int | None = None

    @property
    def job(self) -> dict[str, Any]:
        """What the worker is told; also the mark by which a finished cell is known again."""
        return {
            "source": str(self.source),
            "peer": self.peer,
            "seed": self.seed,
            "cap": self.cap,
            "split": self.split,
            "limit_s": self.limit_s,
            "cores": list(self.cores),
            "options": dict(self.options),
            "code": digest_file(peer_file(self.peer)) + (digest(ENGINE) if self.peer == OURS else ""),
            **({} if self.learn is None else {"learn": self.learn}),
        }

    @property
    def scoring(self) -> dict[str, Any]:
        """What the scores depend on besides the rows."""
        return {"classifier_rows": self.classifier_rows, "code": digest(HERE / "metrics")}


def peer_file(peer: str) -> Path:
    """The file of a peer."""
    return HERE / "peers" / f"{PEERS[peer].module}.py"


def digest(folder: Path) -> str:
    """A mark of all Python files below a folder."""
    lines = [f"{path.relative_to(folder)} {digest_file(path)}" for path in sorted(folder.rglob("*.py"))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def digest_file(path: Path) -> str:
    """A mark of one file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def read(path: Path) -> dict[str, Any] | None:
    """A JSON document, None where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def make(cell: Cell) -> str:
    """Do what is not done yet; give a word on it."""
    record, words = read(cell.folder / "cell.json"), []
    if record is None or record["job"] != cell.job or record.get("unprepared"):
        record = draw(cell)
        words.append("drawn")
    if "cost" in record and record.get("scoring") != cell.scoring:
        record = score(cell, record)
        words.append("scored")
    return f"failed: {record['failed']}" if "failed" in record else ", ".join(words) or "finished before"


def draw(cell: Cell) -> dict[str, Any]:
    """Run the peer in its environment, at most as long as allowed."""
    shutil.rmtree(cell.folder, ignore_errors=True)
    cell.folder.mkdir(parents=True)
    record: dict[str, Any] = {"job": cell.job}
    write(cell.folder / "job.json", cell.job)
    try:
        failure = run(
            PEERS[cell.peer].environment, "comparison.worker", cell.folder / "job.json", cell.limit_s
        )
    except environments.EnvironmentMissingError as error:
        failure, record["unprepared"] = str(error), True
    record |= {"failed": failure} if failure else {"cost": read(cell.folder / "cost.json")}
    write(cell.folder / "cell.json", record)
    return record


def score(cell: Cell, record: dict[str, Any]) -> dict[str, Any]:
    """Judge the rows in the environment of the metrics.

    Raises:
        EnvironmentMissingError: If that environment is not there: without it there is nothing to compare.
    """
    write(cell.folder / "scoring.json", {**cell.job, **cell.scoring})
    failure = run("metrics", "comparison.scoring", cell.folder / "scoring.json", SCORING_LIMIT_S)
    record = {"job": record["job"], "cost": record["cost"], "scoring": cell.scoring}
    record |= {"failed": f"scoring: {failure}"} if failure else {"scores": read(cell.folder / "scores.json")}
    write(cell.folder / "cell.json", record)
    return record


def write(path: Path, document: dict[str, Any]) -> None:
    """Write a JSON document whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")
    temporary.replace(path)


def run(environment: str, module: str, document: Path, limit_s: float) -> str | None:
    """Run a module of this package in an environment; give what went wrong, None if nothing did."""
    environments.verify(environment)
    job = json.loads(document.read_text(encoding="utf-8"))
    log = document.with_suffix(".log")
    command = [str(environments.interpreter(environment)), "-W", "ignore", "-m", module, str(document)]
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            command,
            stdout=stream,
            stderr=stream,
            env=variables(environment, job["cores"]),
            start_new_session=True,
        )
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return f"timeout after {limit_s:.0f} s"
        finally:
            end(process)
    return None if code == 0 else f"exit code {code}: {last_line(log)}"


def variables(environment: str, cores: list[int]) -> dict[str, str]:
    """The environment of a child: this package on its path, threads bounded, no network for models."""
    own = [os.environ["PYTHONPATH"]] if environment == environments.OWN and "PYTHONPATH" in os.environ else []
    threads = dict.fromkeys(THREADS, str(len(cores))) if cores else {}
    path = os.pathsep.join([str(HERE.parent), *own])
    return {
        **os.environ,
        **threads,
        "PYTHONPATH": path,
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def end(process: subprocess.Popen[bytes]) -> None:
    """End a child and all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)


def last_line(log: Path) -> str:
    """The last line a child wrote: as a rule its error."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else "no word of why"
