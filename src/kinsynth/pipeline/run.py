"""An execution in a folder, in one process: begin, take up again, or draw more from a stored model."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from kinsynth.connectors.frames import Flavour
from kinsynth.errors import Interrupted, KinsynthError, UserError
from kinsynth.pipeline import steps
from kinsynth.pipeline.artefacts import save_tables
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.model import Model, load_model
from kinsynth.pipeline.outline import check_drawing
from kinsynth.pipeline.request import Request, read_conditions, save_given, write_conditions
from kinsynth.pipeline.timeline import (
    ExecutionFailed,
    ExecutionFinished,
    ExecutionStarted,
    Listener,
    StepName,
)
from kinsynth.pipeline.workspace import EXECUTION, VERSION, Workspace, holds_only_leftovers, remove_content
from kinsynth.settings.conditions import Fill
from kinsynth.settings.document import dump, parse
from kinsynth.settings.synthesis import Synthesis
from kinsynth.system.failures import explained
from kinsynth.system.files import write_atomically, write_json

Stop = Callable[[], bool]


def never() -> bool:
    """Never stop."""
    return False


@dataclass(frozen=True)
class Execution:
    """A finished execution and where its results are.

    Attributes:
        folder: Folder of the execution.
        tables: Files with the synthetic tables.
        report: The PDF report, or None when none was asked for.
        timeline: The events, one JSON document a line.
        certificate: What was proven on the written files.
    """

    folder: Path
    tables: tuple[Path, ...]
    report: Path | None
    timeline: Path
    certificate: Path


@explained()
def run(
    synthesis: Synthesis,
    folder: Path,
    *,
    base: Path,
    on_event: Listener | None = None,
    stop_requested: Stop = never,
) -> Execution:
    """Make a synthetic database in a new folder.

    Args:
        synthesis: The document.
        folder: A folder that does not exist or is empty.
        base: Folder that relative source paths start at.
        on_event: Called with each event.
        stop_requested: Asked at safe points; True stops cleanly.

    Raises:
        KinsynthError: Something the user, the world or we must repair. After a refusal of the source or
            the document the folder is empty again; after anything else it can be resumed.
    """
    _begin(folder, run_facts(base), synthesis)
    try:
        return resume(folder, on_event=on_event, stop_requested=stop_requested)
    except UserError as error:
        if error.code != "execution.locked" and not (folder / "steps" / "loading.json").exists():
            remove_content(folder)
        raise


@explained()
def generate(
    folder: Path,
    *,
    rows: Mapping[str, int] | None = None,
    seed: int | None = None,
    request: Request | None = None,
    output: Path,
    on_event: Listener | None = None,
    stop_requested: Stop = never,
) -> Execution:
    """Draw more data from the stored model of a finished execution, without training.

    Args:
        folder: Folder of a finished execution.
        rows: Rows of each root table; a table that is missing gets the model's number.
        seed: Source of randomness; None for the model's own.
        request: Known rows, shares and values to keep out; files are relative to the working folder.
        output: A folder that does not exist or is empty.
        on_event: Called with each event.
        stop_requested: Asked at safe points; True stops cleanly.
    """
    stored = folder / "model"
    model = load_model(stored)
    synthesis = parse(Workspace(folder).execution()["synthesis"])
    conditions = (request or Request()).conditions(model.schema, base=Path.cwd())
    facts = drawing_facts(stored, rows=rows or {}, seed=seed, conditions=conditions, model=model)
    _begin(output, facts, synthesis, conditions)
    return resume(output, on_event=on_event, stop_requested=stop_requested)


def run_facts(base: Path) -> dict[str, Any]:
    """Give what an execution that trains must know beside its document.

    Args:
        base: Folder that relative source paths start at.
    """
    return {"kind": "run", "base": str(base.resolve()), "flavour": "polars"}


def drawing_facts(
    stored: Path,
    *,
    rows: Mapping[str, int],
    seed: int | None = None,
    conditions: Conditions,
    fill: Fill | None = None,
    model: Model | None = None,
) -> dict[str, Any]:
    """Give what an execution that draws from a stored model must know beside its document.

    Args:
        stored: Folder of the model.
        rows: Rows of each root table; a table that is missing gets the model's number.
        seed: Source of randomness; None for the model's own.
        conditions: What the rows must keep to.
        fill: How the given rows of one table are filled; None draws a database.
        model: The model, where it was read already.

    Raises:
        KinsynthError: What is asked does not fit the model.
    """
    model = model or load_model(stored)
    check_drawing(model.outline, rows, conditions, fill)
    return {
        "kind": "generate",
        "model": str(stored.resolve()),
        "rows": dict(rows),
        "seed": model.seed if seed is None else seed,
        "conditions": write_conditions(conditions),
        "fill": None if fill is None else fill.model_dump(mode="json"),
    }


@explained()
def take_up(
    folder: Path,
    synthesis: Synthesis,
    facts: Mapping[str, Any],
    *,
    on_event: Listener | None = None,
    stop_requested: Stop = never,
) -> Execution:
    """Perform an execution in a private folder: from its start, or from what another folder had of it.

    Args:
        folder: A folder that is empty, or holds files that an execution of the same document and facts wrote
            into its own folder: those of finished steps, of a training on its way, or both. Of a step whose
            outcome is there and whose outputs are not, only the outcome is used: where doing it again gives
            the same one, finished steps after it stay done.
        synthesis: The document.
        facts: What ``run_facts`` or ``drawing_facts`` gave; their folders may have moved since.
        on_event: Called with each event.
        stop_requested: Asked at safe points; True stops cleanly.

    Guarantees:
        Finished steps whose files are whole are not done again; the results have the same bytes as those of
        an execution that stayed in one folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _describe(folder, synthesis, facts)
    return resume(folder, on_event=on_event, stop_requested=stop_requested)


