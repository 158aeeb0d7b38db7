"""The library's own way in: data in Python, or a path, to a model; results to scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kinsynth.connectors.frames import flavour_of
from kinsynth.connectors.memory import tables_from_memory
from kinsynth.errors import Finding
from kinsynth.evaluation.evaluate import evaluate as evaluate_databases
from kinsynth.evaluation.results import Evaluation
from kinsynth.pipeline.checks import check
from kinsynth.pipeline.inspect import as_database, inspect
from kinsynth.pipeline.model import Model, load_model
from kinsynth.pipeline.review import inspect_source
from kinsynth.pipeline.run import fit as fit_document
from kinsynth.schema.table import Schema
from kinsynth.settings.source import Source
from kinsynth.settings.synthesis import Synthesis

Tables = Mapping[str, Any]


def fit(data: str | Path | Tables, synthesis: Synthesis | None = None) -> Model:
    """Learn a model of a database.

    Args:
        data: A file or folder, or pandas, polars or pyarrow tables by name.
        synthesis: What to synthesise and how; None uses what is found in the data.

    Raises:
        KinsynthError: The data or the document must be repaired; ``findings`` holds all causes.
    """
    document = synthesis or Synthesis()
    if isinstance(data, str | Path):
        return fit_document(_reading(document, data), None, base=Path.cwd(), flavour="polars")
    tables = tables_from_memory(data)
    memory = document.model_copy(update={"source": Source(kind="memory")})
    return fit_document(memory, tables, base=Path.cwd(), flavour=flavour_of(data))


def load(path: str | Path) -> Model:
    """Read a model that ``Model.save`` wrote, or the ``model`` folder of an execution."""
    folder = Path(path)
    return load_model(folder / "model" if (folder / "execution.json").is_file() else folder)


def evaluate(
    original: Tables, synthetic: Tables, schema: Schema, *, holdout: Tables | None = None
) -> Evaluation:
    """Compare a synthetic database with its original.

    Args:
        original: Tables by name: the rows a model was trained on.
        synthetic: Synthetic tables by name.
        schema: Schema of all of them, such as ``Model.schema``.
        holdout: Rows of the same source that the model never saw; without them privacy has no reference.
    """
    defaults = Synthesis()
    return evaluate_databases(
        as_database(tables_from_memory(original), schema, origin="original"),
        as_database(tables_from_memory(synthetic), schema, origin="synthetic"),
        holdout=None
        if holdout is None
        else as_database(tables_from_memory(holdout), schema, origin="original"),
        settings=defaults.evaluation,
        report=defaults.report,
        protection=defaults.protection,
        seed=0,
    )


def validate(synthesis: Synthesis, data: str | Path | Tables) -> tuple[Finding, ...]:
    """Check a document against data; gives everything that was found, at once."""
    if isinstance(data, str | Path):
        document = _reading(synthesis, data)
        return check(inspect_source(document, base=Path.cwd()), document)
    return check(inspect(tables_from_memory(data), synthesis), synthesis)


def _reading(document: Synthesis, path: str | Path) -> Synthesis:
    source = document.source.model_copy(update={"kind": "files", "paths": (str(path),)})
    return document.model_copy(update={"source": source})
