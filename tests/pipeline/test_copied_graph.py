"""A copied graph of keys: rows connected exactly as the training rows are, with new keys and drawn values."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from any_graph import ForeignKey, Graph, broken, make_graph

from kinsynth.encoded import IntArray
from kinsynth.engine.evidence import UNKNOWN
from kinsynth.errors import SettingsError, UserError
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.copied_graph import (
    CopiedGraph,
    chance_order,
    copy_graph,
    load_graph,
    read_graph,
    reorder,
    save_graph,
)
from kinsynth.pipeline.kept_graph import find_shared, refuse_repeated
from kinsynth.pipeline.model import Model, load_model
from kinsynth.pipeline.run import Execution, generate, run
from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure
from kinsynth.settings.document import parse
from shop_database import shop_document, write_shops

pytestmark = pytest.mark.usefixtures("parse_here")
Row = dict[str, str]
COPIED = {"generation": {"keys": "copied"}}
REASONS = {"data.too_few_rows", "foreign_keys.circle", "primary_keys.drawn_value"}


def read(folder: Path) -> dict[str, list[Row]]:
    found = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="") as file:
            found[path.stem] = list(csv.DictReader(file))
    return found


# The slow check: rows have colours, refined by what they point at and what points at them


def colours(graph: Graph, tables: dict[str, list[Row]]) -> Counter[tuple[str, int]]:
    """Count the colours of all rows; rows of original tables have one each. Nothing of a value counts."""
    made = {
        (name, row): hash((name, row if name in graph.originals else -1))
        for name, rows in tables.items()
        for row in range(len(rows))
    }
    edges = [edge for number, key in enumerate(graph.foreign) for edge in pointing(number, key, tables)]
    for _ in range(6):
        told: dict[tuple[str, int], list[tuple[int, int, int]]] = {row: [] for row in made}
        for number, row, target in edges:
            told[row].append((number, 0, made[target] if target else 0))
            if target:
                told[target].append((number, 1, made[row]))
        made = {row: hash((colour, *sorted(told[row]))) for row, colour in made.items()}
    return Counter((name, colour) for (name, _), colour in made.items())


def pointing(number: int, key: Any, tables: dict[str, list[Row]]) -> Any:
    places = {
        tuple(row[one] for one in key.references): (key.target, place)
        for place, row in enumerate(tables[key.target])
    }
    for place, row in enumerate(tables[key.table]):
        yield number, (key.table, place), places.get(tuple(row[one] for one in key.columns))


def differences(model: Model, tables: dict[str, list[Row]]) -> list[str]:
    """Name every key of written tables that does not lead to the place that the model's graph says."""
    graph, structure = model.graph, find_structure(model.schema)
    assert graph is not None
    found = []
    for name in structure.order:
        owner = structure.parent_relation[name]
        wanted = []
        if owner is not None:
            parent_R, parents = graph.given.parent_R[name], graph.given.rows(owner.references_table)
            wanted = [(owner, np.where(parent_R < parents, parent_R, -1))]
        wanted += [(one, graph.given.pointed[name][str(one)]) for one in structure.further(name)]
        wanted += [(one, graph.references[name][str(one)]) for one in structure.reference_relations[name]]
        for relation, row_R in wanted:
            rows = tables[relation.references_table]
            places = {tuple(r[c] for c in relation.references_columns): place for place, r in enumerate(rows)}
            made = [places.get(tuple(r[c] for c in relation.columns), -1) for r in tables[name]]
            found += [str(relation)] if made != row_R.tolist() else []
    return found


def outcome(seed: int, folder: Path) -> str:
    """Copy the graph of a made-up database; say how it ended."""
    graph, source, made = make_graph(seed), folder / f"source {seed}", folder / f"run {seed}"
    graph.write(source)
    whole = all(key.orphans == "refuse" for key in graph.foreign)
    share = {"evaluation": {"holdout_share": 0}} if whole else {}
    try:
        run(parse(graph.document(source, **COPIED, **share)), made, base=Path())
    except UserError as error:
        return ", ".join(
            sorted({one.code for one in error.findings if one.severity == "error"} or {error.code})
        )
    assert [one for one in broken(graph, made / "tables") if "own ancestor" not in one] == [], seed
    assert differences(load_model(made / "model"), read(made / "tables")) == [], seed
    if whole:
        assert colours(graph, read(made / "tables")) == colours(graph, read(source)), seed
    return "kept"


