"""Foreign keys in any graph: what the source keeps is kept, or the database is refused with a reason."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from any_graph import broken, make_graph

from kinsynth.errors import UserError
from kinsynth.pipeline.run import run
from kinsynth.settings.document import parse

REASONS = {
    "data.too_few_rows",
    "foreign_keys.circle",
    "foreign_keys.partly_missing_not_available",
    "foreign_keys.shared_column_not_available",
}


pytestmark = pytest.mark.usefixtures("parse_here")


def outcome(seed: int) -> str:
    """Run one made-up database; say how it ended."""
    with TemporaryDirectory() as name:
        source, folder = Path(name) / "source", Path(name) / "run"
        graph = make_graph(seed)
        graph.write(source)
        try:
            run(parse(graph.document(source)), folder, base=Path())
        except UserError as error:
            codes = {finding.code for finding in error.findings if finding.severity == "error"} or {
                error.code
            }
            return ", ".join(sorted(codes))
        assert list(broken(graph, folder / "tables")) == [], seed
        return "kept"


def test_any_graph_is_kept_or_refused() -> None:
    outcomes = [outcome(seed) for seed in range(24)]
    assert outcomes.count("kept") >= 18
    assert {*outcomes} - {"kept"} <= REASONS


@pytest.mark.slow
@pytest.mark.parametrize("start", range(24, 224, 40))
def test_any_of_many_graphs_is_kept_or_refused(start: int) -> None:
    outcomes = [outcome(seed) for seed in range(start, start + 40)]
    assert outcomes.count("kept") >= 30
    assert {*outcomes} - {"kept"} <= REASONS
