"""Outline: a model without its networks: enough to say whether what is asked of a drawing fits. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa

from kinsynth.errors import SettingsError, UserError
from kinsynth.pipeline.artefacts import load_tables
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.copied_graph import CopiedGraph, load_graph
from kinsynth.pipeline.growth import check_wanted, expect_rows
from kinsynth.pipeline.kept_graph import check_kept, keep_graph
from kinsynth.pipeline.preparation import Prepared, prepare
from kinsynth.schema.document import read_schema
from kinsynth.schema.table import Schema
from kinsynth.settings.conditions import Fill, Method
from kinsynth.system.files import read_json

VERSION = 4
GRAPH = "copied_graph"


@dataclass(frozen=True)
class Outline:
    """What of a model says which drawings it can make; attributes as of ``Model``."""

    schema: Schema
    codec: DatabaseCodec
    originals: Mapping[str, pa.Table]
    rows: Mapping[str, int]
    graph: CopiedGraph | None

    def wanted(self, rows: Mapping[str, int], conditions: Conditions) -> dict[str, int]:
        """Give the rows of every root table.

        A table of which rows are given has as many; others that are not named get the model's number, or grow
        with the tables that their rows point to, unless the graph of keys is copied.

        Raises:
            SettingsError: A table is no root table, or a number is not that of the rows given.
        """
        given = {name: table.num_rows for name, table in conditions.given.items()}
        check_wanted(rows, given, self.rows)
        return expect_rows(self.rows, {**rows, **given}, self.schema, copied=self.graph is not None)

    def prepared(self, rows: Mapping[str, int], conditions: Conditions) -> tuple[dict[str, int], Prepared]:
        """Give the rows of every root table, and the conditions as the engine takes them.

        Raises:
            KinsynthError: What is asked does not fit the model.
        """
        wanted = self.wanted(rows, conditions)
        if self.graph is not None:
            check_kept(self.graph, wanted, conditions, self.schema)
        ready = prepare(conditions, self.codec, self.schema, originals=self.originals, rows=wanted)
        return wanted, ready if self.graph is None else keep_graph(ready, self.graph, self.schema)

    def alone(self, name: str) -> Outline:
        """Give the outline of one root table and the lookups, whose rows can be filled.

        Raises:
            SettingsError: ``condition.child_table`` or ``condition.further_keys``.
        """
        if name not in self.rows:
            raise SettingsError(
                "condition.child_table",
                f"Only root tables can be filled; these are {', '.join(self.rows)}.",
                where=name,
                remedy="Name a root table.",
            )
        if any(codec.table == name for codec in self.codec.keys.values()):
            raise SettingsError(
                "condition.further_keys",
                "Rows of the table point to rows of others, which are not there when rows are filled alone.",
                where=name,
                remedy="Give the rows to a drawing instead (given): what hangs together is drawn with them.",
            )
        codec = DatabaseCodec({name: self.codec.tables[name]})
        schema = _one_table(self.schema, name, self.originals)
        return Outline(schema, codec, self.originals, {name: self.rows[name]}, None)


def read_facts(folder: Path) -> dict[str, Any]:
    """Read what a stored model says of itself.

    Raises:
        UserError: ``model.not_found`` or ``model.version``.
    """
    path = folder / "model.json"
    if not path.is_file():
        raise UserError(
            "model.not_found",
            "The folder holds no finished model.",
            where=str(folder),
            remedy="Name the folder of a finished run, or of a saved model.",
        )
    facts: dict[str, Any] = read_json(path)
    if facts.get("version") != VERSION:
        raise UserError(
            "model.version",
            f"version={facts.get('version')}: expected {VERSION}.",
            where=str(path),
            remedy="Train again, or use the version of kinsynth that wrote it.",
        )
    return facts


def load_outline(folder: Path) -> Outline:
    """Read all but the networks of a model that was stored in a folder.

    Raises:
        UserError: The folder holds no model of this version.
    """
    facts = read_facts(folder)
    return Outline(
        schema=read_schema(read_json(folder / "schema.json")),
        codec=DatabaseCodec.from_json(read_json(folder / "codecs.json")),
        originals=load_tables(folder / "originals"),
        rows=facts["rows"],
        graph=load_graph(folder / GRAPH) if facts.get("keys") == "copied" else None,
    )


def check_method(method: str) -> None:
    """Refuse a word that is no method.

    Raises:
        SettingsError: ``condition.method``.
    """
    if method not in get_args(Method):
        raise SettingsError(
            "condition.method",
            f"method={method}: expected draw or best.",
            where="method",
            remedy="draw fills in what could have been, best the single value that is nearest on average.",
        )


def _one_table(schema: Schema, name: str, originals: Mapping[str, pa.Table]) -> Schema:
    """Give the schema of one root table and the lookups."""
    tables = {one: table for one, table in schema.tables.items() if one == name or one in originals}
    relations = [one for one in schema.relations if one.table in tables and one.references_table in tables]
    return Schema(tables, tuple(relations))


def check_drawing(
    outline: Outline, rows: Mapping[str, int], conditions: Conditions, fill: Fill | None
) -> None:
    """Refuse a drawing, or a filling of given rows, that does not fit a model.

    Raises:
        SettingsError: ``condition.fill``; errors as of ``Outline.alone`` and ``Outline.prepared``.
    """
    if fill is None:
        outline.prepared(rows, conditions)
        return
    drawn = (conditions.fixed, conditions.balance, conditions.never, conditions.no_missing)
    if len(conditions.given) != 1 or any(drawn):
        raise SettingsError(
            "condition.fill",
            f"Rows of {len(conditions.given)} tables are given; expected those of one table to fill, and no "
            "conditions but which empty cells are missing and the temperature.",
            where="fill",
            remedy="Give the rows of one root table, and leave other conditions out.",
        )
    outline.alone(*conditions.given).prepared(rows, conditions)