def test_the_graph_of_any_database_is_kept(tmp_path: Path) -> None:
    outcomes = [outcome(seed, tmp_path) for seed in range(6)]
    assert outcomes.count("kept") >= 4
    assert {code for one in outcomes for code in one.split(", ")} - {"kept"} <= {
        code for one in REASONS for code in one.split(", ")
    }


@pytest.mark.soak
@pytest.mark.parametrize("start", range(6, 86, 20))
def test_the_graphs_of_many_databases_are_kept(start: int, tmp_path: Path) -> None:
    outcomes = [outcome(seed, tmp_path) for seed in range(start, start + 20)]
    assert outcomes.count("kept") >= 12
    assert {code for one in outcomes for code in one.split(", ")} - {"kept"} <= {
        code for one in REASONS for code in one.split(", ")
    }


# One database in depth


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "source"
    write_shops(folder)
    return folder


@pytest.fixture(scope="module")
def finished(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Execution:
    folder = tmp_path_factory.mktemp("copied") / "run"
    document = shop_document(source, generation={"keys": "copied", "seed": 7})
    return run(parse(document), folder, base=Path())


def test_another_seed_draws_other_values_on_the_same_graph(finished: Execution, tmp_path: Path) -> None:
    first = read(finished.folder / "tables")
    again = generate(finished.folder, seed=8, output=tmp_path / "again")
    second, model = read(again.folder / "tables"), load_model(finished.folder / "model")
    assert differences(model, first) == differences(model, second) == []
    assert [row["shop_id"] for row in first["sale"]] == [row["shop_id"] for row in second["sale"]]
    assert [row["amount"] for row in first["sale"]] != [row["amount"] for row in second["sale"]]


def test_rows_held_out_are_no_part_of_the_graph(finished: Execution, source: Path) -> None:
    made, original = read(finished.folder / "tables"), read(source)
    held = sum(
        line["rows"][2] for line in json.loads((finished.folder / "evaluation.json").read_text())["tables"]
    )
    assert held
    assert len(made["shop"]) < len(original["shop"])
    assert made["region"] == original["region"]


def test_batches_of_any_size_and_any_threads_give_the_same_bytes(finished: Execution) -> None:
    model = load_model(finished.folder / "model")
    whole, threads = model.draw(seed=3), torch.get_num_threads()
    torch.set_num_threads(2)
    small = replace(model, batch_roots=7).draw(seed=3)
    torch.set_num_threads(threads)
    assert all(whole.tables[name].equals(small.tables[name]) for name in whole.tables)


def test_it_is_said_wherever_somebody_looks(finished: Execution) -> None:
    assert json.loads((finished.folder / "model" / "model.json").read_text())["keys"] == "copied"
    about = json.loads((finished.folder / "model" / "copied_graph" / "graph.json").read_text())["about"]
    assert "real graph of keys" in about
    timeline = finished.timeline.read_text()
    assert timeline.count("foreign_keys.copied") == 1
    assert "only values are drawn" in timeline
    assert not [
        one for one in json.loads((finished.folder / "limits.json").read_text()) if "copied" in one["code"]
    ]


def test_the_model_holds_row_numbers_and_no_key(finished: Execution, source: Path) -> None:
    graph = load_model(finished.folder / "model").graph
    assert graph is not None
    arrays = sorted((finished.folder / "model" / "copied_graph").glob("*.npy"))
    assert len(arrays) == 2
    for path in arrays:
        row_R = np.load(path, allow_pickle=False)
        assert row_R.dtype == np.int64
        assert row_R.max() < graph.given.roots["shop"]
    assert b"S00" not in (finished.folder / "model" / "copied_graph" / "graph.json").read_bytes()


def test_another_number_of_rows_is_refused(finished: Execution, source: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        generate(finished.folder, rows={"shop": 10}, output=tmp_path / "less")
    assert error.value.code == "settings.rows_copied"
    document = shop_document(source, generation={"keys": "copied", "rows": {"shop": 10}})
    with pytest.raises(SettingsError) as refused:
        run(parse(document), tmp_path / "run", base=Path())
    assert [one.code for one in refused.value.findings if one.severity == "error"] == ["settings.rows_copied"]
    model = load_model(finished.folder / "model")
    assert model.wanted({"shop": model.rows["shop"]}) == model.rows


@pytest.mark.parametrize(
    "asked",
    [
        {"fixed": {"shop": {"region_id": 2}}},
        {"never": {"shop": {"region_id": [2]}}},
        {"balance": {"shop": {"region_id": {2: 0.5}}}},
    ],
)
def test_conditions_on_keys_are_refused(finished: Execution, asked: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as error:
        load_model(finished.folder / "model").draw(conditions=Conditions(**asked))
    assert error.value.code == "condition.copied_graph"


def test_given_rows_are_refused_and_fixed_values_are_kept(finished: Execution) -> None:
    model = load_model(finished.folder / "model")
    with pytest.raises(SettingsError) as error:
        model.sample(given=model.sample()["shop"].select("size"))
    assert error.value.code == "condition.copied_graph"
    made = model.sample(given={"shop": {"size": "small"}}, balance={"sale": {"kind": {"a": 1.0}}})
    assert set(made["shop"]["size"]) == {"small"}
    assert set(made["sale"]["kind"]) == {"a"}
    assert model.graph is not None
    assert (
        made["shop"]["region_id"].to_list()
        == (model.graph.references["shop"]["shop(region_id) -> region(region_id)"] + 1).tolist()
    )


def test_what_few_roots_share_is_copied_but_not_told(finished: Execution) -> None:
    model = load_model(finished.folder / "model")
    assert model.graph is not None
    strict = replace(model, graph=replace(model.graph, minimum=10**6))
    told, untold = (one.prepared({}, Conditions())[1].conditions["shop"].known_RC for one in (model, strict))
    assert told is not None
    assert untold is not None
    factors = model.codec.tables["shop"].factors
    kinds = [one.kind for one in factors for _ in one.codec.sub_columns][: told.shape[1]]
    assert kinds == ["reference", "count"]
    assert (told >= 0).all()
    assert (untold[:, 0] == UNKNOWN).all()
    assert (untold[:, 1] == told[:, 1]).all()
    made = strict.draw(seed=1).tables["shop"]["region_id"].to_pylist()
    assert made == load_model(finished.folder / "model").draw(seed=1).tables["shop"]["region_id"].to_pylist()


# What cannot be drawn is refused; what can is kept


def written(folder: Path, tables: dict[str, list[str]]) -> Path:
    folder.mkdir()
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


def quick(source: Path, tables: dict[str, Any]) -> dict[str, Any]:
    """Give the document of a run that learns next to nothing."""
    return {
        "source": {"paths": [str(source)]},
        "tables": tables,
        "training": {"max_epochs": 1, "threads": 1, "model_size": "small"},
        "evaluation": {"holdout_share": 0},
        "report": {"enabled": False},
        "generation": {"keys": "copied"},
    }


def test_rows_that_are_their_own_ancestors_are_copied(tmp_path: Path) -> None:
    above = [2, 3, 1, 4, *(n // 3 for n in range(5, 61))]
    lines = ["id,boss", *(f"{n},{'' if n == 9 else boss}" for n, boss in enumerate(above, 1))]
    source = written(tmp_path / "source", {"staff": lines})
    keys = [{"columns": ["boss"], "table": "staff", "references": ["id"]}]
    document = quick(source, {"staff": {"primary_key": ["id"], "foreign_keys": keys}})
    folder = run(parse(document), tmp_path / "run", base=Path()).folder
    graph = Graph(
        Random(0), primary={"staff": ("id",)}, foreign=[ForeignKey("staff", ("boss",), "staff", ("id",))]
    )
    assert colours(graph, read(folder / "tables")) == colours(graph, read(source))
    limits = json.loads((folder / "limits.json").read_text())
    assert "foreign_keys.circular_rows" not in {one["code"] for one in limits}


def test_a_primary_key_of_drawn_values_is_refused_unless_they_are_categories(tmp_path: Path) -> None:
    chance = Random(1)
    customers = ["id", *(f"C{n}" for n in range(60))]
    visits = [
        "customer,day",
        *(f"C{n},{day}" for n in range(60) for day in sorted(chance.sample(range(40), n % 4))),
    ]
    source = written(tmp_path / "source", {"customers": customers, "visits": visits})
    table = {
        "primary_key": ["customer", "day"],
        "foreign_keys": [{"columns": ["customer"], "table": "customers"}],
        "columns": {"day": {"type": "integer"}},
    }
    with pytest.raises(UserError) as error:
        run(parse(quick(source, {"visits": table})), tmp_path / "run", base=Path())
    assert {one.code for one in error.value.findings if one.severity == "error"} == {
        "primary_keys.drawn_value"
    }
    table["columns"] = {"day": {"type": "categorical", "rare_minimum": 1}}
    folder = run(parse(quick(source, {"visits": table})), tmp_path / "category", base=Path()).folder
    assert len(read(folder / "tables")["visits"]) == len(visits) - 1
    assert differences(load_model(folder / "model"), read(folder / "tables")) == []


def test_a_drawing_that_would_lose_rows_is_refused() -> None:
    refuse_repeated({"visits": 0})
    with pytest.raises(UserError) as error:
        refuse_repeated({"visits": 2})
    assert error.value.code == "generation.copied_key_repeats"


# Values follow the graph


@pytest.mark.slow
def test_values_go_with_the_given_numbers_and_keys(tmp_path: Path) -> None:
    """A customer's tier says whether it has many orders, a product's whether many point at it."""
    chance, source = Random(4), tmp_path / "source"
    source.mkdir()
    counts = [chance.choice([1, 2, 8, 9]) for _ in range(300)]
    weights = [chance.choice([1, 12]) for _ in range(200)]
    products = [chance.choices(range(200), weights)[0] for _ in range(sum(counts))]
    customers = [f"{n},{'many' if count > 5 else 'few'}" for n, count in enumerate(counts)]
    owners = [n for n, count in enumerate(counts) for _ in range(count)]
    orders = [
        f"{n},{owner},{product},{'dear' if weights[product] > 5 else 'cheap'}"
        for n, (owner, product) in enumerate(zip(owners, products, strict=True))
    ]
    items = [f"{n},{'hit' if weight > 5 else 'flop'}" for n, weight in enumerate(weights)]
    for name, head, lines in (
        ("customer", "id,tier", customers),
        ("product", "id,rank", items),
        ("orders", "id,customer,product,price", orders),
    ):
        (source / f"{name}.csv").write_text("\n".join([head, *lines]) + "\n")
    document = {
        "source": {"paths": [str(source)]},
        "roots": "many",
        "tables": {
            "orders": {
                "foreign_keys": [
                    {"columns": ["customer"], "table": "customer", "owner": True},
                    {"columns": ["product"], "table": "product"},
                ],
                "order_by": "",
            }
        },
        "training": {"max_epochs": 60, "threads": 1, "model_size": "small"},
        "evaluation": {"holdout_share": 0},
        "report": {"enabled": False},
        "generation": {"keys": "copied"},
    }
    made = read(run(parse(document), tmp_path / "run", base=Path()).folder / "tables")
    of = Counter(row["customer"] for row in made["orders"])
    tier = [(row["tier"] == "many") == (of[row["id"]] > 5) for row in made["customer"]]
    rank, at = (
        {row["id"]: row["rank"] for row in made["product"]},
        Counter(row["product"] for row in made["orders"]),
    )
    ranked = [(row["rank"] == "hit") == (at[row["id"]] > 5) for row in made["product"]]
    price = [(row["price"] == "dear") == (rank[row["product"]] == "hit") for row in made["orders"]]
    # Of rows drawn without regard to the graph about half agree: 0.9 lies 10 standard errors above that.
    assert np.mean(tier) > 0.9
    assert np.mean(ranked) > 0.85
    assert np.mean(price) > 0.85


# Pure functions


def shops(model: Model) -> Database:
    """Give the drawn shops, as a database whose graph can be copied again."""
    return model.draw(seed=1)


def test_the_order_of_roots_is_by_chance_and_hangs_on_graph_and_seed(finished: Execution) -> None:
    database = shops(load_model(finished.folder / "model"))
    structure = find_structure(database.schema)
    plain = read_graph(database, structure, minimum=5)
    order = chance_order(plain, structure, seed=1)
    assert sorted(order["shop"]) == list(range(len(order["shop"])))
    assert (order["shop"] == np.arange(len(order["shop"]))).mean() < 0.1
    assert (order["shop"] == chance_order(plain, structure, seed=1)["shop"]).all()
    assert (order["shop"] != chance_order(plain, structure, seed=2)["shop"]).any()
    other = reorder(plain, structure, order)
    assert (order["shop"] != chance_order(other, structure, seed=1)["shop"]).any()


def test_reordered_rows_keep_what_they_hang_under(finished: Execution) -> None:
    database = shops(load_model(finished.folder / "model"))
    structure = find_structure(database.schema)
    plain = read_graph(database, structure, minimum=5)
    order = chance_order(plain, structure, seed=1)
    made = reorder(plain, structure, order)
    assert (np.diff(made.given.parent_R["sale"]) >= 0).all()
    assert (order["shop"][made.given.parent_R["sale"]] == plain.given.parent_R["sale"][order["sale"]]).all()
    (key,) = made.references["shop"]
    assert (made.references["shop"][key] == plain.references["shop"][key][order["shop"]]).all()


def test_a_stored_graph_is_read_as_it_was(finished: Execution, tmp_path: Path) -> None:
    graph = copy_graph(shops(load_model(finished.folder / "model")), seed=1, minimum=5)
    save_graph(tmp_path / "graph", graph)
    assert same(load_graph(tmp_path / "graph"), graph)


@pytest.mark.parametrize("damage", [b"", b"no array", None])
def test_a_damaged_graph_is_said(finished: Execution, tmp_path: Path, damage: bytes | None) -> None:
    save_graph(
        tmp_path / "graph", copy_graph(shops(load_model(finished.folder / "model")), seed=1, minimum=5)
    )
    path = tmp_path / "graph" / "001.parents.npy"
    if damage is None:
        np.save(path, np.zeros(3, dtype=np.int64))
    else:
        path.write_bytes(damage)
    with pytest.raises(UserError) as error:
        load_graph(tmp_path / "graph")
    assert error.value.code == "files.damaged"


def same(one: CopiedGraph, other: CopiedGraph) -> bool:
    keys = [(one.given.pointed, other.given.pointed), (one.references, other.references)]
    return (
        (one.given.roots, one.minimum) == (other.given.roots, other.minimum)
        and all((one.given.parent_R[name] == row_R).all() for name, row_R in other.given.parent_R.items())
        and all(
            (mine[name][key] == row_R).all()
            for mine, theirs in keys
            for name, several in theirs.items()
            for key, row_R in several.items()
        )
    )


def test_a_code_is_shared_with_those_before_it() -> None:
    codes_RC: IntArray = np.array([[1, 0], [1, 0], [1, 1], [2, 0]], dtype=np.int32)
    found = find_shared(codes_RC, np.array([0, 1, 2, 3]), minimum=2)
    assert found.tolist() == [[True, True], [True, True], [True, False], [False, False]]
    one_root = find_shared(codes_RC, np.array([0, 0, 0, 3]), minimum=2)
    assert not one_root.any()
