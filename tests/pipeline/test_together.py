"""What never goes together in the rows of a table is not drawn together."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.connectors.memory import tables_from_memory
from kinsynth.pipeline.certificate import certify
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.model import Model
from kinsynth.pipeline.review import review_rules
from kinsynth.pipeline.together import describe_together, keep_pairs
from kinsynth.privacy.protection import OwnRoots
from kinsynth.settings.document import parse
from kinsynth.settings.tables import Rule

ROWS, MINIMUM = 3_000, 5
PORTS = [f"port {number}" for number in range(12)]


def make_voyages() -> dict[str, pl.DataFrame]:
    """Voyages from each of three ports to some of the others, each pair so far apart; one pair is rare."""
    chance = np.random.default_rng(0)
    start, end = chance.integers(0, 3, ROWS), chance.integers(3, len(PORTS), ROWS)
    kept = (start + end) % 3 != 0
    start, end = start[kept], end[kept]
    start[:3], end[:3] = 0, 3
    far = 100 + 7 * np.random.default_rng(9).permutation(len(PORTS) ** 2)[start * len(PORTS) + end]
    return {
        "port": pl.DataFrame({"port_id": PORTS, "size": chance.integers(1, 90, len(PORTS))}),
        "voyage": pl.DataFrame(
            {
                "voyage_id": np.arange(len(start)),
                "start": [PORTS[one] for one in start],
                "end": [PORTS[one] for one in end],
                "load": chance.integers(0, 500, len(start)),
                "far": far,
            }
        ),
    }


def document(**tables: object) -> kinsynth.Synthesis:
    return parse({"tables": tables, "training": {"max_epochs": 2, "threads": 1}, "generation": {"seed": 3}})


def voyage_document(**voyage: object) -> kinsynth.Synthesis:
    keys = [{"columns": [name], "table": "port"} for name in ("start", "end")]
    return document(
        port={"original": True, "primary_key": ["port_id"]},
        voyage={"primary_key": ["voyage_id"], "foreign_keys": keys, **voyage},
    )


@pytest.fixture(scope="module")
def voyages() -> Model:
    return kinsynth.fit(make_voyages(), voyage_document())


def test_references_go_together_as_in_the_source(voyages: Model) -> None:
    real = make_voyages()["voyage"].group_by("start", "end").len().filter(pl.col("len") >= MINIMUM)
    drawn = pl.DataFrame(voyages.draw({"voyage": 5_000}).tables["voyage"])
    pairs = drawn.select("start", "end").unique()
    assert pairs.join(real, on=["start", "end"], how="anti").is_empty()
    assert len(pairs) == len(real)


def test_a_column_that_references_decide_does_so_in_every_drawn_row(voyages: Model) -> None:
    (rule,) = [one for one in voyages.codec.tables["voyage"].rules if one.kind == "reference"]
    assert rule.columns == ("far", "start", "end")
    real = make_voyages()["voyage"].select("start", "end", "far").unique()
    drawn = pl.DataFrame(voyages.draw({"voyage": 5_000}).tables["voyage"])
    assert drawn.join(real, on=["start", "end", "far"], how="anti").is_empty()


def test_it_is_certified_on_the_keys_as_they_are_written(voyages: Model) -> None:
    drawn = voyages.draw({"voyage": 500}).tables

    def line(tables: dict[str, pa.Table]) -> tuple[str, int, int]:
        proof = certify(
            voyages.schema,
            tables,
            originals=voyages.originals,
            expected_rows={"voyage": 500},
            rules={"voyage": voyages.codec.tables["voyage"].rules},
        )
        (one,) = [one for one in proof.guarantees if one.code == "rule.kept"]
        return one.where, one.checked_rows, one.violations

    assert line(dict(drawn)) == ("voyage: start, end decide far", 500, 0)
    swapped = drawn["voyage"].set_column(
        drawn["voyage"].column_names.index("far"), "far", pa.array(np.zeros(500, int))
    )
    assert line({**drawn, "voyage": swapped})[2] > 450


def test_the_rule_is_written_down_and_other_kinds_take_no_key() -> None:
    tables, said = make_voyages(), Rule(kind="reference", columns=("far", "start", "end"))
    inspection = inspect(tables_from_memory(tables), voyage_document())
    found = [one.rule for one in review_rules(inspection, voyage_document())["voyage"]]
    assert [(one.kind, one.columns) for one in found] == [(said.kind, said.columns)]
    assert not kinsynth.validate(voyage_document(rules=[said.model_dump()]), tables)
    for wrong, code in (
        ({"kind": "function", "columns": ["far", "start"]}, "rules.kind"),
        ({"kind": "reference", "columns": ["far", "load"]}, "rules.kind"),
        ({"kind": "reference", "columns": ["start", "end"]}, "rules.kind"),
        ({"kind": "reference", "columns": ["load", "start", "end"]}, "rules.broken"),
        ({"kind": "constant", "columns": ["far", "load"]}, "rules.kind"),
        ({"kind": "constant", "columns": ["far", "start", "end"]}, "rules.kind"),
        ({"kind": "constant", "columns": ["load", "start"]}, "rules.broken"),
    ):
        assert {one.code for one in kinsynth.validate(voyage_document(rules=[wrong]), tables)} == {code}


def test_the_timeline_says_what_goes_together(voyages: Model) -> None:
    assert list(describe_together(voyages.codec)) == ["voyage: end only goes with start as in the source"]


def test_a_filled_row_keeps_it_too(voyages: Model) -> None:
    real = make_voyages()["voyage"].select("start", "end", "far").unique()
    rows = make_voyages()["voyage"].head(50).with_columns(far=pl.lit(None, pl.Int64))
    for method in ("draw", "best"):
        filled = voyages.impute(rows, method=method)
        assert filled.select("start", "end").equals(rows.select("start", "end"))
        told = filled.join(real.group_by("start", "end").len(), on=["start", "end"], how="semi")
        rare = (pl.col("start") == PORTS[0]) & (pl.col("end") == PORTS[3])
        assert told.filter(~rare).join(real, on=["start", "end", "far"], how="anti").is_empty()


def test_a_text_that_one_port_decides_is_made_up_elsewhere() -> None:
    """Ships have names that few share; to one port there is a ferry."""
    tables, chance = make_voyages(), np.random.default_rng(4)
    parts = np.array(["ber", "gau", "hof", "kir", "lin", "mos", "neu", "ried", "sal", "wei"])
    names = ["".join(some) for some in parts[chance.integers(0, 10, (len(tables["voyage"]), 3))]]
    ferry = pl.when(pl.col("end") == PORTS[5]).then(pl.lit("Ferry"))
    tables["voyage"] = tables["voyage"].with_columns(ship=ferry.otherwise(pl.Series(names)))
    synthesis = voyage_document(columns={"ship": {"type": "categorical"}})
    model = kinsynth.fit(tables, synthesis)
    assert ("constant", ("ship", "end")) in {
        (rule.kind, rule.columns) for rule in model.codec.tables["voyage"].rules
    }
    drawn = pl.DataFrame(model.draw({"voyage": 3_000}).tables["voyage"])
    assert set(drawn.filter(pl.col("end") == PORTS[5])["ship"]) == {"Ferry"}
    others = drawn.filter(pl.col("end") != PORTS[5])["ship"]
    assert others.n_unique() > 0.2 * len(others)
    assert not set(others) <= {*tables["voyage"]["ship"]}


def test_pairs_that_few_roots_have_are_left_out_where_they_are_few() -> None:
    chance = np.random.default_rng(0)
    first, second = chance.integers(0, 4, 2_000), chance.integers(0, 5, 2_000)
    second = np.where(first == 1, second % 2, second)
    second[np.flatnonzero(first == 1)[:4]] = 4

    def kept(rows: int = 2_000) -> object:
        pair_R, roots = (first * 5 + second)[:rows], OwnRoots(np.ones(rows, np.int64))
        found = keep_pairs(pair_R, (4, 5), roots, minimum=MINIMUM, tests=4)
        return None if found is None else found.tolist()

    everything = [True] * 5
    assert kept() == [everything, [True, True, False, False, False], everything, everything]
    assert kept(40) is None, "too few rows to say"
    second[np.flatnonzero(first == 1)[:12]] = np.repeat([2, 3, 4], 4)
    assert kept() is None, "what was not seen may be as much as what hardly was"


def test_independent_references_are_not_kept_apart() -> None:
    for seed in range(20):
        chance = np.random.default_rng(seed)
        share = chance.dirichlet(np.full(12, 0.5))
        pair_R = chance.choice(12, 1_500, p=share) * 9 + chance.integers(0, 9, 1_500)
        roots = OwnRoots(np.ones(1_500, np.int64))
        assert keep_pairs(pair_R, (12, 9), roots, minimum=MINIMUM, tests=4) is None


def make_accounts() -> dict[str, pl.DataFrame]:
    """Accounts of ten years; payments from their opening on, but not yet of the last two years."""
    chance = np.random.default_rng(1)
    opened = chance.integers(0, 3_650, 1_500)
    last = 2_920
    count = np.where(opened < last, 1 + chance.poisson((last - opened).clip(0) / 600), 0)
    owner = np.repeat(np.arange(1_500), count)
    day = opened[owner] + (chance.random(len(owner)) ** 2 * (last - opened[owner])).astype(int)
    first = np.append(True, owner[1:] != owner[:-1])
    day = np.where(first, opened[owner], day)
    zero = dt.date(2010, 1, 1)
    accounts = pl.DataFrame({"account_id": np.arange(1_500), "opened": opened})
    payments = pl.DataFrame({"account_id": owner, "day": day, "sum": chance.integers(1, 900, len(owner))})
    payments = payments.sort("account_id", "day").with_row_index("payment_id")
    return {
        "account": accounts.with_columns(opened=zero + pl.duration(days=pl.col("opened"))),
        "payment": payments.with_columns(day=zero + pl.duration(days=pl.col("day"))),
    }


def test_no_rows_hang_under_an_owner_that_is_later_than_their_last_day() -> None:
    tables = make_accounts()
    key = {"columns": ["account_id"], "table": "account"}
    model = kinsynth.fit(
        tables,
        document(
            account={"primary_key": ["account_id"]},
            payment={"primary_key": ["payment_id"], "foreign_keys": [key], "order_by": "day"},
        ),
    )
    last = tables["payment"]["day"].max()

    def late_owners(model: Model) -> tuple[float, float]:
        drawn = {name: pl.DataFrame(table) for name, table in model.draw({"account": 4_000}).tables.items()}
        owners = drawn["account"].join(drawn["payment"], on="account_id", how="semi")
        late, late_owners = drawn["account"]["opened"] > last, owners["opened"] > last
        return float(late.mean()), float(late_owners.mean())

    late, late_owners_share = late_owners(model)
    assert late == pytest.approx(0.2, abs=0.06)
    # A state that ends beside the last day may reach over it by days that nobody has.
    assert late_owners_share < 0.002
    account = model.networks["account"]
    loose = replace(account, layout=replace(account.layout, together=()))
    assert late_owners(replace(model, networks={**model.networks, "account": loose}))[1] > 0.004
