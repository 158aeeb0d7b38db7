"""What a worker leaves of a run that succeeded, without running it: for tests of what comes after."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import insert, update

from kinsynth.connectors.files import read
from kinsynth.executions.journal import add_event
from kinsynth.pipeline.artefacts import save_database
from kinsynth.pipeline.inspect import inspect
from kinsynth.schema.database import Database
from kinsynth.schema.document import write_schema
from kinsynth.service import executions
from kinsynth.service.platform import Platform
from kinsynth.settings.source import Source
from kinsynth.settings.synthesis import Synthesis
from kinsynth.storage.clock import now
from kinsynth.storage.files import attach
from kinsynth.storage.ids import make_id
from kinsynth.storage.tables import executions as rows
from kinsynth.storage.tables import models as model_rows
from kinsynth.system.files import write_json


def put(platform: Platform, owner: str, label: str, files: dict[str, Path]) -> None:
    """Keep files as a worker does."""
    stored = {path: platform.artefacts.put_file(file, label) for path, file in files.items()}  # type: ignore[arg-type]
    with platform.records.write() as connection:
        attach(connection, owner, 0, stored)


def succeed(platform: Platform, execution_id: str, folder: Path) -> str:
    """Leave what a worker leaves of a run that succeeded; gives the id of the model."""
    listing = read(Source(paths=(str(folder / "shops"),)), folder / "read", base=folder)
    schema = inspect({one.name: one.table() for one in listing.tables}, Synthesis()).database()
    save_database(folder / "synthetic", Database(schema.schema, schema.tables, "synthetic"))
    made = {f"synthetic/{path.name}": path for path in (folder / "synthetic").iterdir()}
    (folder / "report.pdf").write_bytes(b"%PDF-1.7")
    write_json(folder / "certificate.json", {"holds": True})
    write_json(folder / "model.json", {"rows": {"shop": 150}})
    write_json(folder / "schema.json", write_schema(schema.schema))
    put(platform, execution_id, "protected", made | {"certificate.json": folder / "certificate.json"})
    put(platform, execution_id, "protected", {"report.pdf": folder / "report.pdf"})
    put(platform, execution_id, "protected", {"tables/shop.csv": folder / "shops" / "shop.csv"})
    learned = {f"model/{name}": folder / name for name in ("model.json", "schema.json")}
    put(platform, execution_id, "derived", learned)
    model_id = make_id("mod")
    with platform.records.write() as connection:
        found = executions.read_execution_row(connection, execution_id)
        connection.execute(
            insert(model_rows).values(
                id=model_id,
                execution_id=execution_id,
                synthesis_id=found.synthesis_id,
                name=found.name,
                created_at=now(),
            )
        )
        for kind in ("step_started", "step_progressed"):
            extra = {"share": 0.5, "values": {"loss": 1.5}} if kind == "step_progressed" else {}
            add_event(connection, execution_id, {"kind": kind, "step": "training", **extra})
        connection.execute(
            update(rows).where(rows.c.id == execution_id).values(status="succeeded", finished_at=now())
        )
    return model_id
