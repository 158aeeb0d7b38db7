"""Figures of copies, of shuffled keys and of real halves, and the measures beneath against slow ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_databases import SCHEMA, Judge, change, draw_database, shuffled
from relational import constants, degrees, dependence, facts, figures, outside, trends, writing
from relational.database import Database, Relation
from relational.meanings import FAILURES, meaning
from relational.producers import shuffle_keys

TRAIN = draw_database(1200, 1)
HOLDOUT = draw_database(300, 2)
YARDSTICK = figures.prepare(Judge(), TRAIN, HOLDOUT)
BOUGHT = next(r for r in TRAIN.relations if r.table == "bought" and r.target == "customer")


def by_name(made: Database) -> dict[tuple[str, str], figures.Figure]:
    found, _ = figures.measure(YARDSTICK, made)
    return {(figure.group, figure.name): figure for figure in found}


def test_a_copy_is_ideal_in_all_but_privacy() -> None:
    found = by_name(Database(SCHEMA, TRAIN.tables))
    for (group, name), figure in found.items():
        if group.startswith(("trends", "dependence")):
            assert figure.value == pytest.approx(1.0), (group, name)
        elif group != "near copies":
            assert figure.value == 0, (group, name)
    # with a single column every row is near another
    assert found["near copies", "bought"].value == 1.0
    assert found["near copies", "bought"].real > 0.5


def test_fresh_rows_of_the_same_source_keep_every_limit() -> None:
    """Two samples as large as the source differ less than its halves but for chance: never by half more."""
    for (group, name), figure in by_name(draw_database(1200, 3)).items():
        if figure.limit is None or "product" in name:  # other products at other prices
            continue
        assert figure.kept or figure.value <= 1.5 * figure.limit, (group, name)


def test_a_shuffled_key_breaks_what_hangs_on_it() -> None:
    made = shuffled(TRAIN, "bought", "customer")
    found = by_name(made)
    assert found["child counts", BOUGHT.name].value == 0  # the counts are still those of the source
    assert found["dependence over keys", "1 step"].value < 0.8 * found["dependence over keys", "1 step"].real
    assert found["trends by path", BOUGHT.name].value < found["trends by path", BOUGHT.name].real - 0.1
    assert found["constants", f"{BOUGHT.name}: sex"].value > 0.3
    assert not found["constants", f"{BOUGHT.name}: sex"].kept


def test_shares_are_marked_where_two_samples_would_differ_as_much() -> None:
    """Of 100 parents 4 are constant: of 100 others 0 to 9 would be, nineteen times of twenty."""
    values = np.repeat([1, 0], [4, 96])[:, None]
    chance = figures.chance_of(facts.Fact("constants", "a: x", values, ("b", "a"), counted=False))
    assert chance == pytest.approx(2 * np.sqrt(0.04 * 0.96 * 2 / 100))
    near, far = (
        figures.Figure("constants", "a: x", value, 0.0, 0.005, chance=chance) for value in (0.04, 0.07)
    )
    assert (near.by_chance, far.by_chance) == (True, False)
    assert (writing.written(near), writing.written(far)) == ("**~0.040**", "**0.070**")
    assert figures.read_figures([near.written()]) == [near]
    assert figures.chance_of(facts.Fact("in-degrees", "a", values, ("b", "a"))) is None


def test_child_counts_of_another_shape_are_seen() -> None:
    """All to one customer: the distance is the share of customers that had children before."""
    made = change(TRAIN, "bought", "customer", "c0")
    real = TRAIN.degrees(BOUGHT)
    figure = by_name(made)["child counts", BOUGHT.name]
    assert figure.value == pytest.approx((real > 0).mean(), abs=1e-3)
    assert figure.limit == pytest.approx(max(0.05, figure.real or 0))
    assert figure.kept is False


def test_owners_are_the_keys_to_the_roots_side() -> None:
    found = {relation.name for relation in figures.owners_of(Judge(), TRAIN)}
    assert found == {"card.customer -> customer", "bought.customer -> customer"}


def test_tables_that_the_split_leaves_whole_are_halved_by_rows() -> None:
    """Depth and fan-out of a table that both halves hold in full still differ by chance."""
    assert 0 < YARDSTICK.apart["depth", "staff.boss -> staff"] < 0.5
    assert 0 < YARDSTICK.apart["fan-out", "staff.boss -> staff"] < 0.5


def films(seed: int) -> Database:
    """Films of one to three of eight genres, some frequent; no split by a root reaches them."""
    generator = np.random.default_rng(seed)
    counts = generator.integers(1, 4, 400)
    film = np.repeat(np.arange(400), counts)
    frequent = np.arange(1, 9) / 36
    genre = np.concatenate([generator.choice(8, count, replace=False, p=frequent) for count in counts])
    keys = [
        {"table": "kind", "columns": [one], "references_table": one, "references_columns": [one]}
        for one in ("film", "genre")
    ]
    schema = {
        "tables": {
            "film": {"primary_key": "film", "columns": {"film": "id"}},
            "genre": {"primary_key": "genre", "columns": {"genre": "id"}},
            "kind": {"primary_key": ["film", "genre"], "columns": {"film": "id", "genre": "id"}},
        },
        "foreign_keys": keys,
    }
    tables = {"film": np.arange(400), "genre": np.arange(8)}
    frames = {name: pd.DataFrame({name: rows}) for name, rows in tables.items()}
    return Database(schema, frames | {"kind": pd.DataFrame({"film": film, "genre": genre})})


def test_degrees_across_a_row_are_counted_within_halves_of_what_owns_it() -> None:
    whole = films(1)
    owned, other = whole.relations
    fact = degrees.bridge(whole, owned, other)
    first, second = degrees.halve_bridge(whole, fact, {owned}, np.random.default_rng(0))
    assert len(first.values) + len(second.values) == whole.rows("kind")
    # A film is in one half with all its rows; a genre has some of its rows in either.
    both = np.concatenate([first.values[:, 0], second.values[:, 0]])
    assert sorted(both.tolist()) == sorted(fact.values[:, 0].tolist())
    for half in (first, second):
        rows_of_a_degree = np.unique(half.values[:, 1], return_counts=True)
        assert (rows_of_a_degree[1] % rows_of_a_degree[0] == 0).all(), "counted in the half"
    assert degrees.bridge(whole, owned, other, np.ones(whole.rows("kind"), bool)).values.sum() == (
        fact.values.sum()
    )


def test_films_of_the_same_kind_differ_across_a_row_no_more_than_halves() -> None:
    apart = [
        facts.binned(*degrees.halve_bridge(films(seed), fact, set(), np.random.default_rng(seed)))
        for seed in range(3)
        for fact in [degrees.bridge(films(seed), *films(seed).relations)]
    ]
    again = facts.binned(*(degrees.bridge(films(seed), *films(seed).relations) for seed in (7, 8)))
    assert 0 < again <= 1.5 * np.mean(apart)


def test_levels_count_the_steps_to_the_top() -> None:
    pointed = np.array([-1, 0, 1, 2, -2, 4, 7, 6])  # the last two are a circle
    assert degrees.levels(pointed).tolist() == [0, 1, 2, 3, 0, 1, 0, 0]


def test_levels_of_a_long_chain() -> None:
    assert degrees.levels(np.arange(-1, 5000)).tolist() == list(range(5001))


def test_pooled_and_binned_distances() -> None:
    """60 and 70 are one to the judge; twentieths of the real counts tell them apart."""
    real, made = (
        facts.Fact("in-degrees", "x", np.array(values)[:, None], ("x",))
        for values in ([1] * 10 + [60] * 10, [1] * 10 + [70] * 10)
    )
    assert facts.pooled(real, made) == 0
    assert facts.binned(real, made) == pytest.approx(0.5)
    assert facts.binned(real, real) == 0


def test_what_is_copied_with_original_tables_is_not_counted() -> None:
    """Staff point at staff only: where that table is copied, no figure is about it but that it is equal."""
    database = Database({**SCHEMA, "originals": ["staff", "region"]}, TRAIN.tables)
    found, _ = figures.measure(figures.prepare(Judge(), database, database, halvings=1), database)
    about = {figure.group for figure in found if "staff" in figure.name}
    assert about & {"fan-out", "depth", "constants", "trends by path"} == set()
    assert "changed original rows" in about
    assert ("in-degrees", "customer.region -> region") in {(f.group, f.name) for f in found}


def test_large_counts_are_binned_by_the_nearest_real_ones() -> None:
    """Two shops sold 2,428 and 2,461 pieces; 2,431 and 2,458 are as good, twice 2,458 is not."""
    real, near, far = (
        facts.Fact("in-degrees", "x", np.array(values)[:, None], ("x",))
        for values in ([2428, 2461], [2431, 2458], [2458, 2458])
    )
    assert facts.binned(real, near) == 0
    assert facts.binned(real, far) == pytest.approx(0.5)


def test_joint_degrees_see_what_each_alone_does_not() -> None:
    values = np.repeat(np.arange(4), 50)
    real, made = (
        facts.Fact("joint degrees", "x", np.column_stack([values, other]), ("x",))
        for other in (values, values[::-1])
    )
    assert facts.binned(real, made) == 1.0


def test_correlations_are_pearsons_over_rows_with_both() -> None:
    generator = np.random.default_rng(0)
    left = generator.normal(1e6, 1, (500, 2))
    right = left[:, [0]] * np.array([1.0, -1.0]) + generator.normal(0, 1, (500, 2))
    right[generator.random((500, 2)) < 0.2] = np.nan
    found = trends.correlate(left, right)
    for a in range(2):
        for b in range(2):
            slow = pd.Series(left[:, a]).corr(pd.Series(right[:, b]))
            assert found[a, b] == pytest.approx(slow, abs=1e-9)
    assert np.isnan(trends.correlate(np.ones((5, 1)), right[:5])).all()


def test_contingency_distance_is_the_same_counted_and_sorted() -> None:
    generator = np.random.default_rng(0)
    real, made = generator.integers(0, 40, 300), generator.integers(10, 50, 200)
    shares = [pd.Series(side).value_counts(normalize=True) for side in (real, made)]
    slow = float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)
    assert trends.contingency_distance(real, made, 50) == pytest.approx(slow)
    assert trends.contingency_distance(real, made, trends.COUNTED + 1) == pytest.approx(slow)


def test_numbers_are_cut_in_ten_cells_of_the_real_range() -> None:
    left, right = trends.cells(np.array([0.0, 5.0, 10.0, np.nan]), np.array([-3.0, 9.99, 12.0, np.nan]))
    assert left.tolist() == [0, 5, 9, 10]
    assert right.tolist() == [0, 9, 9, 10]


def test_paths_go_up_by_every_key() -> None:
    names = {trends.name_of(path) for path in trends.paths(TRAIN.relations, 2)}
    assert names == {
        "card.customer -> customer.region -> region",
        "bought.customer -> customer.region -> region",
        "staff.boss -> staff.boss -> staff",
    }


def test_rows_without_a_key_on_the_way_are_left_out() -> None:
    staff = next(r for r in TRAIN.relations if r.table == "staff")
    boss = TRAIN.pointed(staff)
    starts, ends = trends.follow(TRAIN, (staff, staff))
    assert ends.tolist() == boss[boss[starts]].tolist()
    assert (ends >= 0).all()
    assert len(starts) == sum(boss[place] >= 0 for place in boss if place >= 0)


def test_information_of_unrelated_columns_is_about_nothing() -> None:
    """What chance makes has mean 0 once it is taken off, so half is cut at 0 and the rest is small."""
    generator = np.random.default_rng(0)
    left, right = generator.integers(0, 10, 2000), generator.integers(0, 10, 2000)
    assert dependence.information(left, right) < 0.01
    assert dependence.information(left, left) > 0.95


def test_constants_of_parents_with_several_rows() -> None:
    parents = np.array([0, 0, 1, 1, 2, -1, 3, 3])
    codes = np.array([5, 5, 1, 2, 9, 9, 7, 7])
    assert constants.are_constant(parents, codes).tolist() == [1, 0, 1]
    assert constants.are_constant(np.array([0, 1]), np.array([1, 1])).tolist() == []


def test_limits_follow_the_halves_where_those_are_farther_apart() -> None:
    assert figures.limit_of("child counts", 0.02) == (0.05, False)
    assert figures.limit_of("in-degrees", 0.3) == (0.3, False)
    assert figures.limit_of("in-degrees in twentieths", 0.3) == (None, False)
    assert figures.limit_of("trends over keys", 0.95) == (pytest.approx(0.935), True)
    assert figures.limit_of("dependence over keys", 0.5) == (None, True)


def test_what_is_counted_in_few_rows_has_no_limit() -> None:
    """Six regions, or one product that all customers bought."""
    found = by_name(TRAIN)
    assert found["in-degrees", "customer.region -> region"].limit is None
    assert found["in-degrees", "bought.product -> product"].limit is not None
    assert found["constants", "customer.region -> region: age"].limit is None
    few = TRAIN.tables["bought"].assign(product="p0")
    hub = Database(SCHEMA, {**TRAIN.tables, "bought": few})
    (across,) = (fact for fact in degrees.degree_facts(hub, set()) if fact.group == "degrees across a row")
    assert across.size == 1
    assert len(across.values) == len(few)


def test_medians_are_taken_over_seeds() -> None:
    runs = [[figures.Figure("depth", "x", value, 0.1, 0.2)] for value in (0.1, 0.5, 0.15)]
    (found,) = figures.medians(runs)
    assert found == figures.Figure("depth", "x", 0.15, 0.1, 0.2)
    assert found.kept


def scores(auc: float) -> dict[str, object]:
    view = {"vs_holdout": auc}
    return {"c2st": {"a": {"single": view}, "b": {"single": view, "agg_children": {"vs_holdout": None}}}}


def test_the_judges_aim_is_fixed_or_a_quarter_of_the_best_peer() -> None:
    fresh, peers = scores(0.48), [scores(0.9), scores(0.7)]
    found = {f.name: f for f in outside.judge("cdnow", scores(0.56), fresh, peers)}
    assert found[outside.MEAN].limit == pytest.approx(0.5 + 0.25 * 0.2)
    assert found[outside.MEAN].kept is False
    assert found["a"].limit is None
    fixed = {f.name: f for f in outside.judge("baseball", scores(0.56), fresh, peers)}
    assert fixed[outside.MEAN].limit == pytest.approx(0.6)
    alone = outside.judge("cdnow", scores(0.56), fresh, [])
    assert all(figure.limit is None for figure in alone)


def test_a_trend_that_sdmetrics_cannot_score_is_left_out() -> None:
    report = {"multi_quality": {"score": 0.9, "Intertable Trends": float("nan"), "Cardinality": 0.97}}
    assert outside.views({"sdm": report}) == {("sdmetrics", "Cardinality"): 0.97}
    failed = {"multi_quality": {"error": "no"}}
    assert outside.views({"sdm": failed, "c2st": {"error": "no"}}) == {}


def test_trends_between_tables_may_be_a_little_below_real_rows() -> None:
    report = {"sdm": {"multi_quality": {"Intertable Trends": 0.7}}}
    made = {"sdm": {"multi_quality": {"Intertable Trends": 0.64}}}
    (figure,) = outside.judge("berka", made, report, [])
    assert figure.limit == pytest.approx(0.65)
    assert figure.kept is False


def test_shuffled_keys_keep_their_values() -> None:
    made = shuffle_keys(SCHEMA, dict(TRAIN.tables))
    for relation in TRAIN.relations:
        before, after = (tables[relation.table][relation.columns[0]] for tables in (TRAIN.tables, made))
        assert before.value_counts().to_dict() == after.value_counts().to_dict()
        assert not before.equals(after)


def test_results_are_written_and_read_back(tmp_path: Path) -> None:
    found, seconds = figures.measure(YARDSTICK, shuffled(TRAIN, "bought", "customer"))
    run = {"seed": "1", "figures": [f.written() for f in found], "seconds": seconds, "cost": {"fit_s": 2.5}}
    document = {
        "dataset": "made",
        "cap": 0,
        "train_rows": {"customer": 1200},
        "originals": [],
        "excluded": ["bought.note"],
        "orphans": [{"relation": "a.b -> c", "orphans": 3, "rows": 9000, "policy": "null"}],
        "settings": ["roots=many"],
        "machine": writing.machine(),
        "runs": {"ours": [run], "broken": [{"seed": "", "failed": "rc timeout"}]},
    }
    writing.write_results(tmp_path / "relations-made", document)
    text = (tmp_path / "relations-made.md").read_text()
    assert "| child counts | 2 of 2 |" in text
    assert "rc timeout" in text
    assert "Columns left out for all: bought.note." in text
    assert "a.b -> c: 3 of 9,000 training rows name no row (for kinsynth made missing)." in text
    assert "Seeds of kinsynth: 1, medians. Settings of kinsynth: roots=many. Cap: none." in text
    assert "| repeated pairs | bought: customer, product | **" in text
    assert "- orphans (5): rows whose foreign key names no row." in text
    alone = writing.render({**document, "runs": {"broken": document["runs"]["broken"]}})
    assert "rc timeout" in alone
    assert "None." not in alone
    again = json.loads((tmp_path / "relations-made.json").read_text())
    assert figures.read_figures(again["runs"]["ours"][0]["figures"]) == found


def test_every_group_of_figures_is_explained() -> None:
    found, _ = figures.measure(YARDSTICK, TRAIN)
    shown = {figure.group for figure in found} | {"sdmetrics", *outside.VIEWS.values()}
    assert {group for group in shown if not meaning(group)} == set(FAILURES) & shown
    assert meaning("in-degrees in twentieths")[0].endswith(
        "any other key: over twentieths of the real counts."
    )


def test_a_relation_is_named_by_its_columns() -> None:
    assert Relation("a", ("x", "y"), "b", ("x", "z")).name == "a.x+y -> b"


def test_the_distance_of_halves_is_the_mean_of_what_all_halvings_have() -> None:
    one, other = ("constants", "a"), ("constants", "b")
    assert figures.mean([{one: 0.1, other: 0.2}, {one: 0.3}]) == {one: pytest.approx(0.2)}
    assert {group for group, _ in YARDSTICK.apart} >= {"constants", "in-degrees", "trends over keys"}
