import numpy as np
import pytest

from engine.engine_toys import family
from engine.linked_toys import company, layouts_of, store_of
from kinsynth.encoded import OWNER
from kinsynth.engine.sampled import number_rows
from kinsynth.engine.store import Store


@pytest.fixture(scope="module")
def encoded():
    return company()


@pytest.fixture(scope="module")
def store(encoded):
    return store_of(encoded)


def test_rows_are_laid_as_the_parents_count_them(encoded, store):
    for name, table in encoded.tables.items():
        frame = store.frame(name)
        assert frame.rows == table.rows
        assert table.parent_R is None or (frame.parent_R == table.parent_R).all()
        assert (store.tables[name].codes_RC == table.codes_RC).all()
        assert store.tables[name].codes_RC.dtype == np.uint8


def test_a_block_holds_what_hangs_under_its_roots(encoded, store):
    for name in ("customers", "orders", "orders (keys)", "stamps"):
        root_R = np.concatenate([store.roots(name, block) for block in range(store.frame(name).blocks)])
        assert (root_R == encoded.root_rows(name)).all()
        assert (store.all_row_ids(name) == number_rows(root_R, table=name)).all()
        for block in range(store.frame(name).blocks):
            assert set(store.roots(name, block) // 64) <= {block}


def test_paths_lead_from_row_to_row_and_end_where_there_is_none(encoded, store):
    parent_R = encoded.tables["stamps"].parent_R
    bought, gift = (row_R for _, row_R, _ in store.keys("orders"))
    assert (store.follow("stamps", ()) == np.arange(len(parent_R))).all()
    assert (store.follow("stamps", (OWNER, 0)) == bought[parent_R]).all()
    assert (store.follow("stamps", (OWNER, 1)) == gift[parent_R]).all()
    assert (gift[parent_R] < 0).any()
    boss = store.keys("staff")[1][1]
    above = np.where(boss < 0, -1, boss[boss])
    assert (store.follow("staff", (1, 1)) == above).all()


def test_all_that_grows_with_the_rows_is_allocated_in_one_place(encoded):
    sizes = []

    def allocate(shape, kind):
        sizes.append(int(np.prod(shape)) * kind.itemsize)
        return np.zeros(shape, kind)

    store = Store(layouts_of(family(50)), allocate)
    store.lay_roots("root", 50, 16)
    store.open("root")
    store.lay_children("notes", np.full(50, 2))
    store.open("notes")
    assert sizes == [50 * 3, 100 * 8, 100 * 2]
    assert [store.frame("notes").block(number) for number in (0, 3)] == [slice(0, 32), slice(96, 100)]
