"""Synthesis: the one document that says what to synthesise and how."""

from __future__ import annotations

from typing import Literal

from kinsynth.settings.base import Settings, setting
from kinsynth.settings.destination import Destination
from kinsynth.settings.evaluation import Evaluation, Report
from kinsynth.settings.generation import Generation
from kinsynth.settings.privacy import DifferentialPrivacy, Protection
from kinsynth.settings.source import Source
from kinsynth.settings.tables import Table
from kinsynth.settings.training import TextModel, Training
from kinsynth.settings.visibility import given


class Synthesis(Settings):
    """What to synthesise and how: shared by library, command line, API and web."""

    version: Literal[1] = setting(1, "Version", "Version of the document.")
    name: str = setting("synthesis", "Name", "Name of the synthetic data set.", min_length=1, max_length=200)
    source: Source = setting(Source, "Source", "Where originals are read.")
    roots: Literal["one", "many"] = setting(
        "one", "Root tables", "one refuses more than one root table; many allows several independent trees."
    )
    tables: dict[str, Table] = setting(
        dict, "Tables", "Settings by table; a table that is not named here is used as detected."
    )
    protection: Protection = setting(
        Protection,
        "Value protection",
        "Removal of rare and extreme values.",
        advanced=True,
    )
    training: Training = setting(Training, "Tabular model", "How the tabular model is trained.")
    text_model: TextModel = setting(
        TextModel,
        "Text model",
        "How the text model is trained.",
        advanced=True,
        visible_when=given("has_text", True),
    )
    differential_privacy: DifferentialPrivacy = setting(
        DifferentialPrivacy,
        "Differential privacy",
        "The privacy budget.",
        advanced=True,
        visible_when=given("modelled_tables", 1),
    )
    generation: Generation = setting(Generation, "Generation", "How many rows are drawn.")
    evaluation: Evaluation = setting(
        Evaluation,
        "Evaluation",
        "The comparison of original and synthetic.",
        advanced=True,
    )
    report: Report = setting(Report, "Report", "The PDF report.")
    destination: Destination = setting(Destination, "Destination", "Where results are written.")
