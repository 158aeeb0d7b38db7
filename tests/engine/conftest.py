import pytest

from engine.engine_toys import QUICK, family
from kinsynth.engine.trainer import train


@pytest.fixture(scope="session")
def family_models():
    encoded = family()
    return {name: train(encoded, name, QUICK, seed=1) for name in encoded.tables}
