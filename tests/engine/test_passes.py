from dataclasses import replace

import pytest

from engine.engine_toys import family
from engine.linked_toys import BOSS, HEAD, WORKS, company, layouts_of
from kinsynth.engine.passes import Assign, Draw, further_keys, is_linked, plan_steps
from kinsynth.errors import InternalError


def test_trees_are_not_linked():
    assert not is_linked(layouts_of(family(20)))
    assert is_linked(layouts_of(company()))


def test_tables_are_drawn_in_their_order_and_keys_assigned_as_soon_as_they_can():
    assert plan_steps(layouts_of(company())) == (
        Draw("products"),
        Draw("customers"),
        Draw("orders (keys)"),
        Assign("orders (keys)"),
        Draw("orders"),
        Draw("stamps"),
        Draw("likes (keys)"),
        Assign("likes (keys)"),
        Draw("likes"),
        Draw("departments"),
        Draw("departments (late keys)"),
        Draw("staff (keys)"),
        Assign("staff (keys)"),
        Draw("staff"),
        Assign("departments (late keys)"),  # the heads are there, and where they work is known
        Draw("staff (late keys)"),
        Assign("staff (late keys)"),
        Draw("desks (keys)"),
        Assign("desks (keys)"),
        Draw("desks"),
    )


def test_steps_of_paths_follow_early_keys_first():
    keys = further_keys(layouts_of(company()), "staff")
    assert [(each.pointer.key, each.drawn) for each in keys] == [
        (WORKS.key, "staff (keys)"),
        (BOSS.key, "staff (late keys)"),
    ]


def test_a_key_waits_for_the_keys_on_its_paths():
    layouts = layouts_of(company())
    late = layouts["departments (late keys)"]
    through_boss = replace(HEAD, scopes=(((), (1, 0)),))
    layouts["departments (late keys)"] = replace(late, pointers=(through_boss,))
    steps = [step for step in plan_steps(layouts) if isinstance(step, Assign)]
    assert steps[-3:-1] == [Assign("staff (late keys)"), Assign("departments (late keys)")]


def test_a_table_before_what_it_points_to_is_refused():
    layouts = layouts_of(company())
    layouts["departments"] = layouts.pop("departments")
    with pytest.raises(InternalError, match=r"engine\.order"):
        plan_steps(layouts)


def test_a_table_without_the_tables_that_say_what_it_points_to_is_refused():
    layouts = layouts_of(company())
    with pytest.raises(InternalError, match=r"engine\.order"):
        plan_steps({"desks": layouts["desks"]})


def test_keys_that_wait_for_each_other_are_refused():
    layouts = layouts_of(company())
    boss = replace(BOSS, scopes=(((0, 0), (0, 0)),))
    layouts["staff (late keys)"] = replace(layouts["staff (late keys)"], pointers=(boss,))
    head = replace(HEAD, scopes=(((), (1, 0)),))
    layouts["departments (late keys)"] = replace(layouts["departments (late keys)"], pointers=(head,))
    with pytest.raises(InternalError, match="wait"):
        plan_steps(layouts)


def test_a_path_through_a_key_assigned_later_is_refused():
    layouts = layouts_of(company())
    keys = layouts["orders (keys)"]
    bought = replace(keys.pointers[0], avoid=((1,),))
    layouts["orders (keys)"] = replace(keys, pointers=(bought, keys.pointers[1]))
    with pytest.raises(InternalError, match="assigned later"):
        plan_steps(layouts)
