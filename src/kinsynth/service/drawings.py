"""Drawings: what is asked of one is checked before it is queued, and the rows given to it are kept for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from kinsynth.errors import ConflictError
from kinsynth.service.actor import Actor
from kinsynth.service.analysis.versions import fetch_tables, find_version
from kinsynth.service.models import FOLDER, StoredModel
from kinsynth.service.performing.mirror import GIVEN
from kinsynth.service.permissions import require
from kinsynth.service.platform import Platform
from kinsynth.settings.conditions import Asked, Fill
from kinsynth.storage.artefacts import Stored
from kinsynth.storage.files import list_files


@dataclass(frozen=True)
class Given:
    """Known rows of root tables: those of the tables of a source.

    Attributes:
        source_id: The source.
        source_version: Its version; None for the newest.
        tables: Table by name of a file; of others the file's name says it, else it is the only root table.
    """

    source_id: str
    source_version: int | None = None
    tables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wishes:
    """What is asked of a drawing beside its size.

    Attributes:
        asked: Conditions.
        given: Known rows, or None.
        fill: How the given rows of one table are filled; None draws a database.
    """

    asked: Asked = field(default_factory=Asked)
    given: Given | None = None
    fill: Fill | None = None

    @property
    def said(self) -> dict[str, Any]:
        """The wishes as JSON."""
        return {
            "asked": self.asked.model_dump(mode="json"),
            "given": None if self.given is None else asdict(self.given),
            "fill": None if self.fill is None else self.fill.model_dump(mode="json"),
        }


@dataclass(frozen=True)
class Settled:
    """What a drawing is started with.

    Attributes:
        rows: Rows of root tables: as asked, and as many as are given.
        conditions: As ``pipeline.request.write_conditions`` gives them; None where nothing is asked.
        files: Files of the given rows, by path.
    """

    rows: Mapping[str, int]
    conditions: Mapping[str, Any] | None = None
    files: Mapping[str, Stored] = field(default_factory=dict)


def settle(
    platform: Platform, actor: Actor, stored: StoredModel, rows: Mapping[str, int], wishes: Wishes
) -> Settled:
    """Check in a child that what is asked fits a model, and keep the rows that are given.

    Raises:
        SettingsError: ``settings.rows_not_root``; a table, column or value does not fit the model.
        SourceError: The given rows cannot be read; ``source.gone``.
        AccessError: ``access.not_found``, the source of given rows is that of somebody else.
    """
    stored.rows_of(rows)
    if wishes == Wishes():
        return Settled(rows)
    with platform.records.read() as connection:
        if wishes.given is not None:
            require(connection, actor, "versions.read", wishes.given.source_id)
        model = list_files(connection, stored.execution_id, under=FOLDER)
    with platform.analysts.folder() as folder:
        for path, one in model.items():
            if not path.endswith(".safetensors"):
                platform.artefacts.fetch(one, folder / path)
        if wishes.given is not None:
            version = find_version(platform, wishes.given.source_id, wishes.given.source_version)
            fetch_tables(platform, version, {}, folder)
        arguments = {
            "rows": dict(rows),
            "asked": wishes.said["asked"],
            "fill": wishes.said["fill"],
            "named": None if wishes.given is None else dict(wishes.given.tables),
        }
        answer = platform.analysts.call("check_drawing", arguments, folder)
        files = {
            f"{GIVEN}/{path.name}": platform.artefacts.put_file(path, "original")
            for path in sorted((folder / "given").glob("*"))
        }
    return Settled(answer["rows"], answer["conditions"], files)


def needs_given(request: Mapping[str, Any]) -> bool:
    """Tell whether a drawing was given rows."""
    return bool((request.get("conditions") or {}).get("given"))


def given_gone() -> ConflictError:
    """Give the error for a drawing whose given rows were removed."""
    return ConflictError(
        "execution.given_gone",
        "The rows that were given to it were removed when it ended.",
        where="execution",
        remedy="Generate again, and give the rows again.",
    )
