"""PDF: a composed report set by Typst. Texts reach the template as JSON only, never as markup."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from kinsynth.errors import Finding
from kinsynth.evaluation.results import Evaluation
from kinsynth.report import charts
from kinsynth.report.document import Document, Figure, compose
from kinsynth.report.overview import draw_overview

_CHARTS: Mapping[str, Callable[..., bytes]] = {
    "distribution": charts.draw_distribution,
    "counts": charts.draw_counts,
    "distances": charts.draw_distances,
    "pairs": charts.draw_pairs,
    "gauge": charts.draw_gauge,
    "overview": draw_overview,
}


def render(
    evaluation: Evaluation,
    *,
    name: str,
    facts: Mapping[str, str] | None = None,
    limits: Sequence[Finding] = (),
    copied_keys: bool = False,
) -> bytes:
    """Make the PDF report.

    Args:
        evaluation: What was measured.
        name: Title of the report.
        facts: Lines of the title page, such as seed and model.
        limits: What could not be modelled as asked.
        copied_keys: Whether the graph of keys is that of the training rows.

    Returns:
        The PDF.

    Guarantees:
        Same arguments, same bytes; names in scripts our fonts do not know use the system's fonts and may
        differ between machines. Besides fonts and our template no file is read, and no network.
    """
    return typeset(compose(evaluation, name=name, facts=facts or {}, limits=limits, copied_keys=copied_keys))


def draw(figure: Figure) -> bytes:
    """Draw a figure as SVG."""
    return _CHARTS[figure.kind](*figure.data)


def typeset(document: Document) -> bytes:
    """Set a document with the package's template."""
    return bytes(_set(document, format="pdf"))


def paint(document: Document, *, pixels_per_inch: float) -> list[bytes]:
    """Give the pages of a document as PNG pictures."""
    pages = _set(document, format="png", ppi=pixels_per_inch)
    return [bytes(page) for page in (pages if isinstance(pages, list) else [pages])]


def _set(document: Document, **options: Any) -> Any:
    """Lay a document, its charts and fonts into a folder of their own and set it there."""
    import typst

    with tempfile.TemporaryDirectory(prefix="kinsynth-report-") as folder:
        root = Path(folder)
        complete = _fill(root, document)
        main = str(root / "report.typ")
        return typst.compile(main, root=folder, font_paths=[folder], ignore_system_fonts=complete, **options)


def _fill(root: Path, document: Document) -> bool:
    """Write everything the template needs; tell whether our fonts know every sign."""
    content = json.dumps(document.content, sort_keys=True, ensure_ascii=False)
    (root / "content.json").write_text(content, encoding="utf-8")
    drawings = {name: draw(figure) for name, figure in document.figures.items()}
    for name, drawing in drawings.items():
        (root / f"{name}.svg").write_bytes(drawing)
    with as_file(files(__package__)) as package:
        (root / "report.typ").write_bytes((package / "template.typ").read_bytes())
        fonts = [*(package / "fonts").glob("*.ttf"), *_fallback_fonts()]
        for font in fonts:
            (root / font.name).write_bytes(font.read_bytes())
        texts = [content, *(drawing.decode() for drawing in drawings.values())]
        return _signs(fonts).issuperset("".join(texts))


def _fallback_fonts() -> list[Path]:
    """Find the fonts that come with the chart library and know more signs than ours."""
    import matplotlib as mpl

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    return [folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf"]


def _signs(fonts: Sequence[Path]) -> frozenset[str]:
    """Give the signs our fonts know, and those that need no font; others ask for the system's fonts."""
    from matplotlib.ft2font import FT2Font

    known = {chr(code) for font in fonts for code in FT2Font(str(font)).get_charmap()}
    return frozenset(known | set("\n\r\t\u200b"))
