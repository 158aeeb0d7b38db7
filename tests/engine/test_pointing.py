"""Keys are assigned to rows whose codes are those of a database: the network has no part in it."""

from dataclasses import replace

import numpy as np
import pytest

from engine.linked_toys import BOSS, HEAD, WORKS, company, rooms, store_of, threads
from kinsynth.encoded import AGREEING, FIRST_GROUP, ITSELF, NONE, OWNER, Encoded, Ending
from kinsynth.engine.delivery import deliver
from kinsynth.engine.sampled import concatenate


@pytest.fixture(scope="module")
def encoded():
    return company()


@pytest.fixture(scope="module")
def store(encoded):
    return store_of(encoded)


def pointed(store, table, number):
    return store.keys(table)[number][1]


def changed(encoded, name, **more):
    return Encoded({**encoded.tables, name: replace(encoded.tables[name], **more)})


def with_tokens(encoded, name, row, tokens):
    codes = encoded.tables[name].codes_RC.copy()
    codes[row] = tokens
    return changed(encoded, name, codes_RC=codes)


def with_pointer(encoded, name, **more):
    first, *others = encoded.tables[name].pointers
    return changed(encoded, name, pointers=(replace(first, **more), *others))


@pytest.mark.parametrize(
    ("table", "number", "column"),
    [("orders", 0, 1), ("orders", 1, 2), ("likes", 0, 3), ("staff", 0, 2), ("staff", 1, 1), ("desks", 0, 4)],
)
def test_as_many_rows_point_at_each_row_as_its_codes_say(encoded, store, table, number, column):
    """The quotas add up to the rows that want one, so they are met but where a promise stands against it."""
    keys, row_R = store.keys(table)[number][0], pointed(store, table, number)
    target = encoded.tables[keys.pointer.target]
    got = np.bincount(row_R[row_R >= 0], minlength=target.rows)
    wanted = target.codes_RC[:, column]
    assert np.abs(got - wanted).sum() <= 0.05 * wanted.sum()


def test_rows_get_the_group_they_want(encoded, store):
    colour = encoded.tables["products"].codes_RC[:, 0]
    token = encoded.tables["orders (keys)"].codes_RC[:, 0]
    assert (colour[pointed(store, "orders", 0)] == token - FIRST_GROUP).mean() > 0.95


def test_two_keys_of_a_row_never_agree_and_a_missing_one_stays_missing(encoded, store):
    bought, gift = pointed(store, "orders", 0), pointed(store, "orders", 1)
    assert not (bought == gift).any()
    assert ((gift < 0) == (encoded.tables["orders (keys)"].codes_RC[:, 1] == NONE)).all()
    assert (bought >= 0).all()


def test_nobody_likes_a_product_twice(encoded, store):
    pairs = np.stack([encoded.tables["likes"].parent_R, pointed(store, "likes", 0)], 1)
    assert len(np.unique(pairs, axis=0)) == len(pairs)


def test_bosses_stand_one_level_above(encoded, store):
    level, boss = encoded.tables["staff"].codes_RC[:, 2], pointed(store, "staff", 1)
    assert ((boss < 0) == (level == 0)).all()
    assert (level[boss[boss >= 0]] == level[boss >= 0] - 1).all()


def test_heads_work_in_their_department(store):
    works, head = pointed(store, "staff", 0), pointed(store, "departments", 0)
    some = np.flatnonzero(head >= 0)
    assert len(some) > 20
    assert (works[head[some]] == some).all()


def test_blocks_do_not_matter(encoded, store):
    other = store_of(encoded, block=1000)
    for table in ("orders", "likes", "staff", "departments"):
        for one, two in zip(store.keys(table), other.keys(table), strict=True):
            assert (one[1] == two[1]).all()


def test_levels_win_over_tokens(encoded):
    """Everybody wants no boss, or everybody a boss: who has one depends on the level alone."""
    level = encoded.tables["staff"].codes_RC[:, 2]
    for token in (NONE, FIRST_GROUP):
        store = store_of(with_tokens(encoded, "staff (late keys)", slice(None), token))
        boss = pointed(store, "staff", 1)
        assert ((boss < 0) == (level == 0)).all()
        assert (level[boss[boss >= 0]] == level[boss >= 0] - 1).all()


def test_a_level_without_one_above_leaves_the_key_missing_and_says_so(encoded):
    codes = encoded.tables["staff"].codes_RC.copy()
    codes[:, 2] = np.where(codes[:, 2] == 1, 0, codes[:, 2])
    store = store_of(changed(encoded, "staff", codes_RC=codes))
    blocks = list(deliver(store, "staff"))
    assert (pointed(store, "staff", 1) < 0).all()
    lost = sum(block.tables["staff"].emptied[BOSS.key] for block in blocks)
    assert lost == (codes[:, 2] == 2).sum()
    assert sum(block.tables["staff"].removed for block in blocks) == 0