@explained()
def resume(folder: Path, *, on_event: Listener | None = None, stop_requested: Stop = never) -> Execution:
    """Take up an execution from its first unfinished step; a finished one is left as it is."""
    if not (folder / EXECUTION).is_file():
        raise UserError(
            "execution.not_found",
            "The folder holds no execution.",
            where=str(folder),
            remedy="Name the output folder of kinsynth run.",
        )
    workspace = Workspace(folder, listener=on_event, stop_requested=stop_requested)
    with workspace.lock(), _reported(workspace):
        workspace.remove_leftovers()
        if not workspace.is_finished("storing"):
            _perform(workspace)
        workspace.remove_work()
    return _finished(workspace)


@explained()
def fit(
    synthesis: Synthesis, tables: Mapping[str, pa.Table] | None, *, base: Path, flavour: Flavour
) -> Model:
    """Learn a model in a private folder that is removed afterwards.

    Args:
        synthesis: The document.
        tables: Tables handed over in Python; None reads the document's source.
        base: Folder that relative source paths start at.
        flavour: Library of the tables the model samples.
    """
    with TemporaryDirectory() as name:
        folder = Path(name) / "execution"
        _begin(folder, {**run_facts(base), "flavour": flavour}, synthesis)
        workspace = Workspace(folder, resumable=False)
        if tables is not None:
            save_tables(workspace.given, tables)
        _perform(workspace, until="training")
        return load_model(workspace.model)


