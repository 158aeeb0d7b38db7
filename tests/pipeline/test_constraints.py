"""Declared constraints reach the model as rules, and the certificate of the written files as guarantees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import kinsynth
from kinsynth.pipeline.certificate import Certificate
from kinsynth.pipeline.constraints import rules_of, state_circles, without_given
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.request import Request
from kinsynth.pipeline.run import generate, run
from kinsynth.schema.check_text import read_check
from kinsynth.schema.database import Database
from kinsynth.schema.table import Column, Relation, Schema, Table
from kinsynth.settings.document import parse

ROWS = 300
TRAINING = {"max_epochs": 2, "threads": 1, "model_size": "small"}
SAID = {
    "columns": {"code": {"type": "identifier"}},
    "primary_key": [],
    "rules": [],
    "unique": [["code"]],
    "checks": ["low <= high", "state in ('on', 'off')", "low >= 0", "high is not null"],
}


@pytest.fixture(scope="module")
def pairs() -> pa.Table:
    """Rows whose order of two columns is seldom seen broken by chance: they overlap widely."""
    chance = np.random.default_rng(0)
    both = np.sort(chance.integers(0, 1_000, (ROWS, 2)), axis=1)
    state = chance.choice(["on", "off"], ROWS)
    code = [f"K{row:06}" for row in chance.permutation(ROWS)]
    return pa.table({"code": code, "low": both[:, 0], "high": both[:, 1], "state": state})


def test_comparisons_of_columns_are_rules() -> None:
    checks = read_check("a < b and c >= d and e = f and g <> h and a > 1 and i <= i")
    assert [(rule.kind, rule.columns) for rule in rules_of(checks)] == [
        ("order", ("a", "b")),
        ("order", ("d", "c")),
        ("copy", ("e", "f")),
    ]


def test_a_declared_order_is_kept_though_the_document_wants_no_rules(pairs: pa.Table) -> None:
    document = {"tables": {"t": SAID}, "training": TRAINING}
    model = kinsynth.fit({"t": pairs}, parse(document))
    assert [(rule.kind, rule.columns) for rule in model.codec.tables["t"].rules] == [
        ("order", ("low", "high"))
    ]
    rows = model.draw({"t": 2_000}).tables["t"]
    assert not np.any(rows["low"].to_numpy() > rows["high"].to_numpy())


def test_the_certificate_names_what_is_declared(pairs: pa.Table, tmp_path: Path) -> None:
    pyarrow.csv.write_csv(pairs, tmp_path / "t.csv")
    document = {
        "source": {"paths": ["t.csv"]},
        "tables": {"t": SAID},
        "training": TRAINING,
        "report": {"enabled": False},
    }
    done = run(parse(document), tmp_path / "run", base=tmp_path)
    more = generate(tmp_path / "run", rows={"t": 500}, seed=3, output=tmp_path / "more")
    for execution, rows in ((done, ROWS), (more, 500)):
        proof = Certificate.from_json(execution.certificate.read_text())
        found = {(one.code, one.where): one.checked_rows for one in proof.guarantees if one.passed}
        for place in (
            ("unique_key.unique", "t(code)"),
            ("check.kept", "t: low <= high"),
            ("check.kept", "t: low >= ?"),
            ("check.kept", "t: high is not null"),
            ("enumeration.kept", "t: state in (2 values)"),
        ):
            assert found[place] == rows
    fixed = generate(
        tmp_path / "run",
        rows={"t": 50},
        seed=3,
        output=tmp_path / "fixed",
        request=Request(fixed=[("t.low", "900")]),
    )
    codes = [one.where for one in Certificate.from_json(fixed.certificate.read_text()).guarantees]
    assert not any(where.startswith("t: low") for where in codes)
    assert "t: state in (2 values)" in codes


def test_what_is_not_there_is_left_to_the_checks(pairs: pa.Table) -> None:
    said = {
        "unique": [["gone"], ["code"], ["code"]],
        "checks": ["low <", "gone > 1", "low < 5000", "low < 5000"],
    }
    table = inspect({"t": pairs}, parse({"tables": {"t": said}})).schema.tables["t"]
    assert table.unique_keys == (("code",),)
    assert table.checks == read_check("low < 5000")


def test_given_columns_are_taken_out_of_what_is_certain() -> None:
    columns = tuple(Column(name, "integer", "int64") for name in "abc")
    table = Table("t", columns, unique_keys=(("a", "b"), ("c",)), checks=read_check("a < b and c > 1"))
    left = without_given(Schema({"t": table}), {"t": {"b"}}).tables["t"]
    assert (left.unique_keys, left.checks) == ((("c",),), read_check("c > 1"))


@pytest.mark.parametrize(
    ("bosses", "acyclic"), [([None, 1, 2], True), ([None, 3, 2], False), ([1, 1, 1], False)]
)
def test_the_source_says_whether_rows_are_their_own_ancestors(
    bosses: list[int | None], acyclic: bool
) -> None:
    columns = (Column("id", "identifier", "int64"), Column("boss", "identifier", "int64"))
    schema = Schema({"t": Table("t", columns, ("id",))}, (Relation("t", ("boss",), "t", ("id",)),))
    rows = pa.table({"id": [1, 2, 3], "boss": pa.array(bosses, pa.int64())})
    stated = state_circles(Database(schema, {"t": rows}, "original"))
    assert [relation.acyclic for relation in stated.schema.relations] == [acyclic]