def delivered(store, table, key):
    """The rows kept, and what they point to."""
    blocks = [block.tables[table] for block in deliver(store, store.layouts[table].root)]
    row_R = np.concatenate([block.pointed[key] for block in blocks])
    return sum(len(block.root_R) for block in blocks), sum(block.removed for block in blocks), row_R


def test_a_row_that_finds_none_is_taken_out_and_numbers_close_up(encoded):
    """No two may work in one department: each department keeps one."""
    store = store_of(with_pointer(encoded, "staff (keys)", apart=((),)))
    departments = encoded.tables["departments"].rows
    kept, removed, works = delivered(store, "staff", WORKS.key)
    assert (kept, removed) == (departments, encoded.tables["staff"].rows - departments)
    assert sorted(works.tolist()) == list(range(departments))
    boss = delivered(store, "staff", BOSS.key)[2]
    assert boss.max() < kept
    _, lost, head = delivered(store, "departments", HEAD.key)
    assert lost == 0
    assert (works[head[head >= 0]] == np.flatnonzero(head >= 0)).all()


def test_what_hangs_on_a_removed_row_goes_with_it(encoded):
    """No two may order one product: the stamps of other orders go, those of the first stay with theirs."""
    store = store_of(with_pointer(encoded, "orders (keys)", apart=((),)))
    dead_R = store.dead("orders")
    assert 0 < (~dead_R).sum() <= encoded.tables["products"].rows
    orders, stamps = (
        np.concatenate([block.tables[name].encoded.codes_RC[:, 0] for block in deliver(store, "customers")])
        for name in ("orders", "stamps")
    )
    whole = concatenate(deliver(store, "customers"))
    assert whole.tables["orders"].rows == (~dead_R).sum() == len(orders)
    parent_R = encoded.tables["stamps"].parent_R
    assert len(stamps) == (~dead_R)[parent_R].sum() > 0
    assert (stamps == orders[whole.tables["stamps"].parent_R]).all()  # a stamp has its order's shade
    likes = whole.tables["likes"]
    assert likes.rows == encoded.tables["likes"].rows


def test_a_cycle_of_keys_that_must_not_be_missing_is_pruned_to_a_whole(encoded):
    """Departments without a head go, with those who work there, and with the departments they head."""
    store = store_of(with_pointer(encoded, "departments (late keys)", nullable=False))
    kept, removed, head = delivered(store, "departments", HEAD.key)
    staff, gone, works = delivered(store, "staff", WORKS.key)
    assert kept > 20
    assert removed > 0
    assert gone > removed
    assert (works[head] == np.arange(kept)).all()
    assert 0 <= works.min() <= works.max() < kept
    assert len(works) == staff


def test_without_a_row_to_point_at_all_that_must_point_go(encoded):
    empty = {
        "products": replace(encoded.tables["products"], codes_RC=encoded.tables["products"].codes_RC[:0])
    }
    for name in ("customers", "orders (keys)", "orders", "stamps", "likes (keys)", "likes"):
        links = encoded.tables[name].links
        none = tuple(replace(link, row_R=np.full_like(link.row_R, -1)) for link in links)
        empty[name] = replace(encoded.tables[name], links=none)
    store = store_of(Encoded(empty))
    whole = concatenate(deliver(store, "customers"))
    assert [whole.tables[name].rows for name in ("orders", "stamps", "likes")] == [0, 0, 0]
    assert whole.tables["customers"].rows == encoded.tables["customers"].rows


def test_an_unknown_part_of_a_unique_key_keeps_nothing_apart(encoded):
    """No two orders with the same gift may be of one product; those without a gift may."""
    keys = encoded.tables["orders (keys)"]
    bought, gift = keys.pointers
    codes = keys.codes_RC[:, ::-1].copy()
    subs = (replace(keys.sub_columns[1], column=0), replace(keys.sub_columns[0], column=1))
    pointers = (replace(gift, avoid=()), replace(bought, apart=(((0,),),)))
    store = store_of(changed(encoded, "orders (keys)", codes_RC=codes, sub_columns=subs, pointers=pointers))
    gift, bought = pointed(store, "orders", 0), pointed(store, "orders", 1)
    pairs = np.stack([gift, bought], 1)[gift >= 0]
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert len(np.unique(bought[gift < 0])) < (gift < 0).sum()
    assert not store.dead("orders")[gift < 0].any()


def test_notes_answer_notes_one_level_above_on_their_page_and_the_first_ones_themselves():
    encoded = threads()
    store = store_of(encoded)
    table, answered = encoded.tables["notes"], pointed(store, "notes", 0)
    level, here = table.codes_RC[:, 2], np.arange(table.rows)
    assert (answered[level == 0] == here[level == 0]).all()
    assert (level[answered[level > 0]] == level[level > 0] - 1).all()
    assert (table.parent_R[answered] == table.parent_R).all()
    got = np.bincount(answered, minlength=table.rows)
    assert np.abs(got - table.codes_RC[:, 1]).sum() <= 0.05 * table.rows


