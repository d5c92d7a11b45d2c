import pytest

from tools.estimates import proportion, rate


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_proportions_have_wilsons_interval(successes: int, trials: int, low: float, high: float) -> None:
    found = proportion(successes, trials)

    assert found is not None
    assert found.value == successes / trials
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # Garwood, Fiducial limits for the Poisson distribution, 1936.
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390)],
)
def test_rates_have_the_exact_interval_of_a_poisson_count(count: int, low: float, high: float) -> None:
    found = rate(count, 2.0)

    assert found is not None
    assert found.value == count / 2
    assert (found.low, found.high) == pytest.approx((low / 2, high / 2), abs=5e-4)
