"""How much is generated and from which randomness."""

from __future__ import annotations

from typing import Literal

from kinsynth.settings.base import Settings, setting


class Generation(Settings):
    """The rows to draw."""

    rows: dict[str, int] = setting(
        dict,
        "Number of records",
        "Rows of each root table; a table that is missing gets the detected number.",
        unit="rows",
    )
    keys: Literal["generated", "copied"] = setting(
        "generated",
        "Graph of keys",
        "generated: the model decides which rows are connected; copied: the rows are connected as the real "
        "training rows are, and as many. Who is connected with whom, and how often, is then real.",
        advanced=True,
    )
    seed: int = setting(
        0,
        "Seed",
        "Same document, data and seed: same result.",
        ge=0,
        lt=2**63,
        advanced=True,
    )
    temperature: float = setting(
        1.0,
        "Temperature",
        "Above 1 draws more variety than was learned, below 1 less.",
        gt=0,
        le=5,
        advanced=True,
    )
