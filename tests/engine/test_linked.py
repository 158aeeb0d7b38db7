"""Tables that are drawn one after the other."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from engine.engine_toys import QUICK
from engine.linked_toys import BOSS, BOUGHT, GIVEN, HEAD, LIKED, SEAT, WORKS, company
from kinsynth.engine.delivery import deliver
from kinsynth.engine.drawing import TableSampler
from kinsynth.engine.evidence import UNKNOWN, Condition, Shares
from kinsynth.engine.linked import draw_linked
from kinsynth.engine.sampled import concatenate, concatenate_pointed
from kinsynth.engine.sampler import sample
from kinsynth.engine.trainer import train
from kinsynth.errors import InternalError


@pytest.mark.parametrize("roots", [0, 512, 700])
def test_a_tree_drawn_table_by_table_is_the_one_drawn_block_by_block(family_models, roots):
    samplers = {name: TableSampler(model, 7, 1.0, None) for name, model in family_models.items()}
    store = draw_linked(samplers, {"root": roots}, workers=2, begin=lambda: None)
    apart = list(sample(family_models, {"root": roots}, seed=7))
    together = list(deliver(store, "root"))
    assert len(apart) == len(together)
    for one, other in zip(apart, together, strict=True):
        for name, table in one.tables.items():
            stored = other.tables[name]
            assert table.encoded.codes_RC.dtype == stored.encoded.codes_RC.dtype
            assert (table.encoded.codes_RC == stored.encoded.codes_RC).all()
            assert (table.row_ids == stored.row_ids).all()
            assert (table.root_R == stored.root_R).all()
            if table.encoded.parent_R is not None:
                assert (table.encoded.parent_R == stored.encoded.parent_R).all()
    assert concatenate(together).tables["root"].rows == roots


PLAN = replace(QUICK, block_size=64, max_steps=160)
ROOTS = {"products": 100, "customers": 500, "departments": 40, "staff": 600, "desks": 250}

LEARNED = (
    0.9  # share of rows that follow a rule without exception after a short training; by chance 0.3 to 0.5
)


@pytest.fixture(scope="module")
def encoded():
    return company()


@pytest.fixture(scope="module")
def models(encoded):
    return {name: train(encoded, name, PLAN, seed=1) for name in encoded.tables}


class Drawn:
    """All rows drawn, and what they point to."""

    def __init__(self, blocks):
        blocks = list(blocks)
        self.tables = concatenate(blocks).tables
        self.pointed = concatenate_pointed(blocks)
        self.removed = Counter()
        self.emptied = Counter()
        for block in blocks:
            for name, table in block.tables.items():
                self.removed[name] += table.removed
                self.emptied.update(table.emptied)

    def codes(self, name, column):
        return self.tables[name].codes_RC[:, column]

    def bytes(self):
        for name, table in self.tables.items():
            yield table.codes_RC.tobytes()
            yield b"" if table.parent_R is None else table.parent_R.tobytes()
            yield from (row_R.tobytes() for row_R in self.pointed.get(name, {}).values())


@pytest.fixture(scope="module")
def drawn(models):
    return Drawn(sample(models, ROOTS, seed=5, threads=1))


def test_rows_follow_what_they_point_to(drawn):
    pointed = drawn.pointed["orders"]
    colour = drawn.codes("products", 0)
    assert (drawn.codes("orders", 0) == colour[pointed[BOUGHT.key]]).mean() > LEARNED
    assert (drawn.codes("orders", 1) == (pointed[GIVEN.key] >= 0)).mean() > LEARNED
    works = drawn.pointed["staff"][WORKS.key]
    assert (drawn.codes("staff", 0) == drawn.codes("departments", 0)[works]).mean() > LEARNED


def test_rows_follow_what_the_rows_they_point_to_point_to(drawn):
    works = drawn.pointed["staff"][WORKS.key][drawn.pointed["desks"][SEAT.key]]
    assert (drawn.codes("desks", 0) == drawn.codes("departments", 1)[works]).mean() > LEARNED


def test_rows_below_follow_too(drawn):
    stamps = drawn.tables["stamps"]
    assert (stamps.codes_RC[:, 0] == drawn.codes("orders", 0)[stamps.parent_R]).mean() > LEARNED


def test_what_is_pointed_to_follows_the_owner(drawn):
    taste, colour = drawn.codes("customers", 0), drawn.codes("products", 0)
    for name, key in (("orders", BOUGHT.key), ("likes", LIKED.key)):
        wanted = taste[drawn.tables[name].parent_R]
        assert (colour[drawn.pointed[name][key]] == wanted).mean() > LEARNED


def test_declared_promises_are_kept_exactly(drawn):
    orders, likes = drawn.pointed["orders"], drawn.pointed["likes"][LIKED.key]
    assert not (orders[BOUGHT.key] == orders[GIVEN.key]).any()
    assert (orders[BOUGHT.key] >= 0).all()
    pairs = np.stack([drawn.tables["likes"].parent_R, likes], 1)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    seated = drawn.pointed["desks"][SEAT.key]
    assert len(np.unique(seated)) == len(seated)
    boss, level = drawn.pointed["staff"][BOSS.key], drawn.codes("staff", 2)
    assert (level[boss[boss >= 0]] == level[boss >= 0] - 1).all()
    head = drawn.pointed["departments"][HEAD.key]
    led = np.flatnonzero(head >= 0)
    assert len(led) > 20
    assert (drawn.pointed["staff"][WORKS.key][head[led]] == led).all()
    assert not drawn.removed.total()


@pytest.mark.parametrize(("name", "key", "column"), [("orders", BOUGHT, 1), ("likes", LIKED, 3)])
def test_in_degrees_follow_the_quotas(drawn, name, key, column):
    """Quotas are scaled to the rows that want one; the order of the targets by them stays."""
    got = np.bincount(drawn.pointed[name][key.key], minlength=100)
    wanted = drawn.codes(key.target, column) * (got.sum() / drawn.codes(key.target, column).sum())
    assert np.abs(got - wanted).sum() / got.sum() < 0.25
    assert np.corrcoef(got, wanted)[0, 1] > 0.8


def test_threads_never_change_a_row_or_a_key(models, drawn):
    shares = []
    together = sample(models, ROOTS, seed=5, threads=3, on_share=lambda share, name: shares.append(share))
    assert list(Drawn(together).bytes()) == list(drawn.bytes())
    assert shares == sorted(shares)
    assert 0 < shares[0] <= shares[-1] <= 1


def test_blocks_join_to_the_whole_however_they_are_grouped(models, drawn):
    blocks = list(sample(models, ROOTS, seed=5))
    assert [block.root for block in blocks] == sorted((block.root for block in blocks), key=list(ROOTS).index)
    likes = np.concatenate(
        [block.tables["likes"].pointed[LIKED.key] for block in blocks if block.root == "customers"]
    )
    assert (likes == drawn.pointed["likes"][LIKED.key]).all()
    assert max(len(block.tables[block.root].root_R) for block in blocks) == PLAN.block_size


def test_conditions_are_kept_where_tables_point_at_others(models):
    known = np.full((50, 3), UNKNOWN, dtype=np.int32)
    known[:, 0] = 2
    shares = Shares(0, np.eye(3, dtype=np.bool_)[:1], np.ones(1))
    conditions = {"customers": Condition(known), "products": Condition(None, shares)}
    made = Drawn(sample(models, ROOTS, seed=5, conditions=conditions))
    assert (made.codes("customers", 0)[:50] == 2).all()
    assert (made.codes("products", 0) == 0).all()
    assert (made.pointed["orders"][BOUGHT.key] >= 0).all()


def test_a_part_of_rows_that_point_at_each_other_is_refused(models):
    with pytest.raises(InternalError, match=r"engine\.first_root"):
        next(sample(models, ROOTS, seed=5, first_root=64))


def test_rows_that_point_to_others_are_not_drawn_without_them(models):
    with pytest.raises(InternalError, match=r"engine\.order"):
        next(sample({"desks": models["desks"]}, {"desks": 3}, seed=5))
    with pytest.raises(ValueError, match="point to others"):
        TableSampler(models["desks"], 5, 1.0, None).draw_several(np.arange(3), 2)


def test_rows_that_must_point_at_a_table_without_rows_are_left_out_and_counted(models):
    made = Drawn(sample(models, ROOTS | {"products": 0}, seed=5))
    assert [made.tables[name].rows for name in ("orders", "stamps", "likes")] == [0, 0, 0]
    assert min(made.removed[name] for name in ("orders", "stamps", "likes")) > 0
    assert made.tables["customers"].rows == ROOTS["customers"]
    assert made.tables["staff"].rows == ROOTS["staff"]
    assert not made.removed["customers"] + made.removed["staff"]


def test_no_root_at_all_gives_tables_without_rows(models):
    made = Drawn(sample(models, dict.fromkeys(ROOTS, 0), seed=5))
    assert {table.rows for table in made.tables.values()} == {0}
    assert made.pointed["orders"][BOUGHT.key].shape == (0,)
