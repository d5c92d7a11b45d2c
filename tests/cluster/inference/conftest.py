import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    """The same numbers in each run."""
    return np.random.default_rng(2838)
