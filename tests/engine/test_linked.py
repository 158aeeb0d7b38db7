"""Tables that are drawn one after the other."""

import numpy as np
import pytest

from kinsynth.engine.delivery import deliver
from kinsynth.engine.drawing import TableSampler
from kinsynth.engine.linked import draw_linked
from kinsynth.engine.sampled import concatenate
from kinsynth.engine.sampler import sample


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
