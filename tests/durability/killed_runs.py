"""Runs in processes of their own that can be killed at a named point, and what they left behind."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

from shop_database import shop_document

RESULTS = ("tables", "certificate.json", "evaluation.json", "report.pdf")

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["kinsynth.pipeline.run", "kinsynth.report.pdf", "matplotlib.figure"])


def _work(source: str, folder: str, variables: dict[str, str], quiet: str) -> None:
    os.environ.update(variables)
    output = os.open(quiet, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    from kinsynth.pipeline.run import resume, run
    from kinsynth.settings.document import parse

    if (Path(folder) / "execution.json").exists():
        resume(Path(folder))
    else:
        run(parse(shop_document(Path(source))), Path(folder), base=Path())


def run_once(source: Path, folder: Path, **variables: str) -> int:
    """Run, or resume, in a process of its own; gives its exit code, negative for a signal."""
    log = str(folder.with_suffix(".log"))
    process = _CONTEXT.Process(target=_work, args=(str(source), str(folder), variables, log))
    process.start()
    process.join(300)
    assert process.exitcode is not None, "the run hangs"
    return process.exitcode


def results(folder: Path) -> dict[str, bytes]:
    """Give the bytes of everything a run delivers."""
    files = [file for name in RESULTS for file in [folder / name, *sorted((folder / name).rglob("*"))]]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files if file.is_file()}
