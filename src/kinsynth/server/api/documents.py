"""The synthesis document as forms need it; documents themselves belong to their syntheses."""

from __future__ import annotations

from functools import cache
from typing import Any

from kinsynth.server.operation import make_router, operation
from kinsynth.settings import Synthesis

router = make_router()


@operation(router, "GET", "/document-schema", "documents.schema")
def read_schema() -> dict[str, Any]:
    """Give the JSON schema of the synthesis document.

    Beside what JSON Schema says of a field stand ``unit``, ``advanced``, ``types`` (the column types it
    applies to), ``available`` and ``available_values`` (what is built), and ``visible_when``, the rule by
    which forms show it. What stands beside a ``$ref`` goes before what it leads to.
    """
    return _make_schema()


@cache
def _make_schema() -> dict[str, Any]:
    return Synthesis.model_json_schema()
