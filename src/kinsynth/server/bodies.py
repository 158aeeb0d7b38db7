"""Words of requests about objects: names, keys, windows of rows."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from kinsynth.service.analysis.views import MOST_ROWS, Window
from kinsynth.service.fields import Name, Short, no_text


class Body(BaseModel):
    """A body: nothing but its own fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Renamed(Body):
    """A new name."""

    name: Name


Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="The same key with the same request makes nothing again.",
    ),
]
Number = Annotated[int, Path(ge=1, lt=2**31)]
NameQuery = Annotated[str, Query(max_length=200, description="Only those of exactly this name.")]
Document = Annotated[
    dict[str, Any], Field(description="A synthesis document, as the command line has it in YAML.")
]
Rows = Annotated[dict[Short, Annotated[int, Field(ge=0, le=10**12), no_text]], Field(max_length=1_000)]
Seed = Annotated[int, Field(ge=0, lt=2**63), no_text]
Sealed = Annotated[int, Field(ge=1, lt=2**31), no_text]


async def _read_window(
    table: Annotated[str, Query(max_length=400)],
    offset: Annotated[int, Query(ge=0, lt=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
) -> Window:
    return Window(table, offset, limit)


WindowOf = Annotated[Window, Depends(_read_window)]
