"""Runs in processes of their own that can be killed at a named point, and what they left behind."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

from shop_database import shop_document

RESULTS = ("tables", "certificate.json", "evaluation.json", "report.pdf")

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["kinsynth.pipeline.run", "kinsynth.report.pdf", "matplotlib.figure"])


def _listen(variables: dict[str, str], quiet: str) -> None:
    os.environ.update(variables)
    output = os.open(quiet, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _work(source: str, folder: str, variables: dict[str, str], quiet: str) -> None:
    _listen(variables, quiet)
    from kinsynth.pipeline.run import resume, run
    from kinsynth.settings.document import parse

    if (Path(folder) / "execution.json").exists():
        resume(Path(folder))
    else:
        run(parse(shop_document(Path(source))), Path(folder), base=Path())


def _draw(given: str, model: str, folder: str, variables: dict[str, str], quiet: str) -> None:
    _listen(variables, quiet)
    from kinsynth.pipeline.request import Request
    from kinsynth.pipeline.run import generate, resume

    if (Path(folder) / "execution.json").exists():
        resume(Path(folder))
    else:
        generate(Path(model), request=Request(given=[("", Path(given))]), output=Path(folder))


def run_once(source: Path, folder: Path, **variables: str) -> int:
    """Run, or resume, in a process of its own; gives its exit code, negative for a signal."""
    return _wait(_work, str(source), folder, variables)


def generate_once(given: Path, model: Path, folder: Path, **variables: str) -> int:
    """Draw given rows from the model of a finished run, or resume, in a process of its own."""
    return _wait(_draw, str(given), str(model), folder, variables)


def _wait(work: Callable[..., None], *places: object) -> int:
    *first, folder, variables = places
    assert isinstance(folder, Path)
    log = str(folder.with_suffix(".log"))
    process = _CONTEXT.Process(target=work, args=(*first, str(folder), variables, log))
    process.start()
    process.join(300)
    assert process.exitcode is not None, "the run hangs"
    return process.exitcode


def results(folder: Path) -> dict[str, bytes]:
    """Give the bytes of everything a run delivers."""
    files = [file for name in RESULTS for file in [folder / name, *sorted((folder / name).rglob("*"))]]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files if file.is_file()}
