import pytest
from report_toys import example


@pytest.fixture(scope="session")
def evaluation():
    """An evaluation with every type of column."""
    return example()
