"""Results of an execution: its files, reports, and rows of its tables, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import Field
from sqlalchemy import Connection

from kinsynth.errors import ConflictError
from kinsynth.service.actor import Actor
from kinsynth.service.analysis.readers import Pages
from kinsynth.service.analysis.versions import no_table
from kinsynth.service.analysis.views import RowsView, Window
from kinsynth.service.audit import record
from kinsynth.service.pages import View
from kinsynth.service.permissions import not_found, require
from kinsynth.service.platform import Platform
from kinsynth.service.sources import digest_files
from kinsynth.storage.artefacts import Stored
from kinsynth.storage.files import list_files
from kinsynth.system.files import read_json

SYNTHETIC = "synthetic"
_SHOWN = {"report.pdf", "certificate.json", "evaluation.json", "limits.json", "synthesis.yaml"}
_TABLES = "tables/"
_MEDIA = {
    ".pdf": "application/pdf",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".csv": "text/csv; charset=utf-8",
    ".tsv": "text/tab-separated-values; charset=utf-8",
    ".zip": "application/zip",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
}


class ResultFileView(View):
    """A file that an execution made."""

    path: str
    size: int = Field(description="Bytes.")
    sha256: str


@dataclass(frozen=True)
class Content:
    """A file on its way out.

    Attributes:
        name: What it is called.
        media_type: What it is.
        size: Bytes.
        digest: SHA-256.
        chunks: The content; an error of the store comes while it is read.
    """

    name: str
    media_type: str
    size: int
    digest: str
    chunks: Iterator[bytes]


def list_result_files(platform: Platform, actor: Actor, execution_id: str) -> tuple[ResultFileView, ...]:
    """List the tables and reports of an execution; none before they are there."""
    with platform.records.read() as connection:
        require(connection, actor, "executions.files", execution_id)
        found = list_files(connection, execution_id)
    return tuple(
        ResultFileView(path=path, size=one.size, sha256=one.digest)
        for path, one in found.items()
        if _is_shown(path, one)
    )


def open_result(
    platform: Platform, actor: Actor, execution_id: str, path: str, *, operation: str = "executions.file"
) -> Content:
    """Open a table or a report of an execution; who took it is recorded.

    Raises:
        AccessError: ``access.not_found``, it has no such file, or not yet.
    """
    with platform.records.write() as connection:
        require(connection, actor, operation, execution_id)
        found = list_files(connection, execution_id, under=path) if 0 < len(path) <= 400 else {}
        stored = found.get(path)
        if stored is None or not _is_shown(path, stored):
            raise not_found("file")
        # By its digest: names of tables are what people wrote.
        said = {"sha256": stored.digest, "bytes": stored.size}
        record(connection, actor, operation, execution_id, details=said)
    return open_content(platform, stored, PurePosixPath(path).name)


def preview_result(platform: Platform, actor: Actor, execution_id: str, window: Window) -> RowsView:
    """Give some rows of a synthetic table, cells written as in its files.

    Raises:
        ConflictError: ``execution.no_results``.
        UserError: ``table.not_found``.
    """

    def look() -> dict[str, Stored]:
        with platform.records.read() as connection:
            require(connection, actor, "executions.preview", execution_id)
            return find_synthetic(connection, execution_id)

    stored = look()

    def prepare(folder: Path) -> Mapping[str, Any]:
        def fetch(name: str) -> Path:
            one, path = stored[f"{SYNTHETIC}/{name}"], folder / SYNTHETIC / name
            if not path.exists():
                platform.artefacts.fetch(one, path)
            return path

        fetch("database.json")
        names = read_json(fetch("names.json"))
        if window.table not in names:
            raise no_table(names)
        fetch(f"{names.index(window.table):03}.arrow")
        return {"table": window.table, "offset": window.offset, "limit": window.limit}

    content = digest_files({path: one.digest for path, one in stored.items()})
    pages = Pages((actor.user_id, execution_id, content), "page_result", prepare, look)
    return RowsView.model_validate(platform.analysts.page(pages))


def find_synthetic(connection: Connection, execution_id: str) -> dict[str, Stored]:
    """Find the files of the synthetic database.

    Raises:
        ConflictError: ``execution.no_results``, it has not succeeded (yet), or its results were deleted.
    """
    stored = list_files(connection, execution_id, under=SYNTHETIC)
    if f"{SYNTHETIC}/database.json" not in stored:
        raise ConflictError(
            "execution.no_results",
            "The execution has no results: it has not succeeded, or they were deleted.",
            where="execution",
            remedy="Wait until it succeeds, or start it again.",
        )
    return stored


def open_content(platform: Platform, stored: Stored, name: str) -> Content:
    """Open a file of the store under a name."""
    media_type = _MEDIA.get(PurePosixPath(name).suffix, "application/octet-stream")
    chunks = platform.artefacts.read(stored)
    return Content(name, media_type, stored.size, stored.digest, chunks)


def _is_shown(path: str, stored: Stored) -> bool:
    return stored.label == "protected" and (path in _SHOWN or path.startswith(_TABLES))
