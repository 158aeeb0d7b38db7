"""Which comparisons are made and how many columns the report shows."""

from __future__ import annotations

from kinsynth.settings.base import Settings, setting
from kinsynth.settings.visibility import when

_WRITTEN = when("report.enabled", True)


class Evaluation(Settings):
    """The comparison of original and synthetic."""

    holdout_share: float = setting(
        0.1,
        "Holdout share",
        "Share (0-0.5) of root rows never shown to the model, the reference of every score.",
        ge=0,
        le=0.5,
        unit="share",
    )
    max_rows: int = setting(
        5_000,
        "Most rows",
        "Rows of each table used by scores that compare rows.",
        ge=100,
        unit="rows",
    )


class Report(Settings):
    """The PDF report."""

    enabled: bool = setting(True, "Report", "Write the PDF report.")
    univariate_columns: int = setting(
        100,
        "Univariate distributions",
        "Most columns shown for each table.",
        ge=0,
        unit="columns",
        advanced=True,
        visible_when=_WRITTEN,
    )
    bivariate_columns: int = setting(
        20,
        "Bivariate distributions",
        "Most columns shown for each table.",
        ge=0,
        unit="columns",
        advanced=True,
        visible_when=_WRITTEN,
    )
    knn_columns: int = setting(
        100,
        "k-NN analysis",
        "Most columns used for each table.",
        ge=0,
        unit="columns",
        advanced=True,
        visible_when=_WRITTEN,
    )
    phik_columns: int = setting(
        20,
        "PhiK analysis",
        "Most columns shown for each table.",
        ge=0,
        available=False,
        unit="columns",
        advanced=True,
        visible_when=_WRITTEN,
    )
