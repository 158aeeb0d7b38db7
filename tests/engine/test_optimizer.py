"""AdamW against torch's own."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from kinsynth.engine.optimizer import AdamW, make_optimizer, name_moments, restore_moments


def network(seed):
    made = nn.Sequential(nn.Linear(5, 7), nn.SiLU(), nn.Linear(7, 3))
    with torch.no_grad():
        for one in made.parameters():
            one.normal_(generator=torch.Generator().manual_seed(seed))
    return made


def give_gradients(made, seed, length=1.0):
    made.zero_grad(set_to_none=True)
    values = torch.randn(16, 5, generator=torch.Generator().manual_seed(seed))
    (length * made(values).square().mean()).backward()


@pytest.mark.parametrize("length", [0.1, 100.0])
def test_steps_are_those_of_torch(length):
    ours, theirs = network(1), network(1)
    own = make_optimizer(ours, weight_decay=0.7)
    matrices = [one for one in theirs.parameters() if one.ndim == 2]
    biases = [one for one in theirs.parameters() if one.ndim == 1]
    groups = [{"params": matrices, "weight_decay": 0.7}, {"params": biases, "weight_decay": 0.0}]
    reference = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.99), fused=True)
    for step in range(5):
        for made in (ours, theirs):
            give_gradients(made, step, length)
        norm = torch.nn.utils.clip_grad_norm_(theirs.parameters(), 5.0)
        assert (norm > 5) == (length > 1)
        reference.step()
        own.step(0.01)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-7)


def test_moments_come_back():
    first, second = network(2), network(2)
    begun, taken_up = (make_optimizer(made, weight_decay=0.1) for made in (first, second))
    give_gradients(first, 0)
    begun.step(0.01)
    second.load_state_dict(first.state_dict())
    restore_moments(taken_up, name_moments(begun))
    for made, optimizer in ((first, begun), (second, taken_up)):
        give_gradients(made, 1)
        optimizer.step(0.01)
    assert all(
        torch.equal(one, other) for one, other in zip(first.parameters(), second.parameters(), strict=True)
    )


def test_what_has_no_gradient_stays():
    still = nn.Parameter(torch.ones(3))
    AdamW([still], [0.5]).step(0.1)
    assert still.tolist() == [1, 1, 1]


@pytest.mark.slow
def test_training_loads_no_compiler():
    program = (
        "import sys, numpy as np\n"
        "from kinsynth.encoded import Encoded, EncodedTable, SubColumn\n"
        "from kinsynth.engine.sizing import TablePlan\n"
        "from kinsynth.engine.trainer import train\n"
        "codes = np.random.default_rng(0).integers(0, 3, (200, 2)).astype(np.int32)\n"
        "table = EncodedTable(codes, (SubColumn(0, 3), SubColumn(1, 3)))\n"
        "train(Encoded({'t': table}), 't', TablePlan(max_steps=4, validation_steps=2), seed=1)\n"
        "print('torch._dynamo' in sys.modules, 'torch._inductor' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["False", "False"]
