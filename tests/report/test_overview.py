import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest

from kinsynth.evaluation.results import KeyArrow, Overview, TableBox
from kinsynth.report.layers import BOX_WIDTH, arrange_layers
from kinsynth.report.overview import draw_overview

KINDS = ("owner", "key", "late", "implied", "reference")


def graph(seed, tables):
    """Make a graph of tables with circles, several keys between two tables and references to themselves."""
    rng = np.random.default_rng(seed)
    names = [f"table_{number}" for number in range(tables)]
    keys = [(names[a], names[b]) for a, b in rng.integers(0, tables, (2 * tables, 2))]
    return names, keys


def overlap(row, layers):
    places = sorted(layers.x[name] for name in row if "\n" not in name)
    return any(right - left < BOX_WIDTH for left, right in pairwise(places))


@pytest.mark.parametrize("seed", range(6))
def test_boxes_lie_apart_and_inside(seed):
    names, keys = graph(seed, 20)
    layers = arrange_layers(names, [key for key in keys if key[0] != key[1]], width=6.85)
    assert sorted(name for row in layers.rows for name in row if "\n" not in name) == sorted(names)
    assert not any(overlap(row, layers) for row in layers.rows)
    assert all(
        BOX_WIDTH / 2 <= x <= layers.width - BOX_WIDTH / 2 for name, x in layers.x.items() if "\n" not in name
    )


def test_a_referenced_table_stands_above_where_there_is_no_circle():
    names = ["item", "order", "customer", "product", "town"]
    keys = [("order", "customer"), ("item", "order"), ("item", "product"), ("customer", "town")]
    layers = arrange_layers(names, keys, width=6.85)
    assert all(layers.y(table) < layers.y(parent) for table, parent in keys)
    assert layers.y("product") == layers.y("order")


@pytest.mark.parametrize(("seed", "tables"), [(0, 1), (1, 2), (2, 9), (3, 20), (4, 40)])
def test_any_graph_can_be_drawn_and_the_same_every_time(seed, tables):
    names, keys = graph(seed, tables)
    overview = Overview(
        tables=tuple(TableBox(name=name, rows=(10, 20), original=name.endswith("3")) for name in names),
        keys=tuple(
            KeyArrow(table=one, parent=other, kind="self" if one == other else KINDS[number % 5])
            for number, (one, other) in enumerate(keys)
        ),
    )
    drawing = draw_overview(overview)
    assert drawing == draw_overview(overview)
    texts = {element.text for element in ET.fromstring(drawing).iter() if element.tag.endswith("text")}
    assert {*names} <= texts
