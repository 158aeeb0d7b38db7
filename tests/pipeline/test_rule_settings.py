"""Rules of a document: found, written down, switched off, certified on the written files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pytest

import kinsynth
from kinsynth.columns.scale import DayScale
from kinsynth.pipeline.certificate import Certificate, certify
from kinsynth.pipeline.declaration import declare
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.review import review_rules
from kinsynth.pipeline.run import generate, run
from kinsynth.rules.order import Order
from kinsynth.schema.table import Column, Schema, Table
from kinsynth.settings.document import dump, parse, read_yaml
from kinsynth.settings.synthesis import Synthesis
from kinsynth.settings.tables import Rule

ROWS = 500
TRAINING = {"max_epochs": 2, "threads": 1, "model_size": "small"}


@pytest.fixture(scope="module")
def stays() -> pa.Table:
    chance = np.random.default_rng(0)
    admitted = 18_000 + chance.integers(0, 400, ROWS)
    day = pa.array(admitted.astype(np.int32)).cast(pa.date32())
    left = pa.array((admitted + chance.integers(0, 300, ROWS)).astype(np.int32)).cast(pa.date32())
    ward = chance.integers(0, 9, ROWS)
    days = {"admitted": day, "left": pa.array(left.to_pylist(), pa.date32(), mask=chance.random(ROWS) < 0.2)}
    wards = {"ward": [f"ward {one}" for one in ward], "floor": [f"floor {one % 3}" for one in ward]}
    return pa.table({**days, **wards})


def found_rules(tables: dict[str, pa.Table], synthesis: Synthesis) -> Synthesis:
    inspection = inspect(tables, synthesis)
    proposals = review_rules(inspection, synthesis)
    rules = {name: [one.rule for one in found] for name, found in proposals.items()}
    return declare(inspection.schema, synthesis, rules)


FOUND = (Rule(kind="order", columns=("admitted", "left")), Rule(kind="function", columns=("floor", "ward")))


def test_found_rules_are_written_into_the_document(stays: pa.Table) -> None:
    declared = found_rules({"stay": stays}, Synthesis())
    assert declared.tables["stay"].rules == FOUND
    assert parse(read_yaml(dump(declared), where="document")) == declared
    assert not kinsynth.validate(declared, {"stay": stays})


def test_a_declared_list_is_not_replaced_by_what_is_found(stays: pa.Table) -> None:
    synthesis = parse({"tables": {"stay": {"rules": []}}})
    assert found_rules({"stay": stays}, synthesis).tables["stay"].rules == ()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (None, {"order", "function"}),
        ([], set()),
        ([{"kind": "order", "columns": ["admitted", "left"], "enabled": False}], set()),
        ([{"kind": "function", "columns": ["floor", "ward"]}], {"function"}),
    ],
)
def test_the_document_decides_what_is_kept(stays: pa.Table, said: object, kept: set[str]) -> None:
    model = kinsynth.fit({"stay": stays}, parse({"tables": {"stay": {"rules": said}}, "training": TRAINING}))
    assert {rule.kind for rule in model.codec.tables["stay"].rules} == kept
    frame = pl.DataFrame(model.draw({"stay": 1_500}).tables["stay"])
    unkept = frame.filter(pl.col("admitted") > pl.col("left")).height
    assert (unkept == 0) == ("order" in kept)
    drawn = {factor.columns for factor in model.codec.tables["stay"].read_factors}
    assert (("floor",) in drawn) == ("function" not in kept)


def test_rules_are_certified_on_the_written_files(stays: pa.Table, tmp_path: Path) -> None:
    pyarrow.csv.write_csv(stays, tmp_path / "stay.csv")
    document = {"source": {"paths": ["stay.csv"]}, "training": TRAINING, "report": {"enabled": False}}
    done = run(parse(document), tmp_path / "run", base=tmp_path)
    more = generate(tmp_path / "run", rows={"stay": 900}, seed=3, output=tmp_path / "more")
    for execution, rows in ((done, ROWS), (more, 900)):
        proof = Certificate.from_json(execution.certificate.read_text())
        lines = {one.where: one for one in proof.guarantees if one.code == "rule.kept"}
        assert set(lines) == {"stay: admitted <= left", "stay: ward decides floor"}
        assert {(one.passed, one.checked_rows) for one in lines.values()} == {(True, rows)}


def test_a_broken_rule_fails_the_certificate() -> None:
    bounds = ((0, 20_000), (0, 20_000))
    rule = Order(("a", "b"), False, DayScale("date32[day]"), 1, bounds, False, False)
    columns = (Column("a", "date", "date32[day]"), Column("b", "date", "date32[day]"))
    schema = Schema({"t": Table("t", columns)})
    days = [pa.array(one, pa.int32()).cast(pa.date32()) for one in ([1, 5, None], [2, 3, 4])]
    written = {"t": pa.table(dict(zip("ab", days, strict=True)))}
    proof = certify(schema, written, originals={}, expected_rows={"t": 3}, rules={"t": [rule]})
    assert [(one.code, one.where, one.violations) for one in proof.failed] == [("rule.kept", "t: a <= b", 1)]
