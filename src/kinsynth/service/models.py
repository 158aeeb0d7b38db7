"""Models: what was learned by a training, kept to draw more from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field
from sqlalchemy import delete, func, select

from kinsynth.errors import ConflictError, SettingsError, UserError
from kinsynth.executions.state import FINAL
from kinsynth.pipeline.growth import check_wanted, expect_rows
from kinsynth.schema.document import read_schema
from kinsynth.schema.table import Schema, Table
from kinsynth.service.actor import Actor
from kinsynth.service.audit import record
from kinsynth.service.documents import Document
from kinsynth.service.names import rename
from kinsynth.service.pages import Page, View, Wanted, read_page
from kinsynth.service.permissions import not_found, require, visible_syntheses
from kinsynth.service.platform import Platform
from kinsynth.service.receipts import write_receipt
from kinsynth.storage.files import detach, list_files
from kinsynth.storage.locks import hold
from kinsynth.storage.tables import executions, models
from kinsynth.system.files import read_json

FOLDER = "model"
_FACTS = (f"{FOLDER}/model.json", f"{FOLDER}/schema.json")
_MOST_ROWS = 10**12


class ModelView(View):
    """A model."""

    id: str
    name: str
    execution_id: str
    synthesis_id: str
    created_at: float


class ModelColumn(View):
    """A column that a model knows."""

    name: str
    type: str
    in_key: bool = Field(description="Whether a primary or foreign key has it: conditions cannot name it.")


class ModelTable(View):
    """A table that a model makes, or whose rows it knows."""

    name: str
    original: bool
    rows: int | None = Field(description="Rows in the source of a root table; null for others.")
    columns: tuple[ModelColumn, ...]


class ModelDetail(ModelView):
    """A model with what can be asked of it."""

    tables: tuple[ModelTable, ...]


@dataclass(frozen=True)
class StoredModel:
    """What must be known of a model to draw from it.

    Attributes:
        id: The model.
        execution_id: The execution that trained it.
        synthesis_id: Its synthesis.
        synthesis_version: Version of the document it was trained with.
        source_id: Its source, None once it was deleted.
        source_version: Version of the source.
        document: The document it was trained with.
        rows: Rows of each root table in the source.
        schema: Its tables.
        copied: Whether it connects rows as the real ones are.
    """

    id: str
    execution_id: str
    synthesis_id: str
    synthesis_version: int
    source_id: str | None
    source_version: int
    document: Document
    rows: Mapping[str, int]
    schema: Schema
    copied: bool

    def rows_of(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """Give the rows that a drawing makes of each root table, for a wish.

        Raises:
            SettingsError: ``settings.rows_not_root``, ``settings.invalid``.
        """
        check_wanted(wanted, {}, self.rows)
        for table, number in wanted.items():
            if number > _MOST_ROWS:
                raise SettingsError(
                    "settings.invalid",
                    f"rows={number}: expected at most {_MOST_ROWS:,}.",
                    where=f"generation.rows.{table}",
                    remedy="Ask for fewer.",
                )
        return expect_rows(self.rows, wanted, self.schema, copied=self.copied)


def list_models(
    platform: Platform, actor: Actor, wanted: Wanted, *, synthesis_id: str | None = None
) -> Page[ModelView]:
    """List the models of all syntheses somebody sees, or of one of them, newest first."""
    with platform.records.read() as connection:
        require(connection, actor, "models.list")
        query = select(models).where(models.c.synthesis_id.in_(visible_syntheses(actor.user_id)))
        if synthesis_id is not None:
            query = query.where(models.c.synthesis_id == synthesis_id)
        rows, cursor = read_page(connection, query, models.c.created_at, models.c.id, wanted)
    return Page(items=tuple(ModelView.model_validate(row) for row in rows), next=cursor)


def read_model(platform: Platform, actor: Actor, model_id: str) -> ModelDetail:
    """Give a model with what can be asked of it.

    Raises:
        UserError: ``model.not_found``, its files are gone.
    """
    view = _read_view(platform, actor, model_id)
    facts = read_model_facts(platform, view.synthesis_id, model_id)
    tables = tuple(_view_table(facts.schema, table, facts.rows) for table in facts.schema.tables.values())
    return ModelDetail(**view.model_dump(), tables=tables)


def _read_view(platform: Platform, actor: Actor, model_id: str) -> ModelView:
    with platform.records.read() as connection:
        require(connection, actor, "models.read", model_id)
        return ModelView.model_validate(
            connection.execute(select(models).where(models.c.id == model_id)).one()
        )


def _view_table(schema: Schema, table: Table, rows: Mapping[str, int]) -> ModelTable:
    linked = {*table.primary_key, *schema.foreign_columns(table.name)}
    columns = tuple(
        ModelColumn(name=column.name, type=column.type, in_key=column.name in linked)
        for column in table.columns
    )
    return ModelTable(name=table.name, original=table.original, rows=rows.get(table.name), columns=columns)


def read_model_document(platform: Platform, actor: Actor, model_id: str) -> Document:
    """Give the document a model was trained with."""
    with platform.records.read() as connection:
        require(connection, actor, "models.document", model_id)
        trained = select(models.c.execution_id).where(models.c.id == model_id).scalar_subquery()
        document: Document = connection.execute(
            select(executions.c.document).where(executions.c.id == trained)
        ).scalar_one()
    return document


def rename_model(platform: Platform, actor: Actor, model_id: str, name: str) -> ModelView:
    """Give a model another name."""
    with platform.records.write() as connection:
        rename(connection, actor, "models.rename", models, model_id, name=name)
    return _read_view(platform, actor, model_id)


def delete_model(platform: Platform, actor: Actor, model_id: str) -> None:
    """Delete a model; results that were drawn from it stay.

    Raises:
        ConflictError: ``model.in_use``, an execution that is not finished trains it or draws from it.
    """
    with platform.records.write() as connection:
        require(connection, actor, "models.delete", model_id)
        if not hold(connection, models.c.id, model_id):
            raise not_found("model")
        row = connection.execute(select(models).where(models.c.id == model_id)).one()
        uses = (executions.c.model_id == model_id) | (executions.c.id == row.execution_id)
        at_work = uses & executions.c.status.not_in(FINAL)
        if connection.execute(select(func.count()).select_from(executions).where(at_work)).scalar_one():
            raise ConflictError(
                "model.in_use",
                "An execution that is not finished trains this model or draws from it.",
                where="model",
                remedy="Wait for it, or cancel it.",
            )
        removed = detach(connection, row.execution_id, under=FOLDER)
        write_receipt(connection, "model", model_id, [removed], details={"execution": row.execution_id})
        connection.execute(delete(models).where(models.c.id == model_id))
        record(connection, actor, "models.delete", model_id)


def read_model_facts(platform: Platform, synthesis_id: str, model_id: str) -> StoredModel:
    """Give what must be known of a model of a synthesis to draw from it.

    Raises:
        AccessError: ``access.not_found``, it is none of this synthesis.
        UserError: ``model.not_found``, its files are gone.
    """
    with platform.records.read() as connection:
        row = connection.execute(
            select(
                models.c.id,
                models.c.execution_id,
                models.c.synthesis_id,
                executions.c.synthesis_version,
                executions.c.source_id,
                executions.c.source_version,
                executions.c.document,
            )
            .join(executions, executions.c.id == models.c.execution_id)
            .where(models.c.id == model_id, models.c.synthesis_id == synthesis_id)
        ).one_or_none()
        if row is None:
            raise not_found("model")
        stored = list_files(connection, row.execution_id, under=FOLDER)
    if not stored.keys() >= {*_FACTS}:
        raise UserError(
            "model.not_found", "The files of the model are gone.", where="model", remedy="Train again."
        )
    with platform.analysts.folder() as folder:
        for path in _FACTS:
            platform.artefacts.fetch(stored[path], folder / path)
        facts, schema = (read_json(folder / path) for path in _FACTS)
    copied = facts.get("keys") == "copied"
    return StoredModel(*row, rows=facts["rows"], schema=read_schema(schema), copied=copied)