def _begin(
    folder: Path, facts: Mapping[str, Any], synthesis: Synthesis, conditions: Conditions | None = None
) -> None:
    """Make an empty folder an execution; of two processes at once, one is refused."""
    _refuse_used(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with Workspace(folder).lock():
        _refuse_used(folder)
        Workspace(folder).remove_work()  # rows given to an execution that was killed before it began
        save_given(Workspace(folder).given, conditions or Conditions())
        _describe(folder, synthesis, facts)


def _describe(folder: Path, synthesis: Synthesis, facts: Mapping[str, Any]) -> None:
    document = {"version": VERSION, "synthesis": synthesis.model_dump(mode="json"), **facts}
    write_json(folder / EXECUTION, document)


def _refuse_used(folder: Path) -> None:
    """Stop at a folder that is in use."""
    if not folder.exists() or (folder.is_dir() and holds_only_leftovers(folder)):
        return
    unfinished = (folder / EXECUTION).is_file()
    raise UserError(
        "execution.folder_not_empty",
        "The folder holds an execution already." if unfinished else "The folder is not empty.",
        where=str(folder),
        remedy="Use kinsynth resume, or another folder." if unfinished else "Name another folder.",
    )


def _perform(workspace: Workspace, until: StepName | None = None) -> None:
    execution = workspace.execution()
    synthesis = parse(execution["synthesis"])
    write_atomically(workspace.folder / "synthesis.yaml", dump(synthesis).encode())
    sequence = _run_steps(workspace, execution, synthesis)
    if execution["kind"] == "generate":
        sequence = _generate_steps(workspace, execution, synthesis)
    for name, perform in sequence:
        if not workspace.is_finished(name):
            perform()
        if name == until:
            return


Sequence = tuple[tuple[StepName, Callable[[], None]], ...]


def _run_steps(workspace: Workspace, execution: Mapping[str, Any], synthesis: Synthesis) -> Sequence:
    def draw() -> None:
        seed = synthesis.generation.seed
        steps.draw(workspace, load_model(workspace.model), rows=synthesis.generation.rows, seed=seed)

    return (
        ("loading", lambda: steps.load(workspace, synthesis, Path(execution["base"]))),
        ("preprocessing", lambda: steps.preprocess(workspace, synthesis)),
        ("building", lambda: steps.build(workspace, synthesis)),
        ("training", lambda: steps.learn(workspace, synthesis)),
        ("synthesis", draw),
        ("report", lambda: steps.compare(workspace, synthesis)),
        ("storing", lambda: steps.store(workspace, synthesis)),
    )


def _generate_steps(workspace: Workspace, execution: Mapping[str, Any], synthesis: Synthesis) -> Sequence:
    def draw() -> None:
        model = load_model(Path(execution["model"]))
        conditions = read_conditions(execution["conditions"], workspace.given)
        rows, seed = execution["rows"], execution["seed"]
        if execution.get("fill"):
            steps.fill(workspace, model, conditions, seed=seed, fill=Fill.model_validate(execution["fill"]))
            return
        steps.draw(workspace, model, rows=rows, seed=seed, conditions=conditions, told=model.limits)

    return (("synthesis", draw), ("storing", lambda: steps.store(workspace, synthesis)))


@contextmanager
def _reported(workspace: Workspace) -> Iterator[None]:
    """Write the events of the execution's start and end."""
    name = workspace.execution()["synthesis"]["name"]
    resumed = (workspace.folder / "steps").exists()
    workspace.log.add(ExecutionStarted(at=time.time(), name=name, resumed=resumed))
    try:
        with explained():
            yield
    except KinsynthError as error:
        stopped = isinstance(error, Interrupted)
        _fail(workspace, error.code, error.message, interrupted=stopped)
        raise
    finally:
        if (kind := sys.exc_info()[0]) is not None and not issubclass(kind, KinsynthError):
            _fail(workspace, "internal.unexpected", kind.__name__, interrupted=kind is KeyboardInterrupt)
    workspace.log.add(ExecutionFinished(at=time.time()))


def _fail(workspace: Workspace, code: str, message: str, *, interrupted: bool) -> None:
    workspace.log.add(ExecutionFailed(at=time.time(), code=code, message=message, interrupted=interrupted))


def _finished(workspace: Workspace) -> Execution:
    report = workspace.folder / "report.pdf"
    return Execution(
        folder=workspace.folder,
        tables=tuple(sorted(workspace.tables.iterdir())),
        report=report if report.exists() else None,
        timeline=workspace.folder / "events.jsonl",
        certificate=workspace.folder / "certificate.json",
    )
