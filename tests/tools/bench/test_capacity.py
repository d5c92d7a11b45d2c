import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.bench.capacity import cost, estimate, next_size


def searched(limit: int, first: int, step: int = 5) -> dict[int, bool]:
    tried: dict[int, bool] = {}
    while size := next_size(tried, first, step=step):
        tried[size] = size <= limit
    return tried


@given(st.integers(5, 300), st.integers(1, 400))
def test_the_search_ends_at_the_largest_number_that_holds(limit: int, first: int) -> None:
    tried = searched(limit, first)
    held = max(size for size, holds in tried.items() if holds)
    assert held == limit // 5 * 5


@given(st.integers(1, 4), st.integers(1, 40))
def test_the_search_ends_where_nothing_holds(limit: int, first: int) -> None:
    assert not any(searched(limit, first).values())


def test_a_good_estimate_is_confirmed_in_few_trials() -> None:
    assert len(searched(40, first=38)) <= 4


def test_a_cluster_costs_something_without_cameras() -> None:
    fixed, each = cost([(5, 0.45), (15, 0.95), (10, 0.7)])
    assert fixed == pytest.approx(0.2)
    assert each == pytest.approx(0.05)


def test_what_shows_the_cameras_takes_its_share_of_the_machine() -> None:
    assert estimate(0.1, 0.02, serving=0, cores=2) == 79
    assert estimate(0.1, 0.02, serving=0.02, cores=2) == 39


def test_one_camera_is_tried_however_dear_it_is() -> None:
    assert estimate(3.0, 1.0, serving=0, cores=2) == 1
