"""Paints two pages of an execution's report side by side, as PNG: what docs/pictures/report.png is made with.

scripts/picture demo/execution docs/pictures/report.png
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

from PIL import Image

from kinsynth.errors import Finding
from kinsynth.evaluation.results import Evaluation
from kinsynth.pipeline.steps import report_facts
from kinsynth.pipeline.workspace import LIMITS
from kinsynth.report.document import compose
from kinsynth.report.pdf import paint
from kinsynth.settings.document import load

GAP, BACKGROUND = 14, "#e2e8f0"


def load_pages(execution: Path, pixels_per_inch: float) -> list[Image.Image]:
    """Set the report of an execution again, as pictures."""
    evaluation = Evaluation.model_validate_json((execution / "evaluation.json").read_text(encoding="utf-8"))
    synthesis = load(execution / "synthesis.yaml")
    limits = [Finding(**limit) for limit in json.loads((execution / LIMITS).read_text(encoding="utf-8"))]
    document = compose(evaluation, name=synthesis.name, facts=report_facts(synthesis), limits=limits)
    return [Image.open(io.BytesIO(page)) for page in paint(document, pixels_per_inch=pixels_per_inch)]


def place(pages: list[Image.Image]) -> Image.Image:
    """Put pages beside each other."""
    width = sum(page.width + GAP for page in pages) + GAP
    sheet = Image.new("RGB", (width, pages[0].height + 2 * GAP), BACKGROUND)
    left = GAP
    for page in pages:
        sheet.paste(page, (left, GAP))
        left += page.width + GAP
    return sheet


def main() -> None:
    """Read the two paths and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("execution", type=Path, help="folder of a finished execution")
    parser.add_argument("picture", type=Path, help="PNG to write")
    parser.add_argument("--pages", type=int, nargs="+", default=[1, 2], help="pages to show, counted from 1")
    options = parser.parse_args()
    pages = load_pages(options.execution, pixels_per_inch=84)
    place([pages[number - 1] for number in options.pages]).save(options.picture, optimize=True)


if __name__ == "__main__":
    main()
