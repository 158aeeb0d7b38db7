"""Jobs: what a worker must know and have to perform an execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from kinsynth.errors import SourceError, UserError
from kinsynth.executions.journal import read_outcomes
from kinsynth.service.performing.mirror import MODEL
from kinsynth.storage.artefacts import Stored
from kinsynth.storage.files import list_files
from kinsynth.storage.tables import executions, models

SOURCE, STORED_MODEL, FOLDER = "source", "stored", "execution"


@dataclass(frozen=True)
class Job:
    """An execution as its worker sees it.

    Attributes:
        name: Its name.
        synthesis_id: Synthesis it belongs to.
        document: The synthesis.
        request: ``rows`` of root tables, ``seed``, ``conditions`` and ``fill``, each may be missing.
        draws: Whether it draws from a stored model; otherwise it trains one.
        losses: Workers and connections it lost so far.
        source: Files of its source; empty where it draws from a stored model.
        model: Files of the stored model it draws from, by path below that model; empty where it trains.
        kept: Its own files that the store has, by path.
        finished: Its steps that are done.
    """

    name: str
    synthesis_id: str
    document: Mapping[str, Any]
    request: Mapping[str, Any]
    draws: bool
    losses: int
    source: Mapping[str, Stored]
    model: Mapping[str, Stored]
    kept: Mapping[str, Stored]
    finished: frozenset[str]


def read_job(connection: Connection, execution_id: str) -> Job:
    """Read what there is to do.

    Raises:
        SourceError: ``source.gone``, the files of the source were deleted.
        UserError: ``model.gone``, the stored model was deleted.
    """
    row = connection.execute(select(executions).where(executions.c.id == execution_id)).one()
    finished = frozenset(read_outcomes(connection, execution_id))
    draws = row.kind == "generate"
    return Job(
        name=row.name,
        synthesis_id=row.synthesis_id,
        document=row.document,
        request=row.request,
        draws=draws,
        losses=row.losses,
        source={} if draws else _find_source(connection, row.source_id, row.source_version, finished),
        model=_find_model(connection, row.model_id) if draws else {},
        kept=list_files(connection, execution_id),
        finished=finished,
    )


def needed_source(job: Job) -> Mapping[str, Stored]:
    """Give the files of the source that are still to be read."""
    return {} if "loading" in job.finished else job.source


def _find_source(
    connection: Connection, source_id: str | None, version: int, finished: frozenset[str]
) -> dict[str, Stored]:
    """Find the files of a source; after they were read they may be gone."""
    found = list_files(connection, source_id, version) if source_id else {}
    if not found and "loading" not in finished:
        raise SourceError(
            "source.gone",
            "The files of the source were deleted.",
            where=source_id or "",
            remedy="Upload them again as a new version of a source, and start a new execution.",
        )
    return found


def _find_model(connection: Connection, model_id: str | None) -> dict[str, Stored]:
    """Find the files of a model; they are read after the drawing too, when an attempt begins."""
    trained_by = connection.execute(
        select(models.c.execution_id).where(models.c.id == model_id)
    ).scalar_one_or_none()
    found = list_files(connection, trained_by, under=MODEL) if trained_by else {}
    if not found:
        raise UserError(
            "model.gone",
            "The stored model was deleted.",
            where=model_id or "",
            remedy="Train again: start an execution of the synthesis.",
        )
    return {path.removeprefix(f"{MODEL}/"): one for path, one in found.items()}


def describe_job(job: Job, scratch: Path) -> dict[str, Any]:
    """Give what the training child is told; ``service.performing`` says what it means."""
    return {
        "folder": str(scratch / FOLDER),
        "synthesis": _document(job),
        "base": str(scratch / SOURCE),
        "model": str(scratch / STORED_MODEL) if job.draws else None,
        "rows": dict(job.request.get("rows") or {}),
        "seed": job.request.get("seed"),
        "conditions": job.request.get("conditions"),
        "fill": job.request.get("fill"),
    }


def _document(job: Job) -> dict[str, Any]:
    """Give the document with the fetched files as its source, and with the rows and seed of the request."""
    source = {**job.document.get("source", {}), "kind": "files"}
    if job.source or job.draws:  # else the source was deleted after it was read
        source["paths"] = sorted(job.source)
    generation = dict(job.document.get("generation", {}))
    if rows := job.request.get("rows"):
        generation["rows"] = {**generation.get("rows", {}), **rows}
    if (seed := job.request.get("seed")) is not None:
        generation["seed"] = seed
    return {**job.document, "source": source, "generation": generation}