def test_who_points_at_another_row_of_its_table_never_gets_itself():
    encoded = threads()
    store = store_of(with_pointer(encoded, "notes (late keys)", level="", scopes=()))
    token = encoded.tables["notes (late keys)"].codes_RC[:, 0]
    itself = pointed(store, "notes", 0) == np.arange(len(token))
    assert (itself == (token == ITSELF)).all()


@pytest.mark.parametrize(("nullable", "kept"), [(True, 1.0), (False, 0.0)])
def test_itself_cannot_be_a_row_of_another_table(encoded, nullable, kept):
    tokens = with_tokens(encoded, "staff (keys)", slice(None), ITSELF)
    store = store_of(with_pointer(tokens, "staff (keys)", nullable=nullable))
    assert (pointed(store, "staff", 0) < 0).all()
    assert (~store.dead("staff")).mean() == kept


def without_rows(encoded, name, rows):
    """The database with only the first rows of a table; nothing points to it yet."""
    made = encoded.tables[name]
    tables = {**encoded.tables, name: replace(made, codes_RC=made.codes_RC[:rows])}
    for other, table in tables.items():
        links = tuple(
            replace(link, row_R=np.full_like(link.row_R, -1)) if link.target == name else link
            for link in table.links
        )
        tables[other] = replace(table, links=links)
    return Encoded(tables)


@pytest.mark.parametrize("rows", [1, 2])
def test_fewer_rows_to_point_at_than_must_differ_take_the_others_out(encoded, rows):
    """A customer likes no product twice: with one or two products each keeps so many likes at most."""
    products = ["products", "customers", "orders (keys)", "orders", "stamps", "likes (keys)", "likes"]
    few = without_rows(Encoded({name: encoded.tables[name] for name in products}), "products", rows)
    store = store_of(few)
    parent_R, liked = few.tables["likes"].parent_R, pointed(store, "likes", 0)
    wanted = np.bincount(parent_R)
    kept = np.bincount(parent_R[liked >= 0], minlength=len(wanted))
    assert (kept == np.minimum(wanted, rows)).all()
    assert (store.dead("likes") == (liked < 0)).all()


def test_who_wants_one_that_agrees_finds_none_where_there_is_none(encoded):
    """The key must not be missing: whoever wants it is taken out, not left without one."""
    agreement = (Ending((OWNER,), (0,), (0, 1, 2)), Ending((), (0,), (0, 1, 2)))
    wishing = with_tokens(
        with_pointer(encoded, "likes (keys)", agreement=agreement), "likes (keys)", slice(None), AGREEING
    )
    products = ["products", "customers", "orders (keys)", "orders", "stamps", "likes (keys)", "likes"]
    some = Encoded({name: wishing.tables[name] for name in products})
    assert not store_of(some).dead("likes").any()
    assert store_of(without_rows(some, "products", 0)).dead("likes").all()


def test_who_points_at_itself_is_not_pointed_at_again(encoded):
    """No two may have one boss; every third points at itself, the others at any."""
    codes = encoded.tables["staff (late keys)"].codes_RC.copy()
    codes[:, 0] = np.where(np.arange(len(codes)) % 3 == 0, ITSELF, FIRST_GROUP)
    unique = with_pointer(
        changed(encoded, "staff (late keys)", codes_RC=codes), "staff (late keys)", level="", apart=((),)
    )
    for seed in range(5):
        boss = pointed(store_of(unique, seed=seed), "staff", 1)
        assert (boss[::3] == np.arange(len(boss))[::3]).all()
        assert len(np.unique(boss[boss >= 0])) == (boss >= 0).sum() > len(boss) / 2


def test_what_must_be_shared_counts_where_both_sides_have_it():
    """Desks and lamps stand in rooms; who has a desk gets a lamp of its room, who has none any lamp."""
    for missing in (False, True):
        encoded = rooms(lamps_without_a_room=missing)
        store = store_of(encoded)
        desk, lamp = pointed(store, "people", 0), pointed(store, "people", 1)
        room_D, room_L = pointed(store, "desks", 0), pointed(store, "lamps", 0)
        assert (lamp >= 0).all()
        both = (desk >= 0) & (room_L[lamp] >= 0)
        assert (room_D[desk[both]] == room_L[lamp[both]]).all()
        assert (desk < 0).sum() > 100
        got, wanted = np.bincount(lamp, minlength=len(room_L)), encoded.tables["lamps"].codes_RC[:, 1]
        assert np.abs(got - wanted).sum() <= 0.05 * wanted.sum()
        assert ((room_L[lamp] < 0).sum() > 50) == missing
