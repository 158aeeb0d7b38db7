"""Foreign keys in any graph: what the source keeps is kept, or the database is refused with a reason."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from any_graph import broken, broken_copies, make_graph, other_rows

from kinsynth.certificate.certify import Statement, prove
from kinsynth.columns.echo import EchoCodec
from kinsynth.errors import UserError
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.model import load_model
from kinsynth.pipeline.run import run
from kinsynth.settings.document import parse

REASONS = {
    "data.too_few_rows",
    "foreign_keys.circle",
    "foreign_keys.partly_missing_not_available",
    "foreign_keys.shared_column_not_available",
}


pytestmark = pytest.mark.usefixtures("parse_here")


def always_repeats(codec: DatabaseCodec, table: str, column: str, key: tuple[str, ...]) -> bool:
    """Tell whether all rows of a table repeat a cell of the row that a key names."""
    anchors = {one.name: one for one in codec.tables[table].anchors}
    for factor in codec.tables[table].factors:
        if factor.columns == (column,) and isinstance(factor.codec, EchoCodec):
            path = anchors[factor.anchor].path
            near = len(path) == 1 and path[0].startswith(f"{table}({', '.join(key)}) -> ")
            return near and not factor.codec.own
    return False


def outcome(seed: int, repeated: list[str]) -> str:
    """Run one made-up database; say how it ended, and add the copies that were drawn as such."""
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
        model = load_model(folder / "model")

        def always(table: str, column: str, key: tuple[str, ...]) -> bool:
            found = always_repeats(model.codec, table, column, key)
            repeated.extend([column] * found)
            return found

        assert list(broken_copies(graph, folder / "tables", always)) == [], seed
        rows = other_rows(Random(seed), model.rows)
        drawn = model.draw(rows, seed=seed)
        statement = Statement(drawn.schema, model.originals, {})
        guarantees = prove(statement, drawn.tables)
        assert [one for one in guarantees if not one.passed] == [], (seed, rows)
        return "kept"


def test_any_graph_is_kept_or_refused() -> None:
    repeated: list[str] = []
    outcomes = [outcome(seed, repeated) for seed in range(24)]
    assert outcomes.count("kept") >= 18
    assert len(repeated) >= 8, "most copies of rows that are drawn before are found, where there are enough"
    assert {*outcomes} - {"kept"} <= REASONS


@pytest.mark.soak
@pytest.mark.parametrize("start", range(24, 224, 40))
def test_any_of_many_graphs_is_kept_or_refused(start: int) -> None:
    outcomes = [outcome(seed, []) for seed in range(start, start + 40)]
    assert outcomes.count("kept") >= 30
    assert {*outcomes} - {"kept"} <= REASONS
