from kinsynth.engine.stopwatch import Stopwatch


class FakeClock:
    """A clock that goes on by ``tick`` whenever it is read."""

    def __init__(self, tick):
        self.now, self.tick = 100.0, tick

    def __call__(self):
        self.now += self.tick
        return self.now


def forbidden():
    raise AssertionError("the clock was read")


def test_without_a_limit_the_clock_is_never_read():
    watch = Stopwatch(None, forbidden)
    watch.take_up(None, 0.0)
    assert watch.spent == 0
    assert not watch.is_past(1.0, reserve=0.0)
    assert watch.steps_left(10, reserve=0.0) is None


def test_time_goes_by_and_earlier_time_counts():
    clock = FakeClock(0.0)
    watch = Stopwatch(10.0, clock)
    clock.now += 4
    assert watch.spent == 4
    assert not watch.is_past(0.5, reserve=0.0)
    assert watch.is_past(0.5, reserve=2.0)
    assert watch.steps_left(8, reserve=2.0) == 8
    watch.take_up(5.0, spent=4.5)
    assert not watch.is_past(1.0, reserve=0.0)
    clock.now += 1
    assert watch.is_past(1.0, reserve=0.0)
    assert watch.steps_left(8, reserve=0.0) == 0
