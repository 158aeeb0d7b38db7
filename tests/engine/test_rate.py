import numpy as np
import pytest

from kinsynth.engine.rate import (
    HIGHEST_RATE,
    LOWEST_RATE,
    Fall,
    adaptive_rate,
    choose_rate,
    count_trial_steps,
    find_rate,
)

RATES = np.geomspace(1e-3, 0.3, 24).tolist()


def trial(best):
    """Losses that fall until a rate, and rise beyond it."""
    return [20 + (np.log(rate / best) ** 2 if rate > best else np.log(best / rate)) for rate in RATES]


def test_the_rate_warms_up_stays_and_falls():
    assert adaptive_rate(1e-2, 0, None) < 1e-3
    assert adaptive_rate(1e-2, 500, None) == 1e-2
    fall = Fall(start=500, steps=100)
    assert adaptive_rate(1e-2, 550, fall) == pytest.approx(5e-3)
    assert adaptive_rate(1e-2, 600, fall) == 0


def test_a_loss_that_turns_up_earlier_gives_a_lower_rate():
    found = [choose_rate(RATES, trial(best)) for best in (0.02, 0.05, 0.15)]
    assert found == sorted(set(found))
    assert all(best / 30 < rate < best / 4 for best, rate in zip((0.02, 0.05, 0.15), found, strict=True))


def test_losses_that_are_not_finite_do_not_choose():
    losses = trial(0.1)
    broken = [loss if rate < 0.15 else np.nan for rate, loss in zip(RATES, losses, strict=True)]
    assert choose_rate(RATES, broken) == pytest.approx(choose_rate(RATES, losses), rel=0.5)
    assert choose_rate(RATES, [np.nan] * 24) == LOWEST_RATE
    assert choose_rate(RATES, [20.0] * 24) == LOWEST_RATE
    assert choose_rate(RATES, list(np.linspace(20, 0, 24))) == HIGHEST_RATE


def test_a_trial_is_cheap_and_left_out_of_a_short_training():
    for steps in (0, 1, 50, 300, 400, 10_000):
        assert count_trial_steps(steps) <= 0.1 * steps
    assert count_trial_steps(50) == 0
    assert count_trial_steps(400) == 24

    def never(step, rate):
        raise AssertionError

    assert find_rate(never, 0, otherwise=0.007) == 0.007
    assert find_rate(never, 24, otherwise=0.007, is_late=lambda: True) == 0.007


def test_a_trial_that_takes_too_long_is_given_up():
    tried = []

    def try_step(step, rate):
        tried.append(step)
        return 1.0

    assert find_rate(try_step, 24, otherwise=0.007, is_late=lambda: len(tried) == 5) == 0.007
    assert tried == [0, 1, 2, 3, 4]
