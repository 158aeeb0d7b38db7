"""Rows never come before those of their own table that they point to, however a database is drawn."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from kinsynth.connectors.memory import tables_from_memory
from kinsynth.pipeline.across import find_across
from kinsynth.pipeline.codecs import TableCodec
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.model import Model, load_model
from kinsynth.pipeline.request import Request
from kinsynth.pipeline.run import Execution, generate, run
from kinsynth.pipeline.successions import Succession, _choose, _Past
from kinsynth.schema.facts import find_facts
from kinsynth.schema.graph import find_structure
from kinsynth.schema.levels import find_levels
from kinsynth.settings.document import parse

pytestmark = pytest.mark.usefixtures("parse_here")

FIRST = dt.datetime(2020, 1, 1)
Rows = NDArray[np.int64]


def make_forum(*, within: bool = False, seed: int = 0) -> dict[str, pl.DataFrame]:
    """Make posts that reply to earlier ones, some days before; ``within`` to posts of the same user."""
    chance, users, posts = Random(seed), list[Any](), list[list[Any]]()
    for user in range(150):
        joined = moment = FIRST + dt.timedelta(minutes=chance.randrange(600 * 1440))
        users.append((user, joined))
        for _ in range(chance.choice([0, 2, 3, 6])):
            moment += dt.timedelta(minutes=1 + int(chance.expovariate(1 / 20_000)))
            posts.append([0, user, None, moment, chance.choice(["art", "cars", "food"])])
    posts.sort(key=lambda post: post[3])
    for number, post in enumerate(posts):
        before = [one for one in posts[:number] if one[1] == post[1]] if within else posts[:number]
        post[0] = number
        if before and chance.random() < 0.6:
            other = before[-1 - min(int(chance.expovariate(1 / 5)), len(before) - 1)]
            post[2], post[4] = other[0], other[4]
    heads = ["id", "user_id", "reply_to", "posted", "topic"]
    return {
        "users": pl.DataFrame(users, ["id", "joined"], orient="row"),
        "posts": pl.DataFrame(posts, heads, orient="row"),
    }


def document(**parts: Any) -> dict[str, Any]:
    keys = [{"columns": ["user_id"], "table": "users"}, {"columns": ["reply_to"], "table": "posts"}]
    return {
        "tables": {
            "users": {"primary_key": ["id"]},
            "posts": {"primary_key": ["id"], "foreign_keys": keys},
        },
        "training": {"max_epochs": 1, "threads": 1, "model_size": "small", "training_steps": 3},
        "report": {"enabled": False},
        **parts,
    }


def find(tables: dict[str, pl.DataFrame], **parts: Any) -> tuple[Succession, ...]:
    said = parse(document(source={"kind": "memory"}, **parts))
    database = inspect(tables_from_memory(tables), said).database()
    facts = find_facts(database, find_structure(database.schema))
    return find_across(database, None, said, facts)["posts"].successions


def joined(posts: pl.DataFrame) -> pl.DataFrame:
    """Put beside each post that replies the post that it replies to."""
    there = posts.select(reply_to="id", there="posted", other="user_id", subject="topic")
    return posts.join(there, on="reply_to")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Execution:
    source = tmp_path_factory.mktemp("forum") / "source"
    source.mkdir()
    for name, table in make_forum().items():
        table.write_csv(source / f"{name}.csv")
    said = document(source={"paths": [str(source)]})
    return run(parse(said), source.parent / "run", base=Path())


@pytest.fixture(scope="module")
def model(finished: Execution) -> Model:
    return load_model(finished.folder / "model")


def test_replies_come_after_what_they_reply_to_and_the_certificate_says_so(finished: Execution) -> None:
    posts = pl.read_csv(finished.folder / "tables" / "posts.csv", try_parse_dates=True)
    replies = joined(posts)
    assert replies.height > 0.4 * posts.height
    assert (replies["there"] < replies["posted"]).all()
    proof = json.loads(finished.certificate.read_text())["guarantees"]
    kept = {one["where"]: one["violations"] for one in proof if one["code"] == "rule.kept"}
    assert kept["posts: reply_to -> posts.posted <= posted"] == 0
    said = (finished.folder / "events.jsonl").read_text()
    assert "posts: posted is never before reply_to -> posts.posted" in said


def test_batches_of_any_size_give_the_same(model: Model) -> None:
    whole = model.sample({"users": 400}, seed=4)
    parts = replace(model, batch_roots=37).sample({"users": 400}, seed=4)
    assert all(parts[name].equals(table) for name, table in whole.items())
    assert (joined(whole["posts"])["there"] < joined(whole["posts"])["posted"]).all()


def test_replies_are_about_as_late_as_in_the_source(model: Model) -> None:
    apart = [
        (one["posted"] - one["there"]).dt.total_hours().to_numpy()
        for one in (joined(make_forum()["posts"]), joined(model.sample(seed=2)["posts"]))
    ]
    for share in (0.25, 0.5, 0.75):
        source, drawn = (np.quantile(hours, share) for hours in apart)
        assert 0.5 < drawn / source < 2.5


def test_one_reply_that_is_too_early_refutes_the_order() -> None:
    tables = make_forum()
    assert [one.column for one in find(tables)] == ["posted"]
    posts = tables["posts"]
    last = posts["reply_to"].drop_nulls()[-1]
    early = pl.when(pl.col("reply_to") == last).then(pl.lit(FIRST)).otherwise("posted")
    assert find({**tables, "posts": posts.with_columns(posted=early)}) == ()


def test_moments_that_have_nothing_to_do_with_the_key_have_no_order() -> None:
    tables = make_forum()
    shuffled = tables["posts"].with_columns(pl.col("posted").shuffle(seed=1))
    assert find({**tables, "posts": shuffled}) == ()


def test_where_the_graph_is_copied_nothing_is_exchanged() -> None:
    assert find(make_forum(), generation={"keys": "copied"}) == ()


def test_what_rows_have_in_common_with_those_they_point_to_stays() -> None:
    (found,) = find(make_forum(within=True))
    assert found.same == (("posts(user_id) -> users(id)",),)


def test_an_order_the_other_way_is_found() -> None:
    """Each version names the one that follows it."""
    tables = make_forum()
    posts = tables["posts"].with_columns(posted=FIRST + (pl.lit(dt.datetime(2030, 1, 1)) - pl.col("posted")))
    (found,) = find({**tables, "posts": posts})
    assert found.order.capped


def test_given_moments_beside_the_steps_of_the_source_keep_the_order(tmp_path: Path) -> None:
    """Posts are written on the hour, known ones at any minute."""
    posts = make_threads().select(
        "id", "reply_to", posted=FIRST + pl.int_range(pl.len()) * dt.timedelta(hours=1)
    )
    posts.write_csv(tmp_path / "posts.csv")
    keys = [{"columns": ["reply_to"], "table": "posts"}]
    said = document(
        source={"paths": [str(tmp_path / "posts.csv")]},
        tables={"posts": {"primary_key": ["id"], "foreign_keys": keys}},
    )
    known = pl.DataFrame({"posted": [FIRST + dt.timedelta(minutes=7 * one) for one in range(60)]})
    known.write_csv(tmp_path / "known.csv")
    finished = run(parse(said), tmp_path / "run", base=Path())
    request = Request(given=[("posts", tmp_path / "known.csv")])
    made = generate(finished.folder, output=tmp_path / "more", request=request)
    drawn = pl.read_csv(made.folder / "tables" / "posts.csv", try_parse_dates=True)
    there = drawn.select(reply_to="id", there="posted")
    assert (drawn["posted"] == known["posted"]).all()
    replies = drawn.join(there, on="reply_to")
    assert replies.height > 10
    assert (replies["there"] < replies["posted"]).all()


def test_it_comes_back_from_json(model: Model) -> None:
    codec = model.codec.tables["posts"]
    again = TableCodec.from_json(json.loads(json.dumps(codec.to_json())))
    assert [one.to_json() for one in again.successions] == [one.to_json() for one in codec.successions]
    assert codec.successions


def make_threads(rows: int = 600) -> pl.DataFrame:
    """Make posts that name the one they reply to, and the first of the thread: often the same."""
    chance, roots = Random(0), list[int | None]()
    posts = list[list[Any]]()
    for number in range(rows):
        parent = chance.randrange(max(0, number - 60), number) if number and chance.random() < 0.7 else None
        roots.append(None if parent is None else parent if roots[parent] is None else roots[parent])
        moment = FIRST + dt.timedelta(minutes=number // 2)  # two of each
        posts.append([number, roots[-1], parent, moment])
    return pl.DataFrame(posts, ["id", "thread", "reply_to", "posted"], orient="row")


def test_what_two_keys_both_named_they_both_name_afterwards() -> None:
    keys = [{"columns": [name], "table": "posts"} for name in ("thread", "reply_to")]
    said = parse(
        {"tables": {"posts": {"primary_key": ["id"], "foreign_keys": keys}}, "source": {"kind": "memory"}}
    )
    posts = make_threads()
    database = inspect(tables_from_memory({"posts": posts}), said).database()
    facts = find_facts(database, find_structure(database.schema))
    found = find_across(database, None, said, facts)["posts"].successions
    assert [one.leader for one in found] == ["", found[0].key]
    chance, moment = np.random.default_rng(0), pa.array(posts["posted"].shuffle(seed=1).to_list())
    drawn = {
        one: np.array(posts[one.columns[0]].fill_null(-1).to_list()) for one in database.schema.relations
    }
    thread, reply = (one.relation(drawn) for one in found)
    same_R = (drawn[thread] == drawn[reply]) & (drawn[reply] >= 0)
    settled = dict(drawn)
    for one, key in zip(found, (thread, reply), strict=True):
        kind_R = chance.integers(0, 3, len(posts))
        settled[key] = one.settle(moment, settled, drawn, kind_R, seed=0)
        late_R = settled[key] >= 0
        tick_R = np.array(moment.cast(pa.int64()))
        assert (tick_R[settled[key][late_R]] <= tick_R[late_R]).all()
        assert not find_levels(settled[key]).circular_R.any()
    assert same_R.sum() > 50
    assert (settled[thread][same_R] == settled[reply][same_R]).all()
    assert (settled[reply] >= 0).sum() > 0.9 * (drawn[reply] >= 0).sum()


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_rows_point_at_earlier_ones_of_their_cell_as_often_as_can_be(seed: int, strict: bool) -> None:
    chance = np.random.default_rng(seed)
    rows, moments = 300, int(chance.choice([6, 40, 10_000]))
    tick_R, cell_R = chance.integers(0, moments, rows), chance.integers(0, 4, rows)
    row_R = forest(chance, cell_R)
    past = _Past(tick_R, find_levels(row_R).level_R, strict)
    found_R = _choose(row_R, past, chance.integers(0, moments, rows), cell_R, chance.integers(0, 3, rows))
    assert (found_R[row_R < 0] == -1).all()
    points = found_R >= 0
    assert (cell_R[found_R[points]] == cell_R[points]).all()
    assert (tick_R[found_R[points]] <= tick_R[points] - int(strict)).all()
    assert not find_levels(found_R).circular_R.any()
    assert not (found_R == np.arange(rows)).any()
    alone = np.flatnonzero((row_R >= 0) & ~points)
    assert all(not earlier(past, cell_R, row).any() for row in alone), "only the first of a cell"
    wanted, given = (np.bincount(one[one >= 0], minlength=rows) for one in (row_R, found_R))
    assert np.minimum(wanted, given).sum() >= most_in_order(past, cell_R, row_R)


def forest(chance: np.random.Generator, cell_R: Rows) -> Rows:
    """Let most rows point at one of their cell with a smaller number."""
    row_R = np.full(len(cell_R), -1)
    for row in range(len(cell_R)):
        before = np.flatnonzero(cell_R[:row] == cell_R[row])
        if len(before) and chance.random() < 0.7:
            row_R[row] = chance.choice(before)
    return row_R


def earlier(past: _Past, cell_R: Rows, row: int) -> NDArray[np.bool_]:
    """Mark the rows that a row may point at."""
    mark_R: NDArray[np.bool_] = (past.place_R < past.end(np.array([row]))[0]) & (cell_R == cell_R[row])
    return mark_R


def most_in_order(past: _Past, cell_R: Rows, row_R: Rows) -> int:
    """Count the rows that can have one of the targets, each as often as it has rows: the earliest first."""
    left_R, found = np.bincount(row_R[row_R >= 0], minlength=len(row_R)), 0
    for row in np.argsort(past.place_R):
        if row_R[row] >= 0 and (may := np.flatnonzero(earlier(past, cell_R, row) & (left_R > 0))).size:
            left_R[may[0]] -= 1
            found += 1
    return found
