"""PDF: a composed report set by Typst. Texts reach the template as JSON only, never as markup."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from importlib.resources import as_file, files
from pathlib import Path

from kinsynth.evaluation.results import Evaluation
from kinsynth.report import charts
from kinsynth.report.document import Document, Figure, compose

_CHARTS: Mapping[str, Callable[..., bytes]] = {
    "distribution": charts.draw_distribution,
    "counts": charts.draw_counts,
    "distances": charts.draw_distances,
    "pairs": charts.draw_pairs,
    "gauge": charts.draw_gauge,
}


def render(evaluation: Evaluation, *, name: str, facts: Mapping[str, str] | None = None) -> bytes:
    """Make the PDF report.

    Args:
        evaluation: What was measured.
        name: Title of the report.
        facts: Lines of the title page, such as seed and model.

    Returns:
        The PDF.

    Guarantees:
        Same arguments, same bytes. No file or network is read besides our own template and fonts.
    """
    return typeset(compose(evaluation, name=name, facts=facts or {}))


def draw(figure: Figure) -> bytes:
    """Draw a figure as SVG."""
    return _CHARTS[figure.kind](*figure.data)


def typeset(document: Document) -> bytes:
    """Set a document with the package's template."""
    import typst

    with (
        tempfile.TemporaryDirectory(prefix="kinsynth-report-") as folder,
        as_file(files(__package__)) as package,
    ):
        root = Path(folder)
        (root / "report.typ").write_bytes((package / "template.typ").read_bytes())
        (root / "content.json").write_text(json.dumps(document.content, sort_keys=True), encoding="utf-8")
        for name, figure in document.figures.items():
            (root / f"{name}.svg").write_bytes(draw(figure))
        return bytes(
            typst.compile(
                str(root / "report.typ"),
                root=str(root),
                font_paths=[str(package / "fonts"), _fallback_fonts()],
                ignore_system_fonts=True,
            )
        )


def _fallback_fonts() -> str:
    """Name the folder of fonts that come with the chart library and know more signs than ours."""
    import matplotlib as mpl

    return str(Path(mpl.get_data_path()) / "fonts" / "ttf")
